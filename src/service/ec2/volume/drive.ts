/**
 * How a volume's disk comes and goes, through the engine's port; and the sweep for disks that nobody owns.
 *
 * Invariant: a disk has its volume's id; the record outlives the disk, so that a disk without a record is nobody's.
 */
import { isResourceId } from '#base/id'
import type { Driver } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { plan } from '#service/ec2/volume/plan'
import { volume, type Seen, type Status, type VolumeRow } from '#service/ec2/volume/volume'

/** Failures in a row after which a volume that cannot be made is in error. */
const GIVE_UP_AFTER = 4

export function volumeDriver({ engine, log }: Pick<Context, 'engine' | 'log'>): Driver<VolumeRow, Seen> {
  return {
    kind: volume.kind,
    observe: row => engine.disks.observe(row.id),
    plan,
    acts: {
      create: ({ id, spec }) => engine.disks.create({ id, sizeGiB: spec.sizeGiB, from: spec.from }),
      delete: ({ id }) => engine.disks.delete(id),
    },
    writes: {
      settled: (tx, row, { state }: { state?: Status['state'] }) =>
        volume.update(tx, row, { status: { state, made: true, reason: undefined } }, state!),
      lost(tx, row) {
        log.error('volume.lost', { id: row.id })
        return volume.update(tx, row, { status: { state: 'error', reason: 'The disk is gone.' } }, 'lost')
      },
      remove: (tx, row) => tx.remove(row, 'deleted'),
    },
    surrender: {
      after: GIVE_UP_AFTER,
      // A disk that cannot be deleted is tried again for ever: its space must come back.
      async write(tx, row, error) {
        if (row.status.state !== 'creating' || row.spec.desired === 'absent') return
        await volume.update(tx, row, { status: { state: 'error', reason: error.message } }, 'failed')
      },
    },
  }
}

/**
 * A sweep that deletes the engine's disks named like volumes that no record knows. A disk must be seen so in two runs:
 * what is being made or removed just then is never touched. Answers the ids deleted.
 */
export function diskSweeper({ engine, store, log }: Pick<Context, 'engine' | 'store' | 'log'>): () => Promise<string[]> {
  let suspects = new Set<string>()
  return async () => {
    const disks = await engine.disks.list()
    if (disks === 'unknown') return []
    const orphans = new Set<string>()
    const deleted: string[] = []
    for (const id of disks.filter(disk => isResourceId(volume.prefix, disk))) {
      if (await volume.find(store, id)) continue
      if (!suspects.has(id)) { orphans.add(id); continue }
      try {
        await engine.disks.delete(id)
        deleted.push(id)
        log.warn('volume.orphan', { id })
      } catch (error) {
        orphans.add(id)
        log.error('volume.orphan', { id, error })
      }
    }
    suspects = orphans
    return deleted
  }
}
