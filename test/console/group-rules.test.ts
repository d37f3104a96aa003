/** What the rule editor would call, of what was changed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callsOf, isWhole, rowOf, type Row } from '../../console/src/pages/group-rules.ts'

const rule = (id: string, more: object) => ({ SecurityGroupRuleId: id, IsEgress: false, IpProtocol: 'tcp', FromPort: 22, ToPort: 22, ...more })
const office = rule('sgr-1', { CidrIpv4: '203.0.113.0/24', Description: 'The office' })
const range = rule('sgr-2', { FromPort: 8080, ToPort: 8090, CidrIpv6: '2001:db8::/32' })
const ping = rule('sgr-3', { IpProtocol: 'icmp', FromPort: 8, ToPort: -1, CidrIpv4: '0.0.0.0/0' })
const all = rule('sgr-4', { IpProtocol: '-1', FromPort: -1, ToPort: -1, ReferencedGroupInfo: { GroupId: 'sg-2' } })
const before = [office, range, ping, all]
const said = (rows: readonly Row[], outbound = false) =>
  callsOf({ group: 'sg-1', outbound, before, rows }).map(({ operation, input: { GroupId, ...input } }) => {
    assert.equal(GroupId, 'sg-1')
    return { operation, input }
  })
const rows = before.map(rowOf)
const edited = (i: number, part: Partial<Row>): Row[] => rows.map((row, j) => (i === j ? { ...row, ...part } : row))

test('what is left as it is takes no call, whatever it is', () => {
  assert.deepEqual(rows.map(row => row.type), ['ssh', 'tcp', 'as-it-is', 'all'])
  assert.deepEqual(said(rows), [])
})

test('ports, source and description are changed in place, and the rule keeps its id', () => {
  const modified = (i: number, part: Partial<Row>) => {
    const [{ operation, input }] = said(edited(i, part)) as [{ operation: string; input: any }]
    assert.deepEqual([operation, input.SecurityGroupRules[0].SecurityGroupRuleId], ['ModifySecurityGroupRules', before[i]!.SecurityGroupRuleId])
    return input.SecurityGroupRules[0].SecurityGroupRule
  }
  const ssh = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, CidrIpv4: '203.0.113.0/24', Description: 'The office' }
  assert.deepEqual(modified(0, { type: 'tcp', ports: '2200-2222' }), { ...ssh, FromPort: 2200, ToPort: 2222 })
  assert.deepEqual(modified(0, { peer: '198.51.100.7/32' }), { ...ssh, CidrIpv4: '198.51.100.7/32' })
  const { Description: _, ...bare } = ssh
  assert.deepEqual(modified(0, { description: '' }), bare)
  assert.deepEqual(modified(2, { description: 'Ping' }), { IpProtocol: 'icmp', FromPort: 8, ToPort: -1, CidrIpv4: '0.0.0.0/0', Description: 'Ping' })
  assert.deepEqual(modified(3, { peer: 'sg-3' }), { IpProtocol: '-1', ReferencedGroupId: 'sg-3' })
})

test('a source of another kind makes another rule, there before the old one goes', () => {
  assert.deepEqual(said(edited(1, { peer: 'pl-1' })), [
    {
      operation: 'AuthorizeSecurityGroupIngress',
      input: { IpPermissions: [{ IpProtocol: 'tcp', FromPort: 8080, ToPort: 8090, PrefixListIds: [{ PrefixListId: 'pl-1' }] }] },
    },
    { operation: 'RevokeSecurityGroupIngress', input: { SecurityGroupRuleIds: ['sgr-2'] } },
  ])
})

test('rules come, change and go together, in that order', () => {
  const fresh: Row = { type: 'https', ports: '', peer: '0.0.0.0/0', description: 'Everybody' }
  const calls = said([...edited(0, { description: 'Home' }).slice(0, 3), fresh], true)
  assert.deepEqual(calls.map(({ operation }) => operation), ['AuthorizeSecurityGroupEgress', 'ModifySecurityGroupRules', 'RevokeSecurityGroupEgress'])
  assert.deepEqual(calls.at(-1)!.input, { SecurityGroupRuleIds: ['sgr-4'] })
})

test('ports that can not be read, and no source, are not whole', () => {
  const row = (part: Partial<Row>): Row => ({ type: 'tcp', ports: '80', peer: '0.0.0.0/0', description: '', ...part })
  const given = [row({}), row({ ports: '' }), row({ ports: '80-' }), row({ ports: 'http' }), row({ peer: '' }), row({ type: 'ssh', ports: '' })]
  assert.deepEqual(given.map(isWhole), [true, false, false, false, false, true])
})
