/**
 * Making and ending VPCs with all that every VPC has: a main route table, a default ACL and a default group.
 *
 * Invariant: both happen in one transaction, so that no VPC is ever seen without its own.
 */
import { resourceId } from '#base/id'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Tags } from '#kit/tags'
import { defaultDhcpOptions } from '#service/ec2/dhcp-options/make'
import { EGRESS_OF } from '#service/ec2/egress-only-gateway/egress-only-gateway'
import { GATEWAY_OF } from '#service/ec2/internet-gateway/internet-gateway'
import { networkAcl, type NetworkAclRow } from '#service/ec2/network-acl/network-acl'
import { createRouteTable } from '#service/ec2/route-table/make'
import { ROUTE_TABLE_ASSOCIATION, routeTable } from '#service/ec2/route-table/route-table'
import { createGroup } from '#service/ec2/security-group/create'
import { DEFAULT_GROUP, securityGroup } from '#service/ec2/security-group/security-group'
import { subnet } from '#service/ec2/subnet/subnet'
import { hasDependencies } from '#service/ec2/errors'
import { vpcEndpoint } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import { claimId, claimNext } from '#service/ec2/vpc/numbers'
import { CIDR_ASSOCIATION, DEFAULT_VPC, placeKey, vpc, type Spec, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Reader, Tx } from '#store/store'

export type NewVpc = {
  place: Place
  now: Date
  cidr: string
  tenancy?: Spec['tenancy']
  isDefault?: boolean
  tags?: Tags
}

/** A number for a new VPC's network; every VPC of this Enclume has its own. */
async function networkIndex(tx: Tx, owner: string): Promise<number> {
  const index = await claimNext(tx, { scope: 'network-index', owner, least: 1, most: 127 })
  if (index === undefined) throw new ApiError('VpcLimitExceeded', 'The maximum number of VPCs has been reached: Enclume has room for 127.')
  return index
}

/** The caller has checked the block. A default VPC has DNS host names from the start (VPC User Guide, "DNS attributes for your VPC"). */
export async function createVpc(tx: Tx, { place, now, cidr, tenancy = 'default', isDefault = false, tags }: NewVpc): Promise<VpcRow> {
  const id = resourceId(vpc.prefix)
  const table = resourceId(routeTable.prefix)
  if (isDefault) await tx.claim(DEFAULT_VPC, placeKey(place), id)
  const row = await tx.put(vpc.make({
    ...place, now, id, tags, status: { state: 'available' },
    spec: {
      index: await networkIndex(tx, id),
      cidrs: [{ cidr, association: await claimId(tx, { scope: CIDR_ASSOCIATION, prefix: 'vpc-cidr-assoc', owner: id }) }],
      isDefault,
      tenancy,
      dhcpOptions: await defaultDhcpOptions(tx, place, now),
      mainRouteTable: { id: table, association: await claimId(tx, { scope: ROUTE_TABLE_ASSOCIATION, prefix: 'rtbassoc', owner: id }) },
      dnsSupport: true,
      dnsHostnames: isDefault,
      desired: 'present',
    },
  }), 'created')
  await createRouteTable(tx, { place, now, vpc: id, id: table })
  await tx.put(networkAcl.make({
    ...place, now, status: {},
    spec: {
      vpc: id, isDefault: true,
      entries: [true, false].map(egress => ({ number: 100, egress, allow: true, protocol: '-1', cidr: '0.0.0.0/0' })),
    },
  }), 'created')
  await createGroup(tx, { place, now, vpc: id, name: DEFAULT_GROUP, description: 'default VPC security group', openToItself: true })
  return row
}

/** The ACL that subnets of a VPC begin with. */
export async function defaultAcl(reader: Reader, { account, region, id }: VpcRow): Promise<NetworkAclRow> {
  const rows = await networkAcl.list(reader, { account, region })
  return rows.find(row => row.spec.vpc === id && row.spec.isDefault)!
}

/** Ends a VPC with what came with it; AWS's error while anything else is in it. Its network goes after (drive.ts). */
export async function endVpc(tx: Tx, row: VpcRow): Promise<void> {
  const { id, account, region, spec } = row
  const within = async <R extends { spec: { vpc: string } }>(rows: Promise<R[]>) => (await rows).filter(other => other.spec.vpc === id)
  const place = { account, region }
  const tables = await within(routeTable.list(tx, place))
  const acls = await within(networkAcl.list(tx, place))
  const groups = await within(securityGroup.list(tx, place))
  const inUse = (await within(subnet.list(tx, place))).length > 0 || await tx.holder(GATEWAY_OF, id) !== undefined
    || await tx.holder(EGRESS_OF, id) !== undefined
    || tables.some(table => table.id !== spec.mainRouteTable.id) || acls.some(acl => !acl.spec.isDefault)
    || groups.some(group => group.spec.name !== DEFAULT_GROUP) || (await within(vpcEndpoint.list(tx, place))).length > 0
  if (inUse) throw hasDependencies('vpc', id)
  for (const own of [...tables, ...acls, ...groups]) await tx.remove(own, 'deleted')
  if (spec.isDefault) await tx.release(DEFAULT_VPC, placeKey(place))
  await vpc.update(tx, row, { spec: { desired: 'absent' } }, 'deleted')
}
