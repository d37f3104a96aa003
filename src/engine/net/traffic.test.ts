import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ANY, tcp, udp } from '#engine/net/networks.suite'
import { filterRules, groupSide, match } from '#engine/net/traffic'

test('traffic becomes the narrowest match', () => {
  assert.deepEqual([
    { protocol: 'all' as const }, tcp(22), udp(1000, 2000), tcp(0, 65535), { protocol: 50 }, { protocol: 132, ports: { from: 1, to: 2 } },
    { protocol: 1 }, { protocol: 1, icmp: {} }, { protocol: 1, icmp: { type: 0 } }, { protocol: 1, icmp: { type: 3, code: 4 } },
  ].map(match), [
    '', 'tcp dport 22', 'udp dport 1000-2000', 'meta l4proto 6', 'meta l4proto 50', 'meta l4proto 132 th dport 1-2',
    'meta l4proto 1', 'meta l4proto 1', 'icmp type 0', 'icmp type 3 icmp code 4',
  ])
})

test('group rules of equal traffic are one rule with one set of blocks, none inside another', () => {
  const members = (id: string) => (id === 'known' ? 'members_known' : undefined)
  assert.deepEqual(groupSide([
    { ...tcp(22), peer: { cidr: '10.1.0.0/16' } }, { ...tcp(22), peer: { cidr: '192.168.0.0/16' } },
    { ...tcp(22), peer: { cidr: '10.0.0.0/8' } },
    { ...tcp(80), peer: { cidr: '10.0.0.0/8' } }, { ...tcp(80), peer: ANY }, { protocol: 'all', peer: ANY },
    { ...tcp(5432), peer: { group: 'known' } }, { protocol: 'all', peer: { group: 'known' } },
    { protocol: 'all', peer: { group: 'elsewhere' } },
  ], { side: 'saddr', family: 'ip', name: 'x', members }).rules, [
    'tcp dport 22 ip saddr { 10.0.0.0/8, 192.168.0.0/16 } accept', 'tcp dport 80 accept', 'accept',
    'tcp dport 5432 ip saddr @members_known accept',
  ])
})

test('many ranges of ports are looked up in a map without overlaps, which knows who may use each', () => {
  const many = Array.from({ length: 7 }, (_, n) => ({ ...tcp(1000 + n), peer: ANY }))
  const { rules, maps, chains } = groupSide([
    ...many, { ...tcp(80, 90), peer: { cidr: '10.0.0.0/8' } }, { ...tcp(85, 1000), peer: { group: 'web' } }, { ...udp(53), peer: ANY },
  ], { side: 'saddr', family: 'ip', name: 'x', members: id => `members_${id}` })
  assert.deepEqual(rules, ['tcp dport vmap @x_tcp', 'udp dport 53 accept'])
  const [ten, both, web] = Object.keys(chains)
  assert.deepEqual(maps.x_tcp!.elements, [
    `80-84 : jump ${ten}`, `85-90 : jump ${both}`, `91-999 : jump ${web}`, '1000-1006 : accept',
  ])
  assert.deepEqual(Object.values(chains).map(chain => chain.rules), [
    ['ip saddr 10.0.0.0/8 accept'], ['ip saddr 10.0.0.0/8 accept', 'ip saddr @members_web accept'], ['ip saddr @members_web accept'],
  ])
})

test('filter rules keep their order, and end in denial', () => {
  assert.deepEqual(filterRules([
    { ...tcp(22), cidr: '10.0.0.0/8', allow: false }, { protocol: 'all', ...ANY, allow: true }, { ...udp(53), ...ANY, allow: false },
  ], { side: 'daddr', family: 'ip' }), ['tcp dport 22 ip daddr 10.0.0.0/8 drop', 'return', 'udp dport 53 drop', 'drop'])
})

test('a rule meets packets of its own family alone, and one for a group both', () => {
  const rules = [
    { ...tcp(22), peer: { cidr: '::/0' } }, { ...tcp(22), peer: { cidr: '10.0.0.0/8' } },
    { protocol: 58, icmp: { type: 128 }, peer: { cidr: '3fff::/20' } },
    { ...tcp(80), peer: { group: 'web' } }, { ...tcp(25), peer: { cidr: '3fff:1::/32' } }, { ...tcp(25), peer: { cidr: '3fff::/20' } },
    { protocol: 1, peer: { group: 'web' } },
  ]
  const side = (family: 'ip' | 'ip6') => groupSide(rules, { side: 'saddr', family, name: 'x', members: id => `members_${id}` }).rules
  assert.deepEqual([side('ip'), side('ip6')], [
    ['tcp dport 22 ip saddr 10.0.0.0/8 accept', 'tcp dport 80 ip saddr @members_web accept', 'meta l4proto 1 ip saddr @members_web accept'],
    ['tcp dport 22 accept', 'icmpv6 type 128 ip6 saddr 3fff::/20 accept', 'tcp dport 80 ip6 saddr @members_web accept',
      'tcp dport 25 ip6 saddr 3fff::/20 accept'],
  ])
  const filter = [{ protocol: 'all' as const, ...ANY, allow: true }, { ...tcp(22), cidr: '::/0', allow: false }]
  assert.deepEqual(filterRules(filter, { side: 'daddr', family: 'ip6' }), ['tcp dport 22 drop', 'drop'])
})
