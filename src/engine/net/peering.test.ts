import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { check } from '#engine/net/check'
import { gatewayLines, gatewayRules } from '#engine/net/gateway'
import { changes } from '#engine/net/kernel'
import { network, port } from '#engine/net/networks.suite'
import { render } from '#engine/net/render'
import { routerItems } from '#engine/net/route'

const home = homeAt({ dir: '/nowhere', slot: 5 })
const peer = { id: 'peer-b', index: 2, cidrs: ['10.2.0.0/16', '10.3.0.0/16'] }
const translator = port(home, 9, [], { public: 19, translates: true })
const plain = network({ ports: [port(home, 1, [])] })
const lines = (isLinked: boolean, more: object) =>
  changes(routerItems(home, plain, { hostPid: 99, isLinked: () => isLinked }),
    routerItems(home, { ...plain, ...more }, { hostPid: 99, isLinked: () => isLinked }))

test('a linked peer is a link that is up, its address, and a way for the routes that name it, with nowhere as the way after it', () => {
  const routeTables = [
    { ...plain.routeTables[0]!, routes: [...plain.routeTables[0]!.routes, { cidr: '10.2.0.0/16', via: { peer: 'peer-b' } }] },
    plain.routeTables[1]!,
  ]
  const fallback = 'route replace blackhole 10.2.0.0/16 table 1001 metric 4294967295'
  assert.deepEqual(lines(true, { peers: [peer], routeTables }), {
    drops: [],
    puts: [
      'link set dev x2 up group 3 alias peer-b', 'address replace 169.254.3.1/32 dev x2',
      'route replace 10.2.0.0/16 via 169.254.3.2 dev x2 table 1001 onlink', fallback,
    ],
  })
  assert.deepEqual(lines(false, { peers: [peer], routeTables }), {
    drops: [], puts: ['route replace blackhole 10.2.0.0/16 table 1001', fallback],
  })
})

test('from a peer come only its own addresses, and only to this network\'s', () => {
  const [, table] = render(home, { ...plain, peers: [peer] })
  assert.deepEqual(table.chains.spoofing!.rules.filter(rule => rule.includes('x2')),
    ['iifname "x2" ip saddr { 10.2.0.0/16, 10.3.0.0/16 } ip daddr { 172.31.0.0/16 } accept'])
  const { filtering, leaving_by_link: byLink } = table.chains
  assert.deepEqual([filtering!.rules[0], byLink!.rules[0]], ['oifgroup < 100 jump leaving_by_link', 'iifgroup { 1, 3 } oifgroup { 1, 3 } drop'])
})

test('a translator\'s device is born in its own namespace, and no group judges it', () => {
  const spec = { ...plain, ports: [...plain.ports, translator] }
  assert.match(lines(false, { ports: spec.ports }).puts[0]!, / peer name en5p9 .* netns en5-g1-9$/)
  const [, { sets, chains }] = render(home, spec)
  assert.deepEqual([sets.unchecked!.elements, sets.port_in!.elements[1], chains.port_9_in],
    [['"e101-9"'], '"e101-9" : accept', undefined])
})

test('a translator has its port\'s addresses, one way out, and begins nothing for others than the network', () => {
  const spec = { ...plain, ports: [translator] }
  assert.deepEqual(gatewayLines(home, spec, translator), [
    'link set dev lo up', 'address replace 172.31.0.19/32 dev en5p9', 'link set dev en5p9 up',
    'neigh replace 172.31.0.1 lladdr 0a:00:00:00:00:01 dev en5p9 nud permanent', 'route replace default via 172.31.0.1 dev en5p9 onlink',
  ])
  const rules = gatewayRules(spec, translator)
  assert.match(rules, /saddr \{ 172\.31\.0\.0\/16 \} snat to 172\.31\.0\.19\n/)
  assert.equal(rules.match(/policy drop;/g)!.length, 2)
  const two = { ...translator, addresses: [...translator.addresses, { private: '172.31.0.30' }] }
  assert.match(gatewayRules(spec, two), /snat to jhash ip saddr \. ip daddr mod 2 map \{ 0 : 172\.31\.0\.19, 1 : 172\.31\.0\.30 \}\n/)
})

test('a peer that is the network itself, or is there twice, and a translator with groups are refused', () => {
  check({ ...plain, peers: [peer], ports: [translator] })
  const groups = [{ id: 'g', ingress: [], egress: [] }]
  for (const change of [
    { peers: [{ ...peer, index: 1 }] }, { peers: [peer, peer] }, { peers: [{ ...peer, cidrs: ['10.2.0.1/16'] }] },
    { groups, ports: [{ ...translator, groups: ['g'] }] },
  ]) assert.throws(() => check({ ...plain, ...change }), /^Error: network .*: not /, JSON.stringify(change))
})
