import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instance } from '#service/ec2/instance/instance'
import { harness, place } from '#service/ec2/vpc/harness.suite'

async function lab() {
  const h = harness()
  const VpcId = (await h.call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  const { RouteTableId } = (await h.call('CreateRouteTable', { VpcId })).RouteTable!
  const GatewayId = (await h.call('CreateInternetGateway', {})).InternetGateway!.InternetGatewayId!
  await h.call('AttachInternetGateway', { InternetGatewayId: GatewayId, VpcId })
  const routes = async (id = RouteTableId) => (await h.call('DescribeRouteTables', { RouteTableIds: [id!] })).RouteTables![0]!.Routes!.slice(1)
  return { ...h, VpcId, RouteTableId, GatewayId, routes, to: { RouteTableId, DestinationCidrBlock: '0.0.0.0/0' } }
}

test('a route is made, is a blackhole while its gateway is detached, and is deleted', async () => {
  const { call, refused, VpcId, RouteTableId, GatewayId, routes, to } = await lab()
  assert.deepEqual(await call('CreateRoute', { ...to, GatewayId }), { Return: true })
  const made = { DestinationCidrBlock: '0.0.0.0/0', GatewayId, Origin: 'CreateRoute', State: 'active' }
  assert.deepEqual(await routes(), [made])
  assert.deepEqual(await refused('CreateRoute', { ...to, GatewayId }),
    ['RouteAlreadyExists', 'The route identified by 0.0.0.0/0 already exists.'])
  await call('CreateRoute', { RouteTableId, DestinationCidrBlock: '192.0.2.77/24', GatewayId })
  assert.deepEqual((await routes()).map(r => r.DestinationCidrBlock), ['0.0.0.0/0', '192.0.2.0/24'])
  await call('DeleteRoute', { RouteTableId, DestinationCidrBlock: '192.0.2.0/24' })
  await call('DetachInternetGateway', { InternetGatewayId: GatewayId, VpcId })
  assert.deepEqual(await routes(), [{ ...made, State: 'blackhole' }])
  assert.deepEqual(await refused('ReplaceRoute', { ...to, GatewayId }),
    ['InvalidParameterValue', `route table ${RouteTableId} and network gateway ${GatewayId} belong to different networks`])
  await call('DeleteInternetGateway', { InternetGatewayId: GatewayId })
  assert.deepEqual(await routes(), [{ ...made, State: 'blackhole' }])
  await call('DeleteRoute', to)
  assert.deepEqual(await refused('DeleteRoute', to),
    ['InvalidRoute.NotFound', `no route with destination-cidr-block 0.0.0.0/0 in route table ${RouteTableId}`])
  assert.equal((await refused('ReplaceRoute', { ...to, NetworkInterfaceId: 'eni-0123456789abcdef0' }))[0], 'InvalidNetworkInterfaceID.NotFound')
})

test('a route over an interface or an instance shows both, and is a blackhole while the instance does not run', async () => {
  const { call, refused, launch, store, routes } = await lab()
  const attachment = { id: 'eni-attach-1', instance: 'i-0123456789abcdef0', deviceIndex: 0, deleteOnTermination: true, time: '2026-01-01T00:00:00Z' }
  const eni = await launch({ attachment })
  const machine = await store.transact(tx => tx.put(instance.make({
    ...place, now: new Date(0), id: attachment.instance, spec: {} as never, status: { state: 'running' } as never,
  }), 'created'))
  const [main] = (await call('DescribeRouteTables', { Filters: [{ Name: 'vpc-id', Values: [eni.spec.vpc] }] })).RouteTables!
  const to = { RouteTableId: main!.RouteTableId, DestinationCidrBlock: '10.0.0.0/8' }
  await call('CreateRoute', { ...to, InstanceId: machine.id })
  const made = async () => (await routes(to.RouteTableId)).find(r => r.DestinationCidrBlock === '10.0.0.0/8')
  const shown = {
    DestinationCidrBlock: '10.0.0.0/8', NetworkInterfaceId: eni.id, InstanceId: machine.id, InstanceOwnerId: place.account,
    Origin: 'CreateRoute', State: 'active',
  }
  assert.deepEqual(await made(), shown)
  await call('CreateRoute', { ...to, DestinationCidrBlock: '172.31.0.0/20', NetworkInterfaceId: eni.id })
  const GatewayId = main!.Routes!.at(-1)!.GatewayId
  assert.deepEqual(await refused('CreateRoute', { ...to, DestinationCidrBlock: '172.31.16.0/20', GatewayId }),
    ['InvalidParameterValue', 'The destination CIDR block 172.31.16.0/20 is equal to or more specific than one of this VPC\'s CIDR blocks. '
      + 'This route can target only an interface or an instance.'])
  await store.transact(async tx => instance.update(tx, (await instance.find(tx, machine.id))!, { status: { state: 'stopped' } }, 'stopped'))
  assert.deepEqual(await made(), { ...shown, State: 'blackhole' })
  await store.transact(tx => tx.remove(eni))
  assert.deepEqual(await made(), { DestinationCidrBlock: '10.0.0.0/8', NetworkInterfaceId: eni.id, Origin: 'CreateRoute', State: 'blackhole' })
  assert.equal((await refused('ReplaceRoute', { ...to, InstanceId: machine.id }))[0], 'InvalidInstanceID')
  await call('ReplaceRoute', { ...to, GatewayId })
  assert.deepEqual(await made(), { DestinationCidrBlock: '10.0.0.0/8', GatewayId, Origin: 'CreateRoute', State: 'active' })
})

test('targets that nobody has, of other networks, none or several are refused with their own codes', async () => {
  const { refused, launch, RouteTableId, GatewayId, to } = await lab()
  const eni = await launch()
  const none = '0123456789abcdef0'
  const code = async (target: object) => (await refused('CreateRoute', { ...to, ...target }))[0]
  assert.deepEqual(await Promise.all([
    { GatewayId: `igw-${none}` }, { GatewayId: `nat-${none}` }, { NatGatewayId: `nat-${none}` }, { VpcPeeringConnectionId: `pcx-${none}` },
    { EgressOnlyInternetGatewayId: `eigw-${none}` }, { TransitGatewayId: `tgw-${none}` }, { VpcEndpointId: `vpce-${none}` },
    { InstanceId: `i-${none}` }, { NetworkInterfaceId: `eni-${none}` }, {}, { GatewayId, InstanceId: `i-${none}` },
    { CarrierGatewayId: `cagw-${none}` },
  ].map(code)), [
    'InvalidGatewayID.NotFound', 'InvalidGatewayID.NotFound', 'InvalidNatGatewayID.NotFound', 'InvalidVpcPeeringConnectionID.NotFound',
    'InvalidGatewayID.NotFound', 'InvalidTransitGatewayID.NotFound', 'InvalidVpcEndpointId.NotFound',
    'InvalidInstanceID.NotFound', 'InvalidNetworkInterfaceID.NotFound', 'MissingParameter', 'InvalidParameterCombination', 'UnsupportedOperation',
  ])
  assert.deepEqual(await refused('CreateRoute', { ...to, NetworkInterfaceId: eni.id }),
    ['InvalidParameterValue', `route table ${RouteTableId} and interface ${eni.id} belong to different networks`])
})

test('destinations that are no blocks, local or too many are refused', async () => {
  const { call, refused, RouteTableId, GatewayId } = await lab()
  const at = async (input: object) => (await refused('CreateRoute', { RouteTableId, GatewayId, ...input }))[0]
  assert.deepEqual(await refused('CreateRoute', { RouteTableId, GatewayId, DestinationCidrBlock: '::/0' }),
    ['InvalidParameterValue', 'Value (::/0) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.'])
  assert.deepEqual([
    await at({}), await at({ DestinationIpv6CidrBlock: '10.0.0.0/8' }), await at({ DestinationPrefixListId: 'pl-0123456789abcdef0' }),
    await at({ DestinationCidrBlock: '10.0.0.0/16' }),
  ], ['MissingParameter', 'InvalidParameterValue', 'InvalidPrefixListID.NotFound', 'RouteAlreadyExists'])
  assert.deepEqual(await refused('DeleteRoute', { RouteTableId, DestinationCidrBlock: '10.0.0.0/16' }),
    ['InvalidParameterValue', `cannot remove local route 10.0.0.0/16 in route table ${RouteTableId}`])
  for (let i = 0; i < 50; i++) await call('CreateRoute', { RouteTableId, GatewayId, DestinationCidrBlock: `192.168.${i}.0/24` })
  assert.equal(await at({ DestinationCidrBlock: '0.0.0.0/0' }), 'RouteLimitExceeded')
})
