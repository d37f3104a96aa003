/** Throttling as EC2's: official clients see it, and their own retries get over it. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import * as sdk from '@aws-sdk/client-ec2'
import { ConfiguredRetryStrategy } from '@smithy/core/retry'
import { code, stateOf } from './kit.ts'
import { keys, openServer, type TestServer } from './server.ts'

const LIMIT = 'RequestLimitExceeded'
/** Moved by the tests alone, from today on: signatures must be timely. */
const time = { now: Date.now() }
let server: TestServer
let ec2: sdk.EC2Client
before(async () => {
  server = await openServer({ apiThrottle: true, clock: () => new Date(time.now) })
  ec2 = server.ec2()
})
after(() => server.close())

/** What each of so many calls in a row comes to. */
async function calls(times: number, command: () => any): Promise<string[]> {
  const ends: string[] = []
  for (let i = 0; i < times; i += 1) ends.push(await ec2.send(command()).then(() => 'ok', (error: Error) => error.name))
  return ends
}
const count = (ends: string[]) => Object.fromEntries([...new Set(ends)].map(end => [end, ends.filter(e => e === end).length]))
const group = (GroupName: string, more: object = {}) => new sdk.CreateSecurityGroupCommand({ GroupName, Description: 'x', ...more })

test('a client that does not retry is refused once the bucket is empty, as 503, and other actions and Regions are not', async () => {
  assert.deepEqual(count(await calls(53, () => new sdk.DescribeInstancesCommand())), { ok: 50, [LIMIT]: 3 })
  await assert.rejects(ec2.send(new sdk.DescribeInstancesCommand()), (error: any) => {
    assert.deepEqual([error.name, error.message, error.$metadata.httpStatusCode], [LIMIT, 'Request limit exceeded.', 503])
    return true
  })
  assert.deepEqual(await calls(2, () => new sdk.DescribeInstancesCommand({ MaxResults: 5 })), ['ok', 'ok'])
  await server.ec2({ region: 'eu-west-3' }).send(new sdk.DescribeInstancesCommand())
  time.now += 1000
  assert.deepEqual(count(await calls(12, () => new sdk.DescribeInstancesCommand())), { ok: 10, [LIMIT]: 2 })
})

test('the SDK\'s own retry succeeds once a token is there', async () => {
  const client = new sdk.EC2Client({ endpoint: server.url, region: 'ap-south-1', credentials: keys, maxAttempts: 3 })
  try {
    // A second passes on the server whenever it has refused.
    client.middlewareStack.add(next => async args => next(args).catch((error: Error) => { time.now += 1000; throw error }), {
      step: 'finalizeRequest', priority: 'low',
    })
    const attempts: number[] = []
    for (let i = 0; i < 51; i += 1) attempts.push((await client.send(new sdk.DescribeInstancesCommand())).$metadata.attempts!)
    assert.deepEqual(attempts, [...Array.from({ length: 50 }, () => 1), 2])
  } finally {
    client.destroy()
  }
})

test('a crowd that asks at once gets through by its own retries, and others are answered meanwhile', async () => {
  const ends: string[] = []
  const crowd = Array.from({ length: 100 }, () => {
    // Its own budget of retries would be less than a crowd needs; without the waits, since the tests move the server's clock.
    const retryStrategy = new ConfiguredRetryStrategy(50, () => 1)
    const client = new sdk.EC2Client({ endpoint: server.url, region: 'eu-north-1', credentials: keys, retryStrategy })
    client.middlewareStack.add(next => async args => next(args).catch((error: Error) => { ends.push(error.name); time.now += 100; throw error }), {
      step: 'finalizeRequest', priority: 'low',
    })
    return client
  })
  try {
    const asked = Promise.all(crowd.map(client => client.send(new sdk.DescribeInstancesCommand())))
    await server.ec2({ region: 'eu-west-2' }).send(new sdk.DescribeInstancesCommand())
    assert.equal((await asked).length, 100)
    assert.deepEqual([[...new Set(ends)], ends.length > 0], [[LIMIT], true])
  } finally {
    for (const client of crowd) client.destroy()
  }
})

test('a refused launch leaves nothing, with its client token too, and the same request succeeds later', async () => {
  const { Images } = await ec2.send(new sdk.DescribeImagesCommand({ Owners: ['amazon'] }))
  const launch = (ClientToken: string) => new sdk.RunInstancesCommand({
    ImageId: Images![0]!.ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1, ClientToken,
  })
  assert.deepEqual(count(await calls(5, () => launch(`t${Math.random()}`))), { ok: 5 })
  const state = await stateOf(server)
  await assert.rejects(ec2.send(launch('last')), code(LIMIT))
  assert.equal(await stateOf(server), state)
  time.now += 500
  const { Instances } = await ec2.send(launch('last'))
  time.now += 500
  assert.equal((await ec2.send(launch('last'))).Instances![0]!.InstanceId, Instances![0]!.InstanceId)
})

test('a thousand instances are asked for at once, and then two a second; dry runs and refused requests take none of those', async () => {
  const InstanceIds = Array.from({ length: 1000 }, (_, i) => `i-${String(i).padStart(17, '0')}`)
  const start = (more: object = {}) => ec2.send(new sdk.StartInstancesCommand({ InstanceIds, ...more }))
  await assert.rejects(start({ DryRun: true }), code('InvalidInstanceID.NotFound'))
  await assert.rejects(start(), code('InvalidInstanceID.NotFound'))
  await assert.rejects(start({ InstanceIds: InstanceIds.slice(0, 2) }), code(LIMIT))
  time.now += 1000
  await assert.rejects(start({ InstanceIds: InstanceIds.slice(0, 2) }), code('InvalidInstanceID.NotFound'))
})

test('dry runs, bad and unimplemented requests take tokens of requests too; what nobody signed takes none', async () => {
  const stranger = server.ec2({ secretAccessKey: 'another/secret/of/forty/characters/00000' })
  for (let i = 0; i < 20; i += 1) await assert.rejects(stranger.send(group('a')), code('AuthFailure'))
  const ends = [...await calls(20, () => group('a', { DryRun: true })), ...await calls(20, () => group('')), ...await calls(12, () => group('a'))]
  assert.deepEqual(count(ends), { DryRunOperation: 20, MissingParameter: 20, ok: 1, 'InvalidGroup.Duplicate': 9, [LIMIT]: 2 })
  assert.deepEqual(count(await calls(51, () => new sdk.CreateFleetCommand({
    LaunchTemplateConfigs: [], TargetCapacitySpecification: { TotalTargetCapacity: 1 },
  }))), { UnsupportedOperation: 50, [LIMIT]: 1 })
})

test('without the choice nothing is throttled', async () => {
  const free = await openServer()
  try {
    const client = free.ec2()
    await Promise.all(Array.from({ length: 120 }, () => client.send(new sdk.DescribeInstancesCommand())))
  } finally {
    await free.close()
  }
})

const BOTO = `
import boto3, json, sys
from botocore.config import Config
from botocore.exceptions import ClientError
url, key, secret = sys.argv[1:]
def client(retries):
    return boto3.client('ec2', endpoint_url=url, region_name='us-west-2', aws_access_key_id=key, aws_secret_access_key=secret,
                        config=Config(retries=retries))
once, patient = client({'total_max_attempts': 1}), client({'mode': 'standard', 'total_max_attempts': 10})
passed = 0
while True:
    try:
        once.describe_instances(); passed += 1
    except ClientError as error:
        refusal = [error.response['Error']['Code'], error.response['ResponseMetadata']['HTTPStatusCode']]
        break
retries = [patient.describe_instances()['ResponseMetadata']['RetryAttempts'] for _ in range(15)]
print(json.dumps({'enough': passed >= 50, 'refusal': refusal, 'retried': sum(retries) > 0, 'answers': len(retries)}))
`
const python = process.env.ENCLUME_TEST_PYTHON
test('boto3 is refused without retries and gets through with its own', { skip: !python && 'ENCLUME_TEST_PYTHON is not set' }, async () => {
  const real = await openServer({ apiThrottle: true })
  try {
    const { stdout } = await promisify(execFile)(python!, ['-c', BOTO, real.url, keys.accessKeyId, keys.secretAccessKey])
    assert.deepEqual(JSON.parse(stdout), { enough: true, refusal: [LIMIT, 503], retried: true, answers: 15 })
  } finally {
    await real.close()
  }
})
