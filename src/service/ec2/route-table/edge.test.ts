import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness } from '#service/ec2/vpc/harness.suite'

/** The default VPC with an interface in it, a further table, and the VPC's gateway. */
async function lab() {
  const h = harness()
  const eni = await h.launch()
  const { vpc: VpcId, subnet: SubnetId } = eni.spec
  const ofVpc = [{ Name: 'vpc-id', Values: [VpcId] }]
  const { CidrBlock } = (await h.call('DescribeSubnets', { SubnetIds: [SubnetId] })).Subnets![0]!
  const { InternetGatewayId: GatewayId } = (await h.call('DescribeInternetGateways', {})).InternetGateways![0]!
  const [main] = (await h.call('DescribeRouteTables', { Filters: ofVpc })).RouteTables!
  const { RouteTableId } = (await h.call('CreateRouteTable', { VpcId })).RouteTable!
  const table = async () => (await h.call('DescribeRouteTables', { RouteTableIds: [RouteTableId!] })).RouteTables![0]!
  const ids = { VpcId, SubnetId, GatewayId: GatewayId!, RouteTableId: RouteTableId!, NetworkInterfaceId: eni.id }
  return { ...h, ...ids, CidrBlock: CidrBlock!, main: main!, table }
}

test('an internet gateway has one table, which shows it, until it is taken away', async () => {
  const { call, refused, VpcId, GatewayId, RouteTableId, main, table } = await lab()
  const { AssociationId } = await call('AssociateRouteTable', { RouteTableId, GatewayId })
  const shown = { RouteTableAssociationId: AssociationId, RouteTableId, GatewayId, Main: false, AssociationState: { State: 'associated' } }
  assert.deepEqual((await table()).Associations, [shown])
  const found = await call('DescribeRouteTables', { Filters: [{ Name: 'association.gateway-id', Values: [GatewayId] }] })
  assert.deepEqual(found.RouteTables!.map(t => t.RouteTableId), [RouteTableId])
  assert.equal((await call('AssociateRouteTable', { RouteTableId, GatewayId })).AssociationId, AssociationId)
  const { RouteTableId: second } = (await call('CreateRouteTable', { VpcId })).RouteTable!
  assert.equal((await refused('AssociateRouteTable', { RouteTableId: second, GatewayId }))[0], 'Resource.AlreadyAssociated')
  assert.equal((await refused('DeleteRouteTable', { RouteTableId }))[0], 'DependencyViolation')
  const ofMain = main.Associations![0]!.RouteTableAssociationId!
  assert.equal((await refused('ReplaceRouteTableAssociation', { AssociationId: ofMain, RouteTableId }))[0], 'InvalidParameterValue')
  const { NewAssociationId } = await call('ReplaceRouteTableAssociation', { AssociationId, RouteTableId: second })
  assert.deepEqual((await table()).Associations, [])
  await call('DisassociateRouteTable', { AssociationId: NewAssociationId })
})

test('a gateway that is detached leaves its table', async () => {
  const { call } = harness()
  const { VpcId } = (await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!
  const { RouteTableId } = (await call('CreateRouteTable', { VpcId })).RouteTable!
  const { InternetGatewayId } = (await call('CreateInternetGateway', {})).InternetGateway!
  await call('AttachInternetGateway', { InternetGatewayId, VpcId })
  await call('AssociateRouteTable', { RouteTableId, GatewayId: InternetGatewayId })
  await call('DetachInternetGateway', { InternetGatewayId, VpcId })
  await call('DeleteRouteTable', { RouteTableId })
})

test('the table of a gateway has routes within the VPC alone, to whole subnets or blocks and over interfaces', async () => {
  const { call, refused, CidrBlock, GatewayId, RouteTableId, main, NetworkInterfaceId, VpcId } = await lab()
  const code = async (input: object) => (await refused('CreateRoute', { RouteTableId, ...input }))[0]
  assert.equal((await refused('AssociateRouteTable', { RouteTableId: main.RouteTableId, GatewayId }))[0], 'InvalidParameterValue')
  await call('CreateRoute', { RouteTableId, DestinationCidrBlock: '0.0.0.0/0', GatewayId })
  assert.deepEqual(await refused('AssociateRouteTable', { RouteTableId, GatewayId }), ['InvalidParameterValue',
    `Route table ${RouteTableId} is for an internet gateway: the destination 0.0.0.0/0 is not within the VPC.`])
  await call('DeleteRoute', { RouteTableId, DestinationCidrBlock: '0.0.0.0/0' })
  await call('AssociateRouteTable', { RouteTableId, GatewayId })
  const { PrefixListId } = (await call('CreateManagedPrefixList', { PrefixListName: 'x', AddressFamily: 'IPv4', MaxEntries: 1 })).PrefixList!
  assert.deepEqual([
    await code({ DestinationCidrBlock: '0.0.0.0/0', GatewayId }), await code({ DestinationCidrBlock: '10.0.0.0/8', NetworkInterfaceId }),
    await code({ DestinationPrefixListId: PrefixListId, NetworkInterfaceId }), await code({ DestinationCidrBlock: CidrBlock, GatewayId }),
    await code({ DestinationCidrBlock: '172.31.0.0/28', NetworkInterfaceId }),
  ], Array(5).fill('InvalidParameterValue'))
  const part = { RouteTableId, DestinationCidrBlock: '172.31.0.0/28', NetworkInterfaceId }
  assert.deepEqual(await refused('CreateRoute', part), ['InvalidParameterValue',
    'The destination CIDR block 172.31.0.0/28 does not match the CIDR block of a subnet in this VPC.'])
  await call('CreateRoute', { RouteTableId, DestinationCidrBlock: CidrBlock, NetworkInterfaceId })
  const other = (await call('CreateInternetGateway', {})).InternetGateway!.InternetGatewayId
  assert.deepEqual(await refused('AssociateRouteTable', { RouteTableId, GatewayId: other }),
    ['InvalidParameterValue', `route table ${RouteTableId} and network gateway ${other} belong to different networks`])
  const { SubnetId } = (await call('DescribeSubnets', { Filters: [{ Name: 'vpc-id', Values: [VpcId] }] })).Subnets![0]!
  assert.equal((await refused('AssociateRouteTable', { RouteTableId, GatewayId, SubnetId }))[0], 'InvalidParameterCombination')
})

test('a local route gets another target and is put back; it is never made, nor deleted', async () => {
  const { call, refused, GatewayId, RouteTableId, NetworkInterfaceId, table } = await lab()
  const local = { RouteTableId, DestinationCidrBlock: '172.31.0.0/16' }
  assert.equal((await refused('CreateRoute', { ...local, NetworkInterfaceId }))[0], 'RouteAlreadyExists')
  assert.deepEqual(await refused('ReplaceRoute', { ...local, GatewayId }), ['InvalidParameterValue',
    'The destination CIDR block 172.31.0.0/16 is equal to or more specific than one of this VPC\'s CIDR blocks. '
    + 'This route can target only an interface or an instance.'])
  await call('ReplaceRoute', { ...local, NetworkInterfaceId })
  assert.deepEqual((await table()).Routes, [{
    DestinationCidrBlock: '172.31.0.0/16', NetworkInterfaceId, Origin: 'CreateRouteTable', State: 'blackhole',
  }])
  await call('AssociateRouteTable', { RouteTableId, GatewayId })
  await call('ReplaceRoute', { ...local, NetworkInterfaceId })
  assert.equal((await refused('DeleteRoute', local))[0], 'InvalidParameterValue')
  assert.equal((await refused('ReplaceRoute', { ...local, NetworkInterfaceId, LocalTarget: true }))[0], 'InvalidParameterCombination')
  await call('ReplaceRoute', { ...local, LocalTarget: true })
  await call('ReplaceRoute', { ...local, LocalTarget: true })
  assert.deepEqual((await table()).Routes, [{
    DestinationCidrBlock: '172.31.0.0/16', GatewayId: 'local', Origin: 'CreateRouteTable', State: 'active',
  }])
  const away = { RouteTableId, DestinationCidrBlock: '172.31.0.0/20' }
  assert.equal((await refused('ReplaceRoute', { ...away, LocalTarget: true }))[0], 'InvalidRoute.NotFound')
  await call('CreateRoute', { ...away, NetworkInterfaceId })
  assert.equal((await refused('ReplaceRoute', { ...away, LocalTarget: true }))[0], 'InvalidParameterValue')
})

test('a block that goes takes its local route along', async () => {
  const { call, VpcId, RouteTableId, NetworkInterfaceId, table } = await lab()
  const { AssociationId } = (await call('AssociateVpcCidrBlock', { VpcId, CidrBlock: '172.30.0.0/16' })).CidrBlockAssociation!
  await call('ReplaceRoute', { RouteTableId, DestinationCidrBlock: '172.30.0.0/16', NetworkInterfaceId })
  await call('DisassociateVpcCidrBlock', { AssociationId })
  assert.deepEqual((await table()).Routes!.map(r => [r.DestinationCidrBlock, r.GatewayId]), [['172.31.0.0/16', 'local']])
})
