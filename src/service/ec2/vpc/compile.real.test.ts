/** Needs root and nftables: each table is loaded into a network namespace of the one command that loads it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpPermission } from '@aws-sdk/client-ec2'
import { render } from '#engine/net/render'
import { text } from '#engine/net/ruleset'
import { attempt } from '#engine/net/run'
import { networkOf } from '#service/ec2/vpc/drive'
import { harness, home } from '#service/ec2/vpc/harness.suite'
import type { VpcRow } from '#service/ec2/vpc/vpc'

const anywhere = { IpRanges: [{ CidrIp: '0.0.0.0/0' }] }
const halves = { IpRanges: [{ CidrIp: '0.0.0.0/1' }, { CidrIp: '128.0.0.0/1' }, { CidrIp: '10.1.2.3/32' }, { CidrIp: '10.0.0.0/8' }] }
const every: IpPermission[] = [
  ...[0, 2, 41, 47, 50, 51, 89, 112, 132, 136, 254, 255].map(n => ({ IpProtocol: String(n), ...anywhere })),
  ...[[-1, -1], [0, -1], [8, 0], [3, 4], [255, 255]].map(([FromPort, ToPort]) => ({ IpProtocol: 'icmp', FromPort, ToPort, ...halves })),
  ...[[0, 0], [0, 65_535], [1, 65_535], [22, 22], [65_535, 65_535]].flatMap(([FromPort, ToPort]) =>
    ['tcp', 'udp'].map(IpProtocol => ({ IpProtocol, FromPort, ToPort, ...halves }))),
  { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/32' }, { CidrIp: '255.255.255.255/32' }, { CidrIp: '224.0.0.0/4' }] },
  { IpProtocol: 'icmpv6', FromPort: -1, ToPort: -1, Ipv6Ranges: [{ CidrIpv6: '::/0' }] },
]

test('every kind of rule that the API takes is one that the packet filter takes', async () => {
  const { call, launch, store } = harness()
  const Description = 'd'
  const groups: string[] = []
  for (const i of [0, 1, 2]) groups.push((await call('CreateSecurityGroup', { GroupName: `g${i}`, Description })).GroupId!)
  for (const [i, GroupId] of groups.entries()) {
    const toGroups = groups.flatMap(id => [
      { IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: id }] }, { IpProtocol: '50', UserIdGroupPairs: [{ GroupId: id }] },
      { IpProtocol: 'icmp', FromPort: 8, ToPort: -1, UserIdGroupPairs: [{ GroupId: id }] },
    ])
    const IpPermissions = [...every.filter((_, n) => n % groups.length === i), ...toGroups]
    await call('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions })
    await call('AuthorizeSecurityGroupEgress', { GroupId, IpPermissions })
  }
  const row = await launch({ groups, secondary: 2 })
  await launch({ groups: groups.slice(1), publicIp: false })
  const spec = (await networkOf(store, home, (await store.get<VpcRow>('vpc', row.spec.vpc))!))!
  for (const table of render(home, spec)) {
    const { code, err } = await attempt(['unshare', '--net', 'nft', '-f', '-'], text(table))
    assert.deepEqual([code, err], [0, ''], text(table))
  }
})
