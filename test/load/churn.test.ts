/**
 * Nothing is left of what came and went: no record, claim, disk, descriptor, file or memory grows with the number of rounds.
 * `CHURN_MINUTES=30 node --test test/load/churn.test.ts` goes on for as long, and prints what is held every ten rounds.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openChurn, type Held } from './churn.ts'

/** Compilers and caches of the runtime take their part in the first rounds. */
const [WARM, ROUNDS] = [4, 8]
const minutes = Number(process.env.CHURN_MINUTES ?? 0)
/** What the heap may differ by from one collection to another, whatever the number of rounds. */
const SLACK_MIB = 6
/** The round after which a long run's resident memory is what it stays at, and what it may differ by then. */
const [SETTLED, RESIDENT_SLACK_MIB] = [60, 40]

test('rounds of launches, stops, starts and ends leave nothing behind', { timeout: (minutes + 10) * 60_000 }, async t => {
  const churn = await openChurn()
  try {
    let rounds = 0
    for (; rounds < WARM; rounds++) await churn.round(rounds)
    const before = await churn.held()
    const tell = (held: Held) => t.diagnostic(`after ${rounds} rounds: ${held.heapMiB.toFixed(1)} MiB of heap, ${held.rssMiB.toFixed(0)} resident`)
    tell(before)
    let settled = Infinity
    const end = Date.now() + minutes * 60_000
    for (; rounds < WARM + ROUNDS || Date.now() < end; rounds++) {
      await churn.round(rounds)
      if (rounds % 10 !== 0 || minutes === 0) continue
      const now = await churn.held()
      tell(now)
      if (rounds === SETTLED) settled = now.rssMiB
    }
    const after = await churn.held()
    tell(after)
    // A token is kept for a week, an alarm's history for a month; there is one for each round, of which a long run has seen most forgotten.
    const { heapMiB, rssMiB, tokens, records: { 'alarm-history': told = 0, ...records }, ...counts } = after
    const { heapMiB: least, rssMiB: _was, tokens: _few, records: { 'alarm-history': _told, ...recordsBefore }, ...expected } = before
    assert.deepEqual({ ...counts, records }, { ...expected, records: recordsBefore })
    assert.ok(tokens <= rounds && told <= rounds, `${tokens} tokens and ${told} lines of alarms' history of ${rounds} rounds`)
    if (minutes > 3) assert.ok(tokens < rounds && told < rounds, `nothing is forgotten: ${tokens} and ${told} of ${rounds} rounds`)
    assert.ok(heapMiB < least + SLACK_MIB, `the heap grew from ${least.toFixed(1)} to ${heapMiB.toFixed(1)} MiB in ${rounds - WARM} rounds`)
    // The collector gives memory back when it likes: what grows with the rounds is more than that.
    assert.ok(rssMiB < settled + RESIDENT_SLACK_MIB, `from ${settled.toFixed(0)} to ${rssMiB.toFixed(0)} MiB resident in ${rounds - SETTLED} rounds`)
  } finally {
    await churn.close()
  }
})
