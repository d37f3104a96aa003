/**
 * Making and releasing interfaces, and their addresses: what RunInstances and the interface actions share.
 *
 * Invariant: every number and address that an interface has is claimed by its row before the row is written; a released
 * interface leaves no claim.
 */
import { contains, formatIp, parseCidr, parseIp, size, type Cidr } from '#base/cidr'
import { fabricBlock, type Home } from '#base/home'
import { resourceId } from '#base/id'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { claimAddresses6, type Wanted6 } from '#service/ec2/network-interface/ipv6'
import type { HostnameType } from '#service/ec2/network-interface/names'
import { isEndpoints, networkInterface, type Attachment, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { DEFAULT_GROUP, nameScope, securityGroup } from '#service/ec2/security-group/security-group'
import { reservedIn } from '#service/ec2/subnet/reservation'
import { addressScope, RESERVED, type SubnetRow } from '#service/ec2/subnet/subnet'
import { claimNext } from '#service/ec2/vpc/numbers'
import type { VpcRow } from '#service/ec2/vpc/vpc'
import type { Tx } from '#store/store'

export const MAX_GROUPS = 5
const MAX_PORT = 999_999
export const PUBLIC_SCOPE = 'public-address'

export type NewInterface = {
  place: Place
  now: Date
  home: Home
  vpc: VpcRow
  subnet: SubnetRow
  /** The primary private address; chosen when absent. */
  privateIp?: string
  /** Further private addresses: these, or so many. */
  secondary?: readonly string[] | number
  /** IPv6 addresses, as the subnet says when absent. */
  ipv6?: Wanted6
  /** Ids; the VPC's default group when absent or empty. */
  groups?: readonly string[]
  description?: string
  tags?: Record<string, string>
  attachment?: Attachment
  /** Whether it gets a public address at once. */
  publicIp: boolean
  metadataHopLimit: number
  /** The subnet's own by default. */
  hostnameType?: HostnameType
  /** What it is to be a part of; it has no instance then, and is in use from the start. A NAT gateway's has no groups and is not checked. */
  manager?: string
}

/** Writes a new interface, in use if attached; throws AWS's errors for addresses and groups that can't be had. */
export async function createInterface(tx: Tx, given: NewInterface): Promise<InterfaceRow> {
  const { place, now, home, vpc, subnet, attachment, manager, secondary = 0 } = given
  const id = resourceId('eni')
  const translates = manager !== undefined && !isEndpoints(manager)
  const groups = translates ? [] : await checkGroups(tx, { place, vpc: vpc.id, subnet: subnet.id, groups: given.groups })
  const wanted = [given.privateIp, ...(typeof secondary === 'number' ? Array<undefined>(secondary).fill(undefined) : secondary)]
  // The named ones first, lest one of them is chosen for another.
  const named = new Map<string, string>()
  for (const address of wanted) {
    if (address !== undefined) named.set(address, await claimAddress(tx, { subnet, owner: id, address }))
  }
  const privates: string[] = []
  for (const address of wanted) privates.push(named.get(address ?? '') ?? await claimAddress(tx, { subnet, owner: id }))
  const addresses6 = manager !== undefined ? [] : await claimAddresses6(tx, { subnet, owner: id, wanted: given.ipv6 })
  const index = await claimNext(tx, { scope: 'port-index', owner: id, least: 1, most: MAX_PORT })
  if (index === undefined) throw new ApiError('NetworkInterfaceLimitExceeded', `There is no room for more than ${MAX_PORT} interfaces.`)
  const row = await tx.put(networkInterface.make({
    ...place, now, id, tags: given.tags,
    spec: {
      vpc: vpc.id,
      subnet: subnet.id,
      zone: subnet.spec.zone,
      index,
      mac: macOf(home.slot, index),
      fabric: await claimFabric(tx, { vpc, owner: id, home }),
      addresses: privates.map((address, i) => ({ private: address, primary: i === 0 })),
      ...(addresses6.length > 0 && { addresses6 }),
      groups,
      description: given.description ?? '',
      sourceDestCheck: !translates,
      metadataHopLimit: given.metadataHopLimit,
      hostnameType: given.hostnameType ?? subnet.spec.hostnameType,
      attachment,
      ...(manager !== undefined && { manager }),
    },
    status: { state: attachment || manager !== undefined ? 'in-use' : 'available' },
  }), 'created')
  return given.publicIp ? givePublicAddress(tx, row, home) : row
}

/** Locally administered, as on AWS (they begin with 02, 06, 0a or 0e), and unique by the port's number. */
function macOf(slot: number, index: number): string {
  const bytes = [0x02, 0xec, slot, index >>> 16, (index >>> 8) & 255, index & 255]
  return bytes.map(byte => byte.toString(16).padStart(2, '0')).join(':')
}

/** Ids of groups as an interface may have them: of its VPC, five at most, the default one where none is named. */
export async function checkGroups(
  tx: Tx, { place, vpc, subnet, groups = [] }: { place: Place; vpc: string; subnet?: string; groups?: readonly string[] },
): Promise<string[]> {
  if (groups.length === 0) return [(await tx.holder(nameScope(vpc), DEFAULT_GROUP))!]
  const rows = await securityGroup.getAll(tx, place, groups)
  if (rows.length > MAX_GROUPS) {
    throw new ApiError('SecurityGroupsPerInterfaceLimitExceeded',
      `The maximum number of security groups per interface (${MAX_GROUPS}) has been reached.`)
  }
  const foreign = rows.find(row => row.spec.vpc !== vpc)
  if (foreign && subnet !== undefined) { // A new interface has another error than an existing one (efsync#16).
    throw new ApiError('InvalidParameter', `Security group ${foreign.id} and subnet ${subnet} belong to different networks.`)
  }
  if (foreign) throw new ApiError('InvalidGroup.NotFound', 'You have specified two resources that belong to different networks.')
  return rows.map(row => row.id)
}

type ClaimAddress = { subnet: SubnetRow; owner: string; address?: string }

/** Takes a private address of a subnet: the one that is asked for, or a free one, that was free for long if there is one. */
export async function claimAddress(tx: Tx, { subnet, owner, address }: ClaimAddress): Promise<string> {
  const block = parseCidr(subnet.spec.cidr)!
  const [least, most] = [block.base + RESERVED.first, block.base + size(block) - 1 - RESERVED.last]
  const scope = addressScope(subnet.id)
  if (address === undefined) {
    const reserved = (await reservedIn(tx, subnet)).map(cidr => parseCidr(cidr)!)
    const avoid = (ip: number) => reserved.some(cidr => contains(cidr, ip))
    const free = await claimNext(tx, { scope, owner, least, most, key: formatIp, avoid, keeper: subnet.id })
    if (free !== undefined) return formatIp(free)
    throw new ApiError('InsufficientFreeAddressesInSubnet',
      `The specified subnet does not have enough free addresses to satisfy the request.`)
  }
  const ip = parseIp(address)
  if (ip === undefined) throw new ApiError('InvalidParameterValue', `invalid value for parameter address: ${address}`)
  const invalid = (why: string) => new ApiError('InvalidParameterValue', `Address ${address} ${why}`)
  if (!contains(block, ip)) throw invalid(`does not fall within the subnet's address range`)
  if (ip < least || ip > most) throw invalid(`is in subnet's reserved address range`)
  // The same address twice in one request is as much in use as another interface's.
  if (await tx.holder(scope, address) !== undefined) throw new ApiError('InvalidIPAddress.InUse', `Address ${address} is in use.`)
  await tx.claim(scope, address, owner)
  return address
}

/** The address by which the metadata service knows the interface, whatever its VPC's own range. */
async function claimFabric(tx: Tx, { vpc, owner, home }: { vpc: VpcRow; owner: string; home: Home }): Promise<string> {
  const block = parseCidr(fabricBlock(home, vpc.spec.index))!
  const free = await claimNext(tx, {
    scope: `${vpc.id}/fabric`, owner, least: block.base + 1, most: block.base + size(block) - 2, key: formatIp, keeper: vpc.id,
  })
  if (free === undefined) throw new ApiError('NetworkInterfaceLimitExceeded', 'The VPC has no room for more network interfaces.')
  return formatIp(free)
}

/** The public addresses that may be given out: not the network's, the host's own or the broadcast address. */
export const publicEnds = (range: Cidr) => ({ least: range.base + 2, most: range.base + size(range) - 2 })

/** Takes a public address that nobody has. */
export async function claimPublicAddress(tx: Tx, owner: string, home: Home): Promise<string> {
  const free = await claimNext(tx, { scope: PUBLIC_SCOPE, owner, ...publicEnds(home.publicRange), key: formatIp })
  if (free === undefined) throw new ApiError('InsufficientAddressCapacity', 'There are no free public addresses.', 500)
  return formatIp(free)
}

/** Puts one of Amazon's own public addresses in front of the primary private one. It has none yet. */
export async function givePublicAddress(tx: Tx, row: InterfaceRow, home: Home): Promise<InterfaceRow> {
  const address = await claimPublicAddress(tx, row.id, home)
  const [primary, ...others] = row.spec.addresses
  const addresses = [{ ...primary!, public: { address } }, ...others]
  return networkInterface.update(tx, row, { spec: { addresses } }, 'public-address-given')
}

/** Takes Amazon's own public addresses away, as stopping an instance does. Elastic ones stay. */
export async function takePublicAddress(tx: Tx, row: InterfaceRow): Promise<InterfaceRow> {
  const amazons = row.spec.addresses.filter(address => address.public && address.public.allocation === undefined)
  if (amazons.length === 0) return row
  for (const address of amazons) await tx.release(PUBLIC_SCOPE, address.public!.address)
  const addresses = row.spec.addresses.map(({ public: outside, ...inside }) =>
    (outside?.allocation === undefined ? inside : { ...inside, public: outside }))
  return networkInterface.update(tx, row, { spec: { addresses } }, 'public-address-taken')
}

/** Removes an interface with all that it held. */
export const releaseInterface = (tx: Tx, row: InterfaceRow): Promise<void> => tx.remove(row)
