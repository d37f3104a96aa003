/**
 * Instance store: the disks that a type brings, as DescribeInstanceTypes shows them. They are there from a start to the next stop, over reboots too,
 * and each start begins with empty ones (EC2 User Guide, "Instance store lifetime").
 *
 * Invariant: a disk's id says its instance and its start, so that another start never meets what the last one left.
 */
import type { MachineDisk } from '#engine/port'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import { find } from '#service/ec2/instance-type/instance-type'
import type { Reader } from '#store/store'

/** What `lsblk -o MODEL` shows of them on EC2. */
const MODEL = 'Amazon EC2 NVMe Instance Storage'
const GB = 1_000_000_000
const GIB = 1024 ** 3

type EphemeralDisk = MachineDisk & { sizeGiB: number }

const FORM = /^(i-[0-9a-f]+)-ephemeral\d+-[0-9a-z]+$/

/** The disks of the newest start. */
export function ephemeralDisks({ id, spec }: Pick<InstanceRow, 'id' | 'spec'>): EphemeralDisk[] {
  const type = find(spec.type)
  const disks = type?.family.disks?.[type.size]
  if (!disks) return []
  const [count, sizeGB] = disks
  const start = Date.parse(spec.launchTime).toString(36)
  return Array.from({ length: count }, (_, index) => ({
    disk: `${id}-ephemeral${index}-${start}`, device: `nvme${index + 1}n1`, model: MODEL, sizeGiB: Math.floor(sizeGB * GB / GIB),
    serial: `AWS${id.slice(-15).toUpperCase()}${index}`,
  }))
}

/** Those that its machine should have: none once it is to stop or to end. */
export const wantedEphemeral = (row: Pick<InstanceRow, 'id' | 'spec'>): EphemeralDisk[] => (row.spec.desired === 'running' ? ephemeralDisks(row) : [])

export const isEphemeral = (disk: string): boolean => FORM.test(disk)

/** Whether an instance store disk is that of an instance's newest start. */
export async function isLiveEphemeral(reader: Reader, disk: string): Promise<boolean> {
  const row = await instance.find(reader, FORM.exec(disk)?.[1] ?? '')
  return row !== undefined && ephemeralDisks(row).some(one => one.disk === disk) && row.status.state !== 'terminated'
}
