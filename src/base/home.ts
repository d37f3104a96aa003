/**
 * Where one Enclume keeps its things, and which names and ranges on the host are its own.
 *
 * Several Enclumes live side by side on a host: each has a home directory and a slot. The slot decides every name
 * and range that all of them share with the host, so two homes with different slots never meet.
 */
import { join } from 'node:path'
import { formatCidr, formatIp, type Cidr } from '#base/cidr'
import { formatCidr6, formatIp6, type Cidr6 } from '#base/cidr6'

export type Home = {
  /** Everything that must survive: database, keys, Incus's directory, the pool file, logs. */
  dir: string
  /** What may vanish with a reboot: sockets, pid files, rendered configuration. */
  run: string
  /** 0 to 7. */
  slot: number
  /** Begins the name of each device, namespace and nftables table this Enclume makes on the host: 'en0' … 'en7'. */
  prefix: string
  /** API port on 127.0.0.1; the console has its own. */
  port: number
  consolePort: number
  region: string
  /** An Incus that was there before: its socket and its directory. Absent: a private one, in `dir`. */
  incus?: { socket: string; dir: string }
  /** Volumes may do as much as the host can, whatever their type says. */
  unthrottled?: true
  /** Requests to EC2 are throttled as AWS throttles them. */
  apiThrottle?: true
  /** Public IPv4 addresses come from here; the first host address is the host's own ("the internet" as instances see it). */
  publicRange: Cidr
  /** Every interface has a unique address here, whatever its VPC's range: a /20 for each VPC. */
  fabricRange: Cidr
}

export const SLOTS = 8
const PUBLIC: Cidr = { base: 0xc6120000, length: 15 } // 198.18.0.0/15, set aside for testing by RFC 2544: no real host has it.
const FABRIC: Cidr = { base: 0x64400000, length: 10 } // 100.64.0.0/10, shared address space of RFC 6598.

const part = (whole: Cidr, slot: number): Cidr => ({ base: whole.base + slot * 2 ** (32 - whole.length - 3), length: whole.length + 3 })

export type HomeOptions = {
  dir: string; slot?: number; port?: number; consolePort?: number; region?: string; incus?: Home['incus']
  unthrottled?: boolean; apiThrottle?: boolean
}

/** The layout of a home; touches nothing. */
export function homeAt(options: HomeOptions): Home {
  const { dir, slot = 0, port = 4566, consolePort = 4570, region = 'us-east-1', incus, unthrottled, apiThrottle } = options
  if (!Number.isInteger(slot) || slot < 0 || slot >= SLOTS) throw new Error(`slot must be 0 to ${SLOTS - 1}, not ${slot}`)
  return {
    dir, run: join('/run', `enclume-${slot}`), slot, prefix: `en${slot}`, port, consolePort, region, ...(incus && { incus }),
    ...(unthrottled && { unthrottled }), ...(apiThrottle && { apiThrottle }),
    publicRange: part(PUBLIC, slot), fabricRange: part(FABRIC, slot),
  }
}

/** Where the metadata service listens at the service address; instances' requests are translated to it. */
export const METADATA_PORT = 8775
/** Where the API listens at the service address for instances: what they send to port 443 of the host's own address is translated to it. */
export const API_PORT = 8776

/** Where the object store alone listens at the service address: what is sent to port 443 of the store's address is translated to it. */
export const STORE_PORT = 8777

/** The host's own address in the public range, and the one at which instances' metadata and names are answered. */
export const hostAddress = (home: Home): string => formatIp(home.publicRange.base + 1)
/** The object store's address, the last of the public range: one of its own, so that a way there leads nowhere else. */
export const storeAddress = (home: Home): string => formatIp(home.publicRange.base + 2 ** (32 - home.publicRange.length) - 1)
export const serviceAddress = (home: Home): string => formatIp(home.fabricRange.base + 1)
/** The block of fabric addresses that a VPC with this index has. Index 0 belongs to the host. */
export const fabricBlock = (home: Home, index: number): string => formatCidr({ base: home.fabricRange.base + index * 4096, length: 20 })

/**
 * Where VPCs' IPv6 blocks come from: a /36 of 3fff:ec2::/32 for each slot, out of 3fff::/20, which RFC 9637 sets aside for documentation:
 * no network routes it, and it is global to whoever chooses between addresses (decision 0032).
 */
export const ipv6Range = ({ slot }: Pick<Home, 'slot'>): Cidr6 => ({ base: (0x3fff0ec2n << 96n) | (BigInt(slot) << 92n), length: 36 })
/** A /56 of the range, by its number from 1 to IPV6_BLOCKS. The first one, number 0, is the host's. */
export const ipv6Block = (home: Pick<Home, 'slot'>, n: number): string =>
  formatCidr6({ base: ipv6Range(home).base + (BigInt(n) << 72n), length: 56 })
export const IPV6_BLOCKS = 2 ** 20 - 1
/** The host's own IPv6 address, and the one by which the core speaks: of unreachable destinations, and nothing else. */
export const hostAddress6 = (home: Pick<Home, 'slot'>): string => formatIp6(ipv6Range(home).base + 1n)
export const coreAddress6 = (home: Pick<Home, 'slot'>): string => formatIp6(ipv6Range(home).base + 2n)
