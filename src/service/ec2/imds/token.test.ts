import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeToken, tokenLeftMs } from '#service/ec2/imds/token'

const secret = Buffer.alloc(32, 7)
const now = new Date('2026-01-02T03:04:05Z')
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const mine = { secret, owner: 'i-1', now }

test('a token looks like AWS\'s: 56 characters of base64', () => {
  assert.match(makeToken(60, mine), /^AQAE[A-Za-z0-9+/]{50}==$/)
})

test('a token holds until its time is over, also for a server that started again with the same secret', () => {
  const token = makeToken(60, mine)
  const again = { secret: Buffer.from(secret), owner: 'i-1' }
  assert.deepEqual(
    [0, 59, 60, 61].map(seconds => tokenLeftMs(token, { ...again, now: later(seconds) })), [60_000, 1_000, undefined, undefined])
})

test('a token opens nothing for another owner, with another secret, or when changed anywhere', () => {
  const token = makeToken(60, mine)
  assert.equal(tokenLeftMs(token, { ...mine, owner: 'i-2' }), undefined)
  assert.equal(tokenLeftMs(token, { ...mine, secret: Buffer.alloc(32, 8) }), undefined)
  const bytes = Buffer.from(token, 'base64')
  for (let i = 0; i < bytes.length; i += 1) {
    const changed = Buffer.from(bytes)
    changed[i]! ^= 1
    assert.equal(tokenLeftMs(changed.toString('base64'), mine), undefined, `byte ${i}`)
  }
})

test('garbage is no token', () => {
  const garbage = ['', 'x', 'A'.repeat(56), 'é'.repeat(56), '\0'.repeat(56), '='.repeat(56), 'A'.repeat(100_000)]
  assert.deepEqual(garbage.map(text => tokenLeftMs(text, mine)), garbage.map(() => undefined))
})
