/**
 * What a disk's users may do in a second, as the kernel's block layer holds them to it.
 *
 * Invariant: the limits are kept with the disk (`user.limits` of its volume) and given to a machine's control group at each of its
 * boots. A loop device belongs to one machine, so that the device alone says whose I/O it is. With the older control groups the pages
 * that a guest left to be written later are written in the name of the host's root group: the device is limited there too.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DiskLimits } from '#engine/port'
import { unifiedCgroups } from '#engine/incus/host'

export const LIMITS = 'user.limits'
export const CGROUPS = '/sys/fs/cgroup'

type Write = { file: string; line: string }

/** The words of either kind of control group. `group`: the machine's, below the mount of the hierarchy. Pure. */
export function limitLines({ unified, group, number, limits }: { unified: boolean; group: string; number: number; limits?: DiskLimits }): Write[] {
  const device = `7:${number}`
  const { iops, bytesPerSecond } = limits ?? {}
  if (unified) {
    const word = (value?: number) => value ?? 'max'
    const line = `${device} rbps=${word(bytesPerSecond)} wbps=${word(bytesPerSecond)} riops=${word(iops)} wiops=${word(iops)}`
    return [{ file: join(CGROUPS, group, 'io.max'), line }]
  }
  // 0 takes a limit away.
  const values = { read_bps: bytesPerSecond, write_bps: bytesPerSecond, read_iops: iops, write_iops: iops }
  return [group, ''].flatMap(dir => Object.entries(values).map(([name, value]) => (
    { file: join(CGROUPS, 'blkio', dir, `blkio.throttle.${name}_device`), line: `${device} ${value ?? 0}` })))
}

/** `pid`: the guest's init. Returns false where the guest is gone. */
export function applyLimits({ pid, number, limits }: { pid: number; number: number; limits?: DiskLimits }): boolean {
  const unified = unifiedCgroups()
  const group = payloadGroup(pid, 'blkio')
  if (group === undefined || !existsSync(`/sys/block/loop${number}`)) return false
  for (const { file, line } of limitLines({ unified, group, number, limits })) writeFileSync(file, line)
  return true
}

/** The words that hold a disk's writing alone, whatever its limits are; undefined is as fast as it goes. Pure. */
export function writingLines(
  { bytesPerSecond, ...of }: { unified: boolean; group: string; number: number; bytesPerSecond: number | undefined },
): Write[] {
  const lines = limitLines({ ...of, limits: { ...(bytesPerSecond !== undefined && { bytesPerSecond }) } })
  // io.max leaves as it is what a line does not name.
  return lines.filter(({ file }) => of.unified || file.endsWith('.write_bps_device'))
    .map(({ file, line }) => ({ file, line: line.split(' ').filter(word => !/^(rbps|riops|wiops)=/.test(word)).join(' ') }))
}

export function holdWriting({ pid, number, bytesPerSecond }: { pid: number; number: number; bytesPerSecond: number | undefined }): void {
  const group = payloadGroup(pid, 'blkio')
  if (group === undefined || !existsSync(`/sys/block/loop${number}`)) return
  for (const { file, line } of writingLines({ unified: unifiedCgroups(), group, number, bytesPerSecond })) writeFileSync(file, line)
}

const ROOT_WRITING = join(CGROUPS, 'blkio', 'blkio.throttle.write_bps_device')

/**
 * Loop devices whose writing is held to just this in the host's root group (older control groups): there it stays with the device, whoever had it
 * and whoever has it next.
 */
export function leftHeld(bytesPerSecond: number): number[] {
  if (unifiedCgroups() || !existsSync(ROOT_WRITING)) return []
  return [...readFileSync(ROOT_WRITING, 'utf8').matchAll(/^7:(\d+) (\d+)$/gm)].filter(([, , value]) => Number(value) === bytesPerSecond)
    .map(([, number]) => Number(number))
}

export const letWrite = (number: number): void => writeFileSync(ROOT_WRITING, `7:${number} 0`)

/** The machine's own group, for this controller: what the guest's init made below it is the guest's. Undefined where the guest is gone. */
export function payloadGroup(pid: number, controller: string): string | undefined {
  if (!existsSync(`/proc/${pid}/cgroup`)) return undefined
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n').map(line => line.split(':'))
  const found = lines.find(([, controllers]) => (unifiedCgroups() ? controllers === '' : controllers?.split(',').includes(controller)))?.[2]
  return found === undefined ? undefined : /^.*?\/lxc\.payload[^/]*/.exec(found)?.[0]
}
