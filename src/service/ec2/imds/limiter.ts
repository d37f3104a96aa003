/**
 * How often one caller may ask: a bucket for each, that fills with time. AWS throttles IMDS for each instance too, without saying how far;
 * this is well above what a boot needs (cloud-init reads about a hundred paths at once).
 */
import { openBuckets } from '#base/buckets'
import type { Clock } from '#base/clock'

const RATE = { size: 1000, perSecond: 200 }
/** Callers remembered. */
const CALLERS = 10_000

/** Says whether a caller may ask once more, and counts it. */
export function limiter(clock: Clock): (caller: string) => boolean {
  const buckets = openBuckets(clock, CALLERS)
  return caller => buckets.take(caller, RATE)
}
