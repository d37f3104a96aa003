/**
 * Burst credits: how long a volume may be faster than its baseline. EBS User Guide, "General Purpose SSD volumes" (gp2: 5.4 million I/O
 * credits at first and at most, one for each operation of up to 256 KiB, three a second and GiB) and "Throughput Optimized HDD and Cold HDD
 * volumes" (a bucket of 1 TiB for each TiB of size). That the buckets of HDD types are full at first is our reading.
 *
 * Invariant: what was used is counted once, also over a restart of this process, as the record says up to where the kernel's count of the
 * disk's device was taken into account. A balance below nothing is a debt, so that the average holds however seldom one looks.
 */
import type { DiskLimits, DiskWork } from '#engine/port'
import type { Context } from '#service/ec2/context'
import { gp2Iops } from '#service/ec2/volume/limits'
import { volume, type Shape, type VolumeRow } from '#service/ec2/volume/volume'

/** `balance` as of `at` (ISO 8601). `counted`: the device's count that is in it. `spent`: held to the baseline until there are some again. */
export type Credits = { balance: number; at: string; counted: number; spent: boolean }
/** Credits: how many there may be, and how many come in a second. `used`: how many work has cost; `held`: what the baseline is as limits. */
export type Bucket = { most: number; perSecond: number; used(work: DiskWork): number; held(burst: DiskLimits): DiskLimits }

const [MIB, GIB] = [2 ** 20, 2 ** 30]
const PIECE = 256 * 1024
/** With so many seconds' worth of the baseline saved, a volume that had spent all may burst again. */
const ENOUGH_S = 60

const hdd = ({ sizeGiB }: Shape, { perTiB, most }: { perTiB: number; most: number }): Bucket => {
  const perSecond = Math.min(most, sizeGiB / 1024 * perTiB) * MIB
  return {
    most: sizeGiB * GIB, perSecond, used: ({ bytes }) => bytes,
    held: burst => ({ ...burst, bytesPerSecond: Math.round(perSecond) }),
  }
}

/** Undefined for a volume that has nothing to burst to. */
export function bucketOf(shape: Shape): Bucket | undefined {
  if (shape.type === 'st1' && shape.sizeGiB < 12_800) return hdd(shape, { perTiB: 40, most: 500 })
  if (shape.type === 'sc1') return hdd(shape, { perTiB: 12, most: 192 })
  if (shape.type !== 'gp2' || shape.sizeGiB >= 1000) return undefined
  const iops = gp2Iops(shape.sizeGiB)
  return {
    most: 5_400_000, perSecond: iops, used: ({ operations, bytes }) => Math.max(operations, Math.ceil(bytes / PIECE)),
    held: burst => ({ ...burst, iops }),
  }
}

/** The account after a look. Without a record it was full. */
export function account(before: Credits | undefined, bucket: Bucket, { work, now }: { work: DiskWork | undefined; now: Date }): Credits {
  const count = work ? bucket.used(work) : 0
  const { balance, at, counted, spent } = before ?? { balance: bucket.most, at: now.toISOString(), counted: 0, spent: false }
  // A count that is less than it was is a new device's.
  const used = count >= counted ? count - counted : count
  const seconds = Math.max(0, now.getTime() - Date.parse(at)) / 1000
  const left = Math.min(bucket.most, balance + seconds * bucket.perSecond - used)
  return { balance: Math.round(left), at: now.toISOString(), counted: count, spent: left <= 0 || (spent && left < ENOUGH_S * bucket.perSecond) }
}

/** Whether the record says something else than before, but for credits that came by waiting; from a time to come none ever would. */
const differs = (before: Credits | undefined, after: Credits, { most }: Bucket): boolean =>
  (before ? before.counted !== after.counted || before.spent !== after.spent || before.at > after.at : after.balance < most)

/** For the sweep: looks at what disks were used for. A volume whose credits are spent, or that has some again, gets other limits by its loop. */
export function creditSweeper({ engine, store, clock, home, log }: Pick<Context, 'engine' | 'store' | 'clock' | 'home' | 'log'>) {
  return async (): Promise<void> => {
    if (home.unthrottled) return
    const work = await engine.disks.work()
    if (work === 'unknown') return
    for (const { id, spec } of await volume.everywhere(store)) {
      if (!bucketOf(spec)) continue
      await store.transact(async tx => {
        const row = await volume.find(tx, id)
        const bucket = row && bucketOf(row.spec)
        if (!bucket) return
        const before = row.status.credits
        const after = account(before, bucket, { work: work[id], now: clock() })
        if (!differs(before, after, bucket)) return
        await volume.update(tx, row, { status: { credits: after } }, 'credits')
        if (after.spent !== (before?.spent ?? false)) log.info('volume.credits', { id, spent: after.spent, balance: after.balance })
      })
    }
  }
}

/** The limits of a volume whose burst rate is given. */
export function heldTo({ spec, status }: Pick<VolumeRow, 'spec' | 'status'>, burst: DiskLimits): DiskLimits {
  const bucket = status.credits?.spent ? bucketOf(spec) : undefined
  return bucket ? bucket.held(burst) : burst
}
