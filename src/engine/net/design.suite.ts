/**
 * Random designs of networks: several networks whose blocks may be the same, subnets, ports, and then, as often as wanted for the same
 * ports, groups that refer to each other, stateless filters, route tables of subnets and of gateways, public addresses, peers, a translator
 * and two machines that forward.
 *
 * Invariant: the same numbers give the same design.
 */
import type { Home } from '#base/home'
import { formatIp, parseCidr } from '#base/cidr'
import type { FilterRule, GroupRule, NetworkSpec, PortSpec, RouteSpec, Traffic } from '#engine/port'
import { port, publicAddress } from '#engine/net/networks.suite'

export type Random = { below(n: number): number; pick<T>(from: readonly T[]): T; chance(part: number): boolean }

/** A small generator, mulberry32: the same everywhere. */
export function openRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number) => Math.floor(next() * n)
  return { below, pick: from => from[below(from.length)]!, chance: part => next() < part }
}

const ANYWHERE = '0.0.0.0/0'
const EVERYTHING: GroupRule = { protocol: 'all', peer: { cidr: ANYWHERE } }
export const SERVED = { tcp: [22, 80], udp: [53] } as const
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i))

/** Where things are: what does not change between the rounds. */
export type Ground = { index: number; cidr: string; subnets: { id: string; index: number; cidr: string }[]; ports: PortSpec[] }

/** Three networks, the third with its own block or with that of the first. The first has a translator, the second a router, the third a box. */
export function ground(home: Home, random: Random): Ground[] {
  let number = 0
  return ['172.31.0.0/16', '10.2.0.0/16', random.pick(['172.31.0.0/16', '10.3.0.0/16'])].map((cidr, n) => {
    const { base } = parseCidr(cidr)!
    const subnets = times(2 + random.below(2), i => {
      const length = random.pick([20, 24])
      return { id: `subnet-${i}`, index: 100 + 10 * i + random.below(10), cidr: `${formatIp(base + i * 4096)}/${length}` }
    })
    const place = (more: Partial<PortSpec>) => {
      number++
      const subnet = random.pick(subnets)
      const host = formatIp(parseCidr(subnet.cidr)!.base + 10 + number)
      return port(home, number, [], { network: n + 1, host, subnet: subnet.id, ...more })
    }
    return {
      index: n + 1, cidr, subnets,
      ports: [...times(3, () => place({})), ...(n === 0 ? [place({ translates: true })] : []), ...(n > 0 ? [place({ checked: false })] : [])],
    }
  })
}

/** The second network's last machine forwards, with its own address as source. */
export const routerOf = (grounds: Ground[]): PortSpec => grounds[1]!.ports.at(-1)!

/** The third network's last machine forwards what comes as it is. */
export const boxOf = (grounds: Ground[]): PortSpec => grounds[2]!.ports.at(-1)!

export function design(home: Home, grounds: Ground[], random: Random, world: string): NetworkSpec[] {
  const links = [[1, 2], [2, 3], [1, 3]].filter(([a, b]) => random.chance(0.6) && grounds[a! - 1]!.cidr !== grounds[b! - 1]!.cidr)
  const publics = new Map(grounds.flatMap(ground => ground.ports)
    .map(p => [p.id, p.translates || random.chance(0.6) ? publicAddress(home, 10 + p.index) : undefined]))
  const [router, box] = [routerOf(grounds), boxOf(grounds)]
  const places = grounds.flatMap(ground => [
    ground.cidr, ...ground.subnets.map(subnet => subnet.cidr), ...ground.ports.map(p => `${p.addresses[0]!.private}/32`),
    ...ground.ports.flatMap(p => (publics.get(p.id) ? [`${publics.get(p.id)}/32`] : [])),
  ])
  return grounds.map(ground => {
    const groups = times(3, i => `group-${i}`)
    // One side may have forgotten the other.
    const peers = links.filter(link => link!.includes(ground.index) && random.chance(0.9)).map(link => {
      const other = link!.find(index => index !== ground.index)!
      return { id: `peer-${link!.join('-')}`, index: other, cidrs: [grounds[other - 1]!.cidr] }
    })
    const routing = { random, grounds, world, peers: peers.map(p => p.id) }
    const tables = times(2, i => ({ id: `table-${i}`, index: 1 + i, routes: [...routes(ground, routing), ...inner(ground, routing)] }))
    // Mostly who forwards has a table without ways over itself, and groups that let more through than chance would.
    const boxes = ground.ports.filter(p => forwards(p, grounds))
    const apart = boxes.length > 0 && random.chance(0.75)
      ? [{ id: 'table-apart', index: 4, routes: routes(ground, { ...routing, through: [] }) }] : []
    const isLenient = boxes.length > 0 && random.chance(0.6)
    const edge = random.chance(0.5) ? [{ id: 'table-edge', index: 3, routes: inner(ground, routing) }] : []
    return {
      id: `network-${ground.index}`, index: ground.index, cidrs: [ground.cidr], resolver: formatIp(parseCidr(ground.cidr)!.base + 2), resolves: true,
      subnets: ground.subnets.map(subnet => ({
        ...subnet, routeTable: boxes.some(p => p.subnet === subnet.id) && apart[0] ? apart[0].id : random.pick(tables).id,
        ...(random.chance(0.5) && { filter: random.pick(['filter-0', 'filter-1']) }),
      })),
      routeTables: [...tables, ...apart, ...edge],
      ...(edge.length > 0 && { edge: 'table-edge' }),
      filters: times(2, i => ({ id: `filter-${i}`, ingress: filterRules(random, places), egress: filterRules(random, places) })),
      groups: groups.map((id, n) => (n === 0 && isLenient ? { id, ingress: [EVERYTHING], egress: [EVERYTHING] }
        : { id, ingress: groupRules(random, places, groups), egress: groupRules(random, places, groups) })),
      ports: ground.ports.map(p => ({
        // Where a box stands nobody else forwards: between two machines that do, less is promised.
        ...p, checked: p.translates || p.id === router.id ? p.checked
          : p.id === box.id ? random.chance(0.15) : ground.index === 3 || random.chance(0.8),
        addresses: p.addresses.map(a => ({ private: a.private, ...(publics.get(p.id) && { public: publics.get(p.id)! }) })),
        groups: p.translates ? [] : [...new Set([
          ...(isLenient && forwards(p, grounds) ? ['group-0'] : []), ...times(1 + random.below(2), () => random.pick(groups)),
        ])],
      })),
      dhcp: { domainNameServers: [], ntpServers: [], leaseSeconds: 3600 }, names: [], peers,
    }
  })
}

type Routing = { random: Random; grounds: Ground[]; world: string; peers: string[]; through?: PortSpec[] }
function routes(ground: Ground, o: Routing): RouteSpec[] {
  const { random } = o
  const through = o.through ?? ground.ports.filter(p => p.translates || forwards(p, o.grounds))
  const anyWay = (): RouteSpec['via'] => random.pick([
    { internet: true as const }, { internet: true as const }, { nowhere: true as const }, ...through.map(p => ({ port: p.id })),
    ...o.peers.map(peer => ({ peer })),
  ])
  const found: RouteSpec[] = random.chance(0.85) ? [{ cidr: ANYWHERE, via: random.chance(0.6) ? { internet: true } : anyWay() }] : []
  for (const peer of o.peers) {
    const other = o.grounds.find(g => g.index !== ground.index && peer.includes(String(g.index)))!
    if (random.chance(0.8)) found.push({ cidr: other.cidr, via: random.chance(0.9) ? { peer } : anyWay() })
    if (random.chance(0.2)) found.push({ cidr: random.pick(other.subnets).cidr, via: anyWay() })
  }
  if (random.chance(0.3)) found.push({ cidr: `${o.world}/32`, via: anyWay() })
  // One way for each block.
  return [...new Map(found.map(route => [route.cidr, route])).values()]
}

const forwards = (p: PortSpec, grounds: Ground[]) => p.id === routerOf(grounds).id || p.id === boxOf(grounds).id

/** Routes for the network's own block and for subnets, over the machine that forwards. */
function inner(ground: Ground, { random, grounds }: { random: Random; grounds: Ground[] }): RouteSpec[] {
  return ground.ports.filter(p => forwards(p, grounds)).flatMap(p => [
    ...(random.chance(0.15) ? [ground.cidr] : []), ...ground.subnets.filter(() => random.chance(0.4)).map(subnet => subnet.cidr),
  ].map((cidr): RouteSpec => ({ cidr, via: random.chance(0.9) ? { port: p.id } : { nowhere: true } })))
}

function traffic(random: Random, isFilter: boolean): Traffic {
  const range = (from: number, to = from) => ({ from, to })
  return random.pick<Traffic>([
    { protocol: 'all' }, { protocol: 6 }, { protocol: 6, ports: range(random.pick(SERVED.tcp)) }, { protocol: 6, ports: range(20, 79) },
    { protocol: 17 }, { protocol: 17, ports: range(53) }, { protocol: 1 }, { protocol: 1, icmp: { type: random.pick([0, 8]) } },
    ...(isFilter ? [{ protocol: 6, ports: range(1024, 65535) }, { protocol: 17, ports: range(1024, 65535) }] : [{ protocol: 'all' as const }]),
  ])
}

/** A few; or so many, over each other, that they are looked up in another way. */
const groupRules = (random: Random, places: string[], groups: string[]): GroupRule[] =>
  times(random.chance(0.7) ? 1 + random.below(4) : 40, i => (
    { ...(i < 4 ? traffic(random, false) : somePorts(random)), peer: peer(random, places, groups) }))

function somePorts(random: Random): Traffic {
  const from = random.below(100)
  return { protocol: random.pick([6, 17]), ports: { from, to: from + random.pick([0, 0, random.below(60)]) } }
}

const peer = (random: Random, places: string[], groups: string[]): GroupRule['peer'] =>
  (random.chance(0.4) ? { cidr: ANYWHERE } : random.chance(0.4) ? { group: random.pick(groups) } : { cidr: random.pick(places) })

const filterRules = (random: Random, places: string[]): FilterRule[] => [
  ...times(random.below(4), () => ({
    ...traffic(random, true), cidr: random.chance(0.5) ? ANYWHERE : random.pick(places), allow: random.chance(0.6),
  })),
  ...(random.chance(0.7) ? [{ protocol: 'all' as const, cidr: ANYWHERE, allow: true }] : []),
]
