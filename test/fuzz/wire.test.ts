import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roundsOf, seed } from './random.ts'
import { subjects, type Subject } from './services.ts'
import { fuzzGarbage, fuzzRoundTrips } from './wire.ts'

const few = roundsOf(1 / 2500)
const some = roundsOf(3 / 5000)
const many = roundsOf(1 / 250)

test('every EC2 operation, with every member, goes there and back through the SDK', async () => {
  const { trips, failures } = await fuzzRoundTrips(subjects.ec2, { count: few, seed })
  assert.deepEqual({ trips, failures }, { trips: 823 * few, failures: [] })
})

test('every STS operation goes there and back through the SDK', async () => {
  const { trips, failures } = await fuzzRoundTrips(subjects.sts, { count: many, seed })
  assert.deepEqual({ trips, failures }, { trips: 12 * many, failures: [] })
})

test('every IAM operation goes there and back through the SDK', async () => {
  const { trips, failures } = await fuzzRoundTrips(subjects.iam, { count: some, seed })
  assert.deepEqual({ trips, failures }, { trips: subjects.iam.service.operations.size * some, failures: [] })
})

test('damaged requests are read or refused, never anything else', async () => {
  const codes = await fuzzGarbage(subjects.ec2, { count: some, seed })
  assert.equal(Object.values(codes).reduce((a, b) => a + b), 823 * some)
  assert.ok(codes.UnknownParameter! > 10 && codes.MalformedQueryString! > 10 && codes.accepted! > 10, JSON.stringify(codes))
})

test('every operation of the JSON services goes there and back through the SDK', async () => {
  for (const name of ['ssm', 'cloudtrail', 'connect', 'tagging', 'ebs', 'dlm', 'monitoring'] as const) {
    const { trips, failures } = await fuzzRoundTrips(subjects[name], { count: some, seed })
    assert.deepEqual({ name, trips, failures }, { name, trips: subjects[name].service.operations.size * some, failures: [] })
  }
})

test('every operation of S3, four apart, goes there and back through the SDK', async () => {
  const { trips, failures } = await fuzzRoundTrips(subjects.s3, { count: some, seed })
  assert.deepEqual({ trips, failures }, { trips: (subjects.s3.service.operations.size - 4) * some, failures: [] })
})

const others = Object.keys(subjects).filter(name => name !== 'ec2') as Exclude<keyof typeof subjects, 'ec2'>[]
test('damaged requests of every other service, in whichever protocol it speaks, are read or refused, never anything else', async t => {
  let [accepted, refused] = [0, 0]
  for (const name of others) {
    const { service, without = [] } = subjects[name] as Subject
    const codes = await fuzzGarbage(subjects[name], { count: some, seed })
    t.diagnostic(`${name}: ${JSON.stringify(codes)}`)
    assert.equal(Object.values(codes).reduce((a, b) => a + b), (service.operations.size - without.length) * some, name)
    accepted += codes.accepted ?? 0
    refused += (service.operations.size - without.length) * some - (codes.accepted ?? 0)
  }
  assert.ok(accepted > 100 && refused > 100, `${accepted} accepted, ${refused} refused`)
})
