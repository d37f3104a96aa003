/**
 * How a volume's disk comes and goes, through the engine's port.
 *
 * Invariant: a disk has its volume's id; the record outlives the disk, so that a disk without a record is nobody's.
 */
import { firstLooks } from '#loop/driver'
import type { Driver } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { isCopied } from '#service/ec2/snapshot/copies'
import { heldTo } from '#service/ec2/volume/credits'
import { plan } from '#service/ec2/volume/plan'
import { ratesOf } from '#service/ec2/volume/rates'
import { volume, type Seen, type Status, type VolumeRow } from '#service/ec2/volume/volume'

/** Failures in a row after which a volume that cannot be made is in error. */
const GIVE_UP_AFTER = 4

type Needed = Pick<Context, 'engine' | 'log' | 'store' | 'clock' | 'home'>

export function volumeDriver({ engine, log, store, clock, home }: Needed): Driver<VolumeRow, Seen> {
  const limitsOf = (row: VolumeRow) => (home.unthrottled ? undefined : heldTo(row, ratesOf(row.spec)))
  const isSpared = firstLooks()

  return {
    kind: volume.kind,
    // Who has a disk is asked where it is to go, which no write here decides.
    staysSeen: true,
    async observe(row) {
      if (row.spec.desired === 'present' && isSpared(row)) return { disk: 'absent', limits: limitsOf(row) }
      const disk = await engine.disks.observe(row.id)
      if (disk === 'unknown') return 'unknown'
      if (row.spec.desired === 'present' || disk === 'absent') return { disk, limits: limitsOf(row) }
      const users = await engine.disks.users(row.id)
      return users === 'unknown' ? 'unknown' : { disk, used: users.length > 0, copied: await isCopied(store, row.id) }
    },
    plan,
    acts: {
      async create(row) {
        const { sizeGiB, from, identity } = row.spec
        const limits = limitsOf(row)
        const disk = await engine.disks.create({ id: row.id, sizeGiB, from, limits, ...(identity && { identity }) })
        return disk && { disk, limits }
      },
      delete: ({ id }) => engine.disks.delete(id),
      grow: ({ id, spec }) => engine.disks.grow(id, spec.sizeGiB),
      async limit(row) {
        const limits = limitsOf(row)
        await engine.disks.limit(row.id, limits)
        await store.transact(async tx => {
          const now = await volume.find(tx, row.id)
          if (now) await volume.update(tx, now, { status: { limits } }, 'limited')
        })
      },
    },
    writes: {
      // One that was just made is held to what it was made with; of all others it is known what the engine was told.
      settled: (tx, row, { state, limits = row.status.limits }: Pick<Status, 'limits'> & { state?: Status['state'] }) =>
        volume.update(tx, row, { status: { state, made: true, reason: undefined, limits } }, state!),
      modified: (tx, row) => volume.update(tx, row, {
        status: { modification: { ...row.status.modification!, state: 'completed', end: clock().toISOString() } },
      }, 'modified'),
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
