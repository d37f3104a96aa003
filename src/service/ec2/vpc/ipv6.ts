/**
 * A VPC's IPv6 blocks: given, each of them this VPC's alone on this machine, and taken back.
 *
 * Invariant: a block is claimed in scope 'ipv6-block' by the VPC that has it. Rules that let all of IPv4 through, and that nobody has
 * changed, let all of IPv6 through once there is any (VPC User Guide, "Default network ACL" and "Security group rules").
 */
import { parseCidr6, within6 } from '#base/cidr6'
import { ipv6Block, IPV6_BLOCKS, type Home } from '#base/home'
import { ApiError } from '#kit/error'
import { networkAcl, type Entry } from '#service/ec2/network-acl/network-acl'
import { newRules } from '#service/ec2/security-group/create'
import { dropLocalRoutes } from '#service/ec2/route-table/make'
import { securityGroup } from '#service/ec2/security-group/security-group'
import { subnet } from '#service/ec2/subnet/subnet'
import { checkLimit } from '#service/ec2/vpc/limits'
import { claimId, claimNext } from '#service/ec2/vpc/numbers'
import { block6View, blocks6, CIDR_ASSOCIATION, vpc, type Block6, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

const BLOCK6 = 'ipv6-block'

/** One more block for a VPC. */
export async function giveBlock6(tx: Tx, home: Home, row: VpcRow): Promise<{ row: VpcRow; block: Block6 }> {
  const before = blocks6(row)
  checkLimit('cidrs6', before.length)
  const n = await claimNext(tx, { scope: BLOCK6, owner: row.id, least: 1, most: IPV6_BLOCKS, key: number => ipv6Block(home, number) })
  if (n === undefined) throw new ApiError('InsufficientCidrBlocks', 'There are no free IPv6 CIDR blocks.', 500)
  const association = await claimId(tx, { scope: CIDR_ASSOCIATION, prefix: 'vpc-cidr-assoc', owner: row.id })
  const block = { cidr: ipv6Block(home, n), association }
  const given = await vpc.update(tx, row, { spec: { cidrs6: [...before, block] } }, 'cidr-associated')
  if (before.length === 0) await openRules(tx, given)
  return { row: given, block }
}

const isUntouched = (entries: readonly Entry[]): boolean =>
  entries.length === 1 && entries[0]!.number === 100 && entries[0]!.allow && entries[0]!.protocol === '-1' && entries[0]!.cidr === '0.0.0.0/0'

async function openRules(tx: Tx, { id, account, region }: VpcRow): Promise<void> {
  const acl = (await networkAcl.list(tx, { account, region })).find(row => row.spec.vpc === id && row.spec.isDefault)!
  const more = [true, false].filter(egress => isUntouched(acl.spec.entries.filter(entry => entry.egress === egress)))
    .map(egress => ({ number: 101, egress, allow: true, protocol: '-1', cidr6: '::/0' }))
  if (more.length > 0) await networkAcl.update(tx, acl, { spec: { entries: [...acl.spec.entries, ...more] } }, 'entry-created')
  for (const group of (await securityGroup.list(tx, { account, region })).filter(row => row.spec.vpc === id)) {
    const [only, ...others] = group.spec.rules.filter(rule => rule.egress)
    if (!only || others.length > 0 || only.protocol !== '-1' || !('cidr' in only.peer) || only.peer.cidr !== '0.0.0.0/0') continue
    const rules = await newRules(tx, group.id, [{ egress: true, protocol: '-1', from: -1, to: -1, peer: { cidr6: '::/0' } }])
    await securityGroup.update(tx, group, { spec: { rules: [...group.spec.rules, ...rules] } }, 'rules-changed')
  }
}

/** Takes a block back. Message: terraform-provider-aws#29077. */
export async function takeBlock6(tx: Tx, row: VpcRow, block: Block6): Promise<sdk.VpcIpv6CidrBlockAssociation> {
  const whole = parseCidr6(block.cidr)!
  const inside = (await subnet.list(tx, row)).some(({ spec }) =>
    spec.vpc === row.id && spec.cidr6 !== undefined && within6(whole, parseCidr6(spec.cidr6.cidr)!))
  if (inside) {
    throw new ApiError('InvalidCidrBlock.InUse', `The vpc ${row.id} currently has a subnet within CIDR block ${block.cidr}`)
  }
  await tx.release(CIDR_ASSOCIATION, block.association)
  await tx.release(BLOCK6, block.cidr)
  await dropLocalRoutes(tx, row, block.cidr)
  await vpc.update(tx, row, { spec: { cidrs6: blocks6(row).filter(own => own !== block) } }, 'cidr-disassociated')
  return block6View(row, block, 'disassociating')
}
