import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { silent } from '#base/log'
import { openFake } from '#engine/fake'
import type { FlowCount } from '#engine/port'
import { flowLogSweeper, sweepFlowLogs } from '#service/ec2/flow-log/deliver'
import { harness, home, now, place } from '#service/ec2/vpc/harness.suite'
import { networkOf } from '#service/ec2/vpc/drive'
import type { VpcRow } from '#service/ec2/vpc/vpc'

const log = { ResourceType: 'VPC' as const, TrafficType: 'ALL' as const, LogDestinationType: 's3' as const, LogDestination: 'arn:aws:s3:::logs/mine' }

async function open() {
  const objects = new Map<string, string>()
  let fails = false
  const deliver = async ({ bucket, key, body }: { bucket: string; key: string; body: Buffer }) => {
    if (fails) throw new Error('no such bucket')
    objects.set(`${bucket}/${key}`, gunzipSync(body).toString())
  }
  const h = harness({ deliver })
  const eni = await h.launch()
  const engine = openFake()
  await engine.networks.apply(await networkOf(h.store, home, (await h.store.get<VpcRow>('vpc', eni.spec.vpc))!))
  const sweep = flowLogSweeper({ store: h.store, engine, clock: () => now, log: silent, deliver })
  const flow: FlowCount = {
    port: eni.id, direction: 'in', accepted: true, source: '198.51.100.7', destination: '172.31.0.4', protocol: 6, sourcePort: 40_000,
    destinationPort: 22, packets: 3, bytes: 180,
  }
  return { ...h, eni, engine, sweep, objects, flow, fail: (value: boolean) => { fails = value } }
}

test('counted flows become records in AWS\'s default format, in an object with AWS\'s key', async () => {
  const { call, eni, engine, sweep, objects, flow } = await open()
  const { FlowLogIds } = await call('CreateFlowLogs', { ...log, ResourceIds: [eni.spec.vpc] })
  engine.flowsById.set(eni.spec.vpc, [flow, { ...flow, accepted: false, destinationPort: 23, packets: 1, bytes: 60 }])
  await sweep()
  const [[key, text]] = [...objects] as [[string, string]]
  const { account } = place
  assert.match(key, new RegExp(`^logs/mine/AWSLogs/${account}/vpcflowlogs/us-east-1/2026/01/02/`
    + `${account}_vpcflowlogs_us-east-1_${FlowLogIds![0]}_20260102T0304Z_[0-9a-f]{8}\\.log\\.gz$`))
  const [start, end] = [now.getTime() / 1000 - 60, now.getTime() / 1000]
  assert.equal(text, [
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status',
    `2 ${account} ${eni.id} 198.51.100.7 172.31.0.4 40000 22 6 3 180 ${start} ${end} ACCEPT OK`,
    `2 ${account} ${eni.id} 198.51.100.7 172.31.0.4 40000 23 6 1 60 ${start} ${end} REJECT OK`, '',
  ].join('\n'))
  await sweep()
  assert.match([...objects.values()].at(-1)!, / - - - - - - - \d+ \d+ - NODATA\n$/)
})

test('a log has its traffic and its fields, and an interface is watched while there is one about it', async () => {
  const { call, store, eni, engine, sweep, objects, flow } = await open()
  const watched = async () => (await networkOf(store, home, (await store.get<VpcRow>('vpc', eni.spec.vpc))!)).ports.map(port => port.watched)
  assert.deepEqual(await watched(), [undefined])
  const { FlowLogIds } = await call('CreateFlowLogs', {
    ...log, ResourceType: 'NetworkInterface', ResourceIds: [eni.id], TrafficType: 'REJECT', MaxAggregationInterval: 60,
    LogFormat: '${vpc-id} ${flow-direction} ${action} ${version}', DestinationOptions: {
      FileFormat: 'plain-text', HiveCompatiblePartitions: true, PerHourPartition: true,
    },
  })
  assert.deepEqual(await watched(), [true])
  engine.flowsById.set(eni.spec.vpc, [flow, { ...flow, accepted: false }])
  await sweep()
  const [[key, text]] = [...objects] as [[string, string]]
  assert.match(key, /\/aws-account-id=\d+\/aws-service=vpcflowlogs\/aws-region=us-east-1\/year=2026\/month=01\/day=02\/hour=03\//)
  assert.equal(text, `vpc-id flow-direction action version\n${eni.spec.vpc} ingress REJECT 5\n`)
  await call('DeleteFlowLogs', { FlowLogIds })
  assert.deepEqual([await watched(), (await call('DescribeFlowLogs', {})).FlowLogs], [[undefined], []])
})

test('the interface\'s end is its primary address, the packet\'s own stands beside it, and IPv6 is told as it is', async () => {
  const { call, eni, engine, sweep, objects, flow } = await open()
  const LogFormat = '${type} ${srcaddr} ${pkt-srcaddr} ${dstaddr} ${pkt-dstaddr} ${protocol}'
  await call('CreateFlowLogs', { ...log, ResourceIds: [eni.spec.vpc], LogFormat })
  const far = { source: '198.51.100.7', destination: '10.9.0.1' }
  const six = { source: '3fff:ec2::5', destination: '3fff:ec2:1::7', protocol: 58 }
  engine.flowsById.set(eni.spec.vpc, [{ ...flow, ...far }, { ...flow, ...far, direction: 'out' }, { ...flow, ...six }])
  await sweep()
  assert.deepEqual([...objects.values()][0]!.trimEnd().split('\n'), [
    'type srcaddr pkt-srcaddr dstaddr pkt-dstaddr protocol',
    'IPv4 198.51.100.7 198.51.100.7 172.31.0.4 10.9.0.1 6',
    'IPv4 172.31.0.4 198.51.100.7 10.9.0.1 10.9.0.1 6',
    'IPv6 3fff:ec2::5 3fff:ec2::5 3fff:ec2:1::7 3fff:ec2:1::7 58',
  ])
})

test('a log whose bucket can\'t be written says so', async () => {
  const { call, eni, sweep, fail } = await open()
  await call('CreateFlowLogs', { ...log, ResourceIds: [eni.spec.subnet], ResourceType: 'Subnet' })
  const status = async () => {
    const [view] = (await call('DescribeFlowLogs', { Filter: [{ Name: 'resource-id', Values: [eni.spec.subnet] }] })).FlowLogs!
    return [view!.DeliverLogsStatus, view!.DeliverLogsErrorMessage]
  }
  fail(true)
  await sweep()
  assert.deepEqual(await status(), ['FAILED', 'Access error'])
  fail(false)
  await sweep()
  assert.deepEqual(await status(), ['SUCCESS', undefined])
})

test('what no flow log can be is refused; one resource\'s failure among several is told beside the others', async () => {
  const { call, refused, eni } = await open()
  const one = { ...log, ResourceIds: [eni.spec.vpc] }
  const codes = [
    await refused('CreateFlowLogs', { ...one, LogDestinationType: 'cloud-watch-logs' }),
    await refused('CreateFlowLogs', { ...one, LogDestinationType: undefined }),
    await refused('CreateFlowLogs', { ...one, TrafficType: undefined }),
    await refused('CreateFlowLogs', { ...one, LogDestination: 'arn:aws:s3:::B' }),
    await refused('CreateFlowLogs', { ...one, LogDestination: 'arn:aws:s3:::logs/AWSLogs/' }),
    await refused('CreateFlowLogs', { ...one, LogFormat: '${srcaddr} ${nothing}' }),
    await refused('CreateFlowLogs', { ...one, LogFormat: '${tcp-flags}' }),
    await refused('CreateFlowLogs', { ...one, MaxAggregationInterval: 61 }),
    await refused('CreateFlowLogs', { ...one, DestinationOptions: { FileFormat: 'parquet' } as never }),
    await refused('CreateFlowLogs', { ...one, ResourceIds: ['vpc-0123456789abcdef0'] }),
    await refused('CreateFlowLogs', { ...one, ResourceType: 'TransitGateway' }),
    await refused('DeleteFlowLogs', { FlowLogIds: ['fl-0123456789abcdef0'] }),
  ].map(([code]) => code)
  assert.deepEqual(codes, [
    'UnsupportedOperation', 'UnsupportedOperation', 'MissingParameter', 'InvalidParameter', 'InvalidParameter', 'InvalidParameter',
    'UnsupportedOperation', 'InvalidParameterValue', 'UnsupportedOperation', 'InvalidVpcID.NotFound', 'UnsupportedOperation',
    'InvalidFlowLogId.NotFound',
  ])
  assert.deepEqual((await call('DescribeFlowLogs', {})).FlowLogs, [])
  const both = await call('CreateFlowLogs', { ...one, ResourceIds: ['vpc-0123456789abcdef0', eni.spec.vpc] })
  assert.deepEqual([both.FlowLogIds!.length, both.Unsuccessful!.map(({ Error: e }) => e!.Code)], [1, ['InvalidVpcID.NotFound']])
  assert.equal((await refused('CreateFlowLogs', one))[0], 'FlowLogAlreadyExists')
})

test('a log goes by itself once its VPC is gone, and not before', async () => {
  const { call, store } = await open()
  const { Vpc } = await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })
  await call('CreateFlowLogs', { ...log, ResourceIds: [Vpc!.VpcId!] })
  const count = async () => {
    await sweepFlowLogs({ store })
    return (await call('DescribeFlowLogs', {})).FlowLogs!.length
  }
  assert.equal(await count(), 1)
  const row = (await store.get<VpcRow>('vpc', Vpc!.VpcId!))!
  await store.transact(tx => tx.remove(row, 'deleted'))
  assert.equal(await count(), 0)
})
