/**
 * What may be asked of the rules of security groups.
 *
 * Invariant: a request's rules are all taken or none, and a group never has two that let the same packets through, nor more
 * than its quota of them.
 */
import type { Action, Actions, Call, Place } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { missingParameter } from '#service/ec2/errors'
import { sizesOf } from '#service/ec2/prefix-list/prefix-list'
import { newRules } from '#service/ec2/security-group/create'
import { draftsOf, groupOf, peerOf } from '#service/ec2/security-group/lookup'
import {
  checkDescription, cidr6Peer, cidrPeer, refuseRepeated, trafficOf, type Flat, type ParsedPeer,
} from '#service/ec2/security-group/parse'
import { MAX_RULES, weightOf } from '#service/ec2/security-group/quota'
import { ruleKey, ruleText, ruleView, type Draft, type Rule } from '#service/ec2/security-group/rule'
import { ruleScope, securityGroup, type SecurityGroupRow } from '#service/ec2/security-group/security-group'
import { securityGroupRule } from '#service/ec2/security-group/security-group-rule'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

type Named = { GroupId?: string; GroupName?: string; IpPermissions?: sdk.IpPermission[] } & Flat
type Revoking = Named & { SecurityGroupRuleIds?: string[] }
type Describing = Omit<Named, keyof Flat> & { SecurityGroupRuleDescriptions?: sdk.SecurityGroupRuleDescription[] }

/** Checks a group's rules as a request would leave them, and writes them. */
async function write(tx: Tx, group: SecurityGroupRow, rules: Rule[], event: string): Promise<SecurityGroupRow> {
  const seen = new Set<string>()
  for (const rule of rules) {
    const key = ruleKey(rule)
    if (seen.has(key)) throw new ApiError('InvalidPermission.Duplicate', `the specified rule "${ruleText(rule)}" already exists`)
    seen.add(key)
  }
  const sizes = await sizesOf(tx, group)
  for (const egress of [false, true]) {
    if (weightOf(rules, egress, sizes) > MAX_RULES) {
      throw new ApiError('RulesPerSecurityGroupLimitExceeded', 'The maximum number of rules per security group has been reached.')
    }
  }
  return securityGroup.update(tx, group, { spec: { rules } }, event)
}

const holder = ({ id, account, region, spec }: SecurityGroupRow) => ({ account, region, group: id, vpc: spec.vpc })

const authorize = (egress: boolean) => async ({ input, account, region, tx, tags }: Call<Named>) => {
  const group = await groupOf(tx, { account, region }, input)
  const drafts = await draftsOf(tx, group, input, egress)
  if (drafts.length === 0) throw missingParameter('ipPermissions')
  refuseRepeated(drafts)
  const added = await newRules(tx, group.id, drafts, tags('security-group-rule'))
  await write(tx, group, [...group.spec.rules, ...added], 'authorized')
  return { Return: true, SecurityGroupRules: added.map(rule => ruleView(holder(group), rule)) }
}

/** The group's rule of this id and direction. */
function ruleOf(group: SecurityGroupRow, id: string, egress?: boolean): Rule {
  securityGroupRule.checkId(id)
  const found = group.spec.rules.find(rule => rule.id === id && (egress ?? rule.egress) === rule.egress)
  if (!found) throw new ApiError('InvalidSecurityGroupRuleId.NotFound', `The security group rule ID '${id}' does not exist`)
  return found
}

/** The group's rule that lets through what a draft does, whatever their descriptions. */
function sameRule(group: SecurityGroupRow, draft: Draft): Rule {
  const key = ruleKey(draft)
  const found = group.spec.rules.find(rule => ruleKey(rule) === key)
  if (!found) throw new ApiError('InvalidPermission.NotFound', 'The specified rule does not exist in this security group.')
  return found
}

function revokedView(group: SecurityGroupRow, rule: Rule): sdk.RevokedSecurityGroupRule {
  const { SecurityGroupRuleArn: _arn, GroupOwnerId: _owner, Tags: _tags, ReferencedGroupInfo: referenced, ...view } =
    ruleView(holder(group), rule)
  return { ...view, ReferencedGroupId: referenced?.GroupId }
}

const revoke = (egress: boolean) => async ({ input, account, region, tx }: Call<Revoking>) => {
  const group = await revokedGroup(tx, { account, region }, input)
  const ids = input.SecurityGroupRuleIds ?? []
  const drafts = await draftsOf(tx, group, input, egress)
  if (ids.length + drafts.length === 0) {
    throw new ApiError('MissingParameter', `Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.`)
  }
  if (ids.length > 0 && drafts.length > 0) {
    throw new ApiError('InvalidParameterCombination', `The parameter 'ipPermissions' cannot be used with 'securityGroupRuleIds'.`)
  }
  const gone = new Set([...ids.map(id => ruleOf(group, id, egress)), ...drafts.map(draft => sameRule(group, draft))])
  for (const rule of gone) await tx.release(ruleScope, rule.id)
  await write(tx, group, group.spec.rules.filter(rule => !gone.has(rule)), 'revoked')
  return { Return: true, RevokedSecurityGroupRules: [...gone].map(rule => revokedView(group, rule)) }
}

/** Rule ids alone name their group too. */
async function revokedGroup(
  tx: Tx, place: Place, { GroupId, GroupName, SecurityGroupRuleIds: [first] = [] }: Revoking,
): Promise<SecurityGroupRow> {
  if (GroupId !== undefined || GroupName !== undefined || first === undefined) return groupOf(tx, place, { GroupId, GroupName })
  return groupOf(tx, place, { GroupId: (await securityGroupRule.get(tx, place, first)).spec.group })
}

const describeRules = (egress: boolean): Action<Describing, { Return: boolean }> => async ({ input, account, region, tx }) => {
  const group = await groupOf(tx, { account, region }, input)
  const byId = (input.SecurityGroupRuleDescriptions ?? []).map(({ SecurityGroupRuleId: id = '', Description }) =>
    [ruleOf(group, id, egress), checkDescription(Description)] as const)
  const drafts = await draftsOf(tx, group, { IpPermissions: input.IpPermissions }, egress)
  const described = new Map([...byId, ...drafts.map(draft => [sameRule(group, draft), draft.description] as const)])
  if (described.size === 0) {
    throw new ApiError('MissingParameter', `Either 'ipPermissions' or 'securityGroupRuleDescriptions' should be provided.`)
  }
  const rules = group.spec.rules.map(rule => (described.has(rule) ? { ...rule, description: described.get(rule) } : rule))
  await write(tx, group, rules, 'rules-described')
  return { Return: true }
}

/** What ModifySecurityGroupRules puts in a rule's place: all of it but its id, direction and tags. */
async function replacement(tx: Tx, group: SecurityGroupRow, rule: Rule, given: sdk.SecurityGroupRuleRequest = {}): Promise<Rule> {
  const peers: ParsedPeer[] = []
  if (given.CidrIpv4 !== undefined) peers.push(cidrPeer(given.CidrIpv4))
  if (given.CidrIpv6 !== undefined) peers.push(cidr6Peer(given.CidrIpv6))
  if (given.PrefixListId !== undefined) peers.push({ prefixList: given.PrefixListId })
  if (given.ReferencedGroupId !== undefined) peers.push({ reference: { id: given.ReferencedGroupId } })
  const [peer] = peers
  if (!peer || peers.length > 1) {
    throw new ApiError('InvalidParameterCombination',
      'The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId')
  }
  const { id, egress, tags } = rule
  return { id, egress, tags, ...trafficOf(given), peer: await peerOf(tx, group, peer), description: checkDescription(given.Description) }
}

export const ruleActions: Actions<typeof sdk> = {
  AuthorizeSecurityGroupIngress: authorize(false),
  AuthorizeSecurityGroupEgress: authorize(true),
  RevokeSecurityGroupIngress: revoke(false),
  RevokeSecurityGroupEgress: revoke(true),
  UpdateSecurityGroupRuleDescriptionsIngress: describeRules(false),
  UpdateSecurityGroupRuleDescriptionsEgress: describeRules(true),

  async DescribeSecurityGroupRules(call) {
    const rows = await securityGroupRule.list(call.tx, call)
    const { hits, next } = await select(call, securityGroupRule, { ids: call.input.SecurityGroupRuleIds, rows })
    return { SecurityGroupRules: hits.map(hit => hit.view), NextToken: next }
  },

  async ModifySecurityGroupRules({ input, account, region, tx }) {
    const group = await groupOf(tx, { account, region }, { GroupId: input.GroupId })
    const changed = new Map<string, Rule>()
    for (const { SecurityGroupRuleId: id = '', SecurityGroupRule: given } of input.SecurityGroupRules ?? []) {
      if (changed.has(id)) throw new ApiError('InvalidParameterValue', `The security group rule ID '${id}' appears more than once`)
      changed.set(id, await replacement(tx, group, ruleOf(group, id), given))
    }
    await write(tx, group, group.spec.rules.map(rule => changed.get(rule.id) ?? rule), 'rules-modified')
    return { Return: true }
  },
}
