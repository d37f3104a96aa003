/**
 * A subnet's IPv6 block: associated, dissociated, and who gets an address of it unasked.
 *
 * Invariant: the association's id is claimed in scope 'subnet-cidr-association' by the subnet; no two subnets' blocks overlap.
 */
import { formatCidr6, overlaps6, parseCidr6, within6 } from '#base/cidr6'
import type { Actions } from '#kit/action'
import { ApiError } from '#kit/error'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { association6View, subnet, type Spec, type SubnetRow } from '#service/ec2/subnet/subnet'
import { checkLimit } from '#service/ec2/vpc/limits'
import { claimId } from '#service/ec2/vpc/numbers'
import { blocks6, vpc, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** Who has an association of an IPv6 block with a subnet. */
export const SUBNET_CIDR_ASSOCIATION = 'subnet-cidr-association'
/** EC2 also has larger ones, of every fourth length: routers announce only these. */
const LENGTH = 64

/** The block that a request means, which a VPC with these subnets has room for (terraform-provider-aws#28775 and #31913). */
export function checkBlock6(home: VpcRow, others: readonly SubnetRow[], text: string): string {
  const cidr = parseCidr6(text)
  if (!cidr?.exact || cidr.length !== LENGTH) throw new ApiError('InvalidParameterValue', `invalid value for parameter ipv6-cidr-block: ${text}`)
  const canonical = formatCidr6(cidr)
  if (!blocks6(home).some(own => within6(parseCidr6(own.cidr)!, cidr))) {
    throw new ApiError('InvalidSubnet.Range', `The IPv6 CIDR '${canonical}' is invalid.`)
  }
  if (others.some(({ spec }) => spec.cidr6 && overlaps6(parseCidr6(spec.cidr6.cidr)!, cidr))) {
    throw new ApiError('InvalidSubnet.Conflict', `The IPv6 CIDR '${canonical}' conflicts with another subnet`)
  }
  return canonical
}

/** The block, checked, as a subnet's own. */
export const associate6 = async (tx: Tx, owner: string, cidr: string): Promise<NonNullable<Spec['cidr6']>> =>
  ({ cidr, association: await claimId(tx, { scope: SUBNET_CIDR_ASSOCIATION, prefix: 'subnet-cidr-assoc', owner }) })

/** ModifySubnetAttribute's AssignIpv6AddressOnCreation. Message: terraform-aws-vpc#735. */
export function assignOnCreation({ id, spec }: SubnetRow, value: boolean): Partial<Spec> {
  if (value && !spec.cidr6) {
    throw new ApiError('InvalidParameterValue', `Invalid value 'true' for assign-ipv6-address-on-creation. Cannot set `
      + `assign-ipv6-address-on-creation to true unless the subnet (${id}) has an IPv6 CIDR block associated with it.`)
  }
  return { assignIpv6: value || undefined }
}

export const ipv6Actions: Actions<typeof sdk> = {
  async AssociateSubnetCidrBlock({ input, account, region, tx }) {
    const row = await subnet.get(tx, { account, region }, input.SubnetId!)
    if (input.Ipv6IpamPoolId !== undefined || input.Ipv6NetmaskLength !== undefined) {
      throw new ApiError('UnsupportedOperation', 'Enclume does not implement address pools of AssociateSubnetCidrBlock.')
    }
    if (input.Ipv6CidrBlock === undefined) throw new ApiError('MissingParameter', 'The request must contain the parameter ipv6CidrBlock')
    checkLimit('cidrs6OfSubnet', row.spec.cidr6 ? 1 : 0)
    const home = await vpc.get(tx, row, row.spec.vpc)
    const others = (await subnet.list(tx, row)).filter(other => other.spec.vpc === home.id)
    const cidr6 = await associate6(tx, row.id, checkBlock6(home, others, input.Ipv6CidrBlock))
    await subnet.update(tx, row, { spec: { cidr6 } }, 'cidr-associated')
    return { SubnetId: row.id, Ipv6CidrBlockAssociation: association6View(cidr6, 'associating') }
  },

  /** Messages: terraform-provider-aws#1519, and in its manner that of addresses in use. */
  async DisassociateSubnetCidrBlock({ input, account, region, tx }) {
    const id = input.AssociationId!
    const holder = await tx.holder(SUBNET_CIDR_ASSOCIATION, id)
    const row = (await subnet.list(tx, { account, region })).find(other => other.id === holder)
    if (!row) throw new ApiError('InvalidSubnetCidrBlockAssociationID.NotFound', `The subnet CIDR block with association ID ${id} does not exist`)
    const inUse = (why: string) => new ApiError('InvalidCidrBlock.InUse',
      `The subnet IPv6 CIDR block with association ID ${id} may not be disassociated, because ${why}`)
    if (row.spec.assignIpv6) throw inUse('its subnet has assign-ipv6-address-on-creation set to true.')
    const interfaces = await networkInterface.list(tx, row)
    if (interfaces.some(({ spec }) => spec.subnet === row.id && (spec.addresses6 ?? []).length > 0)) {
      throw inUse('network interfaces have addresses of it.')
    }
    const { cidr6 } = row.spec
    await tx.release(SUBNET_CIDR_ASSOCIATION, id)
    await subnet.update(tx, row, { spec: { cidr6: undefined } }, 'cidr-disassociated')
    return { SubnetId: row.id, Ipv6CidrBlockAssociation: association6View(cidr6!, 'disassociating') }
  },
}
