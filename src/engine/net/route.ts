/**
 * A network as links, addresses, routes, rules and neighbours of its router, and of the core beside it: pure.
 *
 * Invariant: a packet to the network's own blocks never leaves the router but by a port, whatever the route tables say of wider blocks;
 * what no route takes goes nowhere.
 *
 * Routing: a packet from a subnet carries the index of its route table as mark, and looks into table 1000 + index, which throws the
 * network's own blocks back where no route of its own is for them; table 900 has the ports' addresses. The router's own packets look
 * into 900, then main.
 */
import type { Home } from '#base/home'
import { fabricBlock } from '#base/home'
import { formatIp, parseCidr } from '#base/cidr'
import { address, LAST, link, neighbour, PORTS_TABLE, route, rule, TABLE, type Item } from '#engine/net/item'
import { coreItems6, isIp6, routerItems6 } from '#engine/net/route6'
import { isHoused } from '#engine/net/placed'
import type { NetworkSpec, PortSpec, RouteSpec } from '#engine/port'
import {
  CORE_FABRIC_ADDRESS, CORE_STORE_ADDRESS, coreLink, coreSpace, FABRIC_GROUP, GATEWAY_MAC, gatewayDevice, gatewaySpace, METADATA_MARK, MTU,
  peerAddress, peerDevice, PEERS_GROUP, portDevice, RESOLVER_ADDRESS, routerAddress, routerDevice, ROUTERS_GROUP, shaperDevice,
} from '#engine/net/names'

export type Around = {
  /** A process in the host's namespace, where machines' devices are born. */
  hostPid: number
  /** Whether the link to a peer is there: it can be made only when both routers are (peering.ts). */
  isLinked(peer: number): boolean
}

/** The router. */
export function routerItems(home: Home, spec: NetworkSpec, { hostPid, isLinked }: Around): Item[] {
  const own = routerAddress(home, spec.index)
  const subnets = new Map(spec.subnets.map(subnet => [subnet.id, subnet]))
  const deviceOf = (port: PortSpec) => routerDevice(subnets.get(port.subnet)!.index, port.index)
  const ports = new Map(spec.ports.map(port => [port.id, port]))
  const linked = spec.peers.filter(peer => isLinked(peer.index))
  const way = (via: RouteSpec['via']): string => {
    if ('internet' in via) return `via ${CORE_FABRIC_ADDRESS} dev fab`
    if ('egress' in via) return 'blackhole'
    if ('store' in via) return `via ${CORE_STORE_ADDRESS} dev fab`
    const peer = 'peer' in via ? linked.find(({ id }) => id === via.peer) : undefined
    if (peer) return `via ${peerAddress(peer.index)} dev ${peerDevice(peer.index)}`
    const port = 'port' in via ? ports.get(via.port) : undefined
    return port ? `via ${port.addresses[0]!.private} dev ${deviceOf(port)}` : 'blackhole'
  }
  const links = [
    link({ name: 'lo', group: 0 }),
    link({
      name: 'fab', group: FABRIC_GROUP, alias: spec.id,
      create: [`link add fab mtu ${MTU} type veth peer name ${coreLink(spec.index)} mtu ${MTU} netns ${coreSpace(home)}`],
    }),
    ...spec.subnets.map(subnet => gatewayDevice(subnet.index))
      .map(name => link({ name, group: 0, create: [`link add ${name} type bridge`] })),
    ...spec.ports.map(port => link({
      name: deviceOf(port), group: subnets.get(port.subnet)!.index, alias: port.id,
      create: [
        `link add ${deviceOf(port)} address ${GATEWAY_MAC} mtu ${MTU} type veth `
          + `peer name ${portDevice(home, port.index)} address ${port.mac} mtu ${MTU} netns `
          + `${isHoused(port) ? gatewaySpace(home, spec.index, port.index) : hostPid}`,
        // Answers for the neighbours at once; the kernel would wait up to 0.8 s, out of courtesy to others that may know better.
        `ntable change name arp_cache dev ${deviceOf(port)} proxy_delay 0`,
      ],
    })),
    ...spec.ports.filter(port => port.bitsPerSecond !== undefined).map(port => shaperDevice(port.index))
      .map(name => link({ name, group: 0, create: [`link add ${name} mtu ${MTU} type ifb`] })),
    ...linked.map(peer => link({ name: peerDevice(peer.index), group: PEERS_GROUP, alias: peer.id })),
  ]
  const privates = spec.ports.flatMap(port => port.addresses.map(a => ({ ip: a.private, device: deviceOf(port), mac: port.mac })))
  return [
    ...links,
    address('fab', `${own}/32`),
    address('lo', `${RESOLVER_ADDRESS}/32`),
    address('lo', `${spec.resolver}/32`),
    ...linked.map(peer => address(peerDevice(peer.index), `${peerAddress(spec.index)}/32`)),
    ...spec.subnets.map(subnet => address(gatewayDevice(subnet.index), gatewayOf(subnet.cidr), ' noprefixroute')),
    route('main', 'default', `via ${CORE_FABRIC_ADDRESS} dev fab`),
    ...spec.cidrs.map(cidr => route(String(PORTS_TABLE), cidr, 'blackhole')),
    ...privates.map(({ ip, device }) => route(String(PORTS_TABLE), ip, `dev ${device}`)),
    ...spec.routeTables.flatMap(table => tableItems(String(TABLE + table.index), spec, table.routes.filter(r => !isIp6(r.cidr)), way)),
    rule({ order: 50, mark: METADATA_MARK, table: 'main' }),
    ...spec.routeTables.map(({ index }) => rule({ order: 100, mark: index, table: String(TABLE + index) })),
    rule({ order: 200, table: String(PORTS_TABLE) }),
    ...privates.map(({ ip, device, mac }) => neighbour(device, ip, mac)),
    ...routerItems6(spec, { deviceOf, linked }),
  ]
}

function tableItems(table: string, spec: NetworkSpec, routes: RouteSpec[], way: (via: RouteSpec['via']) => string): Item[] {
  const own = new Set(spec.cidrs)
  // Its own blocks may be led over a port, and nowhere else.
  const heeded = routes.filter(r => !own.has(r.cidr) || 'port' in r.via || 'nowhere' in r.via)
  const routed = new Set(heeded.map(r => r.cidr))
  return [
    ...spec.cidrs.filter(cidr => !routed.has(cidr)).map(cidr => route(table, cidr, 'throw')),
    route(table, 'default', 'blackhole', LAST),
    ...heeded.map(r => route(table, block(r.cidr), way(r.via))),
    // A link goes when either side lets it go; what went over it may not take a wider route then.
    ...routes.filter(r => 'peer' in r.via && r.cidr !== '0.0.0.0/0').map(r => route(table, block(r.cidr), 'blackhole', LAST)),
  ]
}

/** As `ip` prints destinations, so that what is there compares with what shall be. */
const block = (cidr: string) => (cidr === '0.0.0.0/0' ? 'default' : cidr.replace(/\/32$/, ''))

/** A subnet's first host address, with its prefix length. */
export function gatewayOf(cidr: string): string {
  const parsed = parseCidr(cidr)
  if (!parsed) throw new Error(`not an IPv4 block: ${cidr}`)
  return `${formatIp(parsed.base + 1)}/${parsed.length}`
}

/** What the core has for this network: its link, its fabric block and its public addresses. The link comes with the router's `fab`. */
export function coreItems(home: Home, spec: NetworkSpec): Item[] {
  const name = coreLink(spec.index)
  const way = `via ${routerAddress(home, spec.index)} dev ${name}`
  const publics = spec.ports.flatMap(port => port.addresses.flatMap(a => a.public ?? []))
  return [
    link({ name, group: ROUTERS_GROUP, alias: spec.id }),
    ...[CORE_FABRIC_ADDRESS, CORE_STORE_ADDRESS].map(own => address(name, `${own}/32`)),
    ...[fabricBlock(home, spec.index), ...publics].map(to => route('main', to, way)),
    ...coreItems6(spec),
  ]
}
