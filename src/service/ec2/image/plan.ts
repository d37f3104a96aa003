/**
 * What an image needs next. Pure.
 *
 * Invariants: one that was deregistered goes after an hour;
 * an image is available only when all its snapshots are completed, and failed when one of them can't be.
 */
import { rest, type Step } from '#loop/loop'
import type { Status } from '#service/ec2/image/image'

/** The states of its snapshots; undefined where one is gone. */
export type Seen = { snapshots: ('pending' | 'completed' | 'error' | undefined)[] }

export function plan({ status }: { status: Status }, { snapshots }: Seen, now: Date): Step {
  if (status.state === 'deregistered' && status.forgetAt !== undefined) {
    const left = Date.parse(status.forgetAt) - now.getTime()
    return left > 0 ? { rest: true, againMs: left } : { write: 'forget' }
  }
  if (status.state !== 'pending') return rest
  if (snapshots.some(state => state === undefined || state === 'error')) return { write: 'failed' }
  return snapshots.every(state => state === 'completed') ? { write: 'available' } : rest
}
