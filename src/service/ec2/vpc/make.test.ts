import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '#base/log'
import { openFake } from '#engine/fake'
import { openLoop } from '#loop/loop'
import { vpcDriver } from '#service/ec2/vpc/drive'
import { harness, home, now, place } from '#service/ec2/vpc/harness.suite'
import { vpcWakes } from '#service/ec2/vpc/wakes'

const nobody = 'vpc-0123456789abcdef0'

test('a new VPC has a main table with the local route, an ACL that lets all pass, a group, and the region\'s DHCP options', async () => {
  const { call } = harness()
  const [byDefault] = (await call('DescribeVpcs', {})).Vpcs!
  const { Vpc } = await call('CreateVpc', {
    CidrBlock: '10.0.7.9/16', TagSpecifications: [{ ResourceType: 'vpc', Tags: [{ Key: 'Name', Value: 'lab' }] }],
  })
  const VpcId = Vpc!.VpcId!
  assert.partialDeepStrictEqual(Vpc, {
    CidrBlock: '10.0.0.0/16', IsDefault: false, InstanceTenancy: 'default', DhcpOptionsId: byDefault!.DhcpOptionsId,
    Tags: [{ Key: 'Name', Value: 'lab' }], CidrBlockAssociationSet: [{ CidrBlock: '10.0.0.0/16', CidrBlockState: { State: 'associated' } }],
  })
  assert.deepEqual((await call('DescribeVpcs', { VpcIds: [VpcId] })).Vpcs, [Vpc])
  const Filters = [{ Name: 'vpc-id', Values: [VpcId] }]
  const [table, ...tables] = (await call('DescribeRouteTables', { Filters })).RouteTables!
  assert.partialDeepStrictEqual(table, {
    Associations: [{ Main: true }], PropagatingVgws: [],
    Routes: [{ DestinationCidrBlock: '10.0.0.0/16', GatewayId: 'local', Origin: 'CreateRouteTable', State: 'active' }],
  })
  const [acl, ...acls] = (await call('DescribeNetworkAcls', { Filters })).NetworkAcls!
  assert.deepEqual([acl!.IsDefault, acl!.Entries!.map(e => e.RuleAction), acl!.Associations], [true, ['allow', 'deny', 'allow', 'deny'], []])
  const groups = (await call('DescribeSecurityGroups', { Filters })).SecurityGroups!
  assert.deepEqual([tables, acls, groups.map(g => g.GroupName)], [[], [], ['default']])
  const dns = async (Attribute: 'enableDnsSupport' | 'enableDnsHostnames') => call('DescribeVpcAttribute', { VpcId, Attribute })
  assert.equal((await dns('enableDnsSupport')).EnableDnsSupport!.Value, true)
  assert.equal((await dns('enableDnsHostnames')).EnableDnsHostnames!.Value, false)
})

test('blocks that no VPC may have are refused, and nothing is made', async () => {
  const { call, refused, store } = harness()
  await call('DescribeVpcs', {})
  const blocks = ['10.0.0.0/8', '10.0.0.0/29', '127.0.0.0/16', '224.0.0.0/16', '198.18.0.0/20', '100.64.0.0/16', '10.0.0.0/33', 'x', '::/64']
  const codes = await Promise.all(blocks.map(async CidrBlock => (await refused('CreateVpc', { CidrBlock }))[0]))
  assert.deepEqual(codes, [...Array(6).fill('InvalidVpc.Range'), ...Array(3).fill('InvalidParameterValue')])
  assert.deepEqual(await refused('CreateVpc', { CidrBlock: '10.0.0.0/8' }), ['InvalidVpc.Range', `The CIDR '10.0.0.0/8' is invalid.`])
  assert.deepEqual(await refused('CreateVpc', { CidrBlock: '::/0' }),
    ['InvalidParameterValue', 'Value (::/0) for parameter cidrBlock is invalid. This is not a valid CIDR block.'])
  assert.match((await refused('CreateVpc', { CidrBlock: '198.18.16.0/20' }))[1], /overlaps 198\.18\.0\.0\/18/)
  assert.deepEqual([
    (await refused('CreateVpc', {}))[0],
    (await refused('CreateVpc', { CidrBlock: '10.0.0.0/16', Ipv6Pool: 'ipv6pool-ec2-0' }))[0],
    (await refused('CreateVpc', { CidrBlock: '10.0.0.0/16', InstanceTenancy: 'host' }))[0],
    (await refused('CreateVpc', { CidrBlock: '10.0.0.0/16', DryRun: true }))[0],
  ], ['MissingParameter', 'UnsupportedOperation', 'InvalidParameterValue', 'DryRunOperation'])
  assert.equal((await store.list({ kind: 'vpc' })).length, 1)
})

test('a region has room for five VPCs, also of one block', async () => {
  const { call, refused } = harness()
  const made: string[] = []
  for (let i = 0; i < 4; i++) made.push((await call('CreateVpc', { CidrBlock: '10.0.0.0/16', AmazonProvidedIpv6CidrBlock: false })).Vpc!.VpcId!)
  const full = ['VpcLimitExceeded', 'The maximum number of VPCs has been reached.']
  assert.deepEqual(await refused('CreateVpc', { CidrBlock: '10.0.0.0/16' }), full)
  await call('DeleteVpc', { VpcId: made[0] })
  await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })
  await call('CreateVpc', { CidrBlock: '10.0.0.0/16' }, { ...place, region: 'eu-west-3' })
})

test('a VPC is deleted only when nothing but its own is in it, and is then nobody\'s', async () => {
  const { call, refused, store } = harness()
  const VpcId = (await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  const held = ['DependencyViolation', `The vpc '${VpcId}' has dependencies and cannot be deleted.`]
  const { SubnetId } = (await call('CreateSubnet', { VpcId, CidrBlock: '10.0.1.0/24' })).Subnet!
  assert.deepEqual(await refused('DeleteVpc', { VpcId }), held)
  await call('DeleteSubnet', { SubnetId })
  const { InternetGatewayId } = (await call('CreateInternetGateway', {})).InternetGateway!
  await call('AttachInternetGateway', { InternetGatewayId, VpcId })
  assert.deepEqual(await refused('DeleteVpc', { VpcId }), held)
  await call('DetachInternetGateway', { InternetGatewayId, VpcId })
  const { GroupId } = await call('CreateSecurityGroup', { GroupName: 'web', Description: 'web', VpcId })
  assert.deepEqual(await refused('DeleteVpc', { VpcId }), held)
  await call('DeleteSecurityGroup', { GroupId })
  assert.equal((await refused('DeleteVpc', { VpcId, DryRun: true }))[0], 'DryRunOperation')
  await call('DeleteVpc', { VpcId })
  const gone = ['InvalidVpcID.NotFound', `The vpc ID '${VpcId}' does not exist`]
  assert.deepEqual(await refused('DescribeVpcs', { VpcIds: [VpcId] }), gone)
  assert.deepEqual(await refused('DeleteVpc', { VpcId }), gone)
  assert.deepEqual(await refused('CreateSubnet', { VpcId, CidrBlock: '10.0.1.0/24' }), gone)
  const Filters = [{ Name: 'vpc-id', Values: [VpcId] }]
  assert.deepEqual([
    (await call('DescribeVpcs', { Filters })).Vpcs, (await call('DescribeRouteTables', { Filters })).RouteTables,
    (await call('DescribeNetworkAcls', { Filters })).NetworkAcls, (await call('DescribeSecurityGroups', { Filters })).SecurityGroups,
  ], [[], [], [], []])
  const engine = openFake()
  const loop = openLoop({
    store, drivers: [vpcDriver({ store, home, engine, loop: () => ({ wake() {} }) })], log: silent, clock: () => now, wakes: vpcWakes(store),
    pause: { first: 1, longest: 2 },
  })
  await loop.sweep()
  await loop.idle()
  await loop.close()
  assert.deepEqual([(await store.list({ kind: 'vpc' })).length, (await store.claims('network-index')).size], [1, 1])
})

test('the default VPC goes like any other, and its successor has other ids', async () => {
  const { call, refused } = harness()
  const [old] = (await call('DescribeVpcs', {})).Vpcs!
  const VpcId = old!.VpcId!
  for (const { SubnetId } of (await call('DescribeSubnets', {})).Subnets!) await call('DeleteSubnet', { SubnetId })
  const [gateway] = (await call('DescribeInternetGateways', {})).InternetGateways!
  await call('DetachInternetGateway', { InternetGatewayId: gateway!.InternetGatewayId, VpcId })
  await call('DeleteVpc', { VpcId })
  assert.equal((await refused('CreateDefaultSubnet', { AvailabilityZone: 'us-east-1a' }))[0], 'DefaultVpcDoesNotExist')
  const { Vpc } = await call('CreateDefaultVpc', {})
  assert.notEqual(Vpc!.VpcId, VpcId)
  assert.deepEqual((await call('DescribeVpcs', {})).Vpcs!.map(v => [v.VpcId, v.DhcpOptionsId]), [[Vpc!.VpcId, old!.DhcpOptionsId]])
  assert.equal((await call('DescribeSubnets', {})).Subnets!.length, 3)
})

test('attributes are changed one at a time, host names only with DNS, tenancy only to default', async () => {
  const { call, refused } = harness()
  const VpcId = (await call('CreateVpc', { CidrBlock: '10.0.0.0/16', InstanceTenancy: 'dedicated' })).Vpc!.VpcId!
  const on = { Value: true }
  await call('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: on })
  assert.equal((await call('DescribeVpcAttribute', { VpcId, Attribute: 'enableDnsHostnames' })).EnableDnsHostnames!.Value, true)
  await call('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: { Value: false } })
  await call('ModifyVpcAttribute', { VpcId, EnableDnsSupport: { Value: false } })
  await call('ModifyVpcAttribute', { VpcId, EnableNetworkAddressUsageMetrics: { Value: false } })
  assert.deepEqual([
    (await refused('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: on }))[0],
    (await refused('ModifyVpcAttribute', { VpcId, EnableDnsSupport: on, EnableDnsHostnames: on }))[0],
    (await refused('ModifyVpcAttribute', { VpcId }))[0],
    (await refused('ModifyVpcAttribute', { VpcId, EnableNetworkAddressUsageMetrics: on }))[0],
    (await refused('ModifyVpcTenancy', { VpcId, InstanceTenancy: 'dedicated' as never }))[0],
    (await refused('ModifyVpcAttribute', { VpcId: nobody, EnableDnsSupport: on }))[0],
  ], ['InvalidParameterCombination', 'InvalidParameterCombination', 'MissingParameter', 'UnsupportedOperation', 'InvalidParameterValue',
    'InvalidVpcID.NotFound'])
  assert.deepEqual(await call('ModifyVpcTenancy', { VpcId, InstanceTenancy: 'default' }), { ReturnValue: true })
  assert.equal((await call('DescribeVpcs', { VpcIds: [VpcId] })).Vpcs![0]!.InstanceTenancy, 'default')
})
