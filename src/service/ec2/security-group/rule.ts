/**
 * The rules of a security group: what one is, when two are the same, how they look on the wire. Pure.
 *
 * Invariant: rules are canonical (protocols by name where they have one, blocks without host bits, ports only where the
 * protocol has them), so that two rules that mean the same compare equal (`ruleKey`).
 */
import { ec2Arn } from '#service/ec2/vpc/arn'
import { tagList } from '#kit/resource'
import type * as sdk from '@aws-sdk/client-ec2'

export type Peer = { cidr: string } | { cidr6: string } | GroupPeer | { prefixList: string }
/** A group of the same VPC, or of another one by a peering connection, with what its pair shows then. */
export type GroupPeer = { group: string; account?: string; vpc?: string; peering?: string }
export type Rule = {
  id: string
  egress: boolean
  /** '-1' for all, 'tcp', 'udp', 'icmp', 'icmpv6', else IANA's number. */
  protocol: string
  /** First and last port, or ICMP's type and code with -1 for any; -1 both where the protocol has neither. */
  from: number
  to: number
  peer: Peer
  description?: string
  tags: Record<string, string>
}
/** A rule that nobody has yet. */
export type Draft = Omit<Rule, 'id' | 'tags'>

export const peerText = (peer: Peer): string => Object.values(peer)[0]!

/** The same for rules that let the same packets through. */
export const ruleKey = ({ egress, protocol, from, to, peer }: Draft): string =>
  [egress ? 'out' : 'in', protocol, from, to, peerText(peer)].join(' ')

export const hasPorts = (protocol: string): boolean => protocol === 'tcp' || protocol === 'udp'
export const isIcmp = (protocol: string): boolean => protocol === 'icmp' || protocol === 'icmpv6'

/** A rule as AWS's messages put it: `peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW` (terraform-aws-security-group#351). */
export function ruleText({ protocol, from, to, peer }: Draft): string {
  const any = (n: number) => (n === -1 ? 'ALL' : String(n))
  const what = protocol === '-1' ? 'ALL'
    : hasPorts(protocol) ? `${protocol.toUpperCase()}, from port: ${from}, to port: ${to}`
    : isIcmp(protocol) ? `${protocol.toUpperCase()}, type: ${any(from)}, code: ${any(to)}`
    : `protocol: ${protocol}`
  return `peer: ${peerText(peer)}, ${what}, ALLOW`
}

/** A pair over a peering connection says how that is (API Reference, UserIdGroupPair). */
const pairView = ({ vpc: VpcId, peering }: GroupPeer, linked: ReadonlySet<string>): Partial<sdk.UserIdGroupPair> =>
  (peering === undefined ? {} : { VpcId, VpcPeeringConnectionId: peering, PeeringStatus: linked.has(peering) ? 'active' : 'deleted' })

type Permission = sdk.IpPermission & Required<Pick<sdk.IpPermission, 'IpRanges' | 'Ipv6Ranges' | 'UserIdGroupPairs' | 'PrefixListIds'>>

/** Rules as DescribeSecurityGroups shows them: those that differ only in their peer are one permission. */
export function permissions(account: string, rules: readonly Rule[], linked: ReadonlySet<string>): sdk.IpPermission[] {
  const found = new Map<string, Permission>()
  for (const { protocol, from, to, peer, description: Description } of rules) {
    const withPorts = hasPorts(protocol) || isIcmp(protocol)
    const key = [protocol, from, to].join(' ')
    let permission = found.get(key)
    if (!permission) {
      const lists = { IpRanges: [], Ipv6Ranges: [], UserIdGroupPairs: [], PrefixListIds: [] }
      permission = { IpProtocol: protocol, ...(withPorts ? { FromPort: from, ToPort: to } : {}), ...lists } as Permission
      found.set(key, permission)
    }
    if ('cidr' in peer) permission.IpRanges.push({ CidrIp: peer.cidr, Description })
    else if ('cidr6' in peer) permission.Ipv6Ranges.push({ CidrIpv6: peer.cidr6, Description })
    else if ('group' in peer) {
      permission.UserIdGroupPairs.push({ GroupId: peer.group, UserId: peer.account ?? account, Description, ...pairView(peer, linked) })
    }
    else permission.PrefixListIds.push({ PrefixListId: peer.prefixList, Description })
  }
  return [...found.values()]
}

export type Holder = { account: string; region: string; group: string; vpc: string }

/** A rule of its own, as the SecurityGroupRule operations show it. */
export function ruleView({ account, region, group, vpc }: Holder, rule: Rule): sdk.SecurityGroupRule {
  const { id, egress, protocol, from, to, peer } = rule
  return {
    SecurityGroupRuleId: id,
    SecurityGroupRuleArn: ec2Arn('security-group-rule', { account, region, id }),
    GroupId: group,
    GroupOwnerId: account,
    IsEgress: egress,
    IpProtocol: protocol,
    FromPort: from,
    ToPort: to,
    ...('cidr' in peer ? { CidrIpv4: peer.cidr } : {}),
    ...('cidr6' in peer ? { CidrIpv6: peer.cidr6 } : {}),
    ...('prefixList' in peer ? { PrefixListId: peer.prefixList } : {}),
    ...('group' in peer ? {
      ReferencedGroupInfo: {
        GroupId: peer.group, UserId: peer.account ?? account, VpcId: peer.vpc ?? vpc,
        ...(peer.peering !== undefined && { VpcPeeringConnectionId: peer.peering }),
      },
    } : {}),
    Description: rule.description,
    Tags: tagList(rule.tags),
  }
}
