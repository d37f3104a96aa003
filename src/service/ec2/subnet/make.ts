/** Making subnets, for the actions and for default VPCs. */
import { resourceId } from '#base/id'
import type { Place } from '#kit/action'
import type { Tags } from '#kit/tags'
import { NETWORK_ACL_ASSOCIATION } from '#service/ec2/network-acl/network-acl'
import { associate6 } from '#service/ec2/subnet/ipv6'
import { subnet, type SubnetRow } from '#service/ec2/subnet/subnet'
import { claimId, claimLowest } from '#service/ec2/vpc/numbers'
import type { Tx } from '#store/store'

export type NewSubnet = {
  place: Place
  now: Date
  vpc: string
  /** The VPC's default ACL. */
  acl: string
  zone: string
  cidr: string
  /** Checked as well. */
  cidr6?: string
  /** A default subnet also gives public addresses. */
  isDefault?: boolean
  tags?: Tags
}

/** A subnet with the VPC's main table and default ACL; the caller has checked its block. */
export async function createSubnet(tx: Tx, { place, now, vpc, acl, zone, cidr, cidr6, isDefault = false, tags }: NewSubnet): Promise<SubnetRow> {
  const id = resourceId(subnet.prefix)
  return tx.put(subnet.make({
    ...place, now, id, tags, status: { state: 'available' },
    spec: {
      vpc, zone, cidr,
      ...(cidr6 !== undefined && { cidr6: await associate6(tx, id, cidr6) }),
      index: (await claimLowest(tx, { scope: `${vpc}/subnet-index`, owner: id, least: 100, most: 65_000 }))!,
      mapPublicIp: isDefault,
      defaultForAz: isDefault,
      hostnameType: 'ip-name',
      resourceNameRecord: false,
      networkAcl: { id: acl, association: await claimId(tx, { scope: NETWORK_ACL_ASSOCIATION, prefix: 'aclassoc', owner: id }) },
    },
  }), 'created')
}
