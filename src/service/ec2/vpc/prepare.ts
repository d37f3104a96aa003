/**
 * The network that every account finds in every region: a default VPC with all that belongs to it.
 *
 * Invariants: made once for each account and region (claim scope 'prepared'), in one transaction, also when two first calls
 * race; a default VPC that its owner deleted does not come back by itself, only by CreateDefaultVpc.
 */
import { resourceId } from '#base/id'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { zonesOf } from '#service/ec2/context'
import { dhcpOptions, OWN_RESOLVER } from '#service/ec2/dhcp-options/dhcp-options'
import { internetGateway } from '#service/ec2/internet-gateway/internet-gateway'
import { networkAcl } from '#service/ec2/network-acl/network-acl'
import { privateDomain } from '#service/ec2/network-interface/names'
import { routeTable } from '#service/ec2/route-table/route-table'
import { createGroup } from '#service/ec2/security-group/create'
import { subnet } from '#service/ec2/subnet/subnet'
import { claimLowest, claimNext } from '#service/ec2/vpc/numbers'
import { vpc, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Reader, Tx } from '#store/store'

const BLOCK = '172.31.0.0/16'
/** A /20 for each zone, in the order of letters (VPC User Guide, "Default VPC components"). */
const subnetBlock = (i: number): string => `172.31.${i * 16}.0/20`
const placeKey = ({ account, region }: Place): string => `${account}/${region}`
const DEFAULT_VPC = 'default-vpc'

/** The account's default VPC in the region, if it has one. */
export async function findDefaultVpc(reader: Reader, place: Place): Promise<VpcRow | undefined> {
  const id = await reader.holder(DEFAULT_VPC, placeKey(place))
  return id === undefined ? undefined : reader.get<VpcRow>('vpc', id)
}

/** A number for a new VPC's network; every VPC of this Enclume has its own. */
async function networkIndex(tx: Tx, owner: string): Promise<number> {
  const index = await claimNext(tx, { scope: 'network-index', owner, least: 1, most: 127 })
  if (index === undefined) throw new ApiError('VpcLimitExceeded', 'The maximum number of VPCs has been reached: Enclume has room for 127.')
  return index
}

async function claimed(tx: Tx, scope: string, prefix: string, owner: string): Promise<string> {
  const id = resourceId(prefix)
  await tx.claim(scope, id, owner)
  return id
}

/** A default VPC with its subnets, gateway, tables, group and options. The caller has checked that there is none. */
export async function createDefaultVpc(tx: Tx, place: Place, now: Date): Promise<VpcRow> {
  const id = resourceId('vpc')
  const [options, table, acl] = [resourceId('dopt'), resourceId('rtb'), resourceId('acl')]
  await tx.claim(DEFAULT_VPC, placeKey(place), id)
  const at = { ...place, now, status: {} }
  await tx.put(dhcpOptions.make({
    ...at, id: options,
    spec: {
      options: [{ key: 'domain-name', values: [privateDomain(place.region)] }, { key: 'domain-name-servers', values: [OWN_RESOLVER] }],
    },
  }), 'created')
  const row = await tx.put(vpc.make({
    ...at, id, status: { state: 'available' },
    spec: {
      index: await networkIndex(tx, id),
      cidrs: [{ cidr: BLOCK, association: resourceId('vpc-cidr-assoc') }],
      isDefault: true,
      tenancy: 'default',
      dhcpOptions: options,
      mainRouteTable: { id: table, association: await claimed(tx, 'route-table-association', 'rtbassoc', id) },
      dnsSupport: true,
      dnsHostnames: true,
      desired: 'present',
    },
  }), 'created')
  const gateway = await tx.put(internetGateway.make({ ...at, spec: { vpc: id } }), 'created')
  await tx.claim('internet-gateway-of', id, gateway.id)
  const index = (await claimLowest(tx, { scope: `${id}/route-table-index`, owner: table, least: 1, most: 65_000 }))!
  await tx.put(routeTable.make({
    ...at, id: table, spec: { vpc: id, index, routes: [{ cidr: '0.0.0.0/0', via: { gateway: gateway.id } }] },
  }), 'created')
  await tx.put(networkAcl.make({
    ...at, id: acl,
    spec: {
      vpc: id, isDefault: true,
      entries: [true, false].map(egress => ({ number: 100, egress, allow: true, protocol: '-1', cidr: '0.0.0.0/0' })),
    },
  }), 'created')
  await createGroup(tx, { place, now, vpc: id, name: 'default', description: 'default VPC security group', openToItself: true })
  for (const [i, zone] of zonesOf(place.region).entries()) {
    await createDefaultSubnet(tx, { place, now, vpc: id, acl, zone, cidr: subnetBlock(i) })
  }
  return row
}

type DefaultSubnet = { place: Place; now: Date; vpc: string; acl: string; zone: string; cidr: string }

async function createDefaultSubnet(tx: Tx, { place, now, vpc: owner, acl, zone, cidr }: DefaultSubnet): Promise<void> {
  const id = resourceId('subnet')
  await tx.put(subnet.make({
    ...place, now, id, status: { state: 'available' },
    spec: {
      vpc: owner, zone, cidr,
      index: (await claimLowest(tx, { scope: `${owner}/subnet-index`, owner: id, least: 100, most: 65_000 }))!,
      mapPublicIp: true,
      defaultForAz: true,
      hostnameType: 'ip-name',
      resourceNameRecord: false,
      networkAcl: { id: acl, association: await claimed(tx, 'network-acl-association', 'aclassoc', id) },
    },
  }), 'created')
}

export type Preparation = {
  /** Makes a place's default VPC if this is the first call there. */
  prepare(tx: Tx, place: Place, now: Date): Promise<void>
  /** Whether `prepare` is known to have nothing to do. */
  prepared(place: Place): boolean
}

/** Remembers which places are prepared: only those that a transaction found so at its start, as one of its own may be rolled back. */
export function preparation(): Preparation {
  const known = new Set<string>()
  return {
    prepared: place => known.has(placeKey(place)),
    async prepare(tx, place, now) {
      const key = placeKey(place)
      if (known.has(key)) return
      if (await tx.holder('prepared', key) !== undefined) { known.add(key); return }
      await tx.claim('prepared', key, 'ec2')
      await createDefaultVpc(tx, place, now)
    },
  }
}
