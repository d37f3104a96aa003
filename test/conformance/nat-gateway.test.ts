/** NAT gateways by the SDK for JavaScript, over HTTP, on the fake engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { code, openBench, type Bench } from './kit.ts'

let bench: Bench
let ec2: Bench['ec2']
let VpcId: string, SubnetId: string, other: string, RouteTableId: string

before(async () => {
  bench = await openBench();
  ({ ec2 } = bench)
  VpcId = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))).Vpc!.VpcId!
  const subnet = async (CidrBlock: string) => (await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock }))).Subnet!.SubnetId!
  SubnetId = await subnet('10.0.1.0/24')
  other = await subnet('10.0.2.0/28')
  RouteTableId = (await ec2.send(new sdk.CreateRouteTableCommand({ VpcId }))).RouteTable!.RouteTableId!
})
after(() => bench.close())

const allocate = async () => (await ec2.send(new sdk.AllocateAddressCommand({}))).AllocationId!
const release = (AllocationId: string) => ec2.send(new sdk.ReleaseAddressCommand({ AllocationId }))
const create = async (more: Partial<sdk.CreateNatGatewayCommandInput>) =>
  (await ec2.send(new sdk.CreateNatGatewayCommand({ SubnetId, ...more }))).NatGateway!
const shown = async (id: string) => {
  await bench.server.cloud.loop.idle()
  return (await ec2.send(new sdk.DescribeNatGatewaysCommand({ NatGatewayIds: [id] }))).NatGateways![0]!
}
const remove = (NatGatewayId: string) => ec2.send(new sdk.DeleteNatGatewayCommand({ NatGatewayId }))
const ports = () => bench.server.engine.networksById.get(VpcId)?.ports ?? []
const interfaceOf = async (gateway: sdk.NatGateway) => {
  const NetworkInterfaceIds = [gateway.NatGatewayAddresses![0]!.NetworkInterfaceId!]
  return (await ec2.send(new sdk.DescribeNetworkInterfacesCommand({ NetworkInterfaceIds }))).NetworkInterfaces![0]!
}

test('a public gateway without an internet gateway fails and says why, for an hour', async () => {
  const AllocationId = await allocate()
  const { NatGatewayId, State } = await create({ AllocationId })
  assert.equal(State, 'pending')
  const failed = await shown(NatGatewayId!)
  assert.partialDeepStrictEqual(failed, {
    State: 'failed', FailureCode: 'Gateway.NotAttached', FailureMessage: `Network ${VpcId} has no Internet gateway attached`,
    NatGatewayAddresses: [{ AllocationId, Status: 'failed' }],
  })
  assert.ok(failed.DeleteTime instanceof Date)
  await release(AllocationId)
})

test('a public gateway has its Elastic IP, an interface that nobody else manages, and a translator behind it', async () => {
  const { InternetGatewayId } = (await ec2.send(new sdk.CreateInternetGatewayCommand({}))).InternetGateway!
  await ec2.send(new sdk.AttachInternetGatewayCommand({ InternetGatewayId, VpcId }))
  const AllocationId = await allocate()
  const TagSpecifications = [{ ResourceType: 'natgateway' as const, Tags: [{ Key: 'Name', Value: 'n' }] }]
  const input = { AllocationId, ClientToken: 'once', TagSpecifications }
  const made = await create(input)
  assert.equal((await create(input)).NatGatewayId, made.NatGatewayId)
  const NatGatewayId = made.NatGatewayId!
  const gateway = await shown(NatGatewayId)
  const [address] = (await ec2.send(new sdk.DescribeAddressesCommand({ AllocationIds: [AllocationId] }))).Addresses!
  assert.partialDeepStrictEqual(gateway, {
    State: 'available', ConnectivityType: 'public', VpcId, SubnetId, Tags: [{ Key: 'Name', Value: 'n' }],
    NatGatewayAddresses: [{ AllocationId, PublicIp: address!.PublicIp, PrivateIp: address!.PrivateIpAddress, IsPrimary: true, Status: 'succeeded' }],
  })
  const own = await interfaceOf(gateway)
  assert.partialDeepStrictEqual(own, {
    InterfaceType: 'nat_gateway', RequesterManaged: true, Status: 'in-use', SourceDestCheck: false, Groups: [],
    Description: `Interface for NAT Gateway ${NatGatewayId}`, Association: { PublicIp: address!.PublicIp },
  })
  assert.partialDeepStrictEqual(ports().find(p => p.id === own.NetworkInterfaceId), {
    translates: true, checked: false, groups: [], addresses: [{ private: own.PrivateIpAddress, public: address!.PublicIp }],
  })

  const NetworkInterfaceId = own.NetworkInterfaceId!
  for (const request of [
    new sdk.DeleteNetworkInterfaceCommand({ NetworkInterfaceId }),
    new sdk.ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Description: { Value: 'mine' } }),
    new sdk.AssociateAddressCommand({ NetworkInterfaceId, AllocationId }),
    new sdk.AssignPrivateIpAddressesCommand({ NetworkInterfaceId, SecondaryPrivateIpAddressCount: 1 }),
    new sdk.DisassociateAddressCommand({ AssociationId: address!.AssociationId }), new sdk.ReleaseAddressCommand({ AllocationId }),
  ]) await assert.rejects(ec2.send(request as sdk.DeleteNetworkInterfaceCommand), code('AuthFailure'))
  await assert.rejects(ec2.send(new sdk.DeleteSubnetCommand({ SubnetId })), code('DependencyViolation'))

  const route = { RouteTableId, DestinationCidrBlock: '0.0.0.0/0' }
  await ec2.send(new sdk.CreateRouteCommand({ ...route, NatGatewayId }))
  const table = async () => {
    await bench.server.cloud.loop.idle()
    const [found] = (await ec2.send(new sdk.DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId] }))).RouteTables!
    return [found!.Routes!.at(-1), bench.server.engine.networksById.get(VpcId)!.routeTables.find(t => t.id === RouteTableId)!.routes]
  }
  const shownRoute = { DestinationCidrBlock: '0.0.0.0/0', NatGatewayId, Origin: 'CreateRoute' }
  assert.deepEqual(await table(), [{ ...shownRoute, State: 'active' }, [{ cidr: '0.0.0.0/0', via: { port: NetworkInterfaceId } }]])

  const second = await shown((await create({ AllocationId })).NatGatewayId!)
  assert.partialDeepStrictEqual(second, { State: 'failed', FailureCode: 'Resource.AlreadyAssociated' })
  assert.deepEqual(await remove(NatGatewayId).then(answer => answer.NatGatewayId), NatGatewayId)
  const gone = await shown(NatGatewayId)
  assert.partialDeepStrictEqual(gone, { State: 'deleted', NatGatewayAddresses: [{ AllocationId, NetworkInterfaceId }] })
  assert.deepEqual(await table(), [{ ...shownRoute, State: 'blackhole' }, [{ cidr: '0.0.0.0/0', via: { nowhere: true } }]])
  assert.deepEqual(ports().map(p => p.id), [])
  await assert.rejects(ec2.send(new sdk.ReplaceRouteCommand({ ...route, NatGatewayId })), code('InvalidNatGatewayID.NotFound', /natGateway ID/))
  await ec2.send(new sdk.DeleteRouteCommand(route))
  await release(AllocationId)
})

test('a private gateway has private addresses alone, as many as it is given', async () => {
  const { NatGatewayId } = await create({
    ConnectivityType: 'private', PrivateIpAddress: '10.0.1.100', SecondaryPrivateIpAddresses: ['10.0.1.101', '10.0.1.102'],
  })
  const gateway = await shown(NatGatewayId!)
  assert.deepEqual(gateway.NatGatewayAddresses!.map(a => [a.PrivateIp, a.PublicIp, a.IsPrimary]),
    [['10.0.1.100', undefined, true], ['10.0.1.101', undefined, false], ['10.0.1.102', undefined, false]])
  const counted = await shown((await create({ ConnectivityType: 'private', SecondaryPrivateIpAddressCount: 3 })).NatGatewayId!)
  assert.equal(counted.NatGatewayAddresses!.length, 4)
  const found = async (Name: string, ...Values: string[]) =>
    (await ec2.send(new sdk.DescribeNatGatewaysCommand({ Filter: [{ Name, Values }] }))).NatGateways!.length
  assert.deepEqual([await found('state', 'available'), await found('subnet-id', other), await found('vpc-id', VpcId)], [2, 0, 5])
  await Promise.all([gateway, counted].map(row => remove(row.NatGatewayId!)))
  await bench.server.cloud.loop.idle()
})

test('what no gateway can be is refused, and a sixth in a zone', async () => {
  const AllocationId = await allocate()
  await bench.refuses(sdk.CreateNatGatewayCommand, [
    [{ SubnetId }, 'MissingParameter'], [{ AllocationId }, 'MissingParameter'],
    [{ SubnetId, AllocationId, ConnectivityType: 'private' }, 'InvalidParameterCombination'],
    [{ SubnetId, AllocationId, ConnectivityType: 'secret' }, 'InvalidParameterValue'],
    [{ SubnetId, AllocationId, SecondaryPrivateIpAddressCount: 1 }, 'InvalidParameterCombination'],
    [{ SubnetId, AllocationId: 'eipalloc-0123456789abcdef0' }, 'InvalidAllocationID.NotFound'],
    [{ SubnetId, ConnectivityType: 'private', PrivateIpAddress: '10.9.9.9' }, 'InvalidParameterValue'],
    [{ VpcId, AllocationId, AvailabilityMode: 'regional' }, 'UnsupportedOperation'],
  ])
  await release(AllocationId)
  const made: string[] = []
  for (let i = 0; i < 5; i++) made.push((await create({ ConnectivityType: 'private' })).NatGatewayId!)
  await bench.refuses(sdk.CreateNatGatewayCommand, [[{ SubnetId, ConnectivityType: 'private' }, 'NatGatewayLimitExceeded']])
  for (const id of made) await remove(id)
  await bench.server.cloud.loop.idle()
})

test('a deleted gateway is still shown, and deleting it again changes nothing', async () => {
  const { NatGatewayId } = await create({ ConnectivityType: 'private' })
  await shown(NatGatewayId!)
  await remove(NatGatewayId!)
  assert.equal((await shown(NatGatewayId!)).State, 'deleted')
  assert.equal((await remove(NatGatewayId!)).NatGatewayId, NatGatewayId)
})

test('secondary addresses of a gateway come and go, and its port and Elastic IPs with them', async () => {
  const [first, second] = [await allocate(), await allocate()]
  const open = (await create({ AllocationId: first })).NatGatewayId!
  const hidden = (await create({ ConnectivityType: 'private' })).NatGatewayId!
  for (const id of [open, hidden]) assert.equal((await shown(id)).State, 'available')
  const count = async (id: string) => {
    const gateway = await shown(id)
    const port = ports().find(one => one.id === gateway.NatGatewayAddresses![0]!.NetworkInterfaceId)!
    assert.deepEqual(port.addresses.map(address => address.private), gateway.NatGatewayAddresses!.map(address => address.PrivateIp))
    return port.addresses.length
  }
  const associated = await ec2.send(new sdk.AssociateNatGatewayAddressCommand({ NatGatewayId: open, AllocationIds: [second] }))
  const [added] = associated.NatGatewayAddresses!
  assert.deepEqual([added!.AllocationId, added!.IsPrimary, await count(open)], [second, false, 2])
  const assigned = await ec2.send(new sdk.AssignPrivateNatGatewayAddressCommand({ NatGatewayId: hidden, PrivateIpAddressCount: 2 }))
  assert.deepEqual([assigned.NatGatewayAddresses!.length, await count(hidden)], [2, 3])
  const refused = (Command: new (input: any) => any, input: object) =>
    ec2.send(new Command(input)).then(() => 'success', (error: Error) => error.name)
  const [primary] = (await shown(open)).NatGatewayAddresses!
  assert.deepEqual([
    await refused(sdk.AssociateNatGatewayAddressCommand, { NatGatewayId: open, AllocationIds: [second] }),
    await refused(sdk.AssociateNatGatewayAddressCommand, { NatGatewayId: hidden, AllocationIds: [second] }),
    await refused(sdk.AssignPrivateNatGatewayAddressCommand, { NatGatewayId: hidden, PrivateIpAddressCount: 6 }),
    await refused(sdk.AssignPrivateNatGatewayAddressCommand, { NatGatewayId: hidden }),
    await refused(sdk.DisassociateNatGatewayAddressCommand, { NatGatewayId: open, AssociationIds: [primary!.AssociationId!] }),
    await refused(sdk.DisassociateNatGatewayAddressCommand, {
      NatGatewayId: open, AssociationIds: [added!.AssociationId!], MaxDrainDurationSeconds: 10,
    }),
    await refused(sdk.UnassignPrivateNatGatewayAddressCommand, { NatGatewayId: hidden, PrivateIpAddresses: ['192.0.2.1'] }),
  ], [
    'Resource.AlreadyAssociated', 'InvalidParameterCombination', 'PrivateIpAddressLimitExceeded', 'InvalidParameterCombination',
    'InvalidParameterValue', 'UnsupportedOperation', 'InvalidParameterValue',
  ])
  await ec2.send(new sdk.DisassociateNatGatewayAddressCommand({ NatGatewayId: open, AssociationIds: [added!.AssociationId!] }))
  const going = assigned.NatGatewayAddresses!.map(address => address.PrivateIp!)
  await ec2.send(new sdk.UnassignPrivateNatGatewayAddressCommand({ NatGatewayId: hidden, PrivateIpAddresses: going }))
  assert.deepEqual([await count(open), await count(hidden)], [1, 1])
  await release(second)
  for (const id of [open, hidden]) await remove(id)
})
