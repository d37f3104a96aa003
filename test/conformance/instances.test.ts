/** The life of instances by the SDK for JavaScript, over HTTP, on the fake engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { code, openBench, stateOf, type Bench } from './kit.ts'

let bench: Bench
let server: Bench['server']
let ec2: Bench['ec2']
let imageId: string
let one: Bench['one']
let until: Bench['until']

before(async () => {
  bench = await openBench();
  ({ server, ec2, imageId, one, until } = bench)
})
after(() => bench.close())

const run = (more: Partial<sdk.RunInstancesCommandInput> = {}) => ec2.send(new sdk.RunInstancesCommand({
  ImageId: imageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1, ...more,
}))

test('an instance goes from pending to running with addresses, a root volume and an interface, and ends without a trace', async () => {
  const launched = await run({ TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'web' }] }] })
  const first = launched.Instances![0]!
  assert.equal(first.State!.Name, 'pending')
  assert.match(first.InstanceId!, /^i-[0-9a-f]{17}$/)
  assert.match(launched.ReservationId!, /^r-[0-9a-f]{17}$/)
  const instance = await until(first.InstanceId!, 'running')
  assert.match(instance.PublicIpAddress!, /^198\.18\./)
  assert.match(instance.PrivateIpAddress!, /^172\.31\./)
  assert.equal(instance.PublicDnsName, `ec2-${instance.PublicIpAddress!.replaceAll('.', '-')}.compute-1.amazonaws.com`)
  assert.equal(instance.SecurityGroups![0]!.GroupName, 'default')
  assert.deepEqual(instance.Tags, [{ Key: 'Name', Value: 'web' }])
  const volumeId = instance.BlockDeviceMappings![0]!.Ebs!.VolumeId!
  assert.ok(server.engine.machinesById.has(instance.InstanceId!))
  assert.ok(server.engine.disksById.has(volumeId))
  await ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: [instance.InstanceId!] }))
  const gone = await until(instance.InstanceId!, 'terminated')
  await server.cloud.loop.idle()
  assert.equal(gone.PublicIpAddress, undefined)
  const ports = [...server.engine.networksById.values()].flatMap(n => n.ports)
  assert.deepEqual([server.engine.machinesById.size, server.engine.disksById.size, ports], [0, 0, []])
  await assert.rejects(ec2.send(new sdk.DescribeVolumesCommand({ VolumeIds: [volumeId] })), code('InvalidVolume.NotFound'))
})

test('stop keeps the private address and gives the public one back; start gives a new one', async () => {
  const { InstanceId: id } = (await run()).Instances![0]!
  const before = await until(id!, 'running')
  const { StoppingInstances } = await ec2.send(new sdk.StopInstancesCommand({ InstanceIds: [id!] }))
  assert.deepEqual([StoppingInstances![0]!.PreviousState!.Name, StoppingInstances![0]!.CurrentState!.Name], ['running', 'stopping'])
  const stopped = await until(id!, 'stopped')
  assert.equal(stopped.PublicIpAddress, undefined)
  assert.equal(stopped.PrivateIpAddress, before.PrivateIpAddress)
  assert.equal(stopped.StateReason!.Code, 'Client.UserInitiatedShutdown')
  await ec2.send(new sdk.StartInstancesCommand({ InstanceIds: [id!] }))
  const after = await until(id!, 'running')
  assert.equal(after.PrivateIpAddress, before.PrivateIpAddress)
  assert.ok(after.PublicIpAddress && after.PublicIpAddress !== before.PublicIpAddress)
  await ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: [id!] }))
  await until(id!, 'terminated')
})

test('a type changed while stopped is the machine\'s size and bandwidth from the next start on', async () => {
  const { InstanceId: id, NetworkInterfaces } = (await run()).Instances![0]!
  const bandwidth = () => [...server.engine.networksById.values()].flatMap(network => network.ports)
    .find(port => port.id === NetworkInterfaces![0]!.NetworkInterfaceId)!.bitsPerSecond
  await until(id!, 'running')
  assert.equal(bandwidth(), 5e9)
  await ec2.send(new sdk.StopInstancesCommand({ InstanceIds: [id!] }))
  await until(id!, 'stopped')
  await ec2.send(new sdk.ModifyInstanceAttributeCommand({ InstanceId: id!, InstanceType: { Value: 'm5.xlarge' } }))
  await ec2.send(new sdk.StartInstancesCommand({ InstanceIds: [id!] }))
  await until(id!, 'running')
  const { cpus, cpuBaselinePercent, memoryMiB } = server.engine.machinesById.get(id!)!.spec
  assert.deepEqual({ cpus, cpuBaselinePercent, memoryMiB }, { cpus: 4, cpuBaselinePercent: undefined, memoryMiB: 16_384 })
  assert.equal(bandwidth(), 10e9)
  await ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: [id!] }))
  await until(id!, 'terminated')
})

test('a guest that shuts down by itself is stopped, or terminated when it was launched so', async () => {
  await Promise.all((['stop', 'terminate'] as const).map(async behavior => {
    const { InstanceId: id } = (await run({ InstanceInitiatedShutdownBehavior: behavior })).Instances![0]!
    await until(id!, 'running')
    server.engine.guest.shutdown(id!)
    const ended = await until(id!, behavior === 'stop' ? 'stopped' : 'terminated')
    assert.equal(ended.StateReason!.Code, 'Client.InstanceInitiatedShutdown')
    await ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: [id!] }))
    await until(id!, 'terminated')
  }))
})

test('the same client token launches once; with other parameters it is refused', async () => {
  const ClientToken = 'launch-once'
  const [a, b] = [await run({ ClientToken }), await run({ ClientToken })]
  assert.equal(a.Instances![0]!.InstanceId, b.Instances![0]!.InstanceId)
  await assert.rejects(run({ ClientToken, MaxCount: 2 }), code('IdempotentParameterMismatch'))
  await ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: [a.Instances![0]!.InstanceId!] }))
})

test('a dry run says that it would have worked and makes nothing', async () => {
  const count = (await server.store.list({ kind: 'instance' })).length
  await assert.rejects(run({ DryRun: true }), code('DryRunOperation'))
  assert.equal((await server.store.list({ kind: 'instance' })).length, count)
})

test('bad input has AWS\'s own code and changes nothing', async () => {
  const before = await stateOf(server)
  const cases: [Partial<sdk.RunInstancesCommandInput>, string][] = [
    [{ ImageId: 'ami-nonsense' }, 'InvalidAMIID.Malformed'],
    [{ ImageId: 'ami-0123456789abcdef0' }, 'InvalidAMIID.NotFound'],
    [{ InstanceType: 'x9.huge' as never }, 'InvalidParameterValue'],
    [{ InstanceType: 't4g.micro' }, 'InvalidParameterValue'],
    [{ KeyName: 'nobody' }, 'InvalidKeyPair.NotFound'],
    [{ SecurityGroupIds: ['sg-0123456789abcdef0'] }, 'InvalidGroup.NotFound'],
    [{ SecurityGroupIds: ['group'] }, 'InvalidGroupId.Malformed'],
    [{ SubnetId: 'subnet-0123456789abcdef0' }, 'InvalidSubnetID.NotFound'],
    [{ SubnetId: 'sub' }, 'InvalidSubnetID.Malformed'],
    [{ UserData: Buffer.alloc(16385).toString('base64') }, 'InvalidParameterValue'],
    [{ UserData: 'not base64!' }, 'InvalidUserData.Malformed'],
    [{ MinCount: 3, MaxCount: 2 }, 'InvalidParameterValue'],
    [{ PrivateIpAddress: '10.0.0.5' }, 'InvalidParameterValue'],
    [{ PrivateIpAddress: '172.31.0.1' }, 'InvalidParameterValue'],
    [{ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 1 } }] }, 'InvalidBlockDeviceMapping'],
    [{ IamInstanceProfile: { Name: 'role' } }, 'InvalidParameterValue'],
    [{ InstanceType: 'm7i.48xlarge' }, 'InsufficientInstanceCapacity'],
    [{ TagSpecifications: [{ ResourceType: 'vpc', Tags: [{ Key: 'a', Value: 'b' }] }] }, 'InvalidParameterValue'],
    [{ ClientToken: 'x'.repeat(65) }, 'InvalidParameterValue'],
    [{ MetadataOptions: { HttpPutResponseHopLimit: 65 } }, 'InvalidParameterValue'],
  ]
  for (const [input, wanted] of cases) await assert.rejects(run(input), code(wanted), JSON.stringify(input))
  assert.equal(await stateOf(server), before)
  await assert.rejects(ec2.send(new sdk.DescribeInstancesCommand({ InstanceIds: ['i-12'] })), code('InvalidInstanceID.Malformed'))
  await assert.rejects(ec2.send(new sdk.DescribeInstancesCommand({ InstanceIds: ['i-0123456789abcdef0'] })), code('InvalidInstanceID.NotFound'))
  await assert.rejects(ec2.send(new sdk.DescribeInstancesCommand({ Filters: [{ Name: 'no-such', Values: ['x'] }] })), code('InvalidParameterValue'))
  await assert.rejects(ec2.send(new sdk.DescribeSpotPriceHistoryCommand({})), code('UnsupportedOperation'))
})

test('an outage of the engine ends nothing: the instance is running when it can be seen again', async () => {
  const { InstanceId: id } = (await run()).Instances![0]!
  await until(id!, 'running')
  server.engine.outage = true
  await server.cloud.sweep()
  await server.cloud.loop.idle()
  assert.equal((await one(id!)).State!.Name, 'running')
  server.engine.outage = false
  await server.cloud.sweep()
  await server.cloud.loop.idle()
  assert.equal((await one(id!)).State!.Name, 'running')
  await ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: [id!] }))
  await until(id!, 'terminated')
})

test('instances of one launch answer as one reservation, in pages, by filters and tags', async () => {
  const { Instances = [], ReservationId } = await run({
    MinCount: 7, MaxCount: 7, TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'fleet', Value: 'a' }] }],
  })
  assert.deepEqual(Instances.map(i => i.AmiLaunchIndex), [0, 1, 2, 3, 4, 5, 6])
  const byTag = { Filters: [{ Name: 'tag:fleet', Values: ['?'] }, { Name: 'instance-type', Values: ['t3.*'] }] }
  const seen: string[] = []
  for await (const page of sdk.paginateDescribeInstances({ client: ec2, pageSize: 5 }, byTag)) {
    for (const r of page.Reservations ?? []) { assert.equal(r.ReservationId, ReservationId); seen.push(...r.Instances!.map(i => i.InstanceId!)) }
  }
  assert.deepEqual(seen.sort(), Instances.map(i => i.InstanceId!).sort())
  await ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: seen }))
  for (const id of seen) await until(id, 'terminated')
})
