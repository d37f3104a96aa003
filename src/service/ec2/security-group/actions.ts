/** What may be asked of security groups; their rules have a file of their own (rule-actions.ts). */
import type { Actions, Call } from '#kit/action'
import { pageOf, select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { missingParameter } from '#service/ec2/errors'
import { resource, tagList } from '#kit/resource'
import type { InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { referencesTo, staleIn } from '#service/ec2/security-group/beyond'
import { createGroup } from '#service/ec2/security-group/create'
import { groupByName, groupOf } from '#service/ec2/security-group/lookup'
import { ruleActions } from '#service/ec2/security-group/rule-actions'
import { DEFAULT_GROUP, securityGroup, type SecurityGroupRow, type Spec, type Status } from '#service/ec2/security-group/security-group'
import { findDefaultVpc } from '#service/ec2/vpc/prepare'
import { vpc } from '#service/ec2/vpc/vpc'
import { ec2Arn } from '#service/ec2/vpc/arn'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** Groups of an account in a region (VPC User Guide, "Amazon VPC quotas"). */
const MAX_GROUPS = 2500
/** API Reference, CreateSecurityGroup: what names and descriptions in a VPC may be made of. */
const ALLOWED = /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]*$/

function checkText(parameter: 'GroupName' | 'GroupDescription', text: string): void {
  const invalid = (why: string) => new ApiError('InvalidParameterValue', `Value (${text}) for parameter ${parameter} is invalid. ${why}`)
  if (text.length === 0) throw missingParameter(parameter)
  if (text.length > 255) throw invalid('Character sets of at most 255 characters are supported.')
  if (!/^[\x20-\x7e]*$/.test(text)) throw invalid('Character sets beyond ASCII are not supported.')
  if (!ALLOWED.test(text)) throw invalid('Valid characters are a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*')
  if (parameter === 'GroupName' && text.startsWith('sg-')) throw invalid('Group names may not be in the format sg-*.')
}

/** Who keeps a group from being deleted: interfaces that have it, and other groups' rules that refer to it. */
async function isUsed(tx: Tx, { id, account, region }: SecurityGroupRow): Promise<boolean> {
  const interfaces = await tx.list<InterfaceRow>({ kind: 'network-interface', account, region })
  if (interfaces.some(row => row.spec.groups.includes(id))) return true
  const others = (await securityGroup.list(tx, { account, region })).filter(row => row.id !== id)
  // A rule of another VPC becomes stale instead (VPC Peering Guide, "Work with stale security group rules").
  return others.some(row => row.spec.rules.some(({ peer }) => 'group' in peer && peer.peering === undefined && peer.group === id))
}

/** The same rows, as GetSecurityGroupsForVpc shows them. */
const groupForVpc = resource<Spec, Status, sdk.SecurityGroupForVpc>({
  kind: securityGroup.kind, prefix: securityGroup.prefix, label: securityGroup.label,
  missing: securityGroup.missing, malformed: securityGroup.malformed,
  view: ({ id, account, spec, tags }) => ({
    GroupId: id, GroupName: spec.name, Description: spec.description, OwnerId: account, PrimaryVpcId: spec.vpc, Tags: tagList(tags),
  }),
  filters: {
    'description': 'Description', 'group-id': 'GroupId', 'group-name': 'GroupName', 'owner-id': 'OwnerId', 'primary-vpc-id': 'PrimaryVpcId',
  },
})

async function describeGroups(call: Call<sdk.DescribeSecurityGroupsRequest>): Promise<sdk.DescribeSecurityGroupsResult> {
  const { GroupIds = [], GroupNames = [] } = call.input
  const named = await Promise.all(GroupNames.map(name => groupByName(call.tx, call, name)))
  const { hits, next } = await select(call, securityGroup, { ids: [...GroupIds, ...named.map(row => row.id)] })
  return { SecurityGroups: hits.map(hit => hit.view), NextToken: next }
}

export const actions: Actions<typeof sdk> = {
  DescribeSecurityGroups: describeGroups,
  ...ruleActions,

  async CreateSecurityGroup({ input, account, region, tx, now, tags }) {
    const place = { account, region }
    const name = input.GroupName!.trimEnd()
    checkText('GroupName', name)
    checkText('GroupDescription', input.Description!)
    if (name === DEFAULT_GROUP) throw new ApiError('InvalidGroup.Reserved', `The security group name '${DEFAULT_GROUP}' is reserved`)
    const network = input.VpcId === undefined ? await findDefaultVpc(tx, place) : await vpc.get(tx, place, input.VpcId)
    if (!network) throw new ApiError('VPCIdNotSpecified', 'No default VPC for this user')
    if ((await securityGroup.list(tx, place)).length >= MAX_GROUPS) {
      throw new ApiError('SecurityGroupLimitExceeded', 'The maximum number of security groups has been reached.')
    }
    const row = await createGroup(tx, { place, now, vpc: network.id, name, description: input.Description!, tags: tags('security-group') })
    return { GroupId: row.id, Tags: tagList(row.tags), SecurityGroupArn: ec2Arn('security-group', row) }
  },

  async DeleteSecurityGroup({ input, account, region, tx }) {
    const row = await groupOf(tx, { account, region }, input)
    if (row.spec.name === DEFAULT_GROUP) {
      throw new ApiError('CannotDelete', `the specified group: "${row.id}" name: "${DEFAULT_GROUP}" cannot be deleted by a user`)
    }
    if (await isUsed(tx, row)) throw new ApiError('DependencyViolation', `resource ${row.id} has a dependent object`)
    await tx.remove(row, 'deleted')
    return { Return: true, GroupId: row.id }
  },

  async GetSecurityGroupsForVpc(call) {
    const network = await vpc.get(call.tx, call, call.input.VpcId!)
    const rows = (await groupForVpc.list(call.tx, call)).filter(row => row.spec.vpc === network.id)
    const { hits, next } = await select(call, groupForVpc, { ids: undefined, rows })
    return { SecurityGroupForVpcs: hits.map(hit => hit.view), NextToken: next }
  },

  async DescribeSecurityGroupReferences({ input, account, region, tx }) {
    const rows = await securityGroup.getAll(tx, { account, region }, input.GroupId!)
    return { SecurityGroupReferenceSet: await referencesTo(tx, rows) }
  },

  async DescribeStaleSecurityGroups({ input, account, region, tx }) {
    const { id } = await vpc.get(tx, { account, region }, input.VpcId!)
    const stale = await staleIn(tx, { account, region }, id)
    const { items, next } = pageOf(stale, group => group.GroupId!, input, 'StaleSecurityGroups')
    return { StaleSecurityGroupSet: items, NextToken: next }
  },
}
