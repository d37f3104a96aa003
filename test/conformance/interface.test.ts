/** Network interfaces by the SDK for JavaScript, over HTTP, on the fake engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { code, openBench, type Bench } from './kit.ts'

let bench: Bench
let ec2: Bench['ec2']
let SubnetId: string

before(async () => {
  bench = await openBench();
  ({ ec2 } = bench)
  SubnetId = await subnetOf('us-east-1a')
})
after(() => bench.close())

async function subnetOf(zone: string): Promise<string> {
  const Filters = [{ Name: 'availability-zone', Values: [zone] }, { Name: 'default-for-az', Values: ['true'] }]
  return (await ec2.send(new sdk.DescribeSubnetsCommand({ Filters }))).Subnets![0]!.SubnetId!
}
const create = async (more: Partial<sdk.CreateNetworkInterfaceCommandInput> = {}) =>
  (await ec2.send(new sdk.CreateNetworkInterfaceCommand({ SubnetId, ...more }))).NetworkInterface!
const shown = async (id: string) =>
  (await ec2.send(new sdk.DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id] }))).NetworkInterfaces![0]!
const remove = (NetworkInterfaceId: string) => ec2.send(new sdk.DeleteNetworkInterfaceCommand({ NetworkInterfaceId }))
const attach = async (NetworkInterfaceId: string, InstanceId: string, DeviceIndex = 1) =>
  (await ec2.send(new sdk.AttachNetworkInterfaceCommand({ NetworkInterfaceId, InstanceId, DeviceIndex }))).AttachmentId!
const detach = (AttachmentId: string) => ec2.send(new sdk.DetachNetworkInterfaceCommand({ AttachmentId }))
const settled = () => bench.server.cloud.loop.idle()
/** Names in the guest of a machine's ports: what the engine has, not what the records say. */
const guestPorts = (id: string) =>
  Object.fromEntries(bench.server.engine.machinesById.get(id)!.spec.ports.map(({ name, port }) => [name, port]))
const addresses = async (id: string) => (await shown(id)).PrivateIpAddresses!.map(a => a.PrivateIpAddress!)
const status = async (id: string) => { const { Status, Attachment } = await shown(id); return [Status, Attachment?.Status] }

test('an interface is made with what is asked of it, once for each client token, and deleted', async () => {
  const group = await ec2.send(new sdk.CreateSecurityGroupCommand({ GroupName: 'nic', Description: 'nic', VpcId: bench.vpcId }))
  const input = {
    Description: 'second', Groups: [group.GroupId!], PrivateIpAddress: '172.31.0.100', SecondaryPrivateIpAddressCount: 1, ClientToken: 'once',
    TagSpecifications: [{ ResourceType: 'network-interface' as const, Tags: [{ Key: 'Name', Value: 'n' }] }],
  }
  const made = await create(input)
  assert.equal((await create(input)).NetworkInterfaceId, made.NetworkInterfaceId)
  assert.partialDeepStrictEqual(made, {
    Status: 'available', Description: 'second', SubnetId, PrivateIpAddress: '172.31.0.100', SourceDestCheck: true, RequesterManaged: false,
    Groups: [{ GroupId: group.GroupId, GroupName: 'nic' }], TagSet: [{ Key: 'Name', Value: 'n' }],
  })
  assert.deepEqual(made.PrivateIpAddresses!.map(a => a.Primary), [true, false])
  await bench.refuses(sdk.CreateNetworkInterfaceCommand, [
    [{ SubnetId, PrivateIpAddress: '172.31.0.100' }, 'InvalidIPAddress.InUse'],
    [{ SubnetId, PrivateIpAddress: '10.0.0.1' }, 'InvalidParameterValue'],
    [{ SubnetId, PrivateIpAddresses: [{ PrivateIpAddress: '172.31.0.101', Primary: true }, { PrivateIpAddress: '172.31.0.102', Primary: true }] },
      'InvalidParameterCombination'],
    [{ SubnetId, PrivateIpAddresses: [{ PrivateIpAddress: '172.31.0.101' }], SecondaryPrivateIpAddressCount: 1 }, 'InvalidParameterCombination'],
    [{ SubnetId, Ipv6AddressCount: 1 }, 'InvalidParameterValue'], [{ SubnetId, InterfaceType: 'efa' }, 'UnsupportedOperation'],
    [{ SubnetId, Description: 'x'.repeat(256) }, 'InvalidParameterValue'], [{ SubnetId, Groups: ['sg-0123456789abcdef0'] }, 'InvalidGroup.NotFound'],
  ])
  await remove(made.NetworkInterfaceId!)
  await assert.rejects(shown(made.NetworkInterfaceId!), code('InvalidNetworkInterfaceID.NotFound'))
  await remove((await create({ PrivateIpAddress: '172.31.0.100' })).NetworkInterfaceId!)
})

test('an interface moves hot from one running instance to another, with its private address and its Elastic IP', async () => {
  const [a, b] = [(await bench.launch({ SubnetId })).InstanceId!, (await bench.launch({ SubnetId })).InstanceId!]
  const nic = await create()
  const id = nic.NetworkInterfaceId!
  const elastic = await ec2.send(new sdk.AllocateAddressCommand({}))
  await ec2.send(new sdk.AssociateAddressCommand({ AllocationId: elastic.AllocationId, NetworkInterfaceId: id }))
  const first = await attach(id, a)
  await settled()
  assert.deepEqual([guestPorts(a).ens6, await status(id)], [id, ['in-use', 'attached']])
  assert.deepEqual((await bench.one(a)).NetworkInterfaces!.map(n => n.Attachment!.DeviceIndex), [0, 1])
  await bench.refuses(sdk.AttachNetworkInterfaceCommand, [
    [{ NetworkInterfaceId: id, InstanceId: b, DeviceIndex: 1 }, 'InvalidNetworkInterface.InUse'],
  ])
  await bench.refuses(sdk.DeleteNetworkInterfaceCommand, [[{ NetworkInterfaceId: id }, 'InvalidParameterValue', /is currently in use\.$/]])
  await bench.refuses(sdk.AssociateAddressCommand, [
    [{ AllocationId: elastic.AllocationId, InstanceId: a }, 'InvalidInstanceID', /multiple interfaces/],
  ])
  await detach(first)
  await settled()
  assert.deepEqual([guestPorts(a).ens6, await status(id)], [undefined, ['available', undefined]])
  assert.equal((await bench.one(a)).NetworkInterfaces!.length, 1)
  await attach(id, b, 2)
  await settled()
  const [, moved] = (await bench.one(b)).NetworkInterfaces!
  assert.deepEqual([guestPorts(b).ens7, moved!.PrivateIpAddress, moved!.Association!.PublicIp], [id, nic.PrivateIpAddress, elastic.PublicIp])
  await bench.terminate(a, b)
  assert.deepEqual(await status(id), ['available', undefined])
  await remove(id)
  const { Addresses } = await ec2.send(new sdk.DescribeAddressesCommand({ AllocationIds: [elastic.AllocationId!] }))
  assert.equal(Addresses![0]!.AssociationId, undefined)
  await ec2.send(new sdk.ReleaseAddressCommand({ AllocationId: elastic.AllocationId }))
})

test('attaching and detaching are what the machine says they are', async () => {
  const { InstanceId } = await bench.launch({ SubnetId })
  const id = (await create()).NetworkInterfaceId!
  const { engine } = bench.server
  const machine = engine.machinesById.get(InstanceId!)!
  await settled()
  engine.outage = true
  try {
    const attachment = await attach(id, InstanceId!)
    await settled()
    assert.deepEqual([await status(id), machine.spec.ports.length], [['in-use', 'attaching'], 1])
    engine.outage = false
    bench.server.cloud.loop.wake('instance', InstanceId!)
    await settled()
    assert.deepEqual([await status(id), machine.spec.ports.length], [['in-use', 'attached'], 2])
    engine.outage = true
    await detach(attachment)
    await detach(attachment)
    await settled()
    assert.deepEqual([await status(id), machine.spec.ports.length], [['in-use', 'detaching'], 2])
  } finally {
    engine.outage = false
  }
  bench.server.cloud.loop.wake('instance', InstanceId!)
  await settled()
  assert.deepEqual([await status(id), machine.spec.ports.length], [['available', undefined], 1])
  await bench.terminate(InstanceId!)
  await remove(id)
})

test('a stopped instance is given an interface that is there when it starts, and that goes with it where that is asked', async () => {
  const { InstanceId } = await bench.launch({ SubnetId })
  await ec2.send(new sdk.StopInstancesCommand({ InstanceIds: [InstanceId!] }))
  await bench.until(InstanceId!, 'stopped')
  const NetworkInterfaceId = (await create()).NetworkInterfaceId!
  const AttachmentId = await attach(NetworkInterfaceId, InstanceId!)
  await settled()
  assert.deepEqual([guestPorts(InstanceId!).ens6, await status(NetworkInterfaceId)], [NetworkInterfaceId, ['in-use', 'attached']])
  await ec2.send(new sdk.StartInstancesCommand({ InstanceIds: [InstanceId!] }))
  // With a second interface there is no public address of Amazon's.
  assert.equal((await bench.until(InstanceId!, 'running')).PublicIpAddress, undefined)
  await ec2.send(new sdk.ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Attachment: { AttachmentId, DeleteOnTermination: true } }))
  await bench.terminate(InstanceId!)
  await assert.rejects(shown(NetworkInterfaceId), code('InvalidNetworkInterfaceID.NotFound'))
})

test('limits, zones and states are kept', async () => {
  const launched = await bench.launch({ SubnetId, InstanceType: 't3.nano' })
  const InstanceId = launched.InstanceId!
  const ids: string[] = []
  for (let i = 0; i < 2; i++) ids.push((await create()).NetworkInterfaceId!)
  const many = (await create({ SecondaryPrivateIpAddressCount: 2 })).NetworkInterfaceId!
  const far = (await create({ SubnetId: await subnetOf('us-east-1b') })).NetworkInterfaceId!
  const on = (NetworkInterfaceId: string, DeviceIndex: number) => ({ NetworkInterfaceId, InstanceId, DeviceIndex })
  await bench.refuses(sdk.AttachNetworkInterfaceCommand, [
    [on(many, 1), 'PrivateIpAddressLimitExceeded'], [on(far, 1), 'InvalidParameterCombination', /same availability zone/],
    [on(ids[0]!, 0), 'InvalidParameterValue', /already has an interface attached at device index '0'/], [on(ids[0]!, 99), 'InvalidParameterValue'],
    [{ ...on(ids[0]!, 1), NetworkCardIndex: 1 }, 'InvalidParameterValue'],
  ])
  await attach(ids[0]!, InstanceId)
  await settled()
  await bench.refuses(sdk.AttachNetworkInterfaceCommand, [
    [on(ids[1]!, 2), 'AttachmentLimitExceeded', /Interface count 3 exceeds the limit for t3\.nano/],
  ])
  await bench.refuses(sdk.DetachNetworkInterfaceCommand, [
    [{ AttachmentId: launched.NetworkInterfaces![0]!.Attachment!.AttachmentId }, 'OperationNotPermitted', /device index 0 and networkCard index 0/],
    [{ AttachmentId: 'eni-attach-0123456789abcdef0' }, 'InvalidAttachmentID.NotFound'],
  ])
  await bench.terminate(InstanceId)
  await bench.refuses(sdk.AttachNetworkInterfaceCommand, [[on(ids[1]!, 1), 'IncorrectInstanceState']])
  for (const id of [...ids, many, far]) await remove(id)
})

test('secondary addresses are assigned by number or by name, move with their Elastic IP, and go', async () => {
  const [one, two] = [(await create()).NetworkInterfaceId!, (await create()).NetworkInterfaceId!]
  const assign = async (input: sdk.AssignPrivateIpAddressesCommandInput) =>
    (await ec2.send(new sdk.AssignPrivateIpAddressesCommand(input))).AssignedPrivateIpAddresses!.map(a => a.PrivateIpAddress!)
  const given = await assign({ NetworkInterfaceId: one, SecondaryPrivateIpAddressCount: 2 })
  const [primary, ...others] = await addresses(one)
  assert.deepEqual(others, given)
  assert.deepEqual(await assign({ NetworkInterfaceId: two, PrivateIpAddresses: ['172.31.0.200'] }), ['172.31.0.200'])
  const elastic = await ec2.send(new sdk.AllocateAddressCommand({}))
  await ec2.send(new sdk.AssociateAddressCommand({ AllocationId: elastic.AllocationId, NetworkInterfaceId: one, PrivateIpAddress: given[0] }))
  await bench.refuses(sdk.AssignPrivateIpAddressesCommand, [
    [{ NetworkInterfaceId: two, PrivateIpAddresses: [given[0]] }, 'InvalidParameterValue', /move is not allowed/],
    [{ NetworkInterfaceId: two, PrivateIpAddresses: [primary], AllowReassignment: true }, 'InvalidParameterValue'],
    [{ NetworkInterfaceId: two }, 'MissingParameter'], [{ NetworkInterfaceId: two, Ipv4PrefixCount: 1 }, 'UnsupportedOperation'],
  ])
  await assign({ NetworkInterfaceId: two, PrivateIpAddresses: [given[0]!], AllowReassignment: true })
  assert.deepEqual(await addresses(one), [primary, given[1]])
  const at = async () => (await ec2.send(new sdk.DescribeAddressesCommand({ AllocationIds: [elastic.AllocationId!] }))).Addresses![0]!
  assert.partialDeepStrictEqual(await at(), { NetworkInterfaceId: two, PrivateIpAddress: given[0] })
  await bench.refuses(sdk.UnassignPrivateIpAddressesCommand, [
    [{ NetworkInterfaceId: one, PrivateIpAddresses: [primary] }, 'InvalidParameterValue', /cannot be unassigned/],
    [{ NetworkInterfaceId: one, PrivateIpAddresses: [given[0]] }, 'InvalidParameterValue', /are not assigned to interface/],
  ])
  await ec2.send(new sdk.UnassignPrivateIpAddressesCommand({ NetworkInterfaceId: two, PrivateIpAddresses: [given[0]!] }))
  assert.equal((await at()).AssociationId, undefined)
  for (const id of [one, two]) await remove(id)
  await ec2.send(new sdk.ReleaseAddressCommand({ AllocationId: elastic.AllocationId }))
})

test('an instance is launched with interfaces that are there, which outlive it', async () => {
  const first = await create({ PrivateIpAddress: '172.31.0.50' })
  const id = first.NetworkInterfaceId!
  const { NetworkInterfaceId: second } = await create()
  const NetworkInterfaces = [{ DeviceIndex: 1, NetworkInterfaceId: second }, { DeviceIndex: 0, NetworkInterfaceId: id }]
  const base = { ImageId: bench.imageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 }
  const only = (more: object) => ({ ...base, NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: id, ...more }] })
  await bench.refuses(sdk.RunInstancesCommand, [
    [only({ DeleteOnTermination: true }), 'InvalidParameterCombination', /delete on termination/],
    [only({ SubnetId }), 'InvalidParameterCombination'],
    [{ ...only({}), MaxCount: 2 }, 'InvalidParameterCombination'],
    [only({ NetworkInterfaceId: 'eni-0123456789abcdef0' }), 'InvalidNetworkInterfaceID.NotFound'],
    [{ ...base, NetworkInterfaces: [...NetworkInterfaces, { DeviceIndex: 2, NetworkInterfaceId: id }] }, 'InvalidNetworkInterface.InUse'],
  ])
  const running = await bench.launch({ NetworkInterfaces })
  assert.deepEqual([running.PrivateIpAddress, guestPorts(running.InstanceId!)], ['172.31.0.50', { ens5: id, ens6: second }])
  await bench.refuses(sdk.RunInstancesCommand, [[only({}), 'InvalidNetworkInterface.InUse']])
  await bench.terminate(running.InstanceId!)
  for (const nic of [id, second!]) {
    assert.deepEqual(await status(nic), ['available', undefined])
    await remove(nic)
  }
})
