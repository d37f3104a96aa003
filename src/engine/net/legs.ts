/**
 * Ways that lead over a machine between sender and receiver (a middlebox): who takes them, and how the packet filter tells their legs
 * apart. Pure.
 *
 * Invariant: each leg of a way is a connection of its own, asked of the groups at both its ends; a packet that a machine forwards does not
 * pass for one of the connection by which it came to that machine.
 *
 * The packets of two legs are alike where the machine between forwards them as they are, so each leg has a zone of tracked connections. A leg
 * has one end that is no middlebox: the zone is the number of that end's subnet, or one for everybody outside, which both directions
 * tell by the same address. Two packets of one subnet never meet a middlebox between them.
 */
import type { Home } from '#base/home'
import { contains, formatCidr, parseCidr, parseIp, within } from '#base/cidr'
import { parseCidr6, within6 } from '#base/cidr6'
import type { NetworkSpec, RouteSpec, SubnetSpec } from '#engine/port'
import { FABRIC_GROUP, METADATA_MARK } from '#engine/net/names'
import { isHoused, type Placed } from '#engine/net/placed'
import { isIp6, speaks6 } from '#engine/net/route6'
import type { NftChain } from '#engine/net/ruleset'

/** Zones: subnets have their numbers, of 100 and more. */
const OUTSIDE = 1
const BETWEEN_MIDDLEBOXES = 2

/** Machines that may forward for others. */
const middleboxes = (ports: Placed[]): Placed[] => ports.filter(({ port }) => !port.checked && !isHoused(port))

/** Whether a route takes packets to the network's own blocks elsewhere. */
const isInner = ({ cidrs, cidrs6 = [] }: NetworkSpec, { cidr }: RouteSpec): boolean => (isIp6(cidr)
  ? cidrs6.some(block => within6(parseCidr6(block)!, parseCidr6(cidr)!))
  : cidrs.some(block => within(parseCidr(block)!, parseCidr(cidr)!)))

/** Neighbours in a subnet reach each other past the route table (VPC User Guide, "Gateway route tables", on layer 2). */
export function withinSubnets(spec: NetworkSpec): string[] {
  const bent = new Set(spec.routeTables.filter(table => table.routes.some(route => isInner(spec, route))).map(table => table.id))
  return spec.subnets.filter(subnet => bent.has(subnet.routeTable)).flatMap(({ index, cidr, cidr6 }) => [
    `iifgroup ${index} ip daddr ${cidr} return`, ...(speaks6(spec) && cidr6 !== undefined ? [`iifgroup ${index} ip6 daddr ${cidr6} return`] : []),
  ])
}

/**
 * What comes in through the internet gateway looks into the gateway's table; what metadata and the object store answer comes another way, and
 * so does what comes back to subnets that have a gateway for egress alone.
 */
export function fromInternet(home: Home, spec: NetworkSpec): string[] {
  const table = spec.routeTables.find(({ id }) => id === spec.edge)
  if (!table) return []
  const egress = new Set(spec.routeTables.filter(({ routes }) => routes.some(({ via }) => 'egress' in via)).map(({ id }) => id))
  const six = speaks6(spec) ? spec.subnets.filter(({ routeTable }) => !egress.has(routeTable)).flatMap(({ cidr6 }) => cidr6 ?? []) : []
  return [
    `iifgroup ${FABRIC_GROUP} ip daddr ${formatCidr(home.publicRange)} meta mark set ${table.index}`,
    ...(six.length > 0 ? [`iifgroup ${FABRIC_GROUP} ip6 daddr { ${six.join(', ')} } meta mark set ${table.index}`] : []),
  ]
}

/** The chains that give packets to and from middleboxes their zones. None where no machine may forward. */
export function legs(spec: NetworkSpec, ports: Placed[]): Record<string, NftChain> {
  const boxes = middleboxes(ports)
  if (boxes.length === 0) return {}
  // Not by a named set: nftables 1.0.6 takes the device that `fib` finds for a text of another type.
  const devices = anyOf(boxes.map(({ device }) => device))
  const families = [
    {
      ip: 'ip', source: '@source_ok', own: boxes.flatMap(({ port }) => port.addresses.map(a => a.private)),
      blocks: spec.subnets.map(blockOf('cidr')),
    },
    ...(speaks6(spec) ? [{
      ip: 'ip6', source: '@source6_ok', own: boxes.flatMap(({ port }) => port.addresses6 ?? []), blocks: spec.subnets.map(blockOf('cidr6')),
    }] : []),
  ].map(family => ({ ...family, blocks: family.blocks.filter(block => block !== undefined) }))
  const zoned = (side: 'saddr' | 'daddr') => [
    ...families.filter(({ blocks }) => blocks.length > 0).map(({ ip, blocks }) => `ct zone set ${ip} ${side} map ${anyOf(blocks)}`),
    // Of two zones that a packet is given the first counts.
    `ct zone set ${OUTSIDE}`,
  ]
  const onwards = families.filter(({ own }) => own.length > 0)
    .map(({ ip, own }) => `${ip} daddr != ${anyOf(own)} fib daddr . mark oifname ${devices}`)
  const away = diverted(spec)
  return {
    legs: {
      hook: 'type filter hook prerouting priority -250; policy accept;',
      rules: [
        `meta mark ${METADATA_MARK} return`,
        ...families.map(({ ip, source }) => `iifname ${devices} iifname . ether saddr . ${ip} saddr != ${source} goto leg_from_middlebox`),
        ...onwards.map(leads => `${leads} goto leg_to_middlebox`),
        ...(away.length > 0 ? [`iifgroup ${FABRIC_GROUP} ip daddr ${anyOf(away)} ct zone set ${OUTSIDE}`] : []),
      ],
    },
    leg_from_middlebox: { rules: [...onwards.map(leads => `${leads} ct zone set ${BETWEEN_MIDDLEBOXES} return`), ...zoned('daddr')] },
    leg_to_middlebox: { rules: zoned('saddr') },
  }
}

const anyOf = (elements: string[]): string => `{ ${elements.join(', ')} }`
const blockOf = (family: 'cidr' | 'cidr6') => (subnet: SubnetSpec): string | undefined =>
  (subnet[family] === undefined ? undefined : `${subnet[family]} : ${subnet.index}`)

/** Public addresses of ports to which the gateway's table leads over another port. */
function diverted(spec: NetworkSpec): string[] {
  const routes = (spec.routeTables.find(({ id }) => id === spec.edge)?.routes ?? []).filter(({ cidr }) => !isIp6(cidr))
    .map(({ cidr, via }) => ({ block: parseCidr(cidr)!, via })).sort((a, b) => b.block.length - a.block.length)
  return spec.ports.flatMap(port => port.addresses.flatMap(address => {
    const via = routes.find(({ block }) => contains(block, parseIp(address.private)!))?.via
    return address.public !== undefined && via && 'port' in via && via.port !== port.id ? [address.public] : []
  }))
}
