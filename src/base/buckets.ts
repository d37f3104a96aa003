/**
 * Token buckets: each holds so many tokens at most, fills steadily, and whoever finds too few left is refused.
 *
 * Invariants: taking is all or nothing, and what is refused takes nothing; a clock that is set back gives nothing; no more than `most` buckets
 * are remembered. A forgotten bucket is a full one, so those that are full by now are forgotten first, and then the one that rested longest.
 */
import type { Clock } from '#base/clock'

export type Rate = { size: number; perSecond: number }
type Bucket = { left: number; at: number; rate: Rate }

const filled = ({ left, at, rate: { size, perSecond } }: Bucket, now: number): number =>
  Math.min(size, left + (Math.max(0, now - at) / 1000) * perSecond)

export function openBuckets(clock: Clock, most: number) {
  // In the order in which they were last asked.
  const buckets = new Map<string, Bucket>()

  function forget(now: number): void {
    for (const [key, bucket] of buckets) {
      if (buckets.size < most && filled(bucket, now) < bucket.rate.size) return
      buckets.delete(key)
    }
  }

  return {
    /** Takes tokens from the bucket of this name, if it has as many. */
    take(key: string, rate: Rate, tokens = 1): boolean {
      const now = clock().getTime()
      const before = buckets.get(key)
      if (!before) forget(now)
      const left = before ? filled({ ...before, rate }, now) : rate.size
      const enough = left >= tokens
      buckets.delete(key)
      // A refusal writes nothing down: sums of small parts would fall short of a whole token by their rounding.
      const kept = !enough && before && before.at <= now
      buckets.set(key, kept ? before : { left: enough ? left - tokens : left, at: now, rate })
      return enough
    },
    /** How many are remembered. */
    count: () => buckets.size,
  }
}
