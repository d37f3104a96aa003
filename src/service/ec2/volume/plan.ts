/**
 * What a volume needs next. Pure.
 *
 * Invariants: a disk that was there and is gone is an error and stays one until it is seen again; it is never made anew, as an empty disk in
 * its place would pass for the lost one. A disk is deleted only when no machine has it and nothing is being copied from it.
 */
import { rest, type Step } from '#loop/loop'
import { attachmentsOf, type Seen, type VolumeRow } from '#service/ec2/volume/volume'

/** How long to wait for a machine, or a copy, to let go of a disk that is to be deleted. */
const IN_USE_MS = 1000

type Planned = Pick<VolumeRow, 'spec' | 'status'>

export function plan({ spec, status }: Planned, seen: Seen): Step {
  const { disk } = seen
  if (spec.desired === 'absent') {
    if (disk === 'absent') return { write: 'remove' }
    return seen.used || seen.copied ? { rest: true, againMs: IN_USE_MS } : { act: 'delete' }
  }
  const settled = attachmentsOf({ spec }).length > 0 ? 'in-use' : 'available'
  switch (status.state) {
    case 'creating':
      return disk === 'absent' || disk.sizeGiB < spec.sizeGiB ? { act: 'create' } : { write: 'settled', state: settled, limits: disk.limits }
    case 'error':
      // A disk whose making failed may be there in part: only one that was whole once is taken back.
      return disk === 'absent' || !status.made ? rest : { write: 'settled', state: settled }
    default:
      if (disk === 'absent') return { write: 'lost' }
      return status.state === settled ? modify({ spec, status }, seen) : { write: 'settled', state: settled }
  }
}

/** Size and rates of a volume that is there. */
function modify({ spec, status }: Planned, { disk, limits }: Seen): Step {
  if (disk !== 'absent' && disk.sizeGiB < spec.sizeGiB) return { act: 'grow' }
  const told = status.limits
  if (told?.iops !== limits?.iops || told?.bytesPerSecond !== limits?.bytesPerSecond) return { act: 'limit' }
  return status.modification?.state === 'modifying' ? { write: 'modified' } : rest
}
