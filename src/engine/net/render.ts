/**
 * A network as the packet filter of its router: pure, whole, loaded at once.
 *
 * Invariant: what no rule of the spec allows is dropped. A packet passes, in this order: its source (spoofing), its route's mark, its
 * leg of the way (legs.ts), address translation, its subnet's stateless filter, egress of the sending port's groups, the receiving
 * subnet's filter and ingress of the receiving port's groups. Between them flows are counted (flows.ts). Egress and ingress are two base
 * chains, since `accept` ends only its own: both must agree.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Home } from '#base/home'
import { METADATA_PORT, serviceAddress } from '#base/home'
import { formatCidr } from '#base/cidr'
import type { NetworkSpec } from '#engine/port'
import {
  CORE_STORE_ADDRESS, FABRIC_GROUP, FIRST_SUBNET_GROUP, METADATA_ADDRESS, METADATA_MARK, peerDevice, PEERS_GROUP, RESOLVER_ADDRESS,
} from '#engine/net/names'
import { fromInternet, legs, withinSubnets } from '#engine/net/legs'
import { groupsOf, portChain, portsOf, type Placed } from '#engine/net/placed'
import type { NftChain, NftSet, Table } from '#engine/net/ruleset'
import { addRules6, frame6, rules6, sets6 } from '#engine/net/render6'
import { speaks6 } from '#engine/net/route6'
import { filterRules, groupSide } from '#engine/net/traffic'

/** All that the rules of groups and filters do not decide, which for a thousand ports is most of the work; `of` is that of which it was made. */
export type Frame = { of: NetworkSpec; arp: Table; sets: Record<string, NftSet>; chains: Record<string, NftChain> }

/** The spec without its rules. */
const unruled = (spec: NetworkSpec) => ({ ...spec, groups: spec.groups.map(group => group.id), filters: spec.filters.map(filter => filter.id) })

/** Whether two specs differ in rules alone. Where they share their ports, this is a matter of microseconds. */
export const isFramedAlike = (a: NetworkSpec, b: NetworkSpec): boolean => isDeepStrictEqual(unruled(a), unruled(b))

/** The last one where it is still right. */
export function frame(home: Home, spec: NetworkSpec, last?: Frame): Frame {
  if (last && isFramedAlike(last.of, spec)) return last
  const ports = portsOf(spec)
  const elements = elementsOf(spec, ports)
  const sets: Record<string, NftSet> = {}
  for (const [name, type] of Object.entries(types)) {
    sets[name] = { type, ...(type.includes(' : ') && { map: true }), elements: elements[name] ?? [] }
  }
  sets.asking = { type: 'ifname', counted: true, elements: [] }
  for (const { id } of spec.groups) {
    const addresses = ports.filter(({ port }) => port.groups.includes(id)).flatMap(({ port }) => port.addresses.map(a => a.private))
    sets[`members_${id}`] = { type: 'ipv4_addr', elements: addresses }
  }
  const chains: Record<string, NftChain> = baseChains(home, spec, ports)
  if (speaks6(spec)) Object.assign(sets, sets6(spec, ports))
  if (speaks6(spec)) Object.assign(chains, frame6(ports))
  for (const hops of new Set(spec.ports.map(port => port.metadataHopLimit))) chains[`ttl_${hops}`] = { rules: [`ip ttl set ${hops}`] }
  // Ports of equal groups share their chains: a thousand ports of one group cost no more to change than one.
  for (const port of spec.ports.filter(each => !each.translates)) {
    for (const way of ['out', 'in'] as const) {
      chains[portChain(port, way)] ??= { rules: [...groupsOf(port).map(id => `jump group_${id}_${way}`), 'counter drop'] }
    }
  }
  return { of: spec, arp: arpTable(ports), sets, chains }
}

/** The router's tables: ARP guard and packets. The spec has been checked. */
export function render(home: Home, spec: NetworkSpec, around: Frame = frame(home, spec)): [Table, Table] {
  const [sets, chains] = [{ ...around.sets }, { ...around.chains }]
  for (const filter of spec.filters) {
    chains[`filter_${filter.id}_out`] = { rules: filterRules(filter.egress, { side: 'daddr', family: 'ip' }) }
    chains[`filter_${filter.id}_in`] = { rules: filterRules(filter.ingress, { side: 'saddr', family: 'ip' }) }
  }
  const known = new Set(spec.groups.map(group => group.id))
  const members = (id: string) => (known.has(id) ? `members_${id}` : undefined)
  for (const group of spec.groups) {
    for (const [way, side, rules] of [['out', 'daddr', group.egress], ['in', 'saddr', group.ingress]] as const) {
      const name = `group_${group.id}_${way}`
      const made = groupSide(rules, { side, family: 'ip', name, members })
      Object.assign(sets, made.maps)
      Object.assign(chains, made.chains, { [name]: { rules: made.rules } })
    }
  }
  if (speaks6(spec)) addRules6(spec, sets, chains)
  return [around.arp, { family: 'inet', name: 'router', sets, chains }]
}

const types: Record<string, string> = {
  source_ok: 'ifname . ether_addr . ipv4_addr',
  destination_ok: 'ifname . ipv4_addr',
  port_mac: 'ifname . ether_addr',
  unchecked: 'ifname',
  same_subnet: 'devgroup . devgroup',
  route_mark: 'devgroup : mark',
  public_in: 'ipv4_addr : ipv4_addr',
  public_out: 'ipv4_addr : ipv4_addr',
  own_public: 'ipv4_addr . ipv4_addr',
  fabric_of: 'ipv4_addr : ipv4_addr',
  filter_out: 'devgroup : verdict',
  filter_in: 'devgroup : verdict',
  port_out: 'ifname : verdict',
  port_in: 'ifname : verdict',
  metadata_ttl: 'ipv4_addr : verdict',
}

function elementsOf(spec: NetworkSpec, ports: Placed[]): Record<string, string[]> {
  const each = (line: (address: { private: string; public?: string }, placed: Placed) => string | undefined) =>
    ports.flatMap(placed => placed.port.addresses.map(address => line(address, placed)).filter(text => text !== undefined))
  const tables = new Map(spec.routeTables.map(table => [table.id, table.index]))
  const filtered = spec.subnets.filter(subnet => subnet.filter !== undefined)
  return {
    source_ok: each((a, { port, device }) => `${device} . ${port.mac} . ${a.private}`),
    destination_ok: each((a, { device }) => `${device} . ${a.private}`),
    port_mac: ports.map(({ port, device }) => `${device} . ${port.mac}`),
    unchecked: ports.filter(({ port }) => !port.checked || port.translates).map(({ device }) => device),
    same_subnet: spec.subnets.map(({ index }) => `${index} . ${index}`),
    route_mark: spec.subnets.map(subnet => `${subnet.index} : ${tables.get(subnet.routeTable)!}`),
    public_in: each(a => a.public && `${a.public} : ${a.private}`),
    public_out: each(a => a.public && `${a.private} : ${a.public}`),
    own_public: each(a => a.public && `${a.private} . ${a.public}`),
    fabric_of: each((a, { port }) => `${a.private} : ${port.fabric}`),
    filter_out: filtered.map(subnet => `${subnet.index} : jump filter_${subnet.filter!}_out`),
    filter_in: filtered.map(subnet => `${subnet.index} : jump filter_${subnet.filter!}_in`),
    port_out: ports.map(({ port, device }) => `${device} : ${port.translates ? 'accept' : `goto ${portChain(port, 'out')}`}`),
    port_in: ports.map(({ port, device }) => `${device} : ${port.translates ? 'accept' : `goto ${portChain(port, 'in')}`}`),
    metadata_ttl: each((a, { port }) => `${a.private} : jump ttl_${port.metadataHopLimit}`),
  }
}

/** A machine may claim only its own addresses; duplicate address detection asks with no address at all. */
function arpTable(ports: Placed[]): Table {
  const elements = ports.flatMap(({ port, device }) => port.addresses.map(a => `${device} . ${port.mac} . ${a.private}`))
  return {
    family: 'arp', name: 'router', sets: { claim_ok: { type: 'ifname . ether_addr . ipv4_addr', elements } },
    chains: {
      claims: {
        hook: 'type filter hook input priority filter; policy drop;',
        rules: [
          `iifgroup ${LINKS} accept`, 'iifname . arp saddr ether . arp saddr ip @claim_ok accept', 'arp saddr ip 0.0.0.0 accept',
          'counter drop',
        ],
      },
    },
  }
}

/** Only requests to the metadata service's own port are metadata; the rest of 169.254.0.0/16 leads nowhere. */
const METADATA = `meta l4proto tcp ct original ip daddr ${METADATA_ADDRESS} ct original proto-dst 80`

/** The connection's mark of one that was taken up in the middle, as its beginning was not seen, or has been forgotten. */
const RESUMED = 1
/**
 * What belongs to a connection passes. One that was taken up in the middle never does as a whole: each of its packets is asked of the rules as
 * they are now, so that what they have ended is not begun again from its other side. Only the word that there is no such connection is an
 * answer, whatever the rules: over an address that has moved, the new owner's system says it (docs/decisions/0092-addresses-that-move.md).
 */
const STATES = [
  'ct state established ct mark 0 accept',
  'ct state vmap { related : accept, invalid : drop }',
  `ct mark ${RESUMED} ct direction reply tcp flags & rst == rst accept`,
  `ct state new tcp flags & (syn | ack) != syn ct mark set ${RESUMED}`,
]

/** Packets that a port may send to the resolver in a second. */
const QUESTIONS = 1024
const TOO_MANY = `update @asking { iifname limit rate over ${QUESTIONS}/second burst ${QUESTIONS} packets } counter drop`

/** Links to the core and to peers: what comes by one never leaves by another. */
const LINKS = `{ ${FABRIC_GROUP}, ${PEERS_GROUP} }`
const FROM_PORT = `iifgroup >= ${FIRST_SUBNET_GROUP}`

const baseChains = (home: Home, spec: NetworkSpec, ports: Placed[]): Record<string, NftChain> =>
  ({ ...arriving(home, spec, ports), ...passing(home, spec), ...leaving(home, spec) })

function arriving(home: Home, spec: NetworkSpec, ports: Placed[]): Record<string, NftChain> {
  const own = `{ ${spec.cidrs.join(', ')} }`
  const fabric = formatCidr(home.fabricRange)
  const resolvers = `{ ${spec.resolver}, ${RESOLVER_ADDRESS} }`
  return {
    // A port that may forward for others still may not pretend to be the fabric, nor ask for another's metadata.
    spoofing: {
      hook: 'type filter hook prerouting priority raw; policy drop;',
      rules: [
        // Nearly all that comes, so first. Links and the router's own are no senders of these sets.
        'iifname . ether saddr . ip saddr @source_ok accept',
        'iifname "lo" accept',
        ...rules6(spec).spoofing,
        `iifgroup ${FABRIC_GROUP} ip saddr ${own} counter drop`,
        `iifgroup ${FABRIC_GROUP} accept`,
        ...spec.peers.filter(({ cidrs }) => cidrs.length > 0)
          .map(({ index, cidrs }) => `iifname "${peerDevice(index)}" ip saddr { ${cidrs.join(', ')} } ip daddr ${own} accept`),
        'ip saddr 0.0.0.0 udp sport 68 udp dport 67 iifname . ether saddr @port_mac accept',
        // Nor the router: its kernel does not look at the sender (router.ts).
        `iifname @unchecked ip saddr != { ${fabric}, 169.254.0.0/16 } ip daddr != 169.254.0.0/16 fib saddr type != local accept`,
        'counter drop',
      ],
    },
    // Before connections are tracked: to whom a packet goes may decide to which one it belongs (legs.ts).
    marking: {
      hook: 'type filter hook prerouting priority -260; policy accept;',
      rules: [
        `ip daddr ${METADATA_ADDRESS} tcp dport 80 ${FROM_PORT} meta mark set ${METADATA_MARK} return`,
        ...withinSubnets(spec), 'meta mark set iifgroup map @route_mark', ...fromInternet(home, spec),
      ],
    },
    ...legs(spec, ports),
    translating_in: {
      hook: 'type nat hook prerouting priority dstnat; policy accept;',
      rules: [
        `meta mark ${METADATA_MARK} meta l4proto tcp dnat ip to ${serviceAddress(home)}:${METADATA_PORT}`,
        `iifgroup ${FABRIC_GROUP} dnat ip to ip daddr map @public_in`,
      ],
    },
    to_router: {
      hook: 'type filter hook input priority filter; policy drop;',
      rules: [
        'iifname "lo" accept',
        // What a port asks beyond that is not answered (VPC User Guide, "DNS quotas"): its neighbours ask the same resolver.
        ...(spec.resolves ? [`${FROM_PORT} meta l4proto { tcp, udp } th dport 53 ${TOO_MANY}`] : []),
        'ct state established,related accept',
        `${FROM_PORT} udp dport 67 accept`,
        ...rules6(spec).to_router,
        ...(spec.resolves ? [`${FROM_PORT} ip daddr ${resolvers} meta l4proto { tcp, udp } th dport 53 accept`] : []),
      ],
    },
  }
}

/** Every packet meets every rule of a base chain: what most of them are not about stands behind one rule, or is not there. */
function passing(home: Home, spec: NetworkSpec): Record<string, NftChain> {
  const filtered = (map: string, side: string) =>
    (spec.subnets.some(subnet => subnet.filter !== undefined) ? ['iifgroup . oifgroup @same_subnet accept', `${side} vmap @${map}`] : [])
  return {
    filtering: {
      hook: 'type filter hook forward priority -20; policy accept;',
      rules: [`oifgroup < ${FIRST_SUBNET_GROUP} jump leaving_by_link`, ...rules6(spec).filtering, ...filtered('filter_out', 'iifgroup')],
    },
    leaving_by_link: {
      rules: [
        `iifgroup ${LINKS} oifgroup ${LINKS} drop`,
        `${METADATA} accept`,
        `oifgroup ${FABRIC_GROUP} ip daddr { ${formatCidr(home.fabricRange)}, 169.254.0.0/16 } drop`,
        // Who forwards for others hands on what a public address answers; to the world nobody is one but by translation.
        `${FROM_PORT} oifgroup ${FABRIC_GROUP} ip saddr ${formatCidr(home.publicRange)} counter drop`,
      ],
    },
    egress: {
      hook: 'type filter hook forward priority 0; policy drop;',
      rules: [
        ...STATES, `${METADATA} accept`, `iifgroup ${LINKS} accept`, ...rules6(spec).egress, 'iifname vmap @port_out', 'counter drop',
      ],
    },
    entering: {
      hook: 'type filter hook forward priority 5; policy accept;',
      rules: [...rules6(spec).entering, `iifgroup ${FABRIC_GROUP} ${METADATA} accept`, ...filtered('filter_in', 'oifgroup')],
    },
    ingress: {
      hook: 'type filter hook forward priority 10; policy drop;',
      rules: [
        ...STATES, `oifgroup ${LINKS} accept`, ...rules6(spec).ingress, 'oifname . ip daddr @destination_ok oifname vmap @port_in',
        'oifname @unchecked oifname vmap @port_in', 'counter drop',
      ],
    },
  }
}

function leaving(home: Home, spec: NetworkSpec): Record<string, NftChain> {
  return {
    translating_out: {
      hook: 'type nat hook postrouting priority srcnat; policy accept;',
      rules: [
        `oifgroup != ${FABRIC_GROUP} return`,
        `${METADATA} snat ip to ip saddr map @fabric_of`,
        `rt ip nexthop ${CORE_STORE_ADDRESS} snat ip to ip saddr map @fabric_of`,
        // Who goes to itself by its public address comes back, and with equal ports at both ends would pass for the answer to itself: it
        // gets another source port, and one that can't be its target. What knows no ports has no other way than not to go.
        ...[['0-32767', '32768-65535'], ['32768-65535', '1024-32767']].map(([to, from]) =>
          `ip saddr . ip daddr @own_public meta l4proto { tcp, udp } th dport ${to} snat ip to ip saddr map @public_out : ${from}`),
        'ip saddr . ip daddr @own_public meta l4proto != icmp counter drop',
        'snat ip to ip saddr map @public_out',
      ],
    },
    // Whoever has a route to the internet but no public address; and how far what metadata answers may go.
    leaving: {
      hook: 'type filter hook postrouting priority 110; policy accept;',
      rules: [
        ...rules6(spec).leaving,
        `oifgroup ${FABRIC_GROUP} ip saddr != { ${formatCidr(home.publicRange)}, ${formatCidr(home.fabricRange)} } counter drop`,
        `iifgroup ${FABRIC_GROUP} oifgroup >= ${FIRST_SUBNET_GROUP} ${METADATA} ip daddr vmap @metadata_ttl`,
      ],
    },
  }
}
