import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCidr } from '#base/cidr'
import { harness, now, place } from '#service/ec2/vpc/harness.suite'
import { preparation } from '#service/ec2/vpc/prepare'

test('a region has a default VPC with a subnet per zone, a gateway, a main table, an ACL, a group and DHCP options', async () => {
  const { call } = harness()
  const [vpc, ...others] = (await call('DescribeVpcs', {})).Vpcs!
  assert.equal(others.length, 0)
  const { VpcId, DhcpOptionsId } = vpc!
  assert.partialDeepStrictEqual(vpc, {
    CidrBlock: '172.31.0.0/16', IsDefault: true, State: 'available', InstanceTenancy: 'default', OwnerId: place.account,
    CidrBlockAssociationSet: [{ CidrBlock: '172.31.0.0/16', CidrBlockState: { State: 'associated' } }],
  })
  const subnets = (await call('DescribeSubnets', {})).Subnets!.sort((a, b) => (a.AvailabilityZone! < b.AvailabilityZone! ? -1 : 1))
  assert.deepEqual(
    subnets.map(s => [s.AvailabilityZone, s.AvailabilityZoneId, s.CidrBlock, s.AvailableIpAddressCount, s.MapPublicIpOnLaunch, s.VpcId]), [
      ['us-east-1a', 'use1-az1', '172.31.0.0/20', 4091, true, VpcId],
      ['us-east-1b', 'use1-az2', '172.31.16.0/20', 4091, true, VpcId],
      ['us-east-1c', 'use1-az3', '172.31.32.0/20', 4091, true, VpcId],
    ])
  assert.equal(subnets[0]!.SubnetArn, `arn:aws:ec2:us-east-1:${place.account}:subnet/${subnets[0]!.SubnetId}`)
  const [gateway] = (await call('DescribeInternetGateways', {})).InternetGateways!
  assert.deepEqual(gateway!.Attachments, [{ VpcId, State: 'available' }])
  const [table] = (await call('DescribeRouteTables', { Filters: [{ Name: 'association.main', Values: ['true'] }] })).RouteTables!
  assert.deepEqual(table!.Routes, [
    { DestinationCidrBlock: '172.31.0.0/16', GatewayId: 'local', Origin: 'CreateRouteTable', State: 'active' },
    { DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway!.InternetGatewayId, Origin: 'CreateRoute', State: 'active' },
  ])
  const [acl] = (await call('DescribeNetworkAcls', { Filters: [{ Name: 'default', Values: ['true'] }] })).NetworkAcls!
  assert.deepEqual(acl!.Entries!.map(e => [e.RuleNumber, e.Egress, e.RuleAction, e.Protocol, e.CidrBlock]), [
    [100, true, 'allow', '-1', '0.0.0.0/0'], [32767, true, 'deny', '-1', '0.0.0.0/0'],
    [100, false, 'allow', '-1', '0.0.0.0/0'], [32767, false, 'deny', '-1', '0.0.0.0/0'],
  ])
  assert.deepEqual(acl!.Associations!.map(a => a.SubnetId).sort(), subnets.map(s => s.SubnetId).sort())
  const [options] = (await call('DescribeDhcpOptions', { DhcpOptionsIds: [DhcpOptionsId!] })).DhcpOptions!
  assert.deepEqual(options!.DhcpConfigurations, [
    { Key: 'domain-name', Values: [{ Value: 'ec2.internal' }] },
    { Key: 'domain-name-servers', Values: [{ Value: 'AmazonProvidedDNS' }] },
  ])
  const [group] = (await call('DescribeSecurityGroups', {})).SecurityGroups!
  const { GroupId } = group!
  assert.partialDeepStrictEqual(group, {
    GroupName: 'default', Description: 'default VPC security group', VpcId,
    IpPermissions: [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId, UserId: place.account }] }],
    IpPermissionsEgress: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  })
})

test('accounts and regions have networks of their own, with numbers that are unique in all', async () => {
  const { call, store } = harness()
  const places = [place, { ...place, region: 'eu-west-3' }, { ...place, account: '444455556666' }]
  const vpcs = await Promise.all(places.map(at => call('DescribeVpcs', {}, at)))
  assert.equal(new Set(vpcs.map(v => v.Vpcs![0]!.VpcId)).size, 3)
  assert.deepEqual([...(await store.claims('network-index')).keys()].sort(), ['1', '2', '3'])
  const [options] = (await call('DescribeDhcpOptions', {}, places[1])).DhcpOptions!
  assert.equal(options!.DhcpConfigurations![0]!.Values![0]!.Value, 'eu-west-3.compute.internal')
  assert.deepEqual(await Promise.all(places.map(async at => (await call('DescribeVpcs', {}, at)).Vpcs!.length)), [1, 1, 1])
})

test('first calls that race make one network', async () => {
  const { call } = harness()
  const answers = await Promise.all([1, 2, 3].map(() => call('DescribeVpcs', {})))
  assert.equal(new Set(answers.map(({ Vpcs }) => Vpcs!.map(vpc => vpc.VpcId).join())).size, 1)
})

test('a place counts as prepared only after its network was committed', async () => {
  const { store } = harness()
  const { prepare, prepared } = preparation()
  await assert.rejects(store.transact(async tx => { await prepare(tx, place, now); throw new Error('rolled back') }))
  assert.equal(prepared(place), false)
  await store.transact(tx => prepare(tx, place, now))
  await store.transact(tx => prepare(tx, place, now))
  assert.equal(prepared(place), true)
  assert.equal((await store.list({ kind: 'vpc' })).length, 1)
})

test('a deleted default VPC stays away until CreateDefaultVpc, which refuses a second one', async () => {
  const { call, refused, store } = harness()
  await call('DescribeVpcs', {})
  const already = ['DefaultVpcAlreadyExists', 'A Default VPC already exists for this account in this region.']
  assert.deepEqual(await refused('CreateDefaultVpc', {}), already)
  await store.transact(async tx => { for (const row of await tx.list({ kind: 'vpc' })) await tx.remove(row) })
  assert.deepEqual((await call('DescribeVpcs', {})).Vpcs, [])
  assert.equal((await refused('CreateSecurityGroup', { GroupName: 'a', Description: 'b' }))[0], 'VPCIdNotSpecified')
  const { Vpc } = await call('CreateDefaultVpc', {})
  assert.equal(Vpc!.IsDefault, true)
  assert.deepEqual((await call('DescribeVpcs', {})).Vpcs!.map(v => v.VpcId), [Vpc!.VpcId])
  assert.deepEqual(await refused('CreateDefaultVpc', {}), already)
})

test('attributes of a VPC are told one at a time', async () => {
  const { call, refused } = harness()
  const VpcId = (await call('DescribeVpcs', {})).Vpcs![0]!.VpcId!
  assert.deepEqual(await call('DescribeVpcAttribute', { VpcId, Attribute: 'enableDnsSupport' }), {
    VpcId, EnableDnsSupport: { Value: true },
  })
  assert.deepEqual(await call('DescribeVpcAttribute', { VpcId, Attribute: 'enableDnsHostnames' }), {
    VpcId, EnableDnsHostnames: { Value: true },
  })
  assert.equal((await refused('DescribeVpcAttribute', { VpcId, Attribute: 'x' as never }))[0], 'InvalidParameterValue')
})

test('ids that nobody has, that are malformed or that belong to others are refused with each kind\'s own code', async () => {
  const { refused } = harness()
  const none = '0123456789abcdef0'
  assert.deepEqual(await refused('DescribeVpcs', { VpcIds: [`vpc-${none}`] }), [
    'InvalidVpcID.NotFound', `The vpc ID 'vpc-${none}' does not exist`,
  ])
  assert.deepEqual([
    (await refused('DescribeVpcs', { VpcIds: ['vpc-x'] }))[0],
    (await refused('DescribeSubnets', { SubnetIds: [`subnet-${none}`] }))[0],
    (await refused('DescribeRouteTables', { RouteTableIds: [`rtb-${none}`] }))[0],
    (await refused('DescribeInternetGateways', { InternetGatewayIds: [`igw-${none}`] }))[0],
    (await refused('DescribeNetworkAcls', { NetworkAclIds: [`acl-${none}`] }))[0],
    (await refused('DescribeDhcpOptions', { DhcpOptionsIds: [`dopt-${none}`] }))[0],
    (await refused('DescribeNetworkInterfaces', { NetworkInterfaceIds: [`eni-${none}`] }))[0],
    (await refused('DescribeSecurityGroupRules', { SecurityGroupRuleIds: [`sgr-${none}`] }))[0],
  ], [
    'InvalidVpcID.Malformed', 'InvalidSubnetID.NotFound', 'InvalidRouteTableID.NotFound', 'InvalidInternetGatewayID.NotFound',
    'InvalidNetworkAclID.NotFound', 'InvalidDhcpOptionID.NotFound', 'InvalidNetworkInterfaceID.NotFound',
    'InvalidSecurityGroupRuleId.NotFound',
  ])
})

test('subnets are filtered by zone, default, block and free addresses', async () => {
  const { call, refused, launch } = harness()
  const eni = await launch()
  const zones = async (Name: string, ...Values: string[]) =>
    (await call('DescribeSubnets', { Filters: [{ Name, Values }] })).Subnets!.map(s => s.AvailabilityZone).sort()
  const every = ['us-east-1a', 'us-east-1b', 'us-east-1c']
  assert.deepEqual([
    await zones('availability-zone', 'us-east-1b'), await zones('availabilityZoneId', 'use1-az3'), await zones('default-for-az', 'true'),
    await zones('available-ip-address-count', '4090'), await zones('cidr-block', '172.31.*.0/20'), await zones('vpc-id', 'vpc-0'),
  ], [['us-east-1b'], ['us-east-1c'], every, ['us-east-1a'], every, []])
  assert.ok(parseCidr('172.31.0.0/20')!.base < parseCidr(`${eni.spec.addresses[0]!.private}/32`)!.base)
  assert.deepEqual(await refused('DescribeSubnets', { Filters: [{ Name: 'colour', Values: ['red'] }] }),
    ['InvalidParameterValue', `The filter 'colour' is invalid`])
})

test('a subnet gives public addresses at launch or not, as it was last told', async () => {
  const { call, refused } = harness()
  const SubnetId = (await call('DescribeSubnets', {})).Subnets![0]!.SubnetId!
  const shown = async () => (await call('DescribeSubnets', { SubnetIds: [SubnetId] })).Subnets![0]!
  await call('ModifySubnetAttribute', { SubnetId, MapPublicIpOnLaunch: { Value: false } })
  assert.equal((await shown()).MapPublicIpOnLaunch, false)
  await call('ModifySubnetAttribute', { SubnetId, PrivateDnsHostnameTypeOnLaunch: 'resource-name' })
  await call('ModifySubnetAttribute', { SubnetId, EnableResourceNameDnsARecordOnLaunch: { Value: true } })
  assert.deepEqual((await shown()).PrivateDnsNameOptionsOnLaunch,
    { HostnameType: 'resource-name', EnableResourceNameDnsARecord: true, EnableResourceNameDnsAAAARecord: false })
  assert.deepEqual([
    (await refused('ModifySubnetAttribute', { SubnetId }))[0],
    (await refused('ModifySubnetAttribute', { SubnetId, MapPublicIpOnLaunch: { Value: true }, EnableDns64: { Value: false } }))[0],
    (await refused('ModifySubnetAttribute', { SubnetId, EnableDns64: { Value: true } }))[0],
  ], ['MissingParameter', 'InvalidParameterCombination', 'UnsupportedOperation'])
})
