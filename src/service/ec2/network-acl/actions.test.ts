import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness, place } from '#service/ec2/vpc/harness.suite'

async function lab() {
  const h = harness()
  const VpcId = (await h.call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  const SubnetId = (await h.call('CreateSubnet', { VpcId, CidrBlock: '10.0.1.0/24' })).Subnet!.SubnetId!
  const NetworkAclId = (await h.call('CreateNetworkAcl', { VpcId })).NetworkAcl!.NetworkAclId!
  const acl = async (id = NetworkAclId) => (await h.call('DescribeNetworkAcls', { NetworkAclIds: [id] })).NetworkAcls![0]!
  const Filters = [{ Name: 'association.subnet-id', Values: [SubnetId] }]
  const usual = (await h.call('DescribeNetworkAcls', { Filters })).NetworkAcls![0]!
  const entry = { NetworkAclId, RuleNumber: 100, Protocol: '-1', RuleAction: 'allow' as const, Egress: false, CidrBlock: '0.0.0.0/0' }
  const code = async (more: object) => (await h.refused('CreateNetworkAclEntry', { ...entry, ...more }))[0]
  return { ...h, VpcId, SubnetId, NetworkAclId, acl, usual, entry, code }
}

test('a new ACL denies all; entries are made, replaced and deleted by number and direction', async () => {
  const { call, refused, NetworkAclId, acl, entry } = await lab()
  const entries = async () => (await acl()).Entries!.map(e => [e.Egress, e.RuleNumber, e.RuleAction, e.Protocol, e.CidrBlock ?? e.Ipv6CidrBlock])
  const last = (egress: boolean) => [egress, 32767, 'deny', '-1', '0.0.0.0/0']
  assert.deepEqual(await entries(), [last(true), last(false)])
  await call('CreateNetworkAclEntry', { ...entry, RuleNumber: 200 })
  await call('CreateNetworkAclEntry', { ...entry, Protocol: '6', PortRange: { From: 22, To: 22 }, CidrBlock: '192.0.2.9/24', RuleAction: 'deny' })
  await call('CreateNetworkAclEntry', { ...entry, Protocol: '1', IcmpTypeCode: { Type: 8, Code: -1 }, Egress: true })
  await call('CreateNetworkAclEntry', { ...entry, RuleNumber: 101, CidrBlock: undefined, Ipv6CidrBlock: '2001:DB8::/32' })
  assert.deepEqual(await entries(), [
    [true, 100, 'allow', '1', '0.0.0.0/0'], last(true),
    [false, 100, 'deny', '6', '192.0.2.0/24'], [false, 101, 'allow', '-1', '2001:db8::/32'], [false, 200, 'allow', '-1', '0.0.0.0/0'], last(false),
  ])
  const [icmp, , ssh] = (await acl()).Entries!
  assert.deepEqual([icmp!.IcmpTypeCode, ssh!.PortRange], [{ Type: 8, Code: -1 }, { From: 22, To: 22 }])
  assert.deepEqual(await refused('CreateNetworkAclEntry', entry),
    ['NetworkAclEntryAlreadyExists', 'The network acl entry identified by 100 already exists.'])
  await call('ReplaceNetworkAclEntry', entry)
  assert.deepEqual((await entries())[2], [false, 100, 'allow', '-1', '0.0.0.0/0'])
  await call('DeleteNetworkAclEntry', { NetworkAclId, RuleNumber: 100, Egress: true })
  const missing = ['InvalidNetworkAclEntry.NotFound', `no egress entry with number 100 in network acl ${NetworkAclId}`]
  assert.deepEqual(await refused('DeleteNetworkAclEntry', { NetworkAclId, RuleNumber: 100, Egress: true }), missing)
  assert.deepEqual(await refused('ReplaceNetworkAclEntry', { ...entry, Egress: true }), missing)
})

test('numbers, protocols, ports, ICMP types and blocks that no entry can have are refused', async () => {
  const { code, refused, entry } = await lab()
  assert.deepEqual(await Promise.all([
    { RuleNumber: 0 }, { RuleNumber: 32767 }, { Protocol: '256' }, { Protocol: 'tcp' }, { RuleAction: 'maybe' }, { CidrBlock: 'x' },
    { Protocol: '6', PortRange: { From: 2, To: 1 } }, { Protocol: '17', PortRange: { From: 0, To: 65536 } },
    { Protocol: '1', IcmpTypeCode: { Type: 256, Code: 0 } }, { Protocol: '1', IcmpTypeCode: { Type: -1, Code: 0 } },
    { CidrBlock: undefined, Ipv6CidrBlock: 'x' },
  ].map(code)), Array(11).fill('InvalidParameterValue'))
  assert.deepEqual(await refused('CreateNetworkAclEntry', { ...entry, Protocol: '1' }),
    ['MissingParameter', 'The request must contain the parameter icmpTypeCode.type'])
  assert.deepEqual([await code({ Protocol: '6' }), await code({ CidrBlock: undefined }), await code({ Ipv6CidrBlock: '::/0' }),
    await code({ DryRun: true })],
    ['MissingParameter', 'MissingParameter', 'InvalidParameterCombination', 'DryRunOperation'])
})

test('there is room for twenty entries in each direction', async () => {
  const { call, code, entry } = await lab()
  for (let i = 1; i <= 20; i++) await call('CreateNetworkAclEntry', { ...entry, RuleNumber: i })
  assert.equal(await code({ RuleNumber: 21 }), 'NetworkAclEntryLimitExceeded')
  await call('CreateNetworkAclEntry', { ...entry, Egress: true })
})

test('a subnet is moved from ACL to ACL of its VPC; one in use stays, and the default one always', async () => {
  const { call, refused, SubnetId, NetworkAclId, acl, usual } = await lab()
  const AssociationId = usual.Associations![0]!.NetworkAclAssociationId
  const { NewAssociationId } = await call('ReplaceNetworkAclAssociation', { AssociationId, NetworkAclId })
  assert.notEqual(NewAssociationId, AssociationId)
  assert.deepEqual((await acl()).Associations, [{ NetworkAclAssociationId: NewAssociationId, NetworkAclId, SubnetId }])
  assert.deepEqual([
    await refused('DeleteNetworkAcl', { NetworkAclId }),
    await refused('DeleteNetworkAcl', { NetworkAclId: usual.NetworkAclId }),
    await refused('ReplaceNetworkAclAssociation', { AssociationId, NetworkAclId }),
  ], [
    ['DependencyViolation', `The networkAcl '${NetworkAclId}' has dependencies and cannot be deleted.`],
    ['InvalidParameterValue', `cannot delete default network ACL ${usual.NetworkAclId}`],
    ['InvalidAssociationID.NotFound', `The association ID '${AssociationId}' does not exist`],
  ])
  const other = (await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  const foreign = (await call('CreateNetworkAcl', { VpcId: other })).NetworkAcl!.NetworkAclId!
  assert.deepEqual([
    (await refused('ReplaceNetworkAclAssociation', { AssociationId: NewAssociationId, NetworkAclId: foreign }))[0],
    (await refused('ReplaceNetworkAclAssociation', { AssociationId: NewAssociationId, NetworkAclId }, { ...place, account: '444455556666' }))[0],
  ], ['InvalidParameterValue', 'InvalidNetworkAclID.NotFound'])
  await call('DeleteSubnet', { SubnetId })
  await call('DeleteNetworkAcl', { NetworkAclId })
  assert.equal((await refused('DescribeNetworkAcls', { NetworkAclIds: [NetworkAclId] }))[0], 'InvalidNetworkAclID.NotFound')
})
