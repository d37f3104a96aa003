/**
 * The IPv6 of a network in its router and in the core: what route.ts is for IPv4. Pure; nothing for a network without a block.
 *
 * Invariant: as route.ts, and blocks are routed as they are: the core leads each to its router. A port's router is the same link-local address
 * for all, and every port is alone on its link: neighbours speak through the router.
 */
import { formatIp6, parseCidr6 } from '#base/cidr6'
import type { NetworkSpec, PeerSpec, PortSpec, RouteSpec } from '#engine/port'
import {
  CORE_ADDRESS6, CORE_EGRESS_ADDRESS6, coreLink, GATEWAY_ADDRESS6, gatewayDevice, peerAddress6, peerDevice, ROUTER_ADDRESS6,
} from '#engine/net/names'
import { address, LAST, neighbour, PORTS_TABLE, route, rule, TABLE, type Item } from '#engine/net/item'

export const isIp6 = (text: string): boolean => text.includes(':')
/** Whether anything of IPv6 passes here. */
export const speaks6 = (spec: NetworkSpec): boolean => (spec.cidrs6 ?? []).length > 0

/** The network as it is where the kernel has no IPv6. */
export const without6 = (spec: NetworkSpec): NetworkSpec => ({
  ...spec, cidrs6: undefined, subnets: spec.subnets.map(subnet => ({ ...subnet, cidr6: undefined })),
  ports: spec.ports.map(port => ({ ...port, addresses6: undefined })),
})

const EVERYTHING = '::/0'
/** There is nobody on the link who could have the address, and nobody to wait for. */
const AT_ONCE = ' nodad'
const rule6 = (o: Parameters<typeof rule>[0]): Item => {
  const { key, state, put, drop } = rule(o)
  return { key: key.replace(/^rule/, 'rule6'), state, put: `-6 ${put}`, drop: `-6 ${drop}` }
}

/** A subnet's first address, which nobody has but the router. */
export function gatewayOf6(cidr: string): string {
  const { base, length } = parseCidr6(cidr)!
  return `${formatIp6(base + 1n)}/${length}`
}

type Router = { deviceOf(port: PortSpec): string; linked: PeerSpec[] }

export function routerItems6(spec: NetworkSpec, { deviceOf, linked }: Router): Item[] {
  if (!speaks6(spec)) return []
  const blocks = spec.cidrs6!
  const subnets = spec.subnets.filter(subnet => subnet.cidr6 !== undefined)
  const spoken = new Set(subnets.map(subnet => subnet.id))
  const ports = spec.ports.filter(port => spoken.has(port.subnet) && !port.translates)
  const addresses = ports.flatMap(port => (port.addresses6 ?? []).map(ip => ({ ip, device: deviceOf(port), mac: port.mac })))
  const way = (via: RouteSpec['via']): string => {
    if ('internet' in via) return `via ${CORE_ADDRESS6} dev fab`
    if ('egress' in via) return `via ${CORE_EGRESS_ADDRESS6} dev fab`
    const peer = 'peer' in via ? linked.find(({ id }) => id === via.peer) : undefined
    if (peer) return `via ${peerAddress6(peer.index)} dev ${peerDevice(peer.index)}`
    const port = 'port' in via ? ports.find(({ id }) => id === via.port) : undefined
    const [first] = port?.addresses6 ?? []
    return port && first !== undefined ? `via ${first} dev ${deviceOf(port)}` : 'blackhole'
  }
  return [
    address('fab', `${ROUTER_ADDRESS6}/64`, AT_ONCE),
    ...linked.map(peer => address(peerDevice(peer.index), `${peerAddress6(spec.index)}/64`, AT_ONCE)),
    // Announcements take the subnet from here, and their sender.
    ...subnets.flatMap(({ index, cidr6 }) => [
      address(gatewayDevice(index), gatewayOf6(cidr6!), `${AT_ONCE} noprefixroute`),
      address(gatewayDevice(index), `${GATEWAY_ADDRESS6}/64`, AT_ONCE),
    ]),
    ...ports.map(port => address(deviceOf(port), `${GATEWAY_ADDRESS6}/64`, AT_ONCE)),
    route('main', EVERYTHING, `via ${CORE_ADDRESS6} dev fab`),
    ...blocks.map(block => route(String(PORTS_TABLE), block, 'blackhole')),
    ...addresses.map(({ ip, device }) => route(String(PORTS_TABLE), ip, `dev ${device}`)),
    ...spec.routeTables.flatMap(table => tableItems6(String(TABLE + table.index), blocks, table.routes.filter(r => isIp6(r.cidr)), way)),
    ...spec.routeTables.map(({ index }) => rule6({ order: 100, mark: index, table: String(TABLE + index) })),
    rule6({ order: 200, table: String(PORTS_TABLE) }),
    ...addresses.map(({ ip, device, mac }) => neighbour(device, ip, mac)),
  ]
}

function tableItems6(table: string, blocks: string[], routes: RouteSpec[], way: (via: RouteSpec['via']) => string): Item[] {
  const routed = new Set(routes.map(r => r.cidr))
  return [
    ...blocks.filter(block => !routed.has(block)).map(block => route(table, block, 'throw')),
    route(table, EVERYTHING, 'blackhole', LAST),
    ...routes.map(r => route(table, asPrinted(r.cidr), way(r.via))),
    ...routes.filter(r => 'peer' in r.via && r.cidr !== EVERYTHING).map(r => route(table, asPrinted(r.cidr), 'blackhole', LAST)),
  ]
}

/** As `ip` prints destinations. */
const asPrinted = (cidr: string) => cidr.replace(/\/128$/, '')

/** What the core has for this network besides IPv4: its own addresses on the link, and the way to the network's blocks. */
export function coreItems6(spec: NetworkSpec): Item[] {
  if (!speaks6(spec)) return []
  const name = coreLink(spec.index)
  return [
    ...[CORE_ADDRESS6, CORE_EGRESS_ADDRESS6].map(own => address(name, `${own}/64`, AT_ONCE)),
    ...spec.cidrs6!.map(block => route('main', block, `via ${ROUTER_ADDRESS6} dev ${name}`)),
  ]
}
