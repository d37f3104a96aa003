import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { silent } from '#base/log'
import { removeLinks } from '#engine/net/kernel'
import { openLab, until, type Guest, type Lab } from '#engine/net/lab.suite'
import { gatewaySpace, portDevice, routerSpace } from '#engine/net/names'
import { openNetworks } from '#engine/net/networks'
import { all, network, port, publicAddress } from '#engine/net/networks.suite'
import { attempt, inside, ipBatch, run } from '#engine/net/run'
import { spaceExists, spaceNames } from '#engine/net/space'
import type { NetworkSpec, RouteSpec } from '#engine/port'

let lab: Lab
let a: NetworkSpec, b: NetworkSpec, c: NetworkSpec
let open: Guest, hidden: Guest, b1: Guest, c1: Guest, world: Guest
const WORLD = '198.51.100.2'
const NAT = '172.31.0.19'

const dial = (from: Guest, host: string, to = 80, more: { from?: string; keep?: string } = {}) =>
  from.ask({ do: 'connect', host, port: to, ...more })
const pings = async (from: Guest, host: string) =>
  (await attempt(inside(from.space, 'busybox', 'ping', '-c', '1', '-W', '1', host))).code === 0
const toWorld: RouteSpec = { cidr: '0.0.0.0/0', via: { internet: true } }
const toNat: RouteSpec = { cidr: '0.0.0.0/0', via: { port: 'port-9' } }
const table = (index: number, ...routes: RouteSpec[]) => ({ id: `table-${index}`, index, routes })
const over = (cidr: string, peer: string): RouteSpec => ({ cidr, via: { peer } })
const linked = (index: number, id: string) => ({ id, index, cidrs: [index === 1 ? '172.31.0.0/16' : `10.${index}.0.0/16`] })
/** Network 10.N.0.0/16 with one machine. */
const small = (n: number, peers: NetworkSpec['peers'], ...routes: RouteSpec[]): NetworkSpec => network({
  id: `network-${n}`, index: n, cidrs: [`10.${n}.0.0/16`], resolver: `10.${n}.0.2`, peers,
  subnets: [{ id: 'subnet-1', index: 101, cidr: `10.${n}.0.0/24`, routeTable: 'table-1' }], routeTables: [table(1, ...routes)], filters: [],
  groups: a.groups, ports: [port(lab.home, n * 10, ['open'], { network: n, host: `10.${n}.0.10`, public: n * 10 })],
})
const applyAll = async (...specs: NetworkSpec[]) => { for (const spec of specs) await lab.networks.apply(spec) }

before(async () => {
  lab = await openLab()
  const { home, networks } = lab
  await networks.up()
  const hiddenPort = port(home, 2, ['open'], { subnet: 'subnet-2', host: '172.31.16.12' })
  a = network({
    routeTables: [table(1, toWorld), table(2, toNat)], filters: [],
    subnets: network().subnets.map(({ id, index, cidr, routeTable }) => ({ id, index, cidr, routeTable })),
    groups: [{ id: 'open', ingress: [all], egress: [all] }],
    ports: [port(home, 1, ['open'], { public: 11 }), hiddenPort, port(home, 9, [], { public: 19, translates: true })],
  })
  b = small(2, [], toWorld)
  c = small(3, [], toWorld)
  await applyAll(a, b, c)
  open = await lab.guest('open', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  hidden = await lab.guest('hidden', { index: 2, address: '172.31.16.12/20', gateway: '172.31.16.1' })
  b1 = await lab.guest('b1', { index: 20, address: '10.2.0.10/24', gateway: '10.2.0.1' })
  c1 = await lab.guest('c1', { index: 30, address: '10.3.0.10/24', gateway: '10.3.0.1' })
  world = await lab.space('world', [
    `link add w type veth peer name ${home.prefix}w netns ${process.pid}`, `address add ${WORLD}/24 dev w`, 'link set dev w up',
    'route add default via 198.51.100.1',
  ])
  await ipBatch([`address add 198.51.100.1/24 dev ${home.prefix}w`, `link set dev ${home.prefix}w up`])
  for (const guest of [open, hidden, b1, c1, world]) {
    await guest.ask({ do: 'listen', port: 80 })
    await guest.ask({ do: 'listenUdp', port: 53 })
  }
})

after(async () => {
  const { prefix } = lab.home
  await lab.close()
  assert.deepEqual((await spaceNames()).filter(name => name.startsWith(`${prefix}-`)), [])
})

test('who has no public address begins connections through a translator, and is seen by the translator\'s', async () => {
  const seen = publicAddress(lab.home, 19)
  assert.deepEqual([
    await dial(hidden, publicAddress(lab.home, 20)), await hidden.ask({ do: 'askUdp', host: publicAddress(lab.home, 20), port: 53 }),
    await dial(hidden, WORLD), await pings(hidden, WORLD), await dial(hidden, '172.31.0.11'), await dial(open, '172.31.16.12'),
  ], [seen, seen, '198.51.100.1', true, '172.31.16.12', '172.31.0.11'])
})

test('nobody begins a connection to a translator, or through it', async () => {
  await ipBatch([`route replace 172.31.16.12 via ${publicAddress(lab.home, 19)} dev ${portDevice(lab.home, 20)} onlink`], b1.space)
  assert.deepEqual([
    await dial(b1, publicAddress(lab.home, 19)), await dial(b1, '172.31.16.12'), await dial(open, NAT), await pings(open, NAT),
    await pings(b1, publicAddress(lab.home, 19)),
  ], ['timeout', 'timeout', 'timeout', false, false])
})

test('a connection that its translator has forgotten is reset when it goes on', async () => {
  const gateway = gatewaySpace(lab.home, 1, 9)
  await dial(hidden, publicAddress(lab.home, 20), 80, { keep: 'long' })
  assert.equal(await hidden.ask({ do: 'say', keep: 'long', text: 'one' }), 'one')
  await run(inside(gateway, 'conntrack', '-F'))
  assert.equal(await hidden.ask({ do: 'say', keep: 'long', text: 'two' }), 'ECONNRESET')
  const idle = await run(inside(gateway, 'sysctl', '-n', 'net.netfilter.nf_conntrack_tcp_timeout_established'))
  assert.equal(idle.trim(), '350')
})

test('a translator outlives the process that made it with its connections, is made anew when it is lost, and goes with its port', async () => {
  const target = publicAddress(lab.home, 20)
  const gateway = gatewaySpace(lab.home, 1, 9)
  await dial(hidden, target, 80, { keep: 'kept' })
  const next = openNetworks(lab.home, silent)
  try {
    await next.apply(a)
    assert.equal(await hidden.ask({ do: 'say', keep: 'kept', text: 'still' }), 'still')
  } finally {
    await next.close()
  }
  await run(['ip', 'netns', 'del', gateway])
  await until(async () => {
    await lab.networks.apply(a).catch(() => {})
    return await dial(hidden, target) === publicAddress(lab.home, 19)
  }, 'the translator to be back')
  const second = { private: '172.31.0.29', public: publicAddress(lab.home, 29) }
  const twice = { ...a, ports: a.ports.map(p => (p.translates ? { ...p, addresses: [...p.addresses, second] } : p)) }
  await lab.networks.apply(twice)
  const seen = new Set(await Promise.all([20, 30, 11].map(n => dial(hidden, publicAddress(lab.home, n)))))
  assert.ok([...seen].every(address => [19, 29].some(n => address === publicAddress(lab.home, n))), `${[...seen]}`)
  await lab.networks.apply({ ...a, ports: a.ports.filter(p => !p.translates) })
  assert.deepEqual([spaceExists(gateway), await dial(hidden, target)], [false, 'timeout'])
  await lab.networks.apply(a)
  assert.equal(await dial(hidden, target), publicAddress(lab.home, 19))
})

/** The two networks as peers, with routes of both to each other. */
const asPeers = (): [NetworkSpec, NetworkSpec, NetworkSpec] => [
  { ...a, peers: [linked(2, 'ab')], routeTables: [table(1, toWorld, over('10.2.0.0/16', 'ab')), table(2, toNat)] },
  small(2, [linked(1, 'ab'), linked(3, 'bc')], toWorld, over('172.31.0.0/16', 'ab'), over('10.3.0.0/16', 'bc')),
  small(3, [linked(2, 'bc')], toWorld, over('10.2.0.0/16', 'bc')),
]

test('peers reach each other by private addresses, in whichever order they were made so, where both have a route', async () => {
  const [pa, pb, pc] = asPeers()
  await applyAll(pa, pb)
  assert.deepEqual([await dial(open, '10.2.0.10'), await dial(b1, '172.31.0.11'), await dial(hidden, '10.2.0.10')],
    ['172.31.0.11', '10.2.0.10', NAT], 'a translator goes by the routes of its own subnet')
  await applyAll(pc)
  assert.deepEqual([await dial(b1, '10.3.0.10'), await dial(c1, '10.2.0.10')], ['10.2.0.10', '10.3.0.10'])
  await applyAll({ ...pb, routeTables: [table(1, toWorld)] })
  assert.equal(await dial(open, '10.2.0.10'), 'timeout', 'without a way back there is no answer')
  await applyAll(pb)
})

test('no peer is a way to a third network, to the internet or to a translator, and none speaks for addresses not its own', async () => {
  const [pa] = asPeers()
  const routes = [over('10.2.0.0/16', 'ab'), over('10.3.0.0/16', 'ab'), over('198.51.100.0/24', 'ab'), over('198.18.0.0/15', 'ab')]
  const unchecked = pa.ports.map(p => ({ ...p, checked: p.index !== 1 }))
  await lab.networks.apply({ ...pa, ports: unchecked, routeTables: [table(1, toWorld, ...routes), table(2, toNat)] })
  await ipBatch([`address add 192.0.2.9/32 dev ${lab.networks.portDevice(1)}`], open.space)
  assert.deepEqual([
    await dial(open, '10.3.0.10'), await dial(open, WORLD), await dial(open, publicAddress(lab.home, 30)),
    await dial(open, '10.2.0.10', 80, { from: '192.0.2.9' }), await dial(open, '10.2.0.10'), await dial(open, '10.2.0.2', 53),
  ], ['timeout', 'timeout', 'timeout', 'timeout', '172.31.0.11', 'timeout'])
  // The way from a peer to one's own translator: B would send what is for the world to A.
  const [, pb] = asPeers()
  await lab.networks.apply({ ...pb, routeTables: [table(1, over('198.51.100.0/24', 'ab'), over('172.31.0.0/16', 'ab'))] })
  await lab.networks.apply({ ...pa, routeTables: [table(1, toNat, over('10.2.0.0/16', 'ab')), table(2, toNat)] })
  assert.deepEqual([await dial(b1, WORLD), await dial(b1, '172.31.0.11')], ['timeout', '10.2.0.10'])
})

test('peers find each other again when a router was lost, and after the process that linked them', async () => {
  const [pa, pb, pc] = asPeers()
  await applyAll(pa, pb, pc)
  await run(['ip', 'netns', 'del', routerSpace(lab.home, 2)])
  // Its machine's device goes with it, some time later.
  await until(async () => lab.networks.apply(pb).then(() => true, () => false), 'network 2 to be back')
  await removeLinks([lab.networks.portDevice(20)], b1.space)
  await ipBatch([`link set dev ${lab.networks.portDevice(20)} netns ${b1.space}`])
  await ipBatch([
    `link set dev ${lab.networks.portDevice(20)} up`, `address add 10.2.0.10/24 dev ${lab.networks.portDevice(20)}`,
    'route add default via 10.2.0.1',
  ], b1.space)
  await until(async () => await dial(open, '10.2.0.10') === '172.31.0.11', 'a packet to the router that is new')
  assert.equal(await dial(c1, '10.2.0.10'), '10.3.0.10')
  const next = openNetworks(lab.home, silent)
  try {
    await dial(open, '10.2.0.10', 80, { keep: 'peer' })
    for (const spec of [pb, pa, pc]) await next.apply(spec)
    assert.equal(await open.ask({ do: 'say', keep: 'peer', text: 'on' }), 'on')
  } finally {
    await next.close()
  }
})

test('a peering that ends ends on both sides, whoever hears of it first, and its packets take no other way', async () => {
  const [pa, pb] = asPeers()
  await applyAll(pa, pb)
  assert.equal(await dial(open, '10.2.0.10'), '172.31.0.11')
  await lab.networks.apply({ ...pb, peers: pb.peers.slice(1) })
  const counter = async () => run(inside(routerSpace(lab.home, 1), 'nft', 'list', 'chain', 'inet', 'router', 'leaving'))
  const leaked = await counter()
  assert.deepEqual([await dial(open, '10.2.0.10'), await dial(open, WORLD)], ['timeout', '198.51.100.1'])
  assert.equal(await counter(), leaked)
  await applyAll({ ...a }, pb, pa)
  assert.equal(await dial(open, '10.2.0.10'), '172.31.0.11')
  await lab.networks.delete('network-2')
  await applyAll(a)
  assert.equal(await dial(open, '10.2.0.10'), 'timeout')
})
