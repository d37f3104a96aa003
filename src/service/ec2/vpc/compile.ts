/**
 * From a VPC's records to the network that the engine makes. Pure: equal records give equal specs, in the order of ids.
 *
 * Invariants: whatever is not yet routed to a living target goes nowhere; a group that no interface has is left out, as a
 * rule that refers to it lets nobody through; nothing of IPv6 is in the spec of a VPC
 * without an IPv6 block, whatever its rules and tables say.
 */
import { isDeepStrictEqual } from 'node:util'
import { formatIp, overlaps, parseCidr } from '#base/cidr'
import type { FilterRule, FilterSpec, GroupRule, GroupSpec, NetworkSpec, PeerSpec, PortSpec, RouteSpec, Traffic } from '#engine/port'
import { optionValues, OWN_RESOLVER, type DhcpOptionsRow } from '#service/ec2/dhcp-options/dhcp-options'
import type { EgressOnlyGatewayRow } from '#service/ec2/egress-only-gateway/egress-only-gateway'
import { isAbout, type FlowLogRow } from '#service/ec2/flow-log/flow-log'
import type { InternetGatewayRow } from '#service/ec2/internet-gateway/internet-gateway'
import type { Entry, NetworkAclRow } from '#service/ec2/network-acl/network-acl'
import { isThere, type NatGatewayRow } from '#service/ec2/nat-gateway/nat-gateway'
import { hostname, ipName, publicName, resourceName } from '#service/ec2/network-interface/names'
import { isEndpoints, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { s3ListId } from '#service/ec2/prefix-list/managed'
import type { RouteTableRow, Via } from '#service/ec2/route-table/route-table'
import { hasPorts, isIcmp, type Rule } from '#service/ec2/security-group/rule'
import type { SecurityGroupRow } from '#service/ec2/security-group/security-group'
import type { SubnetRow } from '#service/ec2/subnet/subnet'
import { endpointRecords } from '#service/ec2/vpc-endpoint/resolve'
import type { VpcEndpointRow } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import { blocks6, type VpcRow } from '#service/ec2/vpc/vpc'

export type Records = {
  vpc: VpcRow
  subnets: SubnetRow[]
  routeTables: RouteTableRow[]
  gateways: InternetGatewayRow[]
  egressGateways: EgressOnlyGatewayRow[]
  acls: NetworkAclRow[]
  groups: SecurityGroupRow[]
  interfaces: InterfaceRow[]
  dhcp: DhcpOptionsRow | undefined
  nats: NatGatewayRow[]
  flowLogs: FlowLogRow[]
  endpoints: VpcEndpointRow[]
  /** Blocks by the ids of prefix lists. */
  prefixLists: Map<string, string[]>
  /** The other side of each VPC peering connection that packets pass by. */
  peers: PeerRecords[]
}
export type PeerRecords = { id: string; vpc: VpcRow; interfaces: InterfaceRow[]; endpoints: VpcEndpointRow[]; remoteDns: boolean }

/** EC2's lease time (VPC User Guide, "DHCP option sets"). */
const LEASE_SECONDS = 3600
const numbers: Record<string, number> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 }
const byId = <R extends { id: string }>(rows: readonly R[]): R[] => [...rows].sort((a, b) => (a.id < b.id ? -1 : 1))

/** What was compiled, and of what. */
export type Compiled = { records: Records; spec: NetworkSpec }

/** The same, sooner where nothing but groups differs from the last time: the rest is then the last one's own, not only equal to it. */
export function recompile(records: Records, last: Compiled | undefined): NetworkSpec {
  const isSame = last !== undefined && isDeepStrictEqual({ ...last.records, groups: [] }, { ...records, groups: [] })
  return isSame ? { ...last.spec, groups: groupsOf(records, speaks(blocks6(records.vpc).length > 0)) } : compile(records)
}

export function compile(records: Records): NetworkSpec {
  const { vpc, subnets, dhcp } = records
  const resolver = formatIp(parseCidr(vpc.spec.cidrs[0]!.cidr)!.base + 2)
  const servers = optionValues(dhcp?.spec, 'domain-name-servers').map(server => (server === OWN_RESOLVER ? resolver : server))
  const six = blocks6(vpc).map(({ cidr }) => cidr)
  const isSpoken = speaks(six.length > 0)
  const filters = byId(records.acls).map(row => filterOf(row, isSpoken)).filter(filter => filter !== undefined)
  const filtered = new Set(filters.map(filter => filter.id))
  const gateway = records.gateways.find(({ spec }) => spec.vpc === vpc.id)
  const routeTables = byId(records.routeTables).map(table => (
    { id: table.id, index: table.spec.index, routes: [...routesOf(table, records), ...endpointRoutes(table, records)].filter(isSpoken) }))
  return {
    id: vpc.id,
    index: vpc.spec.index,
    cidrs: vpc.spec.cidrs.map(({ cidr }) => cidr),
    ...(six.length > 0 && { cidrs6: six }),
    resolver,
    resolves: vpc.spec.dnsSupport,
    subnets: byId(subnets).map(({ id, spec }) => ({
      id, index: spec.index, cidr: spec.cidr, ...(spec.cidr6 && { cidr6: spec.cidr6.cidr }),
      routeTable: (spec.routeTable ?? vpc.spec.mainRouteTable).id,
      ...(filtered.has(spec.networkAcl.id) ? { filter: spec.networkAcl.id } : {}),
    })),
    routeTables,
    filters,
    groups: groupsOf(records, isSpoken),
    ports: byId(records.interfaces).map(row => ({
      ...portOf(row, gateway !== undefined), ...(records.flowLogs.some(log => isAbout(log, row)) && { watched: true as const }),
    })),
    dhcp: {
      ...domain(dhcp),
      domainNameServers: servers,
      ntpServers: optionValues(dhcp?.spec, 'ntp-servers'),
      leaseSeconds: LEASE_SECONDS,
    },
    names: namesOf(records),
    peers: byId(records.peers).flatMap(peer => peerOf(peer, vpc)),
    ...(gateway?.spec.routeTable && { edge: gateway.spec.routeTable.id }),
  }
}

/** Whether a rule or route is of a family that the VPC speaks. */
type Spoken = (what: { cidr: string }) => boolean
const speaks = (ipv6: boolean): Spoken => ({ cidr }) => ipv6 || !cidr.includes(':')

function domain(dhcp: DhcpOptionsRow | undefined): { domainName?: string } {
  const [domainName] = optionValues(dhcp?.spec, 'domain-name')
  return domainName === undefined ? {} : { domainName }
}

/** Blocks that overlap with the VPC's own are never the peer's: a later block of either VPC may do so. */
function peerOf({ id, vpc: { spec } }: PeerRecords, vpc: VpcRow): PeerSpec[] {
  const own = vpc.spec.cidrs.map(({ cidr }) => parseCidr(cidr)!)
  const cidrs = spec.cidrs.map(({ cidr }) => cidr).filter(cidr => !own.some(block => overlaps(block, parseCidr(cidr)!)))
  const cidrs6 = blocks6(vpc).length > 0 ? (spec.cidrs6 ?? []).map(({ cidr }) => cidr) : []
  return cidrs.length + cidrs6.length > 0 ? [{ id, index: spec.index, cidrs, ...(cidrs6.length > 0 && { cidrs6 }) }] : []
}

function routesOf({ spec }: RouteTableRow, { vpc, gateways, egressGateways, interfaces, nats, peers, prefixLists }: Records): RouteSpec[] {
  const open = new Set(gateways.filter(gateway => gateway.spec.vpc === vpc.id).map(gateway => gateway.id))
  const egress = new Set(egressGateways.map(gateway => gateway.id))
  const ports = new Set(interfaces.map(row => row.id))
  const linked = new Set(peers.map(peer => peer.id))
  const natPorts = new Map(nats.filter(isThere).map(nat => [nat.id, nat.spec.interface]))
  const way = (via: Via): RouteSpec['via'] => {
    if ('peering' in via) return linked.has(via.peering) ? { peer: via.peering } : { nowhere: true }
    if ('nat' in via) {
      const port = natPorts.get(via.nat)
      return port !== undefined && ports.has(port) ? { port } : { nowhere: true }
    }
    if ('egressOnly' in via) return egress.has(via.egressOnly) ? { egress: true } : { nowhere: true }
    if ('gateway' in via) return open.has(via.gateway) ? { internet: true } : { nowhere: true }
    return ports.has(via.port) ? via : { nowhere: true }
  }
  // Of equal blocks a route's own goes before a list's, and of lists the first (VPC User Guide, "Route priority and prefix lists").
  const found = new Map<string, RouteSpec>()
  const lists = spec.routes.filter(route => 'prefixList' in route)
  for (const { cidr, via } of [
    ...spec.routes.filter(route => 'cidr' in route),
    ...lists.flatMap(({ prefixList, via }) => (prefixLists.get(prefixList) ?? []).map(block => ({ cidr: block, via }))),
  ]) if (!found.has(cidr)) found.set(cidr, { cidr, via: way(via) })
  return [...found.values()]
}

/** An endpoint's prefix list goes before what a wider route says; a route of the same block goes before it. */
function endpointRoutes({ id, region, spec }: RouteTableRow, { endpoints, prefixLists }: Records): RouteSpec[] {
  if (!endpoints.some(endpoint => endpoint.spec.routeTables.includes(id))) return []
  const own = new Set(spec.routes.flatMap(route => ('cidr' in route ? route.cidr : prefixLists.get(route.prefixList) ?? [])))
  return (prefixLists.get(s3ListId(region)) ?? []).filter(cidr => !own.has(cidr)).map(cidr => ({ cidr, via: { store: true } }))
}

// Network ACLs.

/** An ACL as a filter; none for one that lets all through in both directions, as the default ACL does. */
function filterOf({ id, spec }: NetworkAclRow, isSpoken: Spoken): FilterSpec | undefined {
  const [ingress, egress] = [false, true].map(way => rulesOf(spec.entries.filter(entry => entry.egress === way)).filter(isSpoken)) as
    [FilterRule[], FilterRule[]]
  const families = ['0.0.0.0/0', '::/0'].filter(cidr => isSpoken({ cidr }))
  return [ingress, egress].every(rules => families.every(all => passesAll(rules, all))) ? undefined : { id, ingress, egress }
}

/** Whether the first rule about a family is for all of it. */
function passesAll(rules: FilterRule[], all: string): boolean {
  const first = rules.find(rule => rule.cidr.includes(':') === all.includes(':'))
  return first?.allow === true && first.protocol === 'all' && first.cidr === all
}

const rulesOf = (entries: readonly Entry[]): FilterRule[] => [...entries].sort((a, b) => a.number - b.number).flatMap(entry =>
  [{
    allow: entry.allow,
    cidr: entry.cidr ?? entry.cidr6!,
    protocol: entry.protocol === '-1' ? 'all' : Number(entry.protocol),
    ...(entry.ports ? { ports: entry.ports } : {}),
    ...(entry.icmp ? icmp(entry.icmp.type, entry.icmp.code) : {}),
  }])

/** -1 is any type or code on AWS, and absent in the engine's words. */
const icmp = (type: number, code: number): Pick<Traffic, 'icmp'> =>
  (type === -1 ? {} : { icmp: { type, ...(code === -1 ? {} : { code }) } })

// Security groups.

function groupsOf({ groups, interfaces, peers, prefixLists }: Records, isSpoken: Spoken): GroupSpec[] {
  // Groups of peers, as the addresses of their members.
  const beyond = new Map<string, string[]>()
  for (const { id: peering, interfaces: theirs } of peers) {
    for (const { spec } of byId(theirs)) {
      const addresses = [...spec.addresses.map(address => `${address.private}/32`), ...(spec.addresses6 ?? []).map(address => `${address}/128`)]
      for (const key of spec.groups.map(id => `${peering}/${id}`)) beyond.set(key, [...beyond.get(key) ?? [], ...addresses])
    }
  }
  const used = new Set(interfaces.flatMap(row => row.spec.groups))
  return byId(groups).filter(group => used.has(group.id)).map(group => {
    const rules = (egress: boolean) =>
      group.spec.rules.filter(rule => rule.egress === egress).flatMap(rule => groupRule(rule, used, { beyond, prefixLists }))
        .filter(({ peer, protocol }) => isSpoken('cidr' in peer ? peer : protocol === numbers.icmpv6 ? { cidr: '::/0' } : { cidr: '' }))
    return { id: group.id, ingress: rules(false), egress: rules(true) }
  })
}

type Blocks = { beyond: Map<string, string[]>; prefixLists: Map<string, string[]> }

function groupRule({ protocol, from, to, peer }: Rule, used: Set<string>, { beyond, prefixLists }: Blocks): GroupRule[] {
  if ('group' in peer && peer.peering === undefined && !used.has(peer.group)) return []
  const traffic: Traffic = {
    protocol: protocol === '-1' ? 'all' : numbers[protocol] ?? Number(protocol),
    ...(hasPorts(protocol) ? { ports: { from, to } } : {}),
    ...(isIcmp(protocol) ? icmp(from, to) : {}),
  }
  if ('prefixList' in peer) return (prefixLists.get(peer.prefixList) ?? []).map(cidr => ({ ...traffic, peer: { cidr } }))
  if ('cidr6' in peer) return [{ ...traffic, peer: { cidr: peer.cidr6 } }]
  if (!('group' in peer)) return [{ ...traffic, peer }]
  if (peer.peering === undefined) return [{ ...traffic, peer: { group: peer.group } }]
  return (beyond.get(`${peer.peering}/${peer.group}`) ?? []).map(cidr => ({ ...traffic, peer: { cidr } }))
}

// Interfaces and their names.

/** Public addresses are the gateway's to translate: without one they lead nowhere (VPC User Guide, "Internet gateways"). */
function portOf({ id, spec }: InterfaceRow, hasGateway: boolean): PortSpec {
  const [primary] = spec.addresses
  return {
    id,
    index: spec.index,
    mac: spec.mac,
    subnet: spec.subnet,
    addresses: spec.addresses.map(address => ({
      private: address.private, ...(hasGateway && address.public ? { public: address.public.address } : {}),
    })),
    ...(spec.addresses6?.length && { addresses6: spec.addresses6 }),
    fabric: spec.fabric,
    groups: spec.groups,
    checked: spec.sourceDestCheck,
    metadataHopLimit: spec.metadataHopLimit,
    ...(spec.attachment?.bandwidthGbps !== undefined && { bitsPerSecond: Math.round(spec.attachment.bandwidthGbps * 1e9) }),
    ...(spec.manager !== undefined && (isEndpoints(spec.manager) ? { answers: true as const } : { translates: true as const })),
    hostname: hostname({ address: primary!.private, type: spec.hostnameType, instance: spec.attachment?.instance }),
  }
}

/**
 * Names besides the ports' own host names: private names in AWS's domain whatever the DHCP options say, and public names,
 * which mean the private address inside (VPC User Guide, "DNS attributes for your VPC").
 */
function namesOf({ vpc, subnets, interfaces, peers, endpoints }: Records): NetworkSpec['names'] {
  if (!vpc.spec.dnsSupport) return []
  const { region } = vpc
  const resourceNamed = new Set(subnets.filter(row => row.spec.resourceNameRecord).map(row => row.id))
  const ofPeers = byId(peers).filter(peer => peer.remoteDns && peer.vpc.spec.dnsHostnames).flatMap(peer =>
    byId(peer.interfaces).flatMap(row => publicNames(peer.vpc.region, row)))
  // Endpoints' own names are public ones on AWS; here who is joined with the VPC knows them too.
  const ofEndpoints = [
    ...endpointRecords(byId(endpoints), interfaces, { inside: vpc.spec.dnsHostnames }),
    ...byId(peers).flatMap(peer => endpointRecords(byId(peer.endpoints), peer.interfaces, { inside: false })),
  ]
  return [...ofPeers, ...ofEndpoints, ...byId(interfaces).flatMap(({ spec }) => {
    const primary = spec.addresses[0]!.private
    const instance = spec.attachment?.deviceIndex === 0 ? spec.attachment.instance : undefined
    return [
      ...spec.addresses.flatMap(address => [
        { name: ipName(region, address.private), address: address.private },
        ...(address.public && vpc.spec.dnsHostnames
          ? [{ name: publicName(region, address.public.address), address: address.private }] : []),
      ]),
      ...(instance !== undefined && (spec.hostnameType === 'resource-name' || resourceNamed.has(spec.subnet))
        ? [{ name: resourceName(region, instance), address: primary }] : []),
    ]
  })]
}

/** Public names with the private addresses that they mean. */
const publicNames = (region: string, { spec }: InterfaceRow): NetworkSpec['names'] => spec.addresses.flatMap(address =>
  (address.public ? [{ name: publicName(region, address.public.address), address: address.private }] : []))
