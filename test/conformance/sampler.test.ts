/** Counts of the engine become metrics of instances and volumes: on the fake engine, whose counts a test says, by a clock that it moves. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud, type Cloud } from '#cloud'
import { openFake, type FakeEngine } from '#engine/fake'
import { openSampler, type Sampler } from '#service/ec2/metrics/sampler'
import { openSqlite } from '#store/sqlite'
import type { Store } from '#store/store'
import { keys } from './server.ts'

const START = Date.parse('2026-05-02T10:00:00.000Z')
let now = START
let engine: FakeEngine
let store: Store
let cloud: Cloud
let sampler: Sampler
let id: string
let port: string
let disk: string

const principal = { account: keys.account, arn: `arn:aws:iam::${keys.account}:root`, userId: keys.account, root: true }
const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
const call = async (service: string, operation: string, input: object): Promise<any> => cloud.dispatch({ service, operation, input, caller })
const at = (seconds: number) => START + seconds * 1000
/** The clock's minute begins; the loop settles first. */
async function minute(seconds: number): Promise<void> {
  now = at(seconds)
  await cloud.loop.sweep()
  await cloud.loop.idle()
  now += 100
  await sampler.sample(at(seconds))
}
function used({ cpu, bytes, reads, boot = '1' }: { cpu: number; bytes: number; reads: number; boot?: string }): void {
  engine.processorsById.set(id, { seconds: cpu, boot })
  engine.trafficByPort.set(port, { bytesIn: bytes, bytesOut: 2 * bytes, packetsIn: 1, packetsOut: 2 })
  engine.disksById.get(disk)!.work = { operations: reads * 3, bytes: reads * 3 * 512, reads, bytesRead: reads * 512 }
}
async function values(MetricName: string, [Namespace, Name, Value] = ['AWS/EC2', 'InstanceId', id]): Promise<[number, number][]> {
  const { Datapoints } = await call('monitoring', 'GetMetricStatistics', {
    Namespace, MetricName, Dimensions: [{ Name, Value }], StartTime: new Date(START - 3_600_000), EndTime: new Date(START + 7_200_000), Period: 60,
    Statistics: ['Average'],
  })
  return Datapoints.map((one: any) => [(one.Timestamp.getTime() - START) / 1000, Math.round(one.Average * 100) / 100])
}

before(async () => {
  engine = openFake()
  store = openSqlite(':memory:', () => new Date(now))
  cloud = await openCloud({ home: homeAt({ dir: '/nonexistent' }), engine, store, log: silent, clock: () => new Date(now) })
  sampler = openSampler(cloud.context)
  const { Images } = await call('ec2', 'DescribeImages', { Owners: ['amazon'] })
  const launched = await call('ec2', 'RunInstances', { ImageId: Images[0].ImageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 })
  id = launched.Instances[0].InstanceId
  await cloud.loop.idle()
  const { Reservations } = await call('ec2', 'DescribeInstances', { InstanceIds: [id] })
  const [seen] = Reservations[0].Instances
  port = seen.NetworkInterfaces[0].NetworkInterfaceId
  disk = seen.BlockDeviceMappings[0].Ebs.VolumeId
  assert.equal(seen.State.Name, 'running')
})
after(async () => { await sampler.close(); await cloud.close(); await store.close() })

test('five minutes are told of when they are over, the first ones since the launch', async () => {
  used({ cpu: 30, bytes: 1000, reads: 10 })
  await minute(60)
  assert.deepEqual(await values('CPUUtilization'), [])
  await minute(300)
  // 30 s of two processors' 300.
  assert.deepEqual(await values('CPUUtilization'), [[0, 5]])
  used({ cpu: 330, bytes: 4000, reads: 15 })
  await minute(600)
  assert.deepEqual(await values('CPUUtilization'), [[0, 5], [300, 50]])
  assert.deepEqual([await values('NetworkIn'), await values('NetworkOut')], [[[0, 1000], [300, 3000]], [[0, 2000], [300, 6000]]])
  assert.deepEqual(await values('NetworkPacketsOut'), [[0, 2], [300, 0]])
  const ebs = (name: string) => values(name, ['AWS/EBS', 'VolumeId', disk])
  assert.deepEqual([await ebs('VolumeReadOps'), await ebs('VolumeWriteOps'), await ebs('VolumeReadBytes'), await ebs('VolumeWriteBytes')],
    [[[0, 10], [300, 5]], [[0, 20], [300, 10]], [[0, 5120], [300, 2560]], [[0, 10_240], [300, 5120]]])
})

test('status checks are told as they are known', async () => {
  assert.deepEqual((await values('StatusCheckFailed')).at(-1), [300, 0])
  assert.deepEqual((await values('StatusCheckFailed_System')).at(-1), [300, 0])
  assert.deepEqual(await values('MetadataNoToken'), [], 'nobody serves metadata here')
})

test('with detailed monitoring it is every minute', async () => {
  await call('ec2', 'MonitorInstances', { InstanceIds: [id] })
  await minute(660)
  used({ cpu: 390, bytes: 4000, reads: 15 })
  await minute(720)
  assert.deepEqual((await values('CPUUtilization')).slice(2), [[600, 0], [660, 50]])
})

test('what is not known is not told: another boot, a count that began anew, an engine that can\'t be seen, a server that was away', async () => {
  const before = [await values('CPUUtilization'), await values('NetworkIn')]
  used({ cpu: 5, bytes: 100, reads: 1, boot: '2' })
  await minute(780)
  engine.outage = true
  await minute(840)
  engine.outage = false
  await minute(900)
  assert.deepEqual([await values('CPUUtilization'), await values('NetworkIn')], before)
  const another = openSampler(cloud.context)
  used({ cpu: 65, bytes: 200, reads: 1, boot: '2' })
  now = at(960) + 100
  await another.sample(at(960))
  assert.deepEqual([await values('CPUUtilization'), await values('NetworkIn')], before)
  await minute(1020)
  assert.deepEqual(await values('CPUUtilization'), before[0], 'a minute was left out')
  used({ cpu: 95, bytes: 260, reads: 1, boot: '2' })
  await minute(1080)
  assert.deepEqual([(await values('CPUUtilization')).slice(before[0]!.length), (await values('NetworkIn')).slice(before[1]!.length)],
    [[[1020, 25]], [[1020, 60]]])
})

test('a clock that is put back to before the launch has a minute left out, and nothing told twice', async () => {
  const early = async (name: string) => (await values(name)).filter(([time]) => time < 0)
  await minute(-3540)
  assert.deepEqual([await early('NetworkIn'), await early('CPUUtilization')], [[], []])
  used({ cpu: 125, bytes: 300, reads: 1, boot: '2' })
  await minute(-3480)
  assert.deepEqual([await early('NetworkIn'), await early('CPUUtilization')], [[[-3540, 40]], [[-3540, 25]]])
})

test('stopped instances are told nothing of', async () => {
  await call('ec2', 'StopInstances', { InstanceIds: [id] })
  const before = await values('CPUUtilization')
  await minute(1140)
  await minute(1200)
  assert.deepEqual(await values('CPUUtilization'), before)
})
