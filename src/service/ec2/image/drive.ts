/** The driver of images: says when their snapshots are there. An event of a snapshot wakes the images that are made of it. */
import type { Driver } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { image, mappingsOf, type ImageRow } from '#service/ec2/image/image'
import { plan, type Seen } from '#service/ec2/image/plan'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import type { Event, Reader } from '#store/store'

const snapshotsOf = ({ spec }: ImageRow): string[] => mappingsOf(spec).flatMap(({ ebs }) => ebs?.snapshot ?? [])

export function imageDriver({ store }: Pick<Context, 'store'>): Driver<ImageRow, Seen> {
  return {
    kind: image.kind,
    async observe(row) {
      if (row.status.state !== 'pending' || row.spec.restoring) return { snapshots: ['pending'] }
      const rows = await Promise.all(snapshotsOf(row).map(id => snapshot.find(store, id)))
      return { snapshots: rows.map(found => (found && found.spec.desired !== 'absent' ? found.status.state : undefined)) }
    },
    plan,
    acts: {},
    writes: {
      available: (tx, row) => image.update(tx, row, { status: { state: 'available' } }, 'available'),
      forget: (tx, row) => tx.remove(row, 'deleted'),
      failed: (tx, row) => image.update(tx, row, { status: { state: 'failed', reason: 'A snapshot of it could not be made.' } }, 'failed'),
    },
  }
}

/** For the loop's `wakes`. */
export const imageWakes = (reader: Reader) => async ({ kind, id }: Event): Promise<{ kind: string; id: string }[]> => {
  if (kind !== snapshot.kind) return []
  const pending = (await reader.list<ImageRow>({ kind: image.kind, state: 'pending' })).filter(row => snapshotsOf(row).includes(id))
  return pending.map(row => ({ kind: image.kind, id: row.id }))
}
