import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness } from '#service/ec2/vpc/harness.suite'

const shownBlock = (AssociationId: string | undefined, Ipv6CidrBlock: string, State: string) => ({
  AssociationId, Ipv6CidrBlock, Ipv6CidrBlockState: { State }, NetworkBorderGroup: 'us-east-1', Ipv6Pool: 'Amazon', Ipv6AddressAttribute: 'public',
  IpSource: 'amazon',
})
const IPV6 = ['3fff:ec2:0:100::/56', '3fff:ec2:0:200::/56'] as const

async function lab() {
  const h = harness()
  const { VpcId } = (await h.call('CreateVpc', { CidrBlock: '10.0.0.0/16', AmazonProvidedIpv6CidrBlock: true })).Vpc!
  const subnet = async (CidrBlock: string, Ipv6CidrBlock?: string) => (await h.call('CreateSubnet', { VpcId, CidrBlock, Ipv6CidrBlock })).Subnet!
  return { ...h, VpcId: VpcId!, subnet }
}

test('a VPC gets blocks that no other has, with its first breath or later, and gives them back', async () => {
  const { call, refused, VpcId } = await lab()
  const shown = async () => (await call('DescribeVpcs', { VpcIds: [VpcId] })).Vpcs![0]!.Ipv6CidrBlockAssociationSet!
  const [first] = await shown()
  assert.deepEqual(first, shownBlock(first!.AssociationId, IPV6[0], 'associated'))
  const { Ipv6CidrBlockAssociation: second } = await call('AssociateVpcCidrBlock', { VpcId, AmazonProvidedIpv6CidrBlock: true })
  assert.deepEqual(second, shownBlock(second!.AssociationId, IPV6[1], 'associating'))
  assert.deepEqual((await shown()).map(block => block.Ipv6CidrBlock), IPV6)
  assert.equal((await refused('AssociateVpcCidrBlock', { VpcId, AmazonProvidedIpv6CidrBlock: true, CidrBlock: '10.1.0.0/16' }))[0],
    'InvalidParameterCombination')
  for (let n = 0; n < 3; n++) await call('AssociateVpcCidrBlock', { VpcId, AmazonProvidedIpv6CidrBlock: true })
  assert.equal((await refused('AssociateVpcCidrBlock', { VpcId, AmazonProvidedIpv6CidrBlock: true }))[0], 'CidrLimitExceeded')
  const { Ipv6CidrBlockAssociation: taken } = await call('DisassociateVpcCidrBlock', { AssociationId: second!.AssociationId! })
  assert.deepEqual([taken!.Ipv6CidrBlockState!.State, (await shown()).length], ['disassociating', 4])
  const found = await call('DescribeVpcs', { Filters: [{ Name: 'ipv6-cidr-block-association.ipv6-cidr-block', Values: [IPV6[0]] }] })
  assert.deepEqual(found.Vpcs!.map(row => row.VpcId), [VpcId])
})

test('with a VPC\'s first block its open rules are open to IPv6, but those that somebody changed stay', async () => {
  const { call } = harness()
  const VpcId = (await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  const GroupId = (await call('CreateSecurityGroup', { VpcId, GroupName: 'mine', Description: 'd' })).GroupId!
  await call('RevokeSecurityGroupEgress', { GroupId, IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }] })
  const { NetworkAclId } = (await call('DescribeNetworkAcls', { Filters: [{ Name: 'vpc-id', Values: [VpcId] }] })).NetworkAcls![0]!
  await call('CreateNetworkAclEntry', { NetworkAclId, Egress: false, RuleNumber: 90, Protocol: '-1', RuleAction: 'deny', CidrBlock: '10.9.0.0/16' })
  await call('AssociateVpcCidrBlock', { VpcId, AmazonProvidedIpv6CidrBlock: true })
  await call('CreateSecurityGroup', { VpcId, GroupName: 'later', Description: 'd' })
  const { SecurityGroups } = await call('DescribeSecurityGroups', { Filters: [{ Name: 'vpc-id', Values: [VpcId] }] })
  const egress = SecurityGroups!.map(group => [group.GroupName, group.IpPermissionsEgress!.flatMap(one => one.Ipv6Ranges!.map(r => r.CidrIpv6))])
  assert.deepEqual(Object.fromEntries(egress), { default: ['::/0'], mine: [], later: ['::/0'] })
  const [acl] = (await call('DescribeNetworkAcls', { NetworkAclIds: [NetworkAclId!] })).NetworkAcls!
  assert.deepEqual(acl!.Entries!.map(entry => [entry.Egress, entry.RuleNumber, entry.Ipv6CidrBlock ?? entry.CidrBlock, entry.RuleAction]), [
    [true, 100, '0.0.0.0/0', 'allow'], [true, 101, '::/0', 'allow'], [true, 32767, '0.0.0.0/0', 'deny'], [true, 32768, '::/0', 'deny'],
    [false, 90, '10.9.0.0/16', 'deny'], [false, 100, '0.0.0.0/0', 'allow'], [false, 32767, '0.0.0.0/0', 'deny'],
    [false, 32768, '::/0', 'deny'],
  ])
})

test('subnets have a block of the VPC\'s, or get one later, and no two the same', async () => {
  const { call, refused, subnet, VpcId } = await lab()
  const own = await subnet('10.0.1.0/24', '3FFF:ec2:0:101::/64')
  const [association] = own.Ipv6CidrBlockAssociationSet!
  assert.deepEqual([association!.Ipv6CidrBlock, own.AssignIpv6AddressOnCreation, own.AvailableIpAddressCount], ['3fff:ec2:0:101::/64', false, 251])
  const { SubnetId } = await subnet('10.0.2.0/24')
  const associate = (Ipv6CidrBlock?: string) => refused('AssociateSubnetCidrBlock', { SubnetId, Ipv6CidrBlock })
  assert.deepEqual(await associate('3fff:ec2:0:101::/64'),
    ['InvalidSubnet.Conflict', `The IPv6 CIDR '3fff:ec2:0:101::/64' conflicts with another subnet`])
  assert.deepEqual(await associate('3fff:ec2:0:200::/64'), ['InvalidSubnet.Range', `The IPv6 CIDR '3fff:ec2:0:200::/64' is invalid.`])
  assert.deepEqual(await associate('3fff:ec2:0:110::/60'),
    ['InvalidParameterValue', 'invalid value for parameter ipv6-cidr-block: 3fff:ec2:0:110::/60'])
  assert.equal((await associate())[0], 'MissingParameter')
  const switchOn = { SubnetId, AssignIpv6AddressOnCreation: { Value: true } }
  assert.deepEqual(await refused('ModifySubnetAttribute', switchOn), ['InvalidParameterValue', `Invalid value 'true' for `
    + `assign-ipv6-address-on-creation. Cannot set assign-ipv6-address-on-creation to true unless the subnet (${SubnetId}) has an IPv6 CIDR block `
    + 'associated with it.'])
  const { Ipv6CidrBlockAssociation: later } = await call('AssociateSubnetCidrBlock', { SubnetId, Ipv6CidrBlock: '3fff:ec2:0:102::/64' })
  assert.equal(later!.Ipv6CidrBlockState!.State, 'associating')
  assert.equal((await associate('3fff:ec2:0:103::/64'))[0], 'CidrLimitExceeded')
  await call('ModifySubnetAttribute', switchOn)
  const AssociationId = later!.AssociationId!
  assert.deepEqual(await refused('DisassociateSubnetCidrBlock', { AssociationId }), ['InvalidCidrBlock.InUse', `The subnet IPv6 CIDR block with `
    + `association ID ${AssociationId} may not be disassociated, because its subnet has assign-ipv6-address-on-creation set to true.`])
  await call('ModifySubnetAttribute', { SubnetId, AssignIpv6AddressOnCreation: { Value: false } })
  const [block] = (await call('DescribeVpcs', { VpcIds: [VpcId] })).Vpcs![0]!.Ipv6CidrBlockAssociationSet!
  assert.deepEqual(await refused('DisassociateVpcCidrBlock', { AssociationId: block!.AssociationId! }),
    ['InvalidCidrBlock.InUse', `The vpc ${VpcId} currently has a subnet within CIDR block ${IPV6[0]}`])
  for (const id of [AssociationId, association!.AssociationId!]) await call('DisassociateSubnetCidrBlock', { AssociationId: id })
  assert.equal((await refused('DisassociateSubnetCidrBlock', { AssociationId }))[0], 'InvalidSubnetCidrBlockAssociationID.NotFound')
  await call('DisassociateVpcCidrBlock', { AssociationId: block!.AssociationId! })
  const [vpc] = (await call('DescribeVpcs', { VpcIds: [VpcId] })).Vpcs!
  assert.deepEqual(vpc!.Ipv6CidrBlockAssociationSet, [])
})

test('what of IPv6 is not there is refused by name', async () => {
  const { refused, subnet, VpcId } = await lab()
  const { SubnetId } = await subnet('10.0.1.0/24', '3fff:ec2:0:101::/64')
  assert.deepEqual([
    (await refused('ModifySubnetAttribute', { SubnetId, EnableDns64: { Value: true } }))[0],
    (await refused('CreateSubnet', { VpcId, Ipv6Native: true, Ipv6CidrBlock: '3fff:ec2:0:102::/64' }))[0],
    (await refused('AssociateVpcCidrBlock', { VpcId, Ipv6Pool: 'ipv6pool-ec2-0123456789abcdef0' }))[0],
  ], ['UnsupportedOperation', 'UnsupportedOperation', 'UnsupportedOperation'])
})

async function withSubnet() {
  const h = await lab()
  const { SubnetId } = await h.subnet('10.0.1.0/24', '3fff:ec2:0:101::/64')
  const make = async (more: object = {}) => (await h.call('CreateNetworkInterface', { SubnetId, ...more })).NetworkInterface!
  const code = async (more: object) => h.refused('CreateNetworkInterface', { SubnetId, ...more })
  return { ...h, SubnetId: SubnetId!, make, code }
}
const addresses = (shown: { Ipv6Addresses?: { Ipv6Address?: string }[] }) => shown.Ipv6Addresses!.map(one => one.Ipv6Address)

test('interfaces have the addresses that are named, as many as are asked for, or the one that their subnet gives', async () => {
  const { call, code, make, SubnetId } = await withSubnet()
  const named = await make({ Ipv6Addresses: [{ Ipv6Address: '3fff:EC2:0:101::7' }] })
  assert.deepEqual(named.Ipv6Addresses, [{ Ipv6Address: '3fff:ec2:0:101::7', IsPrimaryIpv6: false }])
  const chosen = addresses(await make({ Ipv6AddressCount: 2 }))
  assert.deepEqual([chosen.length, new Set(chosen).size, chosen.every(address => address!.startsWith('3fff:ec2:0:101:'))], [2, 2, true])
  assert.deepEqual(addresses(await make()), [])
  await call('ModifySubnetAttribute', { SubnetId, AssignIpv6AddressOnCreation: { Value: true } })
  assert.deepEqual([addresses(await make()).length, addresses(await make({ Ipv6AddressCount: 0 })).length], [1, 0])
  const value = 'InvalidParameterValue'
  const tries = ['3fff:ec2:0:101::7', '3fff:ec2:0:102::7', '3fff:ec2:0:101::3', '3fff:ec2:0:101:ffff:ffff:ffff:ffff', 'x']
  assert.deepEqual(await Promise.all(tries.map(Ipv6Address => code({ Ipv6Addresses: [{ Ipv6Address }] }))), [
    ['InvalidIPAddress.InUse', 'Address 3fff:ec2:0:101::7 is in use.'],
    [value, `Address 3fff:ec2:0:102::7 does not fall within the subnet's address range`],
    [value, `Address 3fff:ec2:0:101::3 is in subnet's reserved address range`],
    [value, `Address 3fff:ec2:0:101:ffff:ffff:ffff:ffff is in subnet's reserved address range`], [value, 'invalid value for parameter address: x'],
  ])
  assert.equal((await code({ Ipv6AddressCount: 1, Ipv6Addresses: [{ Ipv6Address: '3fff:ec2:0:101::9' }] }))[0], 'InvalidParameterCombination')
  const found = await call('DescribeNetworkInterfaces', { Filters: [{ Name: 'ipv6-addresses.ipv6-address', Values: ['3fff:ec2:0:101::7'] }] })
  assert.deepEqual(found.NetworkInterfaces!.map(row => row.NetworkInterfaceId), [named.NetworkInterfaceId])
})

test('addresses are assigned later and taken back, and then are another\'s to have', async () => {
  const { call, refused, make } = await withSubnet()
  const [one, other] = [(await make()).NetworkInterfaceId!, (await make()).NetworkInterfaceId!]
  const address = '3fff:ec2:0:101::7'
  const assign = (NetworkInterfaceId: string, ...Ipv6Addresses: string[]) => ({ NetworkInterfaceId, Ipv6Addresses })
  assert.deepEqual(await call('AssignIpv6Addresses', assign(one, '3FFF:ec2:0:101::7')), { NetworkInterfaceId: one, AssignedIpv6Addresses: [address] })
  assert.equal((await call('AssignIpv6Addresses', { NetworkInterfaceId: one, Ipv6AddressCount: 2 })).AssignedIpv6Addresses!.length, 2)
  assert.deepEqual([
    (await refused('AssignIpv6Addresses', assign(other, address)))[0], (await refused('AssignIpv6Addresses', { NetworkInterfaceId: one }))[0],
    (await refused('UnassignIpv6Addresses', assign(other, address)))[0], (await refused('UnassignIpv6Addresses', { NetworkInterfaceId: one }))[0],
    (await refused('AssignIpv6Addresses', { NetworkInterfaceId: one, Ipv6PrefixCount: 1 }))[0],
  ], ['InvalidIPAddress.InUse', 'MissingParameter', 'InvalidParameterValue', 'MissingParameter', 'UnsupportedOperation'])
  assert.deepEqual(await call('UnassignIpv6Addresses', assign(one, address)), { NetworkInterfaceId: one, UnassignedIpv6Addresses: [address] })
  await call('AssignIpv6Addresses', assign(other, address))
  const [shown] = (await call('DescribeNetworkInterfaces', { NetworkInterfaceIds: [one] })).NetworkInterfaces!
  assert.equal(addresses(shown!).length, 2)
})

test('a subnet keeps its block while an interface has an address of it', async () => {
  const { call, refused, make, SubnetId } = await withSubnet()
  const { NetworkInterfaceId } = await make({ Ipv6AddressCount: 1 })
  const [subnet] = (await call('DescribeSubnets', { SubnetIds: [SubnetId] })).Subnets!
  const AssociationId = subnet!.Ipv6CidrBlockAssociationSet![0]!.AssociationId!
  assert.equal((await refused('DisassociateSubnetCidrBlock', { AssociationId }))[0], 'InvalidCidrBlock.InUse')
  await call('DeleteNetworkInterface', { NetworkInterfaceId })
  await call('DisassociateSubnetCidrBlock', { AssociationId })
  assert.equal((await refused('CreateNetworkInterface', { SubnetId, Ipv6AddressCount: 1 }))[0], 'InvalidParameterValue')
})

test('a VPC has one gateway for egress alone, from its making to its end', async () => {
  const { call, refused, VpcId } = await lab()
  const TagSpecifications = [{ ResourceType: 'egress-only-internet-gateway' as const, Tags: [{ Key: 'a', Value: 'b' }] }]
  const { EgressOnlyInternetGateway: made } = await call('CreateEgressOnlyInternetGateway', { VpcId, TagSpecifications })
  const EgressOnlyInternetGatewayId = made!.EgressOnlyInternetGatewayId!
  assert.deepEqual(made, { EgressOnlyInternetGatewayId, Attachments: [{ State: 'attached', VpcId }], Tags: [{ Key: 'a', Value: 'b' }] })
  const listed = await call('DescribeEgressOnlyInternetGateways', { Filters: [{ Name: 'tag:a', Values: ['b'] }] })
  assert.deepEqual(listed.EgressOnlyInternetGateways, [made])
  assert.deepEqual([
    (await refused('CreateEgressOnlyInternetGateway', { VpcId }))[0], (await refused('DeleteVpc', { VpcId }))[0],
    (await refused('CreateEgressOnlyInternetGateway', { VpcId: 'vpc-0123456789abcdef0' }))[0],
  ], ['InvalidParameterValue', 'DependencyViolation', 'InvalidVpcID.NotFound'])
  const [table] = (await call('DescribeRouteTables', { Filters: [{ Name: 'vpc-id', Values: [VpcId] }] })).RouteTables!
  const { RouteTableId } = table!
  const route = { RouteTableId, EgressOnlyInternetGatewayId }
  await call('CreateRoute', { ...route, DestinationIpv6CidrBlock: '0::0/0' })
  assert.deepEqual([
    (await refused('CreateRoute', { ...route, DestinationIpv6CidrBlock: '::/0' }))[0],
    (await refused('CreateRoute', { ...route, DestinationIpv6CidrBlock: IPV6[0] }))[0],
    (await refused('CreateRoute', { ...route, DestinationIpv6CidrBlock: '3fff:ec2:0:101::/64' }))[0],
    (await refused('CreateRoute', { ...route, DestinationCidrBlock: '0.0.0.0/0' }))[0],
    (await refused('CreateRoute', { ...route, DestinationCidrBlock: '0.0.0.0/0', DestinationIpv6CidrBlock: '::/0' }))[0],
    await refused('DeleteRoute', { RouteTableId, DestinationIpv6CidrBlock: '1::/16' }),
  ], ['RouteAlreadyExists', 'RouteAlreadyExists', 'InvalidParameterValue', 'InvalidParameterValue', 'InvalidParameterCombination',
    ['InvalidRoute.NotFound', `no route with destination-ipv6-cidr-block 1::/16 in route table ${RouteTableId}`]])
  const routes = async () => (await call('DescribeRouteTables', { RouteTableIds: [RouteTableId!] })).RouteTables![0]!.Routes!
    .map(r => [r.DestinationIpv6CidrBlock ?? r.DestinationCidrBlock, r.EgressOnlyInternetGatewayId ?? r.GatewayId, r.State])
  const local = [['10.0.0.0/16', 'local', 'active'], [IPV6[0], 'local', 'active']]
  assert.deepEqual(await routes(), [...local, ['::/0', EgressOnlyInternetGatewayId, 'active']])
  assert.deepEqual(await call('DeleteEgressOnlyInternetGateway', { EgressOnlyInternetGatewayId }), { ReturnCode: true })
  assert.deepEqual(await routes(), [...local, ['::/0', EgressOnlyInternetGatewayId, 'blackhole']])
  assert.equal((await refused('DeleteEgressOnlyInternetGateway', { EgressOnlyInternetGatewayId }))[0], 'InvalidGatewayID.NotFound')
  await call('DeleteRoute', { RouteTableId, DestinationIpv6CidrBlock: '::/0' })
  assert.deepEqual(await routes(), local)
})
