/**
 * The driver of root replacements. An event of a volume wakes the tasks that wait for it.
 *
 * Invariant: a new volume that can't be made gives the instance back its old one, in one transaction.
 */
import type { Driver } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { instance } from '#service/ec2/instance/instance'
import { plan, type Seen } from '#service/ec2/replace-root/plan'
import { task, type TaskRow } from '#service/ec2/replace-root/task'
import { attaching, attachmentTo, volume, type VolumeRow } from '#service/ec2/volume/volume'
import type { Event, Reader, Tx } from '#store/store'

async function seenOf(reader: Reader, { spec }: TaskRow): Promise<Seen> {
  const made = await volume.find(reader, spec.volume)
  if (made?.status.state === 'error') return { volume: 'error' }
  const attachment = made && attachmentTo(made, spec.instance)
  if (!attachment) return { volume: 'gone' }
  return { volume: attachment.moving || made.status.state === 'creating' ? 'moving' : 'attached' }
}

const deleteVolume = (tx: Tx, row: VolumeRow) => volume.update(tx, row, {
  spec: { attachments: [], attachment: undefined, desired: 'absent' }, status: { state: 'deleting' },
}, 'deleting')

/** The old volume stays what it was; the new one goes. */
async function undo(tx: Tx, { spec }: TaskRow): Promise<void> {
  const [holder, made, old] = [await instance.find(tx, spec.instance), await volume.find(tx, spec.volume), await volume.find(tx, spec.replaced)]
  const attachment = old && attachmentTo(old, spec.instance)
  if (made) await deleteVolume(tx, made)
  if (!holder || !old || !attachment) return
  const { moving: _moving, ...kept } = attachment
  await volume.update(tx, old, { spec: attaching(old, holder.id, { ...kept, root: true }) }, 'attached')
  await instance.update(tx, holder, {
    spec: { rootVolume: old.id, volumes: (holder.spec.volumes ?? []).filter(id => id !== old.id) },
  }, 'root-kept')
}

export function taskDriver({ store, clock }: Pick<Context, 'store' | 'clock'>): Driver<TaskRow, Seen> {
  const ended = (state: 'succeeded' | 'failed') => ({ status: { state, completed: clock().toISOString() } })
  return {
    kind: task.kind,
    async observe(row) {
      const orphaned = await instance.find(store, row.spec.instance) === undefined
      return { ...await seenOf(store, row), ...(orphaned && { orphaned }) }
    },
    plan,
    acts: {},
    writes: {
      begun: (tx, row) => task.update(tx, row, { status: { state: 'in-progress' } }, 'begun'),
      async succeeded(tx, row) {
        const old = await volume.find(tx, row.spec.replaced)
        if (row.spec.deleteReplaced && old?.spec.desired === 'present') await deleteVolume(tx, old)
        await task.update(tx, row, ended('succeeded'), 'succeeded')
      },
      async undo(tx, row) {
        await undo(tx, row)
        await task.update(tx, row, ended('failed'), 'failed')
      },
      failed: (tx, row) => task.update(tx, row, ended('failed'), 'failed'),
      forget: (tx, row) => tx.remove(row),
    },
  }
}

/** For the loop's `wakes`: tasks of a volume, and the instances that wait for it to be made. */
export const volumeWakes = (reader: Reader) => async ({ kind, id, name }: Event): Promise<{ kind: string; id: string }[]> => {
  if (kind !== volume.kind) return []
  const waiting = (await task.everywhere(reader)).filter(row => row.spec.volume === id && ['pending', 'in-progress'].includes(row.status.state))
  const made = name === 'in-use' ? waiting.map(row => ({ kind: instance.kind, id: row.spec.instance })) : []
  return [...waiting.map(row => ({ kind: task.kind, id: row.id })), ...made]
}
