/** What a task needs next: it only follows its volumes. Pure. */
import { rest, type Step } from '#loop/loop'
import type { Status } from '#service/ec2/replace-root/task'

/**
 * `orphaned`: its instance is no longer shown. `volume`: the new one can't be made, is still on its way to the instance, or is its root; or either
 * is gone, with its instance.
 */
export type Seen = { volume: 'error' | 'moving' | 'attached' | 'gone'; orphaned?: true }

export function plan({ status: { state } }: { status: Status }, { volume, orphaned }: Seen): Step {
  if (state === 'succeeded' || state === 'failed') return orphaned ? { write: 'forget' } : rest
  if (volume === 'attached') return { write: 'succeeded' }
  if (volume === 'error') return { write: 'undo' }
  if (volume === 'gone') return { write: 'failed' }
  return state === 'pending' ? { write: 'begun' } : rest
}
