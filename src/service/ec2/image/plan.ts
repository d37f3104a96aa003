/**
 * What an image needs next. Pure.
 *
 * Invariant: an image is available only when all its snapshots are completed, and failed when one of them can't be.
 */
import { rest, type Step } from '#loop/loop'
import type { Status } from '#service/ec2/image/image'

/** The states of its snapshots; undefined where one is gone. */
export type Seen = { snapshots: ('pending' | 'completed' | 'error' | undefined)[] }

export function plan({ status }: { status: Status }, { snapshots }: Seen): Step {
  if (status.state !== 'pending') return rest
  if (snapshots.some(state => state === undefined || state === 'error')) return { write: 'failed' }
  return snapshots.every(state => state === 'completed') ? { write: 'available' } : rest
}
