import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { API_PORT, hostAddress, METADATA_PORT, serviceAddress } from '#base/home'
import { openLab, until, type Guest, type Lab } from '#engine/net/lab.suite'
import { all, ANY, network, port, publicAddress, tcp, udp } from '#engine/net/networks.suite'
import { GATEWAY_MAC, hostTable, publicNamesDir, routerAddress, routerSpace } from '#engine/net/names'
import { attempt, inside, ipBatch, run } from '#engine/net/run'
import type { GroupRule, NetworkSpec, RouteSpec } from '#engine/port'

let lab: Lab
let a1: Guest, a2: Guest, a3: Guest, a4: Guest, b1: Guest, nat: Guest, world: Guest
let spec: NetworkSpec
const WORLD = '198.51.100.2'

const dial = (from: Guest, host: string, to: number, more: { from?: string; keep?: string } = {}) =>
  from.ask({ do: 'connect', host, port: to, ...more })
const pings = async (from: Guest, host: string) => (await attempt(inside(from.space, 'busybox', 'ping', '-c', '1', '-W', '1', host))).code === 0
const filter = ({ space }: Guest, hook: string, it: string) => run(inside(space, 'nft', '-f', '-'), `table ip t {\nchain c {\n${hook}\n${it}\n}\n}\n`)
/** Packets that the router has dropped since its ruleset was loaded because their source was not the sender's. */
const spoofed = async () => {
  const chain = await run(inside(routerSpace(lab.home, 1), 'nft', 'list', 'chain', 'inet', 'router', 'spoofing'))
  return Number([...chain.matchAll(/counter packets (\d+)/g)].at(-1)![1])
}
const open = (home: Lab['home'], n: number) => publicAddress(home, n)

before(async () => {
  lab = await openLab()
  const { home, networks } = lab
  await networks.up()
  const p = (...args: [number, string[], object?]) => port(home, ...args)
  spec = network({
    groups: [
      { id: 'web', ingress: [{ ...tcp(80, 81), peer: ANY }, { protocol: 1, icmp: { type: 8 }, peer: ANY }], egress: [all] },
      {
        id: 'app', egress: [all], ingress: [
          { ...tcp(8080), peer: { group: 'web' } }, { ...tcp(7000), peer: { group: 'app' } }, { ...tcp(22), peer: ANY },
          { ...udp(53), peer: { cidr: '172.31.0.11/32' } }, { ...tcp(9000), peer: { group: 'elsewhere' } },
        ],
      },
      { id: 'tight', ingress: [all], egress: [{ ...tcp(80), peer: ANY }] },
      { id: 'open', ingress: [all], egress: [all] },
    ],
    ports: [
      p(1, ['web'], { public: 11 }), p(2, ['app'], { public: 12 }),
      p(3, ['app'], { subnet: 'subnet-2', host: '172.31.16.13', metadataHopLimit: 2 }),
      p(4, ['tight'], { public: 14 }), p(5, ['open'], { public: 15, checked: false }),
    ],
    names: [{ name: 'public.example', address: '172.31.0.11' }],
  })
  await networks.apply(spec)
  const sameBlock = { network: 2, host: '172.31.0.11', public: 21 }
  await networks.apply(network({ id: 'network-b', index: 2, groups: spec.groups, ports: [p(21, ['web'], sameBlock)] }))
  const near = (index: number) => ({ index, address: `172.31.0.${10 + index}/20`, gateway: '172.31.0.1' })
  a1 = await lab.guest('a1', near(1))
  a2 = await lab.guest('a2', near(2))
  a3 = await lab.guest('a3', { index: 3, address: '172.31.16.13/20', gateway: '172.31.16.1' })
  a4 = await lab.guest('a4', near(4))
  nat = await lab.guest('nat', near(5))
  b1 = await lab.guest('b1', { index: 21, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  world = await lab.space('world', [
    `link add w type veth peer name ${home.prefix}w netns ${process.pid}`, `address add ${WORLD}/24 dev w`, 'link set dev w up',
    'route add default via 198.51.100.1',
  ])
  await ipBatch([`address add 198.51.100.1/24 dev ${home.prefix}w`, `link set dev ${home.prefix}w up`])
  const guests = [a1, a2, a3, a4, b1, nat, world]
  await Promise.all(guests.flatMap(guest => [22, 80, 7000, 8080, 9000].map(n => guest.ask({ do: 'listen', port: n }))))
  await a2.ask({ do: 'listenUdp', port: 53 })
})

after(async () => {
  const { home } = lab
  await lab.close()
  // What the host has left of it.
  const questions = [['ip', 'netns'], ['ip', '-o', 'link'], ['nft', 'list', 'tables'], ['ps', '-eo', 'args']]
  const left = await Promise.all(questions.map(it => run(it)))
  const mine = new RegExp(`\\b${home.prefix}(-|h|p\\d)|inet ${hostTable(home)}$|--conf-file=${home.run}/`)
  assert.deepEqual(left.flatMap(text => text.split('\n')).filter(line => mine.test(line)), [])
})

test('a rule for an address lets its ports through; other ports are silent, and nobody listening refuses', async () => {
  const target = open(lab.home, 11)
  const host = await Promise.all([80, 81, 8080, 22].map(n => dial(world, target, n)))
  assert.deepEqual(host, ['timeout', 'timeout', 'timeout', 'timeout'], 'the outside world cannot begin')
  assert.deepEqual(await Promise.all([80, 81, 8080].map(n => dial(a2, '172.31.0.11', n))), ['172.31.0.12', 'refused', 'timeout'])
})

test('the host reaches public addresses, as the internet does', async () => {
  const { connect } = await import('node:net')
  const seen = await new Promise<string>((resolve, reject) => {
    const socket = connect({ host: open(lab.home, 11), port: 80, timeout: 2000 }).on('error', reject)
      .on('timeout', () => reject(new Error('timeout'))).once('data', data => { resolve(String(data)); socket.destroy() })
  })
  assert.equal(seen, hostAddress(lab.home))
})

test('a group as peer is every address of its ports, in any subnet, and nobody else', async () => {
  assert.deepEqual(await Promise.all([
    dial(a1, '172.31.0.12', 8080), dial(a1, '172.31.16.13', 8080), dial(a2, '172.31.16.13', 8080), dial(a2, '172.31.16.13', 7000),
    dial(a1, '172.31.0.12', 7000), dial(a1, '172.31.0.12', 9000),
  ]), ['172.31.0.11', '172.31.0.11', 'timeout', '172.31.0.12', 'timeout', 'timeout'])
})

test('ICMP and UDP obey their rules', async () => {
  assert.deepEqual(await Promise.all([
    pings(a2, '172.31.0.11'), pings(a1, '172.31.0.12'),
    a1.ask({ do: 'askUdp', host: '172.31.0.12', port: 53 }), a3.ask({ do: 'askUdp', host: '172.31.0.12', port: 53 }),
  ]), [true, false, '172.31.0.11', 'timeout'])
})

test('egress rules restrict what a port begins', async () => {
  assert.deepEqual(await Promise.all([dial(a4, '172.31.0.11', 80), dial(a4, '172.31.0.12', 22), dial(a2, '172.31.0.14', 22)]),
    ['172.31.0.14', 'timeout', '172.31.0.12'])
})

test('nobody speaks for an address or a MAC that is not his', async () => {
  const device = lab.networks.portDevice(1)
  await ipBatch([`address add 172.31.0.12/32 dev ${device}`], a1.space)
  assert.deepEqual(await Promise.all([
    dial(a1, '172.31.0.14', 22, { from: '172.31.0.12' }), dial(a1, '169.254.169.254', 80, { from: '172.31.0.12' }),
    dial(a1, '172.31.0.14', 22),
  ]), ['timeout', 'timeout', '172.31.0.11'])
  const dropped = await spoofed()
  assert.ok(dropped >= 2)
  // It knows the way without asking, so that the packet itself is judged.
  await ipBatch([
    `address del 172.31.0.12/32 dev ${device}`, `link set dev ${device} address 02:50:00:00:01:02`,
    `neigh replace 172.31.0.14 lladdr ${GATEWAY_MAC} dev ${device} nud permanent`,
  ], a1.space)
  assert.equal(await dial(a1, '172.31.0.14', 22), 'timeout')
  assert.ok(await spoofed() > dropped)
  await ipBatch([`link set dev ${device} address 02:50:00:00:01:01`], a1.space)
  assert.equal(await dial(a1, '172.31.0.14', 22), '172.31.0.11')
})

test('a public address stands for its private one, outwards, inwards and by a turn through the core', async () => {
  const [one, two] = [open(lab.home, 11), open(lab.home, 12)]
  assert.deepEqual(await Promise.all([
    dial(a1, WORLD, 80), dial(a2, one, 80), dial(a1, two, 22), dial(a1, two, 8080), dial(b1, one, 80),
  ]), ['198.51.100.1', two, one, 'timeout', open(lab.home, 21)])
})

test('by its own public address a machine reaches itself through the core, as its groups say, and sees it as the sender', async () => {
  const [one, two, four] = [11, 12, 14].map(n => open(lab.home, n)) as [string, string, string]
  const tries = [dial(a1, one, 80), dial(a1, one, 81), dial(a1, one, 22), dial(a2, two, 22), dial(a4, four, 80), dial(a4, four, 22)]
  assert.deepEqual(await Promise.all([...tries, pings(a1, one), pings(a2, two)]), [one, 'refused', 'timeout', two, four, 'timeout', true, false])
})

test('without a public address, or without a route, nothing leaves', async () => {
  const saved = spec
  const bare = { ...spec, ports: spec.ports.map(p => (p.index === 2 ? { ...p, addresses: [{ private: '172.31.0.12' }] } : p)) }
  await lab.networks.apply(bare)
  const tries = [dial(a2, WORLD, 80), dial(a3, WORLD, 80), dial(a1, open(lab.home, 12), 22)]
  assert.deepEqual(await Promise.all(tries), ['timeout', 'timeout', 'timeout'])
  await lab.networks.apply(saved)
  assert.equal(await dial(a2, WORLD, 80), '198.51.100.1')
})

test('networks meet only by public addresses, and the host and the fabric are closed', async () => {
  const { home } = lab
  assert.deepEqual(await Promise.all([
    dial(b1, '172.31.16.13', 22), dial(b1, '172.31.0.12', 22), dial(b1, routerAddress(home, 1), 53), dial(b1, spec.ports[0]!.fabric, 80),
    ...[8775, 5300].map(n => dial(b1, serviceAddress(home), n)), ...[hostAddress(home), '172.31.0.1', '169.254.0.1'].map(to => dial(b1, to, 22)),
  ]), Array.from({ length: 9 }, () => 'timeout'))
})

test('a stateless filter denies in order, on the border of its subnet alone', async () => {
  const filter = (allow: boolean, ...rest: { cidr: string; allow: boolean }[]) =>
    [{ protocol: 'all' as const, cidr: '172.31.16.13/32', allow }, ...rest.map(r => ({ protocol: 'all' as const, ...r }))]
  const every = { cidr: '0.0.0.0/0', allow: true }
  const tries = () => Promise.all([dial(a3, '172.31.0.12', 22), dial(a1, '172.31.0.12', 22), dial(b1, open(lab.home, 12), 22)])
  const b = open(lab.home, 21)
  await lab.networks.apply({ ...spec, filters: [{ id: 'filter-1', ingress: filter(false, every), egress: filter(true, every) }] })
  assert.deepEqual(await tries(), ['timeout', '172.31.0.11', b], 'ingress')
  await lab.networks.apply({ ...spec, filters: [{ id: 'filter-1', ingress: filter(true, every), egress: filter(false, every) }] })
  assert.deepEqual(await tries(), ['timeout', '172.31.0.11', b], 'answers, too')
  await lab.networks.apply({ ...spec, filters: [{ id: 'filter-1', ingress: [], egress: [] }] })
  assert.deepEqual(await tries(), ['timeout', '172.31.0.11', 'timeout'], 'nothing allowed')
  await lab.networks.apply(spec)
  assert.deepEqual(await tries(), ['172.31.16.13', '172.31.0.11', b])
})

test('the resolver knows the ports, the names given to it, and asks the host for the rest', async () => {
  const asks = (name: string, more = {}) => a1.ask({ do: 'resolve', server: '172.31.0.2', name, ...more })
  const names = publicNamesDir(lab.home)
  await writeFile(join(lab.home.run, 'net', 'x'), '198.51.100.7 elsewhere.example\n')
  await rename(join(lab.home.run, 'net', 'x'), join(names, 'x'))
  await until(async () => String(await asks('elsewhere.example')) === '198.51.100.7', 'the host\'s resolver reads a new file')
  assert.deepEqual(await Promise.all([
    asks('ip-172-31-16-13.ec2.internal'), asks('172.31.16.13', { reverse: true }), asks('public.example'),
    asks('172.31.0.11', { reverse: true }),
    a3.ask({ do: 'resolve', server: '169.254.169.253', name: 'ip-172-31-0-11.ec2.internal' }), asks('172.31.0.99', { reverse: true }),
  ]), [['172.31.16.13'], ['ip-172-31-16-13.ec2.internal'], ['172.31.0.11'], ['ip-172-31-0-11.ec2.internal'], ['172.31.0.11'], 'ENOTFOUND'])
  await lab.networks.apply({ ...spec, resolves: false })
  assert.deepEqual(await asks('public.example'), 'ETIMEOUT')
  await lab.networks.apply(spec)
  assert.deepEqual(await asks('public.example'), ['172.31.0.11'])
})

test('the metadata service sees each port\'s fabric address, and its answers live for as many hops as the port says', async () => {
  const seen: string[] = []
  const server = createServer(socket => { seen.push(socket.remoteAddress!); socket.on('error', () => {}).end('metadata') })
  await new Promise<void>(resolve => server.listen(METADATA_PORT, serviceAddress(lab.home), resolve))
  try {
    for (const [guest, hops] of [[a1, 1], [a3, 2]] as const) {
      const answers = 'ip saddr 169.254.169.254 tcp flags & (syn|ack) == (syn|ack)'
      await filter(guest, 'type filter hook input priority 0', `${answers} ip ttl ${hops} counter`)
    }
    assert.deepEqual(await Promise.all([dial(a1, '169.254.169.254', 80), dial(a3, '169.254.169.254', 80), dial(a4, '169.254.169.254', 80)]),
      ['metadata', 'metadata', 'metadata'], 'whatever the groups say')
    assert.deepEqual(seen.sort(), [1, 3, 4].map(n => spec.ports[n - 1]!.fabric))
    for (const guest of [a1, a3]) assert.match(await run(inside(guest.space, 'nft', 'list', 'table', 'ip', 't')), /counter packets 1 /)
    assert.equal(await dial(a1, '169.254.169.254', 81), 'timeout')
  } finally {
    server.close()
  }
})

test('served domains mean the host, who answers there on port 443 to those who have a way to the internet', async () => {
  const seen: string[] = []
  const server = createServer(socket => { seen.push(socket.remoteAddress!); socket.on('error', () => {}).end('api') })
  await new Promise<void>(resolve => server.listen(API_PORT, serviceAddress(lab.home), resolve))
  try {
    await lab.networks.serve({ host: ['api.example', 'buckets.example'], store: [], addresses: [] })
    const answers: unknown[] = []
    for (const name of ['api.example', 'a.b.buckets.example']) {
      const resolved = await until(async () => Array.isArray(await a3.ask({ do: 'resolve', server: '172.31.0.2', name })), name)
        .then(() => a3.ask({ do: 'resolve', server: '172.31.0.2', name }))
      answers.push(resolved)
    }
    assert.deepEqual(answers, [[hostAddress(lab.home)], [hostAddress(lab.home)]])
    assert.deepEqual(await Promise.all([
      dial(a1, hostAddress(lab.home), 443), dial(a3, hostAddress(lab.home), 443), dial(a4, hostAddress(lab.home), 443),
      dial(a1, hostAddress(lab.home), API_PORT), dial(a1, serviceAddress(lab.home), API_PORT),
    ]), ['api', 'timeout', 'timeout', 'timeout', 'timeout'], 'a3 has no route there, and the group of a4 lets only HTTP out')
    assert.deepEqual(seen, [open(lab.home, 11)])
  } finally {
    server.close()
  }
})

test('a port without source check forwards for others, but cannot pretend to be the fabric or, to the world, a public address', async () => {
  await run(inside(nat.space, 'sysctl', '-qw', 'net.ipv4.ip_forward=1'))
  await filter(nat, 'type nat hook postrouting priority srcnat', 'masquerade')
  const throughNat = (...more: RouteSpec[]): NetworkSpec => ({
    ...spec,
    routeTables: [spec.routeTables[0]!, { id: 'table-2', index: 2, routes: [{ cidr: '0.0.0.0/0', via: { port: 'port-5' } }, ...more] }],
  })
  await lab.networks.apply(throughNat({ cidr: '198.51.100.0/24', via: { nowhere: true } }))
  assert.equal(await dial(a3, WORLD, 80), 'timeout', 'the longer prefix wins')
  await lab.networks.apply(throughNat())
  assert.equal(await dial(a3, WORLD, 80), '198.51.100.1')
  assert.match(await run(['conntrack', '-L', '--orig-dst', WORLD, '--orig-src', open(lab.home, 15)]), /dport=80/)
  assert.equal(await dial(a3, open(lab.home, 21), 80), open(lab.home, 15), 'to another network\'s public address, and back')
  const device = lab.networks.portDevice(5)
  await ipBatch([spec.ports[0]!.fabric, open(lab.home, 11), '172.31.0.2'].map(address => `address add ${address}/32 dev ${device}`), nat.space)
  await run(inside(nat.space, 'nft', 'flush', 'ruleset'))
  const dropped = await spoofed()
  assert.deepEqual(await Promise.all([
    dial(nat, '169.254.169.254', 80, { from: spec.ports[0]!.fabric }), dial(nat, WORLD, 80, { from: spec.ports[0]!.fabric }),
    dial(nat, WORLD, 80, { from: '172.31.0.2' }),
  ]), ['timeout', 'timeout', 'timeout'], 'nor the router')
  assert.ok(await spoofed() >= dropped + 3)
  assert.equal(await dial(nat, WORLD, 80, { from: open(lab.home, 11) }), 'timeout')
  await lab.networks.apply(spec)
  assert.equal(await dial(a3, WORLD, 80), 'timeout')
})

test('a rule that goes lets its connections live and begins no new ones, but an open rule takes its untracked ones along', async () => {
  const app = (ingress: GroupRule[]): NetworkSpec =>
    ({ ...spec, groups: spec.groups.map(g => (g.id === 'app' ? { ...g, ingress: [...g.ingress.slice(0, 2), ...ingress] } : g)) })
  const say = (keep: string) => a1.ask({ do: 'say', keep, text: keep })
  await lab.networks.apply(app([{ ...tcp(22), peer: { cidr: '172.31.0.11/32' } }]))
  assert.equal(await dial(a1, '172.31.0.12', 22, { keep: 'tracked' }), '172.31.0.11')
  await lab.networks.apply(app([]))
  assert.deepEqual(await Promise.all([say('tracked'), dial(a1, '172.31.0.12', 22)]), ['tracked', 'timeout'])

  await lab.networks.apply(app([{ ...tcp(22), peer: ANY }]))
  assert.equal(await dial(a1, '172.31.0.12', 22, { keep: 'kept' }), '172.31.0.11')
  await lab.networks.apply(app([{ ...tcp(22), peer: { cidr: '172.31.0.11/32' } }]))
  assert.equal(await say('kept'), 'kept', 'what is still allowed goes on')
  await lab.networks.apply(app([{ ...tcp(22), peer: ANY }]))
  await lab.networks.apply(app([]))
  assert.deepEqual(await say('kept'), 'timeout')
  await lab.networks.apply(spec)
})

test('a public address that moves takes no connection along', async () => {
  const moving = open(lab.home, 12)
  assert.equal(await dial(b1, moving, 22, { keep: 'old' }), open(lab.home, 21))
  const moved = spec.ports.map(p => (p.index === 2 ? { ...p, addresses: [{ private: '172.31.0.12' }] }
    : p.index === 4 ? { ...p, addresses: [{ private: '172.31.0.14', public: moving }] } : p))
  await lab.networks.apply({ ...spec, ports: moved })
  const tries = [b1.ask({ do: 'say', keep: 'old', text: 'x', waitMs: 5000 }), dial(b1, moving, 8080)]
  assert.deepEqual(await Promise.all(tries), ['ECONNRESET', open(lab.home, 21)])
  await lab.networks.apply(spec)
})
