/** IPv6 through real routers: routed as it is, and only where tables, filters and groups let it. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { hostAddress6, ipv6Block } from '#base/home'
import { silent } from '#base/log'
import { openLab, until, type Guest, type Lab } from '#engine/net/lab.suite'
import { changes, readSpace } from '#engine/net/kernel'
import { GATEWAY_ADDRESS6, routerSpace } from '#engine/net/names'
import { openNetworks } from '#engine/net/networks'
import { all, ANY, network, port, tcp } from '#engine/net/networks.suite'
import { routerItems } from '#engine/net/route'
import { attempt, inside, ipBatch, run } from '#engine/net/run'
import type { FilterRule, GroupRule, NetworkSpec } from '#engine/port'

const ANY6 = { cidr: '::/0' }
const ALL6: GroupRule = { protocol: 'all', peer: ANY6 }
let lab: Lab
let a1: Guest, a2: Guest, a3: Guest, a4: Guest, b1: Guest, c1: Guest
let a: NetworkSpec, b: NetworkSpec
/** An address in the home's block number n: of its subnet s, host h. */
const at = (n: number, s: number, h: number) => ipv6Block(lab.home, n).replace('00::/56', `0${s}::${h.toString(16)}`)
const subnet6 = (n: number, s: number) => ipv6Block(lab.home, n).replace('00::/56', `0${s}::/64`)

const dial = (from: Guest, host: string, to: number, more: { from?: string; keep?: string } = {}) =>
  from.ask({ do: 'connect', host, port: to, ...more })
const fromHost = (host: string, to: number) => new Promise<string>(resolve => {
  const socket = connect({ host, port: to, timeout: 400 })
  const end = (text: string) => { socket.destroy(); resolve(text) }
  socket.on('data', data => end(String(data))).on('timeout', () => end('timeout')).on('error', error => end(error.message))
})
const pings = async (from: Guest, host: string) =>
  (await attempt(inside(from.space, 'busybox', 'ping', '-c', '1', '-W', '1', host))).code === 0
const dropped = async (chain: string) => {
  const text = await run(inside(routerSpace(lab.home, 1), 'nft', 'list', 'chain', 'inet', 'router', chain))
  return [...text.matchAll(/counter packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)
}

/** A machine with an IPv6 address, whose way leads over its router's address as announcements would say. */
async function guest(name: string, index: number, address: { four: string; gateway: string; six: string }): Promise<Guest> {
  const made = await lab.guest(name, { index, address: address.four, gateway: address.gateway })
  const device = lab.networks.portDevice(index)
  // An announcement may have come first.
  await ipBatch([`address add ${address.six}/128 dev ${device} nodad`, `-6 route replace default via ${GATEWAY_ADDRESS6} dev ${device}`], made.space)
  await Promise.all([22, 80].map(n => made.ask({ do: 'listen', port: n, six: true })))
  return made
}

before(async () => {
  lab = await openLab()
  const { home, networks } = lab
  await networks.up()
  const six = (n: number, more: Partial<NetworkSpec>): NetworkSpec => {
    const base = network(more)
    return {
      ...base, cidrs6: [ipv6Block(home, n)], subnets: base.subnets.map((s, i) => ({ ...s, cidr6: subnet6(n, i + 1) })),
      routeTables: [
        { id: 'table-1', index: 1, routes: [...base.routeTables[0]!.routes, { ...ANY6, via: { internet: true } }] },
        { id: 'table-2', index: 2, routes: [{ ...ANY6, via: { egress: true } }] },
      ],
      filters: [{ id: 'filter-1', ...open() }],
    }
  }
  const groups = [
    { id: 'web', ingress: [{ ...tcp(22), peer: ANY6 }, { protocol: 58, icmp: { type: 128 }, peer: ANY6 }], egress: [all, ALL6] },
    { id: 'app', ingress: [{ ...tcp(22), peer: { group: 'web' } }, { ...tcp(80), peer: ANY }], egress: [ALL6] },
    { id: 'open', ingress: [all, ALL6], egress: [all, ALL6] },
  ]
  a = six(1, {
    groups,
    ports: [
      port(home, 1, ['web'], { addresses6: [at(1, 1, 11)] }), port(home, 2, ['app'], { addresses6: [at(1, 1, 12)] }),
      port(home, 3, ['open'], { subnet: 'subnet-2', host: '172.31.16.13', addresses6: [at(1, 2, 13)] }),
      port(home, 4, ['open'], { addresses6: [at(1, 1, 14)], checked: false }),
    ],
  })
  b = six(2, { id: 'network-b', index: 2, groups, ports: [port(home, 21, ['open'], { network: 2, addresses6: [at(2, 1, 21)] })] })
  await networks.apply(a)
  await networks.apply(b)
  await networks.apply(network({ id: 'network-c', index: 3, groups, ports: [port(home, 31, ['open'], { network: 3 })] }))
  const near = (n: number, h: number, net = 1) => ({ four: `172.31.0.${n}/20`, gateway: '172.31.0.1', six: at(net, 1, h) })
  a1 = await guest('a1', 1, near(11, 11))
  a2 = await guest('a2', 2, near(12, 12))
  a3 = await guest('a3', 3, { four: '172.31.16.13/20', gateway: '172.31.16.1', six: at(1, 2, 13) })
  a4 = await guest('a4', 4, near(14, 14))
  b1 = await guest('b1', 21, near(31, 21, 2))
  c1 = await guest('c1', 31, { four: '172.31.0.41/20', gateway: '172.31.0.1', six: at(3, 1, 31) })
})

const open = (): { ingress: FilterRule[]; egress: FilterRule[] } => {
  const both: FilterRule[] = [{ protocol: 'all', allow: true, ...ANY }, { protocol: 'all', allow: true, ...ANY6 }]
  return { ingress: both, egress: both }
}

after(() => lab.close())

test('a rule for everybody lets the host in by the machine\'s own address, and nothing else', async () => {
  const one = at(1, 1, 11)
  assert.deepEqual(await Promise.all([fromHost(one, 22), fromHost(one, 80), fromHost(at(1, 1, 12), 22), fromHost(at(1, 1, 12), 80)]),
    [hostAddress6(lab.home), 'timeout', 'timeout', 'timeout'], 'a rule for all of IPv4 is none for IPv6')
  assert.equal((await attempt(['busybox', 'ping', '-c', '1', '-W', '1', one])).code, 0)
  assert.deepEqual([await pings(a3, one), await pings(a1, at(1, 1, 12))], [true, false])
})

test('machines speak within and between networks by their own addresses, as their groups say', async () => {
  assert.deepEqual(await Promise.all([
    dial(a1, at(1, 1, 12), 22), dial(a3, at(1, 1, 12), 22), dial(b1, at(1, 1, 12), 22), dial(b1, at(1, 1, 11), 22), dial(a1, at(2, 1, 21), 80),
    dial(a1, at(1, 2, 13), 80),
  ]), [at(1, 1, 11), 'timeout', 'timeout', at(2, 1, 21), at(1, 1, 11), at(1, 1, 11)])
})

test('the way out for egress lets connections begin inside and not outside', async () => {
  await run(inside(a3.space, 'nft', '-f', '-'), 'table ip6 t {\nchain c {\ntype filter hook input priority 0\ntcp dport 22 counter\n}\n}\n')
  assert.deepEqual(await Promise.all([dial(a3, at(2, 1, 21), 22), dial(b1, at(1, 2, 13), 22), fromHost(at(1, 2, 13), 22)]),
    [at(1, 2, 13), 'timeout', 'timeout'])
  assert.match(await run(inside(a3.space, 'nft', 'list', 'table', 'ip6', 't')), /counter packets 0 /)
  const both = a.routeTables.map(table => (table.id === 'table-2'
    ? { ...table, routes: [...table.routes, { cidr: `${hostAddress6(lab.home)}/128`, via: { internet: true as const } }] } : table))
  await lab.networks.apply({ ...a, routeTables: both })
  assert.deepEqual(await Promise.all([dial(b1, at(1, 2, 13), 22), fromHost(at(1, 2, 13), 22)]), ['timeout', hostAddress6(lab.home)],
    'the longer prefix decides for each who may begin')
  await lab.networks.apply(a)
})

test('another\'s address dies at the port, and nobody carries a strange one out', async () => {
  const device = (n: number) => lab.networks.portDevice(n)
  await ipBatch([`address add ${at(1, 1, 12)}/128 dev ${device(1)} nodad`], a1.space)
  const before = await dropped('spoofing')
  const tries = [at(1, 1, 12), at(1, 1, 11)].map(from => dial(a1, at(1, 1, 14), 22, { from }))
  assert.deepEqual(await Promise.all(tries), ['timeout', at(1, 1, 11)])
  assert.ok(await dropped('spoofing') > before)
  await ipBatch([`address del ${at(1, 1, 12)}/128 dev ${device(1)}`], a1.space)
  const left = await dropped('leaving')
  await ipBatch([`address add 3fff:1::7/128 dev ${device(4)} nodad`], a4.space)
  assert.equal(await dial(a4, at(2, 1, 21), 22, { from: '3fff:1::7' }), 'timeout')
  assert.ok(await dropped('leaving') > left)
})

test('a stateless filter obeys its IPv6 entries, in order, on the border of its subnet', async () => {
  const rule = (allow: boolean, cidr: string): FilterRule => ({ protocol: 'all', allow, cidr })
  const tries = () => Promise.all([dial(a3, at(1, 1, 11), 22), dial(a4, at(1, 1, 11), 22), dial(a3, '172.31.0.14', 22)])
  const withFilter = (ingress: FilterRule[], egress = open().egress) => lab.networks.apply({ ...a, filters: [{ id: 'filter-1', ingress, egress }] })
  await withFilter([rule(false, `${at(1, 2, 13)}/128`), ...open().ingress])
  assert.deepEqual(await tries(), ['timeout', at(1, 1, 14), '172.31.16.13'], 'ingress')
  await withFilter(open().ingress, [rule(true, ANY.cidr)])
  assert.deepEqual(await tries(), ['timeout', at(1, 1, 14), '172.31.16.13'], 'answers, too')
  await withFilter([rule(true, ANY6.cidr)])
  assert.deepEqual(await tries(), [at(1, 2, 13), at(1, 1, 14), 'timeout'], 'IPv4 without an entry')
  await lab.networks.apply(a)
  assert.deepEqual(await tries(), [at(1, 2, 13), at(1, 1, 14), '172.31.16.13'])
})

test('a connection outlives a mere re-apply by another process, and its rule when it was tracked, but not its untracked one', async () => {
  const say = (keep: string) => b1.ask({ do: 'say', keep, text: keep })
  const withWeb = (ingress: GroupRule[]) => ({ ...a, groups: a.groups.map(g => (g.id === 'web' ? { ...g, ingress } : g)) })
  await lab.networks.apply(withWeb([{ ...tcp(22), peer: { cidr: subnet6(2, 1) } }]))
  assert.equal(await dial(b1, at(1, 1, 11), 22, { keep: 'tracked' }), at(2, 1, 21))
  const other = openNetworks(lab.home, silent)
  await other.apply(withWeb([]))
  await other.close()
  await lab.networks.apply(withWeb([]))
  assert.deepEqual(await Promise.all([say('tracked'), dial(b1, at(1, 1, 11), 22)]), ['tracked', 'timeout'])
  await lab.networks.apply(a)
  assert.equal(await dial(b1, at(1, 1, 11), 22, { keep: 'untracked' }), at(2, 1, 21))
  await lab.networks.apply(withWeb([]))
  assert.equal(await say('untracked'), 'timeout')
  await lab.networks.apply(a)
})

test('a network without a block lets nothing pass, and one that loses its block neither', async () => {
  assert.deepEqual(await Promise.all([dial(c1, at(1, 1, 11), 22), dial(c1, '172.31.0.1', 53), fromHost(at(3, 1, 31), 22)]).then(([out, , in_]) =>
    [out, in_ === hostAddress6(lab.home)]), ['timeout', false])
  const { cidrs6: _, ...rest } = a
  await lab.networks.apply({
    ...rest, subnets: a.subnets.map(({ cidr6: __, ...s }) => s), ports: a.ports.map(({ addresses6: __, ...p }) => p),
  })
  assert.notEqual(await fromHost(at(1, 1, 11), 22), hostAddress6(lab.home))
  assert.deepEqual(await Promise.all([dial(a3, '172.31.0.14', 22), dial(a1, at(1, 1, 14), 22)]), ['172.31.16.13', 'timeout'])
  await lab.networks.apply(a)
  assert.deepEqual(await Promise.all([fromHost(at(1, 1, 11), 22), dial(a1, at(1, 1, 14), 22)]), [hostAddress6(lab.home), at(1, 1, 11)])
})

test('peers reach each other over their link, where their tables lead there', async () => {
  const peered = (own: NetworkSpec, other: NetworkSpec): NetworkSpec => ({
    ...own, peers: [{ id: 'link', index: other.index, cidrs: ['10.9.0.0/16'], cidrs6: other.cidrs6! }],
    routeTables: own.routeTables.map(table => ({ ...table, routes: [{ cidr: other.cidrs6![0]!, via: { peer: 'link' } }] })),
  })
  await lab.networks.apply(peered(a, b))
  await lab.networks.apply(peered(b, a))
  await lab.networks.apply(peered(a, b))
  assert.deepEqual(await Promise.all([dial(a3, at(2, 1, 21), 22), dial(b1, at(1, 2, 13), 22), dial(a3, hostAddress6(lab.home), 22)]),
    [at(1, 2, 13), at(2, 1, 21), 'timeout'])
  await lab.networks.apply(a)
  await lab.networks.apply(b)
})

test('what the kernel has reads back as what was asked for', async () => {
  const items = routerItems(lab.home, a, { hostPid: process.pid, isLinked: () => false })
  assert.deepEqual(changes(await readSpace(routerSpace(lab.home, 1)), items), { drops: [], puts: [] })
})

test('who calls beyond this machine hears that nothing is there, and the host itself is silent', async () => {
  // An error that comes while the caller still sends is lost on it: the next one, after a second, is not.
  const beyond = await a1.ask({ do: 'connect', host: '2001:db8::1', port: 80, waitMs: 4000 })
  assert.ok(['ENETUNREACH', 'EHOSTUNREACH'].includes(String(beyond)), String(beyond))
  assert.equal(await dial(a1, hostAddress6(lab.home), 22), 'timeout')
})

test('the router announces itself to machines of subnets with a block, and to no others', async () => {
  const routes = (of: Guest) => run(['ip', '-n', of.space, '-6', 'route', 'show', 'default'])
  for (const [machine, index] of [[a2, 2], [c1, 31]] as const) {
    const device = lab.networks.portDevice(index)
    await ipBatch([`link set dev ${device} down`, `link set dev ${device} up`], machine.space)
  }
  await until(async () => (await routes(a2)).includes(`via ${GATEWAY_ADDRESS6} dev ${lab.networks.portDevice(2)} proto ra`), 'an announcement', 8000)
  assert.equal(await routes(c1), '')
})
