/**
 * Who is still being made of a disk.
 *
 * Invariant: a disk that a snapshot or a volume is yet to be copied from is not deleted, whatever its own record says.
 */
import type { SnapshotRow } from '#service/ec2/snapshot/snapshot'
import type { VolumeRow } from '#service/ec2/volume/volume'
import type { Reader } from '#store/store'

const of = (from: { image: string } | { disk: string } | { system: string } | undefined, disk: string): boolean =>
  from !== undefined && (('disk' in from && from.disk === disk) || ('system' in from && from.system === disk))

export async function isCopied(reader: Reader, disk: string): Promise<boolean> {
  const snapshots = await reader.list<SnapshotRow>({ kind: 'snapshot', state: 'pending' })
  if (snapshots.some(({ spec }) => spec.desired !== 'absent' && of(spec.from, disk))) return true
  const volumes = await reader.list<VolumeRow>({ kind: 'volume', state: 'creating' })
  return volumes.some(({ spec }) => spec.desired === 'present' && of(spec.from, disk))
}
