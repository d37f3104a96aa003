import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limiter } from '#service/ec2/imds/limiter'

test('a caller that asks too often is refused until time has passed, and others are not', () => {
  let now = 0
  const allow = limiter(() => new Date(now))
  const ask = (caller: string, times: number) => Array.from({ length: times }, () => allow(caller)).filter(Boolean).length
  assert.deepEqual([ask('a', 1500), ask('b', 10)], [1000, 10])
  now += 1000
  assert.equal(ask('a', 1500), 200)
  now += 3_600_000
  assert.equal(ask('a', 1500), 1000)
  now -= 7_200_000
  assert.equal(ask('a', 10), 0, 'a clock that was set back gives nothing')
})

test('callers are forgotten rather than gathered without end', () => {
  const allow = limiter(() => new Date(0))
  for (let i = 0; i < 1000; i += 1) allow('first')
  assert.equal(allow('first'), false)
  for (let i = 0; i < 10_000; i += 1) allow(`other ${i}`)
  assert.equal(allow('first'), true)
})
