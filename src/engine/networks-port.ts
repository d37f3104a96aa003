/**
 * The part of the engine's port (port.ts, whose rules hold here) that is about networks: one router for each, with ports. The whole network is
 * given every time; the engine finds the difference.
 */
import type { Server } from 'node:net'
import type { FlowsSeen, PortTraffic } from '#engine/count'
import type { Absent, Unknown } from '#engine/port'

export type NetworkSpec = {
  id: string
  /** 1 to 127, unique in this Enclume while the network exists: decides its fabric block and namespace name. */
  index: number
  cidrs: string[]
  /** IPv6 blocks, which no other network here has: who has a route reaches them as they are. Without one, nothing of IPv6 passes. */
  cidrs6?: string[]
  /** Where the network's own resolver answers, besides 169.254.169.253: base of the first block plus two. */
  resolver: string
  /** False: the resolver answers nothing (enableDnsSupport). */
  resolves: boolean
  subnets: SubnetSpec[]
  routeTables: RouteTableSpec[]
  /** Stateless filters on the subnets' borders. A subnet without one lets all through. */
  filters: FilterSpec[]
  /** Stateful filters on ports. */
  groups: GroupSpec[]
  ports: PortSpec[]
  dhcp: { domainName?: string; domainNameServers: string[]; ntpServers: string[]; leaseSeconds: number }
  /** Names that the resolver knows by itself, besides the ports' own. `*.` before one means it and whatever is below it. */
  names: { name: string; address: string }[]
  peers: PeerSpec[]
  /** The route table of what comes in from the internet; without one it goes to whom it is addressed. */
  edge?: string
}
/**
 * Another network. Packets pass between ports of the two where both name each other and the route tables lead there: never further, into
 * a third network or the internet. The other need not be there yet, or any more.
 */
export type PeerSpec = { id: string; index: number; cidrs: string[]; cidrs6?: string[] }
/** `index` is 100 to 60,000, unique within the network; `cidr6` a /64, whose router announces itself. */
export type SubnetSpec = { id: string; index: number; cidr: string; cidr6?: string; routeTable: string; filter?: string }
/**
 * `index` is 1 to 65,000, unique within the network. What is addressed to the network's own blocks goes there, unless a route for a whole
 * block or a part of one says otherwise; what is addressed to the sender's own subnet goes there whatever a route says.
 */
export type RouteTableSpec = { id: string; index: number; routes: RouteSpec[] }
/**
 * To the internet, to the object store's address from whoever is inside, to a port of this network (a router instance), to a peer, or
 * nowhere. Longest prefix wins. `cidr` is of either family, as in all rules. `egress`, for IPv6, is an internet in which no connection begins.
 */
export type RouteSpec = { cidr: string; via: Via }
export type Via = { internet: true } | { egress: true } | { store: true } | { port: string } | { peer: string } | { nowhere: true }
export type FilterSpec = { id: string; ingress: FilterRule[]; egress: FilterRule[] }
/** In the order they are tried; what no rule meets is denied. */
export type FilterRule = Traffic & { allow: boolean; cidr: string }
export type GroupSpec = { id: string; ingress: GroupRule[]; egress: GroupRule[] }
/** What no rule meets is dropped in silence. A `group` peer is every address of that group's ports. */
export type GroupRule = Traffic & { peer: { cidr: string } | { group: string } }
/** `ports` for TCP and UDP, inclusive; `icmp` for ICMP, where an absent member means any. Numbers are IANA's. */
export type Traffic = { protocol: 'all' | number; ports?: { from: number; to: number }; icmp?: { type?: number; code?: number } }

export type PortSpec = {
  id: string
  /** 1 to 999,999, unique in this Enclume while the port exists: decides its device names. */
  index: number
  mac: string
  subnet: string
  /** The first is the primary one, which DHCP hands out, and the same of IPv6. */
  addresses: { private: string; public?: string }[]
  addresses6?: string[]
  /**
   * Unique in this Enclume, within the network's fabric block but not its base (the router's own): how the metadata service tells
   * callers apart.
   */
  fabric: string
  groups: string[]
  /** Whether packets must come from, and go to, the port's own addresses. */
  checked: boolean
  /** IP time-to-live of the metadata service's answers. */
  metadataHopLimit: number
  /** Bits a second that the port may send, and as many that it may receive; as many as the host manages where it is left out. */
  bitsPerSecond?: number
  /** Host name, without a domain, that DHCP gives and the resolver knows. */
  hostname: string
  /**
   * No machine takes this port, but a translator that the engine makes: what the network's ports send through it goes on with the port's
   * own addresses as source, and only answers come back. It has no groups.
   */
  translates?: true
  /** No machine takes this port, but this process: whoever may connect to port 443 of its address is answered by `answering`. */
  answers?: true
  /** Its flows are counted (`flows`). */
  watched?: true
}

/** Domains; `addresses`: those in which `ec2-A-B-C-D` means the public address A.B.C.D, whoever has it. */
export type Served = { host: readonly string[]; store: readonly string[]; addresses: readonly string[] }

/** Answers at a port: is given its id and what listens there, and again when it was made anew; the peers that it sees are who asked. */
export type Answering = (port: string, listening: Server) => Promise<{ close(): Promise<void> }>

/** `unserved`: nobody gives leases or answers for names there. */
export type NetworkSeen = { ports: string[]; unserved?: true }

export type Networks = {
  /** The host's and the core's side: routes, address translation, guards. Idempotent; also after a reboot of the host. */
  up(): Promise<void>
  /**
   * These domains, and what is below them, mean the host itself, or the object store's address, wherever a network's resolver asks outside.
   * Who has a way there reaches port 443, which leads to API_PORT or STORE_PORT of the service address (base/home.ts).
   */
  serve(domains: Served): Promise<void>
  /** Who answers at ports that `answer`; told before the first of them is applied, as nobody does before. */
  answering(answer: Answering): void
  /** Makes the network so: after it returns, packets obey. Answers the ports that got devices; a change of rules alone looks for none lost. */
  apply(spec: NetworkSpec): Promise<string[]>
  /** Whether the router is there, and the ids of its ports that have their devices. */
  observe(id: string): Promise<NetworkSeen | Absent | Unknown>
  /** What the watched ports sent and got since this was last asked, and no more then. */
  flows(id: string): Promise<FlowsSeen | Absent | Unknown>
  list(): Promise<string[] | Unknown>
  /** What each port has sent and received since its device was made, by id. */
  traffic(id: string): Promise<Record<string, PortTraffic> | Absent | Unknown>
  delete(id: string): Promise<void>
  /** Tells of networks that have lost something on the host to somebody else, within seconds. */
  watch(callback: (id: string) => void): () => void
  /** The device that a machine must be given for a port: it lies in the host's namespace until the machine takes it. */
  portDevice(index: number): string
  /** Removes all that `up` and `apply` made on the host. */
  down(): Promise<void>
}
