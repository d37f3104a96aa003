/**
 * How a snapshot's disk comes and goes: an exact copy of a volume's disk, of another snapshot's or of a built image, that nobody writes.
 *
 * Invariant: a disk has its snapshot's id; the record outlives it.
 */
import type { DiskSpec } from '#engine/port'
import type { Driver } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { through } from '#service/ec2/outage'
import { isCopied } from '#service/ec2/snapshot/copies'
import { plan } from '#service/ec2/snapshot/plan'
import { snapshot, type Seen, type SnapshotRow } from '#service/ec2/snapshot/snapshot'
import type { Reader } from '#store/store'

const GIVE_UP_AFTER = 4

const specOf = ({ id, spec: { sizeGiB, from } }: SnapshotRow): DiskSpec => ({ id, sizeGiB, from })

/** The snapshots that are to be of the same moment, in an order of their own; those that nobody wants any more are left out. */
async function companionsOf(reader: Reader, row: SnapshotRow): Promise<SnapshotRow[]> {
  const rows = await Promise.all((row.spec.together ?? []).map(id => snapshot.find(reader, id)))
  return rows.filter((one): one is SnapshotRow => one !== undefined && one.spec.desired !== 'absent' && one.status.state !== 'error')
}

export function snapshotDriver({ engine, log, store, clock }: Pick<Context, 'engine' | 'log' | 'store' | 'clock'>): Driver<SnapshotRow, Seen> {
  return {
    kind: snapshot.kind,
    async observe({ id, spec, status }) {
      const disk = await engine.disks.observe(id)
      if (disk === 'unknown') return 'unknown'
      const usage = disk !== 'absent' && status.state === 'pending' ? await engine.disks.usage(id) : undefined
      if (usage === 'unknown') return 'unknown'
      return {
        disk, copied: spec.desired === 'absent' && await isCopied(store, id), bytes: typeof usage === 'object' ? usage.bytes : undefined,
      }
    },
    plan,
    acts: through({ engine }, {
      async create(row) {
        const all = await companionsOf(store, row)
        if (all.length < 2) await engine.disks.create(specOf(row))
        else await engine.disks.createTogether(all.map(specOf))
      },
      delete: ({ id }) => engine.disks.delete(id),
    }),
    writes: {
      completed: (tx, row, { bytes }: { bytes?: number }) => snapshot.update(tx, row, {
        status: { state: 'completed', completed: clock().toISOString(), bytes },
      }, 'completed'),
      lost(tx, row) {
        log.error('snapshot.lost', { id: row.id })
        return snapshot.update(tx, row, { status: { state: 'error', reason: 'The disk is gone.' } }, 'lost')
      },
      remove: (tx, row) => tx.remove(row, 'deleted'),
    },
    surrender: {
      after: GIVE_UP_AFTER,
      async write(tx, row, error) {
        if (row.status.state === 'pending' && row.spec.desired !== 'absent') {
          await snapshot.update(tx, row, { status: { state: 'error', reason: error.message } }, 'failed')
        }
      },
    },
  }
}
