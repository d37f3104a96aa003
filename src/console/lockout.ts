/**
 * Slows down guessing: after some failures in a row a name is locked for a while.
 *
 * Invariants: while a name is locked its password is not looked at, right or wrong; the table is bounded, and the attempts of all names
 * together are bounded too, so that guessing many names is no way around. A clock that is put back locks nobody for longer.
 */
import type { Clock } from '#base/clock'

const FAILURES = 5
const LOCK_MS = 5 * 60_000
const NAMES = 1000
/** Of all names within LOCK_MS. */
const ALL_FAILURES = 100

type Count = { failures: number; until: number }

export type Lockout = {
  /** Seconds that are left, 0 when free. */
  left(name: string): number
  failed(name: string): void
  succeeded(name: string): void
}

export function openLockout(clock: Clock): Lockout {
  const counts = new Map<string, Count>()
  let all: Count = { failures: 0, until: 0 }
  const now = () => clock().getTime()
  const isNow = ({ until }: Count): boolean => until > now() && until <= now() + LOCK_MS
  const current = (count: Count | undefined): Count => (count && isNow(count) ? count : { failures: 0, until: 0 })
  const add = (count: Count): Count => ({ failures: count.failures + 1, until: now() + LOCK_MS })
  const wait = (count: Count, most: number): number => (count.failures >= most ? Math.ceil((count.until - now()) / 1000) : 0)
  return {
    left: name => Math.max(wait(current(counts.get(name)), FAILURES), wait(current(all), ALL_FAILURES)),
    failed(name) {
      const count = add(current(counts.get(name)))
      counts.delete(name)
      counts.set(name, count)
      if (counts.size > NAMES) counts.delete(counts.keys().next().value!)
      all = add(current(all))
    },
    succeeded(name) { counts.delete(name) },
  }
}
