/**
 * The IPv6 of a network in the packet filter of its router: what render.ts is for IPv4, in chains and sets of its own beside it. Pure.
 *
 * Invariant: a network without a block lets nothing of IPv6 pass, from its first rule on: what is here comes only with one. No packet of IPv6
 * meets a rule for IPv4, or the other way round.
 *
 * Addresses are not translated. Whether connections may begin outside is decided by the way back: only a subnet whose table leads into the
 * internet by another way than the one for egress is reached from there.
 */
import type { NetworkSpec } from '#engine/port'
import { CORE_EGRESS_ADDRESS6, FABRIC_GROUP, FIRST_SUBNET_GROUP, peerDevice, PEERS_GROUP } from '#engine/net/names'
import { groupsOf, portChain, type Placed } from '#engine/net/placed'
import { isIp6, speaks6 } from '#engine/net/route6'
import type { NftChain, NftSet } from '#engine/net/ruleset'
import { filterRules, groupSide } from '#engine/net/traffic'

const SIX = 'meta nfproto ipv6'
const LINK_LOCAL = 'fe80::/10'
/** Questions for routers and neighbours, and answers; never an announcement of a router. They cannot have come from another link. */
const NEIGHBOURS = 'icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255'

type Rules = Record<'spoofing' | 'to_router' | 'filtering' | 'egress' | 'entering' | 'ingress' | 'leaving', string[]>
const none: Rules = { spoofing: [], to_router: [], filtering: [], egress: [], entering: [], ingress: [], leaving: [] }

/** What stands in the base chains of render.ts, before their rules for IPv4. */
export function rules6(spec: NetworkSpec): Rules {
  if (!speaks6(spec)) return none
  const own = `{ ${spec.cidrs6!.join(', ')} }`
  const peers = spec.peers.filter(({ cidrs6 = [] }) => cidrs6.length > 0)
  return {
    spoofing: [
      `iifgroup ${FABRIC_GROUP} ip6 saddr ${own} counter drop`,
      `iifgroup ${PEERS_GROUP} ip6 saddr ${LINK_LOCAL} ${NEIGHBOURS} accept`,
      ...peers.map(({ index, cidrs6 }) => `iifname "${peerDevice(index)}" ip6 saddr { ${cidrs6!.join(', ')} } ip6 daddr ${own} accept`),
      'iifname . ether saddr . ip6 saddr @source6_ok accept',
      // Each port is alone on its link: what it says there of neighbours, its router alone hears.
      `iifname . ether saddr @port_mac ip6 saddr { ::/128, ${LINK_LOCAL} } ${NEIGHBOURS} accept`,
      `iifname . ether saddr @port_mac ip6 saddr ${LINK_LOCAL} udp sport 546 udp dport 547 accept`,
      'iifname @unchecked ip6 saddr 2000::/3 ip6 daddr 2000::/3 accept',
    ],
    to_router: [`iifgroup >= ${FIRST_SUBNET_GROUP} ip6 saddr ${LINK_LOCAL} udp dport 547 accept`, `${NEIGHBOURS} accept`],
    filtering: [`${SIX} goto filtering6`],
    egress: [`${SIX} iifname vmap @port6_out`, `${SIX} counter drop`],
    entering: [`${SIX} goto entering6`],
    ingress: [
      'oifname . ip6 daddr @destination6_ok oifname vmap @port6_in', `${SIX} oifname @unchecked oifname vmap @port6_in`, `${SIX} counter drop`,
    ],
    leaving: [
      `oifgroup ${FABRIC_GROUP} ip6 saddr != { ${[...spec.cidrs6!, LINK_LOCAL].join(', ')} } counter drop`,
      `oifgroup ${FABRIC_GROUP} rt ip6 nexthop ${CORE_EGRESS_ADDRESS6} ct direction reply counter drop`,
    ],
  }
}

/** Chains that rules of groups and filters do not change. */
export function frame6(ports: Placed[]): Record<string, NftChain> {
  const chains: Record<string, NftChain> = {
    filtering6: {
      rules: [
        `iifgroup ${FABRIC_GROUP} ct state new oifgroup != @reached6 counter drop`, 'iifgroup . oifgroup @same_subnet accept',
        'iifgroup vmap @filter6_out',
      ],
    },
    entering6: { rules: ['iifgroup . oifgroup @same_subnet accept', 'oifgroup vmap @filter6_in'] },
  }
  for (const { port } of ports.filter(each => !each.port.translates)) {
    for (const way of ['out', 'in'] as const) {
      chains[portChain(port, way, 'port6')] ??= { rules: [...groupsOf(port).map(id => `jump group6_${id}_${way}`), 'counter drop'] }
    }
  }
  return chains
}

export function sets6(spec: NetworkSpec, ports: Placed[]): Record<string, NftSet> {
  const six = ports.filter(({ port }) => !port.translates)
  const each = (line: (address: string, placed: Placed) => string) =>
    six.flatMap(placed => (placed.port.addresses6 ?? []).map(address => line(address, placed)))
  const open = new Set(spec.routeTables.filter(table => table.routes.some(r => isIp6(r.cidr) && 'internet' in r.via)).map(table => table.id))
  const filtered = spec.subnets.filter(subnet => subnet.filter !== undefined)
  const members = spec.groups.map(({ id }): [string, NftSet] => [`members6_${id}`, {
    type: 'ipv6_addr', elements: six.filter(({ port }) => port.groups.includes(id)).flatMap(({ port }) => port.addresses6 ?? []),
  }])
  const verdicts = (way: 'in' | 'out') => six.map(({ port, device }) => `${device} : goto ${portChain(port, way, 'port6')}`)
  return {
    source6_ok: { type: 'ifname . ether_addr . ipv6_addr', elements: each((a, { port, device }) => `${device} . ${port.mac} . ${a}`) },
    destination6_ok: { type: 'ifname . ipv6_addr', elements: each((a, { device }) => `${device} . ${a}`) },
    reached6: { type: 'devgroup', elements: spec.subnets.filter(subnet => open.has(subnet.routeTable)).map(subnet => `${subnet.index}`) },
    filter6_out: { map: true, type: 'devgroup : verdict', elements: filtered.map(s => `${s.index} : jump filter6_${s.filter!}_out`) },
    filter6_in: { map: true, type: 'devgroup : verdict', elements: filtered.map(s => `${s.index} : jump filter6_${s.filter!}_in`) },
    port6_out: { map: true, type: 'ifname : verdict', elements: verdicts('out') },
    port6_in: { map: true, type: 'ifname : verdict', elements: verdicts('in') },
    ...Object.fromEntries(members),
  }
}

/** The rules of groups and filters, as sets and chains beside those for IPv4. */
export function addRules6(spec: NetworkSpec, sets: Record<string, NftSet>, chains: Record<string, NftChain>): void {
  for (const filter of spec.filters) {
    chains[`filter6_${filter.id}_out`] = { rules: filterRules(filter.egress, { side: 'daddr', family: 'ip6' }) }
    chains[`filter6_${filter.id}_in`] = { rules: filterRules(filter.ingress, { side: 'saddr', family: 'ip6' }) }
  }
  const known = new Set(spec.groups.map(group => group.id))
  const members = (id: string) => (known.has(id) ? `members6_${id}` : undefined)
  for (const group of spec.groups) {
    for (const [way, side, rules] of [['out', 'daddr', group.egress], ['in', 'saddr', group.ingress]] as const) {
      const name = `group6_${group.id}_${way}`
      const made = groupSide(rules, { side, family: 'ip6', name, members })
      Object.assign(sets, made.maps)
      Object.assign(chains, made.chains, { [name]: { rules: made.rules } })
    }
  }
}
