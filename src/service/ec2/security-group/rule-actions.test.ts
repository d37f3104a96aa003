import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpPermission } from '@aws-sdk/client-ec2'
import { harness, place } from '#service/ec2/vpc/harness.suite'

const ssh = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22 }
const unknownRule = 'sgr-0123456789abcdef0'

async function withGroup() {
  const h = harness()
  const GroupId = (await h.call('CreateSecurityGroup', { GroupName: 'web', Description: 'd' })).GroupId!
  const shown = async () => (await h.call('DescribeSecurityGroups', { GroupIds: [GroupId] })).SecurityGroups![0]!
  const allow = (...IpPermissions: IpPermission[]) => h.call('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions })
  const refuse = (...IpPermissions: IpPermission[]) => h.refused('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions })
  const Filters = [{ Name: 'group-id', Values: [GroupId] }]
  const rules = async () => (await h.call('DescribeSecurityGroupRules', { Filters })).SecurityGroupRules!
  return { ...h, GroupId, shown, allow, refuse, rules }
}
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

test('a permission with several sources becomes a rule for each, shown together and one by one', async () => {
  const { call, GroupId, shown } = await withGroup()
  const VpcId = (await shown()).VpcId
  const answer = await call('AuthorizeSecurityGroupIngress', {
    GroupId,
    TagSpecifications: [{ ResourceType: 'security-group-rule', Tags: [{ Key: 'k', Value: 'v' }] }],
    IpPermissions: [{
      ...ssh, IpRanges: [{ CidrIp: '203.0.113.7/32', Description: 'home' }, { CidrIp: '10.0.0.0/8' }],
      Ipv6Ranges: [{ CidrIpv6: '::/0' }], UserIdGroupPairs: [{ GroupId }],
    }],
  })
  assert.equal(answer.Return, true)
  assert.deepEqual(plain(answer.SecurityGroupRules!.map(({ SecurityGroupRuleId: _i, SecurityGroupRuleArn: _a, ...rule }) => rule)), [
    { CidrIpv4: '203.0.113.7/32', Description: 'home' }, { CidrIpv4: '10.0.0.0/8' }, { CidrIpv6: '::/0' },
    { ReferencedGroupInfo: { GroupId, UserId: place.account, VpcId } },
  ].map(rule => ({ GroupId, GroupOwnerId: place.account, IsEgress: false, ...ssh, ...rule, Tags: [{ Key: 'k', Value: 'v' }] })))
  assert.deepEqual(plain((await shown()).IpPermissions), [{
    ...ssh, IpRanges: [{ CidrIp: '203.0.113.7/32', Description: 'home' }, { CidrIp: '10.0.0.0/8' }],
    Ipv6Ranges: [{ CidrIpv6: '::/0' }], UserIdGroupPairs: [{ GroupId, UserId: place.account }], PrefixListIds: [],
  }])
  const [first] = answer.SecurityGroupRules!
  assert.match(first!.SecurityGroupRuleArn!, new RegExp(`^arn:aws:ec2:us-east-1:${place.account}:security-group-rule/sgr-`))
  const byTag = await call('DescribeSecurityGroupRules', { Filters: [{ Name: 'tag:k', Values: ['v'] }] })
  assert.equal(byTag.SecurityGroupRules!.length, 4)
  const byId = await call('DescribeSecurityGroupRules', { SecurityGroupRuleIds: [first!.SecurityGroupRuleId!] })
  assert.deepEqual(byId.SecurityGroupRules, [first])
})

test('the old flat parameters name one rule, in the group of this name', async () => {
  const { call, refused, shown } = await withGroup()
  await call('AuthorizeSecurityGroupIngress', { GroupName: 'web', IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIp: '0.0.0.0/0' })
  assert.deepEqual(plain((await shown()).IpPermissions!.map(p => [p.IpProtocol, p.FromPort, p.ToPort, p.IpRanges])),
    [['tcp', 80, 80, [{ CidrIp: '0.0.0.0/0' }]]])
  await call('RevokeSecurityGroupIngress', { GroupName: 'web', IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIp: '0.0.0.0/0' })
  assert.deepEqual((await shown()).IpPermissions, [])
  assert.deepEqual([
    (await refused('AuthorizeSecurityGroupIngress', { GroupName: 'web' }))[0],
    (await refused('AuthorizeSecurityGroupIngress', { IpProtocol: 'tcp' }))[0],
    (await refused('AuthorizeSecurityGroupIngress', { GroupName: 'web', CidrIp: '0.0.0.0/0' }))[0],
    (await refused('AuthorizeSecurityGroupIngress', { GroupName: 'web', CidrIp: '0.0.0.0/0', IpPermissions: [ssh] }))[0],
  ], ['MissingParameter', 'MissingParameter', 'MissingParameter', 'InvalidParameterCombination'])
})

test('rules are kept in one canonical form: masked blocks, named protocols, no ports where there are none', async () => {
  const { allow, rules } = await withGroup()
  await allow(
    { IpProtocol: '6', FromPort: 1, ToPort: 2, IpRanges: [{ CidrIp: '10.0.0.1/8' }] },
    { IpProtocol: 'ICMP', FromPort: 8, ToPort: -1, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
    { IpProtocol: '-1', FromPort: 5, ToPort: 6, IpRanges: [{ CidrIp: '192.0.2.0/24' }] },
    { IpProtocol: '50', IpRanges: [{ CidrIp: '192.0.2.0/24' }] },
    { IpProtocol: 'icmpv6', Ipv6Ranges: [{ CidrIpv6: '2001:DB8:0:0::1/32' }] },
  )
  const kept = (await rules()).filter(rule => !rule.IsEgress)
    .map(r => [r.IpProtocol, r.FromPort, r.ToPort, r.CidrIpv4 ?? r.CidrIpv6].join(' ')).sort()
  assert.deepEqual(kept, [
    '-1 -1 -1 192.0.2.0/24', '50 -1 -1 192.0.2.0/24', 'icmp 8 -1 0.0.0.0/0', 'icmpv6 -1 -1 2001:db8::/32', 'tcp 1 2 10.0.0.0/8',
  ])
})

test('what no rule can be is refused with AWS\'s words, and nothing is changed', async () => {
  const { refuse, rules } = await withGroup()
  const from = (CidrIp: string) => ({ IpRanges: [{ CidrIp }] })
  const any = from('0.0.0.0/0')
  const value = 'InvalidParameterValue'
  assert.deepEqual([
    await refuse({ ...ssh, ...from('10.0.0.0/33') }), await refuse({ ...ssh, ...from('1.2.3.4') }),
    await refuse({ ...ssh, ...from('::/0') }),
    await refuse({ ...ssh, Ipv6Ranges: [{ CidrIpv6: 'fe80::/129' }] }),
    await refuse({ IpProtocol: 'all', ...any }), await refuse({ IpProtocol: '256', ...any }),
    await refuse({ IpProtocol: 'tcp', FromPort: 22, ...any }),
    await refuse({ IpProtocol: 'udp', FromPort: -1, ToPort: 1, ...any }),
    await refuse({ IpProtocol: 'tcp', FromPort: 1, ToPort: 65_536, ...any }),
    await refuse({ IpProtocol: 'tcp', FromPort: 2, ToPort: 1, ...any }), await refuse({ IpProtocol: 'icmp', ...any }),
    await refuse({ IpProtocol: 'icmp', FromPort: 256, ToPort: 0, ...any }),
    await refuse({ IpProtocol: 'icmp', FromPort: -1, ToPort: 0, ...any }),
  ], [
    [value, 'CIDR block 10.0.0.0/33 is malformed'], [value, 'CIDR block 1.2.3.4 is malformed'], [value, 'CIDR block ::/0 is malformed'],
    [value, 'CIDR block fe80::/129 is malformed'],
    [value, `Invalid value 'all' for IP protocol. Unknown protocol.`], [value, `Invalid value '256' for IP protocol. Unknown protocol.`],
    [value, `Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.`],
    [value, 'TCP/UDP (from) port (-1) out of range'], [value, 'TCP/UDP (to) port (65536) out of range'],
    [value, 'Invalid TCP/UDP port range (2:1)'], [value, `Invalid value 'Must specify both from and to ports with ICMP.' for portRange.`],
    [value, 'ICMP type (256) out of range'], [value, 'ICMP code (0) must be -1 when the ICMP type is -1'],
  ])
  assert.deepEqual([
    (await refuse({ ...ssh }))[0], (await refuse({ FromPort: 1, ToPort: 1, ...any }))[0],
    (await refuse({ ...ssh, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'é' }] }))[0],
    (await refuse({ ...ssh, PrefixListIds: [{ PrefixListId: 'pl-0123456789abcdef0' }] }))[0],
    (await refuse({ ...ssh, UserIdGroupPairs: [{ GroupId: 'sg-0123456789abcdef0' }] }))[0],
    (await refuse({ ...ssh, UserIdGroupPairs: [{ GroupName: 'web', UserId: '999999999999' }] }))[0],
  ], ['MissingParameter', 'MissingParameter', value, 'InvalidPrefixListID.NotFound', 'InvalidGroup.NotFound', 'InvalidGroup.NotFound'])
  assert.equal((await rules()).length, 1)
})

test('a group of another VPC is no peer', async () => {
  const { call, refused, store, GroupId } = await withGroup()
  await store.transact(async tx => { for (const row of await tx.list({ kind: 'vpc' })) await tx.remove(row) })
  await call('CreateDefaultVpc', {})
  const other = (await call('CreateSecurityGroup', { GroupName: 'web', Description: 'd' })).GroupId!
  assert.deepEqual(await refused('AuthorizeSecurityGroupIngress', {
    GroupId: other, IpPermissions: [{ ...ssh, UserIdGroupPairs: [{ GroupId }] }],
  }), ['InvalidGroup.NotFound', 'You have specified two resources that belong to different networks.'])
})

test('a rule is there once: a second one is a duplicate, whatever its description, and refuses the whole request', async () => {
  const { allow, refuse, refused, rules, GroupId } = await withGroup()
  await allow({ ...ssh, IpRanges: [{ CidrIp: '10.0.0.0/8' }] })
  const again = { ...ssh, IpRanges: [{ CidrIp: '192.0.2.0/24' }, { CidrIp: '10.1.2.3/8', Description: 'x' }] }
  assert.deepEqual(await refuse(again),
    ['InvalidPermission.Duplicate', 'the specified rule "peer: 10.0.0.0/8, TCP, from port: 22, to port: 22, ALLOW" already exists'])
  assert.deepEqual(await refused('AuthorizeSecurityGroupEgress', {
    GroupId, IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  }),
    ['InvalidPermission.Duplicate', 'the specified rule "peer: 0.0.0.0/0, ALL, ALLOW" already exists'])
  assert.deepEqual(await refuse({ ...ssh, IpRanges: [{ CidrIp: '192.0.2.0/24' }, { CidrIp: '192.0.2.0/24' }] }),
    ['InvalidParameterValue', 'The same permission must not appear multiple times'])
  assert.equal((await rules()).length, 2)
})

test('a group has at most 60 rules in each direction for each family', async () => {
  const { allow, refuse, rules, GroupId } = await withGroup()
  const blocks = (count: number, second: number) => Array.from({ length: count }, (_, i) => ({ CidrIp: `10.${second}.${i}.0/24` }))
  await allow({ ...ssh, IpRanges: blocks(59, 0), Ipv6Ranges: [{ CidrIpv6: '::/0' }], UserIdGroupPairs: [{ GroupId }] })
  assert.deepEqual(await refuse({ ...ssh, IpRanges: blocks(1, 1) }),
    ['RulesPerSecurityGroupLimitExceeded', 'The maximum number of rules per security group has been reached.'])
  await allow({ ...ssh, Ipv6Ranges: [{ CidrIpv6: '2001:db8::/32' }] })
  assert.equal((await rules()).length, 1 + 59 + 1 + 1 + 1)
})

test('rules are revoked by what they let through or by their ids, all or none', async () => {
  const { call, refused, allow, rules, store, GroupId } = await withGroup()
  await allow({ ...ssh, IpRanges: [{ CidrIp: '10.0.0.0/8', Description: 'x' }, { CidrIp: '192.0.2.0/24' }, { CidrIp: '198.51.100.0/24' }] })
  const revoked = await call('RevokeSecurityGroupIngress', { GroupId, IpPermissions: [{ ...ssh, IpRanges: [{ CidrIp: '10.0.0.0/8' }] }] })
  assert.partialDeepStrictEqual(revoked, {
    Return: true, RevokedSecurityGroupRules: [{ GroupId, IsEgress: false, ...ssh, CidrIpv4: '10.0.0.0/8' }],
  })
  const id = async (cidr: string) => (await rules()).find(rule => rule.CidrIpv4 === cidr)!.SecurityGroupRuleId!
  const [inside, outside] = [await id('192.0.2.0/24'), await id('0.0.0.0/0')]
  assert.deepEqual([
    await refused('RevokeSecurityGroupIngress', {
      GroupId, IpPermissions: [{ ...ssh, IpRanges: [{ CidrIp: '192.0.2.0/24' }, { CidrIp: '10.0.0.0/8' }] }],
    }),
    await refused('RevokeSecurityGroupIngress', { GroupId, SecurityGroupRuleIds: [inside, unknownRule] }),
    (await refused('RevokeSecurityGroupIngress', { GroupId, SecurityGroupRuleIds: [outside] }))[0],
    (await refused('RevokeSecurityGroupIngress', { GroupId }))[0],
  ], [
    ['InvalidPermission.NotFound', 'The specified rule does not exist in this security group.'],
    ['InvalidSecurityGroupRuleId.NotFound', `The security group rule ID '${unknownRule}' does not exist`],
    'InvalidSecurityGroupRuleId.NotFound', 'MissingParameter',
  ])
  assert.equal((await rules()).length, 3)
  await call('RevokeSecurityGroupIngress', { SecurityGroupRuleIds: [inside] })
  await call('RevokeSecurityGroupEgress', { GroupId, SecurityGroupRuleIds: [outside] })
  assert.deepEqual((await rules()).map(rule => rule.CidrIpv4), ['198.51.100.0/24'])
  const claimed = [...await store.claims('security-group-rule')].filter(([, owner]) => owner === GroupId).map(([id]) => id)
  assert.deepEqual(claimed, (await rules()).map(rule => rule.SecurityGroupRuleId))
  assert.equal((await refused('DescribeSecurityGroupRules', { SecurityGroupRuleIds: [inside] }))[0], 'InvalidSecurityGroupRuleId.NotFound')
})

test('a rule is modified whole, keeping its id and tags', async () => {
  const { call, refused, allow, rules, GroupId } = await withGroup()
  const made = (await allow({ ...ssh, IpRanges: [{ CidrIp: '10.0.0.0/8' }, { CidrIp: '192.0.2.0/24' }] })).SecurityGroupRules!
  const [first, second] = made.map(rule => rule.SecurityGroupRuleId!) as [string, string]
  const modify = (SecurityGroupRuleId: string, SecurityGroupRule: object) => ({
    GroupId, SecurityGroupRules: [{ SecurityGroupRuleId, SecurityGroupRule }],
  })
  await call('ModifySecurityGroupRules', modify(first, {
    IpProtocol: 'udp', FromPort: 53, ToPort: 53, CidrIpv4: '10.0.0.9/16', Description: 'dns',
  }))
  const changed = (await rules()).find(rule => rule.SecurityGroupRuleId === first)
  assert.partialDeepStrictEqual(changed, {
    IpProtocol: 'udp', FromPort: 53, ToPort: 53, CidrIpv4: '10.0.0.0/16', Description: 'dns', IsEgress: false,
  })
  assert.deepEqual([
    (await refused('ModifySecurityGroupRules', modify(first, { ...ssh, CidrIpv4: '192.0.2.0/24' })))[0],
    (await refused('ModifySecurityGroupRules', modify(second, ssh)))[0],
    (await refused('ModifySecurityGroupRules', modify(second, { ...ssh, CidrIpv4: '0.0.0.0/0', ReferencedGroupId: GroupId })))[0],
    (await refused('ModifySecurityGroupRules', modify(unknownRule, { ...ssh, CidrIpv4: '0.0.0.0/0' })))[0],
  ], ['InvalidPermission.Duplicate', 'InvalidParameterCombination', 'InvalidParameterCombination', 'InvalidSecurityGroupRuleId.NotFound'])
})

test('descriptions are changed and taken away, by permission and by id', async () => {
  const { call, refused, allow, rules, GroupId } = await withGroup()
  const id = (await allow({ ...ssh, IpRanges: [{ CidrIp: '10.0.0.0/8' }] })).SecurityGroupRules![0]!.SecurityGroupRuleId!
  const description = async () => (await rules()).find(rule => rule.SecurityGroupRuleId === id)!.Description
  await call('UpdateSecurityGroupRuleDescriptionsIngress', {
    GroupId, IpPermissions: [{ ...ssh, IpRanges: [{ CidrIp: '10.0.0.0/8', Description: 'a' }] }],
  })
  assert.equal(await description(), 'a')
  await call('UpdateSecurityGroupRuleDescriptionsIngress', {
    GroupId, SecurityGroupRuleDescriptions: [{ SecurityGroupRuleId: id, Description: 'b' }],
  })
  assert.equal(await description(), 'b')
  await call('UpdateSecurityGroupRuleDescriptionsIngress', { GroupId, IpPermissions: [{ ...ssh, IpRanges: [{ CidrIp: '10.0.0.0/8' }] }] })
  assert.equal(await description(), undefined)
  assert.deepEqual([
    (await refused('UpdateSecurityGroupRuleDescriptionsEgress', {
      GroupId, SecurityGroupRuleDescriptions: [{ SecurityGroupRuleId: id }],
    }))[0],
    (await refused('UpdateSecurityGroupRuleDescriptionsIngress', {
      GroupId, IpPermissions: [{ ...ssh, IpRanges: [{ CidrIp: '10.9.0.0/16' }] }],
    }))[0],
    (await refused('UpdateSecurityGroupRuleDescriptionsIngress', { GroupId }))[0],
  ], ['InvalidSecurityGroupRuleId.NotFound', 'InvalidPermission.NotFound', 'MissingParameter'])
})
