import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBuckets } from '#base/buckets'

const rate = { size: 100, perSecond: 20 }

function open(most = 10) {
  const time = { now: 0 }
  const buckets = openBuckets(() => new Date(time.now), most)
  const times = (key: string, asked: number, at = rate) => Array.from({ length: asked }, () => buckets.take(key, at)).filter(Boolean).length
  return { time, buckets, times }
}

test('a bucket gives what it holds, then what has come since, and never more than it holds', () => {
  const { time, times } = open()
  assert.deepEqual([times('a', 150), times('b', 10)], [100, 10])
  time.now += 1000
  assert.equal(times('a', 150), 20)
  time.now += 49
  assert.equal(times('a', 1), 0)
  time.now += 1
  assert.equal(times('a', 2), 1, 'a token comes every 50 ms')
  time.now += 3_600_000
  assert.equal(times('a', 150), 100)
})

test('slow buckets count parts of a token', () => {
  const { time, times } = open()
  const slow = { size: 1, perSecond: 0.1 }
  assert.equal(times('a', 2, slow), 1)
  const seconds = Array.from({ length: 20 }, () => { time.now += 1000; return times('a', 1, slow) })
  assert.deepEqual(seconds.flatMap((got, i) => (got ? [i + 1] : [])), [10, 20])
})

test('taking several is all or nothing', () => {
  const { time, buckets } = open()
  assert.deepEqual([buckets.take('a', rate, 60), buckets.take('a', rate, 60), buckets.take('a', rate, 40), buckets.take('a', rate)],
    [true, false, true, false])
  time.now += 1000
  assert.deepEqual([buckets.take('a', rate, 21), buckets.take('a', rate, 20)], [false, true])
})

test('a clock that is set back gives nothing', () => {
  const { time, times } = open()
  times('a', 100)
  time.now -= 7_200_000
  assert.equal(times('a', 1), 0)
  time.now += 50
  assert.equal(times('a', 2), 1)
})

test('full buckets are forgotten, and beyond the bound the one that rested longest', () => {
  const { time, buckets, times } = open(3)
  times('old', 100)
  times('busy', 100)
  time.now += 4000
  times('busy', 80)
  time.now += 1000
  times('new', 100)
  assert.equal(buckets.count(), 2, 'old is full by now')
  times('third', 100)
  assert.deepEqual([buckets.count(), times('busy', 1), times('fourth', 1), buckets.count()], [3, 1, 1, 3])
  assert.deepEqual([times('third', 1), times('busy', 100), times('new', 200)], [0, 19, 100], 'new was forgotten')
})
