import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness, place } from '#service/ec2/vpc/harness.suite'

async function lab() {
  const h = harness()
  const VpcId = (await h.call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  const SubnetId = (await h.call('CreateSubnet', { VpcId, CidrBlock: '10.0.1.0/24' })).Subnet!.SubnetId!
  const RouteTableId = (await h.call('CreateRouteTable', { VpcId })).RouteTable!.RouteTableId!
  const Filters = [{ Name: 'vpc-id', Values: [VpcId] }, { Name: 'association.main', Values: ['true'] }]
  const [main] = (await h.call('DescribeRouteTables', { Filters })).RouteTables!
  const table = async (id = RouteTableId) => (await h.call('DescribeRouteTables', { RouteTableIds: [id] })).RouteTables![0]!
  return { ...h, VpcId, SubnetId, RouteTableId, main: main!, table }
}

test('a table is made with the local route, given to a subnet, taken from it, and deleted only when nobody has it', async () => {
  const { call, refused, SubnetId, RouteTableId, main, table } = await lab()
  assert.deepEqual((await table()).Routes!.map(r => [r.DestinationCidrBlock, r.GatewayId, r.State]), [['10.0.0.0/16', 'local', 'active']])
  const { AssociationId } = await call('AssociateRouteTable', { RouteTableId, SubnetId })
  assert.match(AssociationId!, /^rtbassoc-[0-9a-f]{17}$/)
  assert.equal((await call('AssociateRouteTable', { RouteTableId, SubnetId })).AssociationId, AssociationId)
  assert.deepEqual((await table()).Associations, [{
    RouteTableAssociationId: AssociationId, RouteTableId, SubnetId, Main: false, AssociationState: { State: 'associated' },
  }])
  const held = (id: string) => ['DependencyViolation', `The routeTable '${id}' has dependencies and cannot be deleted.`]
  assert.deepEqual(await refused('DeleteRouteTable', { RouteTableId }), held(RouteTableId))
  assert.deepEqual(await refused('DeleteRouteTable', { RouteTableId: main.RouteTableId }), held(main.RouteTableId!))
  assert.deepEqual(await refused('AssociateRouteTable', { RouteTableId: main.RouteTableId, SubnetId }), ['Resource.AlreadyAssociated',
    `the specified association for route table ${main.RouteTableId} conflicts with an existing association`])
  await call('DisassociateRouteTable', { AssociationId })
  assert.deepEqual(await refused('DisassociateRouteTable', { AssociationId }),
    ['InvalidAssociationID.NotFound', `The association ID '${AssociationId}' does not exist`])
  await call('DeleteRouteTable', { RouteTableId })
  assert.equal((await refused('DescribeRouteTables', { RouteTableIds: [RouteTableId] }))[0], 'InvalidRouteTableID.NotFound')
})

test('associations are replaced under new ids, the main one too, and never dissociated when main', async () => {
  const { call, refused, SubnetId, RouteTableId, main, table } = await lab()
  const { AssociationId } = await call('AssociateRouteTable', { RouteTableId, SubnetId })
  const moved = await call('ReplaceRouteTableAssociation', { AssociationId, RouteTableId: main.RouteTableId })
  assert.notEqual(moved.NewAssociationId, AssociationId)
  assert.deepEqual((await table()).Associations, [])
  const ofMain = main.Associations![0]!.RouteTableAssociationId!
  assert.deepEqual(await refused('DisassociateRouteTable', { AssociationId: ofMain }),
    ['InvalidParameterValue', `cannot disassociate the main route table association ${ofMain}`])
  const { NewAssociationId } = await call('ReplaceRouteTableAssociation', { AssociationId: ofMain, RouteTableId })
  assert.deepEqual((await table()).Associations!.map(a => [a.Main, a.RouteTableAssociationId]), [[true, NewAssociationId]])
  assert.equal((await refused('ReplaceRouteTableAssociation', { AssociationId: ofMain, RouteTableId }))[0], 'InvalidAssociationID.NotFound')
  await call('DisassociateRouteTable', { AssociationId: moved.NewAssociationId })
  await call('DeleteRouteTable', { RouteTableId: main.RouteTableId })
})

test('tables and subnets of other networks and others\' associations are refused', async () => {
  const { call, refused, SubnetId, RouteTableId } = await lab()
  const other = (await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  const foreign = (await call('CreateRouteTable', { VpcId: other })).RouteTable!.RouteTableId!
  assert.deepEqual(await refused('AssociateRouteTable', { RouteTableId: foreign, SubnetId }),
    ['InvalidParameterValue', `Route table ${foreign} and subnet ${SubnetId} belong to different networks`])
  const { AssociationId } = await call('AssociateRouteTable', { RouteTableId, SubnetId })
  assert.deepEqual([
    (await refused('ReplaceRouteTableAssociation', { AssociationId, RouteTableId: foreign }))[0],
    (await refused('AssociateRouteTable', { RouteTableId, GatewayId: 'igw-0123456789abcdef0' }))[0],
    (await refused('AssociateRouteTable', { RouteTableId }))[0],
    (await refused('DisassociateRouteTable', { AssociationId }, { ...place, account: '444455556666' }))[0],
  ], ['InvalidParameterValue', 'InvalidGatewayID.NotFound', 'MissingParameter', 'InvalidAssociationID.NotFound'])
})
