import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subjects } from './services.ts'
import { fuzzGarbage, fuzzRoundTrips } from './wire.ts'

const seed = Number(process.env.FUZZ_SEED ?? 1)

test('every EC2 operation, with every member, goes there and back through the SDK', async () => {
  const { trips, failures } = await fuzzRoundTrips(subjects.ec2, { count: 2, seed })
  assert.deepEqual({ trips, failures }, { trips: 823 * 2, failures: [] })
})

test('every STS operation goes there and back through the SDK', async () => {
  const { trips, failures } = await fuzzRoundTrips(subjects.sts, { count: 20, seed })
  assert.deepEqual({ trips, failures }, { trips: 11 * 20, failures: [] })
})

test('damaged requests are read or refused, never anything else', async () => {
  const codes = await fuzzGarbage(subjects.ec2, { count: 3, seed })
  assert.equal(Object.values(codes).reduce((a, b) => a + b), 823 * 3)
  assert.ok(codes.UnknownParameter! > 10 && codes.MalformedQueryString! > 10 && codes.accepted! > 10, JSON.stringify(codes))
})
