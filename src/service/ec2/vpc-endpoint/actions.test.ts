import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storeAddress } from '#base/home'
import { harness, home } from '#service/ec2/vpc/harness.suite'
import { networkOf } from '#service/ec2/vpc/drive'
import type { VpcRow } from '#service/ec2/vpc/vpc'

const ServiceName = 'com.amazonaws.us-east-1.s3'

async function open() {
  const h = harness()
  const eni = await h.launch()
  const [table] = (await h.call('DescribeRouteTables', {})).RouteTables!
  const routes = async () => {
    const spec = await networkOf(h.store, home, (await h.store.get<VpcRow>('vpc', eni.spec.vpc))!)
    return spec.routeTables[0]!.routes.filter(route => 'store' in route.via)
  }
  return { ...h, VpcId: eni.spec.vpc, table: table!.RouteTableId!, group: eni.spec.groups[0]!, routes }
}

test('an endpoint leads its tables to the service\'s prefix list, by a route that the table shows', async () => {
  const { call, VpcId, table, routes } = await open()
  const [list] = (await call('DescribePrefixLists', {})).PrefixLists!
  assert.deepEqual([list!.PrefixListName, list!.Cidrs], [ServiceName, [`${storeAddress(home)}/32`]])
  const { VpcEndpoint } = await call('CreateVpcEndpoint', { VpcId, ServiceName, RouteTableIds: [table] })
  const VpcEndpointId = VpcEndpoint!.VpcEndpointId!
  assert.deepEqual([VpcEndpoint!.State, VpcEndpoint!.VpcEndpointType, VpcEndpoint!.RouteTableIds], ['available', 'Gateway', [table]])
  assert.deepEqual(await routes(), [{ cidr: `${storeAddress(home)}/32`, via: { store: true } }])
  const shown = (await call('DescribeRouteTables', {})).RouteTables![0]!.Routes!.at(-1)!
  assert.deepEqual([shown.DestinationPrefixListId, shown.GatewayId, shown.State], [list!.PrefixListId, VpcEndpointId, 'active'])
  await call('ModifyVpcEndpoint', { VpcEndpointId, RemoveRouteTableIds: [table] })
  assert.deepEqual(await routes(), [])
  await call('ModifyVpcEndpoint', { VpcEndpointId, AddRouteTableIds: [table] })
  await call('DeleteVpcEndpoints', { VpcEndpointIds: [VpcEndpointId] })
  assert.deepEqual([await routes(), (await call('DescribeVpcEndpoints', {})).VpcEndpoints], [[], []])
  await call('CreateVpcEndpoint', { VpcId, ServiceName, RouteTableIds: [table] })
})

test('what is no gateway endpoint for S3 is refused, and so is a second way from one table', async () => {
  const { call, refused, VpcId, table } = await open()
  const one = { VpcId, ServiceName, RouteTableIds: [table] }
  await call('CreateVpcEndpoint', one)
  const deny = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' }] })
  const { Vpc } = await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })
  const codes = [
    await refused('CreateVpcEndpoint', one),
    await refused('CreateVpcEndpoint', { ...one, VpcId: Vpc!.VpcId }),
    await refused('CreateVpcEndpoint', { VpcId, ServiceName, VpcEndpointType: 'GatewayLoadBalancer' }),
    await refused('CreateVpcEndpoint', { VpcId, ServiceName, PrivateDnsEnabled: true }),
    await refused('CreateVpcEndpoint', { VpcId, ServiceName, PolicyDocument: deny.replace('"Principal":"*",', '') }),
    await refused('CreateVpcEndpoint', { VpcId, ServiceName, PolicyDocument: 'no' }),
    await refused('CreateVpcEndpoint', { VpcId, ServiceName: 'com.amazonaws.us-east-1.dynamodb' }),
    await refused('CreateVpcEndpoint', { VpcId, ServiceName: 'nothing' }),
    await refused('CreateVpcEndpoint', { VpcId }),
    await refused('DeleteRouteTable', { RouteTableId: table }),
    await refused('DescribeVpcEndpointServices', { ServiceNames: ['nothing'] }),
  ].map(([code]) => code)
  assert.deepEqual(codes, [
    'RouteAlreadyExists', 'InvalidParameterValue', 'UnsupportedOperation', 'InvalidParameter', 'InvalidPolicyDocument',
    'InvalidPolicyDocument', 'UnsupportedOperation', 'InvalidServiceName', 'MissingParameter', 'DependencyViolation', 'InvalidServiceName',
  ])
  const gone = await call('DeleteVpcEndpoints', { VpcEndpointIds: ['vpce-0123456789abcdef0'] })
  assert.equal(gone.Unsuccessful![0]!.Error!.Code, 'InvalidVpcEndpointId.NotFound')
})

test('AWS\'s own list can be named in rules and routes, and changed by nobody', async () => {
  const { call, refused, store, VpcId, table, group } = await open()
  const [own] = (await call('DescribeManagedPrefixLists', { Filters: [{ Name: 'owner-id', Values: ['AWS'] }] })).PrefixLists!
  const PrefixListId = own!.PrefixListId!
  await call('AuthorizeSecurityGroupEgress', {
    GroupId: group, IpPermissions: [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, PrefixListIds: [{ PrefixListId }] }],
  })
  const spec = await networkOf(store, home, (await store.get<VpcRow>('vpc', VpcId))!)
  assert.deepEqual(spec.groups.find(({ id }) => id === group)!.egress.at(-1)!.peer, { cidr: `${storeAddress(home)}/32` })
  assert.deepEqual((await call('GetManagedPrefixListEntries', { PrefixListId })).Entries!.map(({ Cidr }) => Cidr), [`${storeAddress(home)}/32`])
  assert.equal((await refused('ModifyManagedPrefixList', { PrefixListId, CurrentVersion: 1, PrefixListName: 'mine' }))[0], 'OperationNotPermitted')
  assert.equal((await refused('DeleteManagedPrefixList', { PrefixListId }))[0], 'OperationNotPermitted')
  assert.equal((await refused('CreateRoute', { RouteTableId: table, DestinationPrefixListId: PrefixListId }))[0], 'MissingParameter')
})
