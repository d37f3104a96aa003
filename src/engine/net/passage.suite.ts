/**
 * May this packet pass? The one answer to which what the kernel did is compared: pure, written from what EC2 promises and from the port's
 * contract alone, sharing nothing with the code that renders packet filters and routes.
 *
 * Invariant: a packet is followed hop by hop, like a person with a finger on a map. Each router remembers the connections that passed it,
 * with the addresses before and after translation; an answer is followed back in the same way, and arrives only if each hop of its own
 * way lets it.
 */
import { contains, parseCidr, parseIp } from '#base/cidr'
import type { FilterRule, GroupRule, NetworkSpec, PortSpec, RouteSpec, Traffic } from '#engine/port'

/**
 * `routers` are machines that forward with their own address as source, `boxes` those that forward what comes as it is. `world` is the
 * internet, where everybody is seen as `seenAs`.
 */
export type Atlas = { networks: NetworkSpec[]; routers: Set<string>; boxes: Set<string>; world: { address: string; seenAs: string } }
type Via = RouteSpec['via']
export type Packet = { protocol: 'tcp' | 'udp' | 'icmp'; source: string; target: string; port: number }
/** `toItself`: an answer of a machine that asked itself by its public address, over a machine between. */
type Carried = Packet & { answer: boolean; toItself?: boolean }
/** Where a packet came out: at a port's machine or in the world, from whom it seems to come, and whether a machine between forwarded it. */
export type Arrival = { at: string; source: string; target: string; over?: true }

const NUMBER = { tcp: 6, udp: 17, icmp: 1 }
/** Any port of a client: above all that servers use. */
const CLIENT = 40_000
const MOST_HOPS = 8
const isIn = (cidr: string, ip: string) => contains(parseCidr(cidr)!, parseIp(ip)!)

type Sides = { source: string; target: string }
/** `leg`: over which machine between, and to whom of the two; '' for one without. */
type Flow = { where: string; leg: string; before: Sides; after: Sides }

/** Whether it arrives, and whether its answer does. `from` is the id of the sending port. */
export function passage(atlas: Atlas, from: string, packet: Packet): { arrival?: Arrival; answered: boolean } {
  const flows: Flow[] = []
  const network = atlas.networks.find(n => n.ports.some(port => port.id === from))!
  const arrival = walk(atlas, flows).fromPort(network, portOf(network, from), { ...packet, answer: false }, 0)
  if (!arrival) return { answered: false }
  const back: Carried = {
    protocol: packet.protocol, source: arrival.target, target: arrival.source, port: CLIENT, answer: true,
    toItself: arrival.over === true && arrival.at === from,
  }
  const home = atlas.networks.find(n => n.ports.some(port => port.id === arrival.at))
  const returned = home
    ? walk(atlas, flows).fromPort(home, portOf(home, arrival.at), back, 0)
    : walk(atlas, flows).fromWorld(back, 0)
  const answered = returned?.at === from && returned.source === packet.target && returned.target === packet.source
  return { arrival, answered }
}

const portOf = (network: NetworkSpec, id: string) => network.ports.find(port => port.id === id)!
const subnetOf = (network: NetworkSpec, port: PortSpec) => network.subnets.find(subnet => subnet.id === port.subnet)!
const owner = (network: NetworkSpec, ip: string) => network.ports.find(port => port.addresses.some(a => a.private === ip))
const publicOf = (network: NetworkSpec, ip: string) => network.ports.flatMap(port => port.addresses).find(a => a.private === ip)?.public
const privateOf = (network: NetworkSpec, ip: string) => network.ports.flatMap(port => port.addresses).find(a => a.public === ip)?.private
const isWithin = (network: NetworkSpec, ip: string) => network.cidrs.some(cidr => isIn(cidr, ip))

// Rules.

function speaksOf(rule: Traffic, packet: Carried): boolean {
  if (rule.protocol === 'all') return true
  if (rule.protocol !== NUMBER[packet.protocol]) return false
  if (packet.protocol === 'icmp') return rule.icmp?.type === undefined || rule.icmp.type === (packet.answer ? 0 : 8)
  return !rule.ports || (rule.ports.from <= packet.port && packet.port <= rule.ports.to)
}

/** The first rule in order decides; none denies. */
const filterLets = (rules: FilterRule[], packet: Carried, other: string): boolean =>
  rules.find(rule => speaksOf(rule, packet) && isIn(rule.cidr, other))?.allow ?? false

function groupsLet(network: NetworkSpec, { groups }: PortSpec, o: { way: 'ingress' | 'egress'; packet: Carried; other: string }): boolean {
  const isPeer = (peer: GroupRule['peer']) => ('cidr' in peer ? isIn(peer.cidr, o.other)
    : network.ports.some(port => port.groups.includes(peer.group) && port.addresses.some(a => a.private === o.other)))
  return network.groups.filter(group => groups.includes(group.id)).some(group =>
    group[o.way].some(rule => speaksOf(rule, o.packet) && isPeer(rule.peer)))
}

const leavesSubnet = (network: NetworkSpec, port: PortSpec, packet: Carried, target: string): boolean => {
  const filter = network.filters.find(f => f.id === subnetOf(network, port).filter)
  return !filter || filterLets(filter.egress, packet, target)
}
const entersSubnet = (network: NetworkSpec, port: PortSpec, packet: Carried, source: string): boolean => {
  const filter = network.filters.find(f => f.id === subnetOf(network, port).filter)
  return !filter || filterLets(filter.ingress, packet, source)
}

/** What a table says of a target; 'local' where it leaves one of the network's own to itself. */
function routeOf(network: NetworkSpec, table: string | undefined, target: string): Via | 'local' | undefined {
  const length = (cidr: string) => parseCidr(cidr)!.length
  const own = network.cidrs.filter(cidr => isIn(cidr, target)).map(length)[0]
  const routes = (network.routeTables.find(t => t.id === table)?.routes ?? []).filter(route => isIn(route.cidr, target))
  const [best] = routes.sort((a, b) => length(b.cidr) - length(a.cidr))
  return own !== undefined && (!best || length(best.cidr) < own) ? 'local' : best?.via
}

/** Where a packet goes next: to a port, or out by a link. */
type Next = { to: PortSpec; isAddressed: boolean } | { out: 'internet' } | { out: 'peer'; id: string }

const hasAddress = (port: PortSpec, ip: string) => port.addresses.some(a => a.private === ip)

function follow(network: NetworkSpec, via: Via | 'local' | undefined, target: string): Next | undefined {
  const to = via === 'local' ? owner(network, target) : via && 'port' in via ? portOf(network, via.port) : undefined
  if (to) return { to, isAddressed: hasAddress(to, target) }
  if (!via || via === 'local') return undefined
  // Designs have no way to the object store, which is none of their networks' ports, and no IPv6.
  return 'internet' in via ? { out: 'internet' } : 'peer' in via ? { out: 'peer', id: via.peer } : undefined
}

/** From a port: its neighbours hear it whatever its table says. */
const nextOf = (network: NetworkSpec, port: PortSpec, target: string): Next | undefined =>
  follow(network, isIn(subnetOf(network, port).cidr, target) ? 'local' : routeOf(network, subnetOf(network, port).routeTable, target), target)

/** Each leg of a way over a machine between is a connection of its own. */
function legOf(network: NetworkSpec, from: PortSpec | undefined, { source, target }: Sides, next: Next | undefined): string {
  const isBox = (port: PortSpec) => !port.checked && !port.translates
  const end = (ip: string) => owner(network, ip)?.id ?? 'outside'
  const after = next && 'to' in next && isBox(next.to) && !next.isAddressed ? next.to.id : undefined
  const before = from && isBox(from) && !hasAddress(from, source) ? from.id : undefined
  if (before !== undefined && after !== undefined) return [before, after].sort().join(' ')
  return before !== undefined ? `${before} ${end(target)}` : after !== undefined ? `${after} ${end(source)}` : ''
}

const forwarded = (arrival: Arrival | undefined): Arrival | undefined => arrival && { ...arrival, over: true }

// The way.

function walk(atlas: Atlas, flows: Flow[]) {
  /**
   * What a place remembers of the connection to which a packet answers. One that asks may come by a place again with its own public address
   * at both ends, and is no answer.
   */
  const known = (where: string, { source, target, answer }: Carried, isLeg: (flow: Flow) => boolean = () => true) =>
    (answer ? flows.find(flow => flow.where === where && flow.after.source === target && flow.after.target === source && isLeg(flow)) : undefined)
  const note = (where: string, before: Sides, after: Sides, leg = '') => {
    flows.push({ where, leg, before: { source: before.source, target: before.target }, after: { source: after.source, target: after.target } })
  }

  /** A machine's packet comes into its network's router. */
  function fromPort(network: NetworkSpec, port: PortSpec, packet: Carried, hops: number): Arrival | undefined {
    if (hops > MOST_HOPS) return undefined
    if (port.checked && !port.translates && !hasAddress(port, packet.source)) return undefined
    const flow = known(network.id, packet, ({ before, leg }) =>
      leg === legOf(network, port, { source: packet.source, target: before.source }, nextOf(network, port, before.source)))
    // An answer to nothing belongs to no connection. UDP knows no answers; but what a machine answers itself past the machine between has the
    // question's own addresses and ports, and comes from another port in its stead (0072).
    if (!flow && packet.answer && (packet.protocol !== 'udp' || packet.toItself)) return undefined
    const target = flow ? flow.before.source : packet.target
    const source = flow ? flow.before.target : packet.source
    const next = nextOf(network, port, target)
    const lets = () => flow || port.translates || groupsLet(network, port, { way: 'egress', packet, other: target })
    const leg = legOf(network, port, { source: packet.source, target }, next)
    const step: Step = { network, port, packet, flow, source, target, leg, hops }
    if (!next) return undefined
    if ('to' in next) return lets() ? beside(step, next) : undefined
    if (!leavesSubnet(network, port, packet, target) || !lets()) return undefined
    return next.out === 'internet' ? toInternet(step) : toPeer(step, next.id)
  }

  type Step = { network: NetworkSpec; port: PortSpec; packet: Carried; flow?: Flow; source: string; target: string; leg: string; hops: number }

  /** To another port of the network: to whom it is addressed, or to who is on its way. */
  function beside(step: Step, { to, isAddressed }: Extract<Next, { to: PortSpec }>): Arrival | undefined {
    const { network, port, packet, flow, source, target, leg, hops } = step
    const stays = subnetOf(network, port) === subnetOf(network, to)
    if (!stays && !(leavesSubnet(network, port, packet, target) && entersSubnet(network, to, packet, packet.source))) return undefined
    if (!flow) {
      if (!isAddressed && to.checked && !to.translates) return undefined
      if (!to.translates && !groupsLet(network, to, { way: 'ingress', packet, other: packet.source })) return undefined
      note(network.id, { source, target }, { source, target }, leg)
    }
    return atMachine(network, to, { ...packet, source, target }, hops + 1)
  }

  /** Only who has a public address goes out, and only by it. */
  function toInternet({ network, packet, flow, source, target, leg, hops }: Step): Arrival | undefined {
    const outside = flow ? source : publicOf(network, source)
    const isPublic = atlas.networks.some(n => n.ports.some(port => port.addresses.some(a => a.public === outside)))
    if (outside === undefined || !isPublic) return undefined
    if (!flow) note(network.id, { source, target }, { source: outside, target }, leg)
    const next = { ...packet, source: outside, target }
    if (target !== atlas.world.address) return fromCore(next, hops + 1)
    note('world', next, { source: atlas.world.seenAs, target })
    return { at: 'world', source: atlas.world.seenAs, target }
  }

  function toPeer({ network, packet, flow, source, target, leg, hops }: Step, id: string): Arrival | undefined {
    const link = network.peers.find(peer => peer.id === id)
    const other = link && atlas.networks.find(n => n.index === link.index)
    const mine = other?.peers.find(peer => peer.index === network.index)
    if (!other || !mine) return undefined
    if (!flow) note(network.id, { source, target }, { source, target }, leg)
    if (!mine.cidrs.some(cidr => isIn(cidr, source)) || !isWithin(other, target)) return undefined
    return intoNetwork(other, { ...packet, source, target }, { hops: hops + 1 })
  }

  /** By a public address, from wherever. */
  function fromCore(packet: Carried, hops: number): Arrival | undefined {
    const network = atlas.networks.find(n => privateOf(n, packet.target) !== undefined)
    return network && intoNetwork(network, packet, { edge: network.edge, hops })
  }

  function fromWorld(packet: Carried, hops: number): Arrival | undefined {
    const flow = known('world', packet)
    return flow && fromCore({ ...packet, target: flow.before.source }, hops)
  }

  /** By the link to a peer, or to the core, where a table may be. */
  function intoNetwork(network: NetworkSpec, packet: Carried, { edge, hops }: { edge?: string; hops: number }): Arrival | undefined {
    const entry = (ip: string) => follow(network, isWithin(network, ip) ? routeOf(network, edge, ip) : undefined, ip)
    const leg = (ip: string) => legOf(network, undefined, { source: packet.source, target: ip }, entry(ip))
    const flow = known(network.id, packet, ({ before, leg: known }) => known === leg(before.source))
    if (!flow && packet.answer && packet.protocol !== 'udp') return undefined
    const target = flow ? flow.before.source : privateOf(network, packet.target) ?? packet.target
    const source = flow ? flow.before.target : packet.source
    const next = entry(target)
    if (!next || !('to' in next) || !entersSubnet(network, next.to, packet, packet.source)) return undefined
    const { to, isAddressed } = next
    if (!flow) {
      if (!isAddressed && to.checked && !to.translates) return undefined
      if (!to.translates && !groupsLet(network, to, { way: 'ingress', packet, other: packet.source })) return undefined
      note(network.id, packet, { source: packet.source, target }, leg(target))
    }
    return atMachine(network, to, { ...packet, source, target }, hops + 1)
  }

  /** Its own, an answer that it takes back to who asked through it, or something to forward. */
  function atMachine(network: NetworkSpec, port: PortSpec, packet: Carried, hops: number): Arrival | undefined {
    const flow = known(port.id, packet)
    if (flow) return fromPort(network, port, { ...packet, source: flow.before.target, target: flow.before.source }, hops)
    if (port.addresses.some(a => a.private === packet.target)) {
      return port.translates ? undefined : { at: port.id, source: packet.source, target: packet.target }
    }
    if (atlas.boxes.has(port.id)) return forwarded(fromPort(network, port, packet, hops))
    if (!port.translates && !atlas.routers.has(port.id)) return undefined
    if (packet.answer && packet.protocol !== 'udp') return port.translates ? undefined : fromPort(network, port, packet, hops)
    if (port.translates && !isWithin(network, packet.source)) return undefined
    const source = port.addresses[0]!.private
    note(port.id, packet, { source, target: packet.target })
    const arrival = fromPort(network, port, { ...packet, source }, hops)
    return port.translates ? arrival : forwarded(arrival)
  }

  return { fromPort, fromWorld }
}
