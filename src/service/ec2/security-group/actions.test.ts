import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness, place } from '#service/ec2/vpc/harness.suite'

const group = { GroupName: 'web', Description: 'Web servers' }
const none = 'sg-0123456789abcdef0'

async function withGroup() {
  const h = harness()
  const GroupId = (await h.call('CreateSecurityGroup', group)).GroupId!
  const shown = async (id = GroupId) => (await h.call('DescribeSecurityGroups', { GroupIds: [id] })).SecurityGroups![0]!
  return { ...h, GroupId, shown }
}

test('a new group is in the default VPC, lets nothing in and all out', async () => {
  const { call } = harness()
  const VpcId = (await call('DescribeVpcs', {})).Vpcs![0]!.VpcId!
  const made = await call('CreateSecurityGroup', {
    ...group, TagSpecifications: [{ ResourceType: 'security-group', Tags: [{ Key: 'Name', Value: 'w' }] }],
  })
  const SecurityGroupArn = `arn:aws:ec2:us-east-1:${place.account}:security-group/${made.GroupId}`
  assert.deepEqual(made, { GroupId: made.GroupId, Tags: [{ Key: 'Name', Value: 'w' }], SecurityGroupArn })
  const [shown] = (await call('DescribeSecurityGroups', { Filters: [{ Name: 'tag:Name', Values: ['w'] }] })).SecurityGroups!
  assert.deepEqual(JSON.parse(JSON.stringify(shown)), {
    GroupId: made.GroupId, GroupName: 'web', Description: 'Web servers', OwnerId: place.account, VpcId, SecurityGroupArn,
    IpPermissions: [],
    IpPermissionsEgress: [
      { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }], Ipv6Ranges: [], UserIdGroupPairs: [], PrefixListIds: [] },
    ],
    Tags: [{ Key: 'Name', Value: 'w' }],
  })
})

test('names and descriptions that AWS refuses are refused', async () => {
  const { call, refused } = harness()
  const codes = async (more: Partial<typeof group>) => (await refused('CreateSecurityGroup', { ...group, ...more }))[0]
  assert.deepEqual([
    await codes({ GroupName: 'sg-web' }), await codes({ GroupName: 'default' }), await codes({ GroupName: 'a'.repeat(256) }),
    await codes({ GroupName: 'é' }), await codes({ GroupName: 'a<b' }), await codes({ GroupName: '' }),
    await codes({ Description: 'a'.repeat(256) }), await codes({ Description: '"' }), await codes({ Description: undefined as never }),
  ], [
    'InvalidParameterValue', 'InvalidGroup.Reserved', 'InvalidParameterValue',
    'InvalidParameterValue', 'InvalidParameterValue', 'MissingParameter',
    'InvalidParameterValue', 'InvalidParameterValue', 'MissingParameter',
  ])
  assert.deepEqual(await refused('CreateSecurityGroup', { ...group, GroupName: 'sg-1' }),
    ['InvalidParameterValue', 'Value (sg-1) for parameter GroupName is invalid. Group names may not be in the format sg-*.'])
  assert.equal((await call('DescribeSecurityGroups', {})).SecurityGroups!.length, 1)
})

test('a name is taken once in a VPC, also by a dry run only until it is rolled back', async () => {
  const { call, refused } = harness()
  const VpcId = (await call('DescribeVpcs', {})).Vpcs![0]!.VpcId
  assert.equal((await refused('CreateSecurityGroup', { ...group, DryRun: true }))[0], 'DryRunOperation')
  await call('CreateSecurityGroup', group)
  assert.deepEqual(await refused('CreateSecurityGroup', group),
    ['InvalidGroup.Duplicate', `The security group 'web' already exists for VPC '${VpcId}'`])
})

test('groups are found by id, by name in the default VPC, by filter and by page', async () => {
  const { call, refused } = harness()
  const ids: string[] = []
  for (let i = 0; i < 7; i++) ids.push((await call('CreateSecurityGroup', { ...group, GroupName: `web${i}` })).GroupId!)
  assert.deepEqual((await call('DescribeSecurityGroups', { GroupNames: ['web3'] })).SecurityGroups!.map(g => g.GroupId), [ids[3]])
  const first = await call('DescribeSecurityGroups', { MaxResults: 5 })
  const second = await call('DescribeSecurityGroups', { MaxResults: 5, NextToken: first.NextToken })
  const paged = [...first.SecurityGroups!, ...second.SecurityGroups!].map(g => g.GroupName).sort()
  assert.deepEqual([paged, second.NextToken], [['default', ...ids.map((_, i) => `web${i}`)], undefined])
  const VpcId = (await call('DescribeVpcs', {})).Vpcs![0]!.VpcId!
  assert.deepEqual([
    await refused('DescribeSecurityGroups', { GroupNames: ['nobody'] }),
    await refused('DescribeSecurityGroups', { GroupIds: [none] }),
    (await refused('DescribeSecurityGroups', { GroupIds: ['sg-!'] }))[0],
    (await refused('DescribeSecurityGroups', { MaxResults: 1 }))[0],
  ], [
    ['InvalidGroup.NotFound', `The security group 'nobody' does not exist in default VPC '${VpcId}'`],
    ['InvalidGroup.NotFound', `The security group '${none}' does not exist`],
    'InvalidGroupId.Malformed', 'InvalidParameterValue',
  ])
  const forVpc = await call('GetSecurityGroupsForVpc', { VpcId, Filters: [{ Name: 'group-name', Values: ['web1'] }] })
  assert.deepEqual(forVpc.SecurityGroupForVpcs,
    [{ GroupId: ids[1], GroupName: 'web1', Description: 'Web servers', OwnerId: place.account, PrimaryVpcId: VpcId, Tags: [] }])
})

test('groups are filtered by what their rules let through', async () => {
  const { call, GroupId } = await withGroup()
  const other = (await call('CreateSecurityGroup', { ...group, GroupName: 'db' })).GroupId!
  await call('AuthorizeSecurityGroupIngress', { GroupId, IpProtocol: 'tcp', FromPort: 443, ToPort: 444, CidrIp: '10.0.0.0/8' })
  await call('AuthorizeSecurityGroupIngress', {
    GroupId: other, IpPermissions: [{ IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, UserIdGroupPairs: [{ GroupId }] }],
  })
  const names = async (Name: string, ...Values: string[]) =>
    (await call('DescribeSecurityGroups', { Filters: [{ Name, Values }] })).SecurityGroups!.map(g => g.GroupName).sort()
  assert.deepEqual([
    await names('ip-permission.cidr', '10.*'), await names('ip-permission.from-port', '443'), await names('ip-permission.to-port', '444'),
    await names('ip-permission.group-id', GroupId), await names('ip-permission.group-name', 'web'),
    await names('ip-permission.protocol', 'tcp'),
    await names('egress.ip-permission.cidr', '0.0.0.0/0'), await names('egress.ip-permission.protocol', 'tcp'),
    await names('ip-permission.user-id', place.account), await names('description', 'Web*'),
  ], [['web'], ['web'], ['web'], ['db'], ['db'], ['db', 'web'], ['db', 'default', 'web'], [], ['db', 'default'], ['db', 'web']])
})

test('a group is deleted, its name is free again, and what depends on it or is the default keeps it', async () => {
  const { call, refused, launch, GroupId, store } = await withGroup()
  const other = (await call('CreateSecurityGroup', { ...group, GroupName: 'db' })).GroupId!
  const [rule] = (await call('AuthorizeSecurityGroupIngress', { GroupId: other, SourceSecurityGroupName: 'web' })).SecurityGroupRules!
  const dependent = ['DependencyViolation', `resource ${GroupId} has a dependent object`]
  assert.deepEqual(await refused('DeleteSecurityGroup', { GroupId }), dependent)
  await call('RevokeSecurityGroupIngress', { GroupId: other, SecurityGroupRuleIds: [rule!.SecurityGroupRuleId!] })
  const eni = await launch({ groups: [GroupId] })
  assert.deepEqual(await refused('DeleteSecurityGroup', { GroupId }), dependent)
  await store.transact(tx => tx.remove(eni))
  await call('AuthorizeSecurityGroupIngress', { GroupId, SourceSecurityGroupName: 'web' })
  assert.deepEqual(await call('DeleteSecurityGroup', { GroupName: 'web' }), { Return: true, GroupId })
  assert.equal((await refused('DeleteSecurityGroup', { GroupId }))[0], 'InvalidGroup.NotFound')
  await call('CreateSecurityGroup', group)
  const [first] = (await call('DescribeSecurityGroups', { GroupNames: ['default'] })).SecurityGroups!
  assert.deepEqual(await refused('DeleteSecurityGroup', { GroupId: first!.GroupId }),
    ['CannotDelete', `the specified group: "${first!.GroupId}" name: "default" cannot be deleted by a user`])
  assert.equal((await refused('DeleteSecurityGroup', {}))[0], 'MissingParameter')
})

test('where no VPCs are joined no group is referred to from elsewhere, and no rule is stale', async () => {
  const { call, refused, GroupId, shown } = await withGroup()
  const VpcId = (await shown()).VpcId!
  assert.deepEqual(await call('DescribeSecurityGroupReferences', { GroupId: [GroupId] }), { SecurityGroupReferenceSet: [] })
  assert.deepEqual(await call('DescribeStaleSecurityGroups', { VpcId }), { StaleSecurityGroupSet: [], NextToken: undefined })
  assert.equal((await refused('DescribeSecurityGroupReferences', { GroupId: [none] }))[0], 'InvalidGroup.NotFound')
  assert.equal((await refused('DescribeStaleSecurityGroups', { VpcId: 'vpc-0123456789abcdef0' }))[0], 'InvalidVpcID.NotFound')
})
