/** A VPC's further blocks: associated and dissociated. Each association's id is claimed in its scope by the VPC. */
import { formatCidr, parseCidr, within } from '#base/cidr'
import type { Actions, Place } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { invalidCombination, missingParameter, refuseMembers } from '#service/ec2/errors'
import { dropLocalRoutes } from '#service/ec2/route-table/make'
import { subnet } from '#service/ec2/subnet/subnet'
import { checkFurtherBlock, checkVpcBlock, readCidr } from '#service/ec2/vpc/cidr'
import { checkLimit } from '#service/ec2/vpc/limits'
import { claimId } from '#service/ec2/vpc/numbers'
import { giveBlock6, takeBlock6 } from '#service/ec2/vpc/ipv6'
import { block6View, blocks6, CIDR_ASSOCIATION, vpc, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Reader } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

const beyond = ['Ipv6CidrBlockNetworkBorderGroup', 'Ipv6Pool', 'Ipv6CidrBlock', 'Ipv4IpamPoolId', 'Ipv6IpamPoolId']

async function vpcOfAssociation(reader: Reader, place: Place, id: string): Promise<VpcRow> {
  const holder = await reader.holder(CIDR_ASSOCIATION, id)
  const row = (await vpc.list(reader, place)).find(other => other.id === holder)
  if (!row) throw new ApiError('InvalidVpcCidrBlockAssociationID.NotFound', `The vpc CIDR block association ID '${id}' does not exist`)
  return row
}

export const blockActions = ({ home }: Pick<Context, 'home'>): Actions<typeof sdk> => ({
  async AssociateVpcCidrBlock({ input, account, region, tx }) {
    const row = await vpc.get(tx, { account, region }, input.VpcId!)
    refuseMembers('AssociateVpcCidrBlock', input, beyond)
    if (input.AmazonProvidedIpv6CidrBlock) {
      if (input.CidrBlock !== undefined) throw invalidCombination('Only one of cidrBlock and amazonProvidedIpv6CidrBlock can be specified.')
      const { block } = await giveBlock6(tx, home, row)
      return { VpcId: row.id, Ipv6CidrBlockAssociation: block6View(row, block, 'associating') }
    }
    if (input.CidrBlock === undefined) throw missingParameter('cidrBlock')
    const cidr = readCidr('cidrBlock', input.CidrBlock)
    checkVpcBlock(home, cidr)
    checkFurtherBlock(row.spec.cidrs.map(own => own.cidr), cidr)
    checkLimit('cidrs', row.spec.cidrs.length)
    const association = await claimId(tx, { scope: CIDR_ASSOCIATION, prefix: 'vpc-cidr-assoc', owner: row.id })
    await vpc.update(tx, row, { spec: { cidrs: [...row.spec.cidrs, { cidr: formatCidr(cidr), association }] } }, 'cidr-associated')
    return {
      VpcId: row.id,
      CidrBlockAssociation: { AssociationId: association, CidrBlock: formatCidr(cidr), CidrBlockState: { State: 'associating' } },
    }
  },

  async DisassociateVpcCidrBlock({ input, account, region, tx }) {
    const row = await vpcOfAssociation(tx, { account, region }, input.AssociationId!)
    const six = blocks6(row).find(own => own.association === input.AssociationId)
    if (six) return { VpcId: row.id, Ipv6CidrBlockAssociation: await takeBlock6(tx, row, six) }
    const at = row.spec.cidrs.findIndex(own => own.association === input.AssociationId)
    const { cidr, association } = row.spec.cidrs[at]!
    if (at === 0) {
      throw new ApiError('OperationNotPermitted',
        `The vpc CIDR block with association ID ${association} may not be disassociated. It is the primary IPv4 CIDR block of the VPC`)
    }
    const block = parseCidr(cidr)!
    const used = (await subnet.list(tx, row)).some(({ spec }) => spec.vpc === row.id && within(block, parseCidr(spec.cidr)!))
    if (used) throw new ApiError('InvalidCidrBlock.InUse', `The vpc CIDR block ${cidr} is in use by a subnet and may not be disassociated.`)
    await tx.release(CIDR_ASSOCIATION, association)
    await dropLocalRoutes(tx, row, cidr)
    await vpc.update(tx, row, { spec: { cidrs: row.spec.cidrs.toSpliced(at, 1) } }, 'cidr-disassociated')
    return {
      VpcId: row.id, CidrBlockAssociation: { AssociationId: association, CidrBlock: cidr, CidrBlockState: { State: 'disassociating' } },
    }
  },
})
