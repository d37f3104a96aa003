/**
 * What the network side of one Enclume is called on the host, and the addresses that are the same in every router.
 *
 * Invariant: every name that the host can see begins with the home's prefix; names inside our own namespaces need not.
 * Device names fit the kernel's 15 characters, or are refused.
 */
import { join } from 'node:path'
import type { Home } from '#base/home'
import { formatIp } from '#base/cidr'

/** Where the metadata service listens at the service address, and the host's resolver for routers. */
export const DNS_PORT = 5300
/** As machines know them. */
export const METADATA_ADDRESS = '169.254.169.254'
export const RESOLVER_ADDRESS = '169.254.169.253'
/** The core's address on each router's link, and on the link to the host. Link-local, so that no network can own them. */
export const CORE_FABRIC_ADDRESS = '169.254.0.1'
/** Another one on the routers' links: what is sent there goes to the object store with fabric addresses as source. */
export const CORE_STORE_ADDRESS = '169.254.0.3'
export const CORE_HOST_ADDRESS = '169.254.0.2'
// IPv6: link-local addresses, the same everywhere, since every link has two ends only.

/** The core's on each router's link, and the one by which connections may only begin inside. */
export const CORE_ADDRESS6 = 'fe80::1'
export const CORE_EGRESS_ADDRESS6 = 'fe80::e'
/** A router's on its link to the core, and on every port. */
export const ROUTER_ADDRESS6 = 'fe80::2'
export const GATEWAY_ADDRESS6 = 'fe80::1'
/** The two ends of the link between host and core. */
export const HOST_LINK_ADDRESS6 = 'fe80::1'
export const CORE_LINK_ADDRESS6 = 'fe80::2'
/** Frames as large as EC2's. */
export const MTU = 9001
/** Every router's side of every port has this MAC: a machine's neighbour entry for its gateway outlives the router. */
export const GATEWAY_MAC = '0a:00:00:00:00:01'
/** Device groups inside a router: the link to the core, and (from here on) one for each subnet. */
export const FABRIC_GROUP = 1
export const FIRST_SUBNET_GROUP = 100
/** Device group of the routers' links inside the core. */
export const ROUTERS_GROUP = 2
/** Device group, inside a router, of the links to its peers. */
export const PEERS_GROUP = 3
export const METADATA_MARK = 0xffff

const device = (name: string): string => {
  if (name.length > 15) throw new Error(`device name ${name} is longer than the kernel's 15 characters`)
  return name
}

export const spacePath = (space: string): string => join('/run/netns', space)
export const hostDevice = (home: Home): string => `${home.prefix}h`
export const coreSpace = (home: Home): string => `${home.prefix}-core`
export const routerSpace = (home: Home, index: number): string => `${home.prefix}-n${index}`
/** Stands behind a port that translates. */
export const gatewaySpace = (home: Home, network: number, port: number): string => `${home.prefix}-g${network}-${port}`
/** The machine's side of a port. */
export const portDevice = (home: Home, port: number): string => device(`${home.prefix}p${port}`)
/** The router's side of a port, by which its filters know it. */
export const routerDevice = (subnet: number, port: number): string => device(`e${subnet}-${port}`)
/** What comes from a port goes through it, where the port has a limit. */
export const shaperDevice = (port: number): string => device(`i${port}`)
/** Carries a subnet's gateway address; it has no ports. */
export const gatewayDevice = (subnet: number): string => device(`sn${subnet}`)
/** The core's side of a router's link. */
export const coreLink = (index: number): string => device(`n${index}`)
/** A router's link to the router of the network with this index; and its own end's address, by its own index. */
export const peerDevice = (index: number): string => device(`x${index}`)
/** Its own end's IPv6 address. */
export const peerAddress6 = (index: number): string => `fe80::3:${index.toString(16)}`
export const peerAddress = (index: number): string => `169.254.3.${index}`
/** nftables table in the host's namespace. */
export const hostTable = (home: Home): string => home.prefix
/** A router's own fabric address: the base of its block, which no port has. */
export const routerAddress = (home: Home, index: number): string => formatIp(home.fabricRange.base + index * 4096)
/** Where the files of the host's resolver lie. */
export const resolverDir = (home: Home): string => join(home.run, 'net', 'host')
/** Files here, of lines with an address and a name, are names that every network sees; the host's resolver reads them when they come. */
export const publicNamesDir = (home: Home): string => join(resolverDir(home), 'names')
/** Where the rendered files of a router lie. */
export const routerDir = (home: Home, index: number): string => join(home.run, 'net', String(index))
