/** Making security groups and their rules, for the actions and for new VPCs. */
import { resourceId } from '#base/id'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Draft, Rule } from '#service/ec2/security-group/rule'
import { nameScope, ruleScope, securityGroup, type SecurityGroupRow } from '#service/ec2/security-group/security-group'
import { blocks6, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Tx } from '#store/store'

export type NewGroup = {
  place: Place
  now: Date
  vpc: string
  name: string
  description: string
  tags?: Record<string, string>
  /** Whether its members may reach each other, as a VPC's default group lets them. */
  openToItself?: boolean
}

/** A group with the rule that every new one has: all may go out (VPC User Guide, "Security group rules"), over
  IPv6 too where the VPC has it. */
export async function createGroup(tx: Tx, { place, now, vpc, name, description, tags, openToItself }: NewGroup): Promise<SecurityGroupRow> {
  const id = resourceId('sg')
  if (!await tx.claim(nameScope(vpc), name, id)) {
    throw new ApiError('InvalidGroup.Duplicate', `The security group '${name}' already exists for VPC '${vpc}'`)
  }
  const all = { protocol: '-1', from: -1, to: -1 }
  const drafts: Draft[] = [{ egress: true, ...all, peer: { cidr: '0.0.0.0/0' } }]
  const network = await tx.get<VpcRow>('vpc', vpc)
  if (network && blocks6(network).length > 0) drafts.push({ egress: true, ...all, peer: { cidr6: '::/0' } })
  if (openToItself) drafts.unshift({ egress: false, ...all, peer: { group: id } })
  const rules = await newRules(tx, id, drafts)
  return tx.put(securityGroup.make({ ...place, now, id, tags, spec: { name, description, vpc, rules }, status: {} }), 'created')
}

/** Drafts with ids of their own, claimed by the group. */
export async function newRules(tx: Tx, group: string, drafts: readonly Draft[], tags: Record<string, string> = {}): Promise<Rule[]> {
  const rules: Rule[] = []
  for (const draft of drafts) {
    const id = resourceId('sgr')
    await tx.claim(ruleScope, id, group)
    rules.push({ id, ...draft, tags })
  }
  return rules
}
