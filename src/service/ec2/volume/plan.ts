/**
 * What a volume needs next. Pure.
 *
 * Invariant: a disk that was there and is gone is an error and stays one until it is seen again; it is never made anew,
 * as an empty disk in its place would pass for the lost one.
 */
import { rest, type Step } from '#loop/loop'
import type { Seen, VolumeRow } from '#service/ec2/volume/volume'

/** How long to wait for a machine to let go of a disk that is to be deleted. */
const IN_USE_MS = 1000

export function plan({ spec, status }: Pick<VolumeRow, 'spec' | 'status'>, seen: Seen): Step {
  if (spec.desired === 'absent') {
    if (seen === 'absent') return { write: 'remove' }
    return seen.attachedTo.length === 0 ? { act: 'delete' } : { rest: true, againMs: IN_USE_MS }
  }
  const settled = spec.attachment ? 'in-use' : 'available'
  switch (status.state) {
    case 'creating':
      return seen === 'absent' || seen.sizeGiB < spec.sizeGiB ? { act: 'create' } : { write: 'settled', state: settled }
    case 'error':
      // A disk whose making failed may be there in part: only one that was whole once is taken back.
      return seen === 'absent' || !status.made ? rest : { write: 'settled', state: settled }
    default:
      if (seen === 'absent') return { write: 'lost' }
      return status.state === settled ? rest : { write: 'settled', state: settled }
  }
}
