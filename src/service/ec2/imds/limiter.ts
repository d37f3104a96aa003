/**
 * How often one caller may ask: a bucket for each, that fills with time. AWS throttles IMDS for each instance too, without saying how far;
 * this is well above what a boot needs (cloud-init reads about a hundred paths at once).
 */
import type { Clock } from '#base/clock'

const BURST = 1000
const PER_SECOND = 200
/** Callers remembered; the one that first came is forgotten first, which gives it a full bucket. */
const CALLERS = 10_000

/** Says whether a caller may ask once more, and counts it. */
export function limiter(clock: Clock): (caller: string) => boolean {
  const buckets = new Map<string, { left: number; at: number }>()
  return caller => {
    const now = clock().getTime()
    const before = buckets.get(caller) ?? { left: BURST, at: now }
    const left = Math.min(BURST, before.left + (Math.max(0, now - before.at) / 1000) * PER_SECOND)
    if (!buckets.has(caller) && buckets.size >= CALLERS) buckets.delete(buckets.keys().next().value!)
    buckets.set(caller, { left: left >= 1 ? left - 1 : left, at: now })
    return left >= 1
  }
}
