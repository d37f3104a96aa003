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
