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

test('every operation of the JSON services goes there and back through the SDK', async () => {
  for (const name of ['ssm', 'cloudtrail', 'connect', 'tagging', 'ebs', 'dlm', 'monitoring'] as const) {
    const { trips, failures } = await fuzzRoundTrips(subjects[name], { count: 3, seed })
    assert.deepEqual({ name, trips, failures }, { name, trips: subjects[name].service.operations.size * 3, failures: [] })
  }
})

test('every operation of S3, four apart, goes there and back through the SDK', async () => {
  const { trips, failures } = await fuzzRoundTrips(subjects.s3, { count: 3, seed })
  assert.deepEqual({ trips, failures }, { trips: (subjects.s3.service.operations.size - 4) * 3, failures: [] })
})

test('damaged JSON is read or refused, never anything else', async () => {
  const codes = await fuzzGarbage(subjects.ssm, { count: 3, seed })
  assert.equal(Object.values(codes).reduce((a, b) => a + b), subjects.ssm.service.operations.size * 3)
  assert.ok(codes.SerializationException! > 10, JSON.stringify(codes))
})
