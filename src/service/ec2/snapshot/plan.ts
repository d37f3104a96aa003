/**
 * What a snapshot needs next. Pure.
 *
 * Invariants: a snapshot is completed only when its disk is whole; one whose disk was there and is gone is in error and never taken again, as
 * that would be another moment. A held snapshot is taken only when it is let go.
 */
import { rest, type Step } from '#loop/loop'
import type { Seen, SnapshotRow } from '#service/ec2/snapshot/snapshot'

const IN_USE_MS = 1000

export function plan({ spec, status }: Pick<SnapshotRow, 'spec' | 'status'>, { disk, copied, bytes }: Seen): Step {
  if (spec.desired === 'absent') {
    if (disk === 'absent') return { write: 'remove' }
    return copied ? { rest: true, againMs: IN_USE_MS } : { act: 'delete' }
  }
  if (status.state === 'error') return rest
  if (disk !== 'absent') return status.state === 'pending' && !spec.held && !spec.open ? { write: 'completed', bytes } : rest
  if (status.state === 'completed') return { write: 'lost' }
  return spec.held ? rest : { act: 'create' }
}
