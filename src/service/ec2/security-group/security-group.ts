/**
 * A security group: what it is.
 *
 * Invariants: a name is unique in its VPC (claimed in scope `${vpc}/group-name`); each rule's id is claimed in scope
 * 'security-group-rule' by the group; no two rules of a group have one `ruleKey`.
 */
import { resource, tagList, type FilterPath } from '#kit/resource'
import { permissions, type Rule } from '#service/ec2/security-group/rule'
import { isLinked, type PeeringRow } from '#service/ec2/vpc-peering/peering'
import { ec2Arn } from '#service/ec2/vpc/arn'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Spec = { name: string; description: string; vpc: string; rules: Rule[] }
export type Status = Record<string, never>
export type SecurityGroupRow = Row<Spec, Status>

export const DEFAULT_GROUP = 'default'
export const nameScope = (vpc: string): string => `${vpc}/group-name`
export const ruleScope = 'security-group-rule'

const ports = (egress: boolean, end: 'from' | 'to') => (_: object, row: SecurityGroupRow) =>
  row.spec.rules.filter(rule => rule.egress === egress).map(rule => rule[end])

function permissionFilters(prefix: string, egress: boolean): Record<string, FilterPath<sdk.SecurityGroup, SecurityGroupRow>> {
  const at = egress ? 'IpPermissionsEgress' : 'IpPermissions'
  return {
    [`${prefix}.cidr`]: `${at}.IpRanges.CidrIp`,
    [`${prefix}.from-port`]: ports(egress, 'from'),
    [`${prefix}.group-id`]: `${at}.UserIdGroupPairs.GroupId`,
    [`${prefix}.group-name`]: view => peerNames.get(view)?.[egress ? 'egress' : 'ingress'] ?? [],
    [`${prefix}.ipv6-cidr`]: `${at}.Ipv6Ranges.CidrIpv6`,
    [`${prefix}.prefix-list-id`]: `${at}.PrefixListIds.PrefixListId`,
    [`${prefix}.protocol`]: `${at}.IpProtocol`,
    [`${prefix}.to-port`]: ports(egress, 'to'),
    [`${prefix}.user-id`]: `${at}.UserIdGroupPairs.UserId`,
  }
}

/** Names of the groups that a view's rules refer to: AWS filters by them but shows ids alone. */
const peerNames = new WeakMap<sdk.SecurityGroup, { ingress: string[]; egress: string[] }>()

/** Names of the account's groups, and the peering connections that packets pass by. */
type Joined = { names: Map<string, string>; linked: Set<string> }

export const securityGroup = resource<Spec, Status, sdk.SecurityGroup, Joined>({
  kind: 'security-group', prefix: 'sg', label: 'security group', missing: 'InvalidGroup.NotFound', malformed: 'InvalidGroupId.Malformed',
  async join(reader, [first]) {
    const all = await reader.list<SecurityGroupRow>({ kind: 'security-group', account: first?.account ?? '', region: first?.region ?? '' })
    const linked = (await reader.list<PeeringRow>({ kind: 'vpc-peering-connection' })).filter(isLinked)
    return { names: new Map(all.map(row => [row.id, row.spec.name])), linked: new Set(linked.map(row => row.id)) }
  },
  view({ id, account, region, spec, tags }, { names, linked }) {
    const [ingress, egress] = [false, true].map(out => spec.rules.filter(rule => rule.egress === out)) as [Rule[], Rule[]]
    const view: sdk.SecurityGroup = {
      GroupId: id,
      GroupName: spec.name,
      Description: spec.description,
      OwnerId: account,
      VpcId: spec.vpc,
      SecurityGroupArn: ec2Arn('security-group', { account, region, id }),
      IpPermissions: permissions(account, ingress, linked),
      IpPermissionsEgress: permissions(account, egress, linked),
      Tags: tagList(tags),
    }
    const named = (rules: Rule[]) => rules.flatMap(({ peer }) => ('group' in peer ? names.get(peer.group) ?? [] : []))
    peerNames.set(view, { ingress: named(ingress), egress: named(egress) })
    return view
  },
  filters: {
    'description': 'Description',
    ...permissionFilters('egress.ip-permission', true),
    'group-id': 'GroupId',
    'group-name': 'GroupName',
    ...permissionFilters('ip-permission', false),
    'owner-id': 'OwnerId',
    'vpc-id': 'VpcId',
  },
})
