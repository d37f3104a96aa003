/**
 * Rules that refer to groups of other VPCs: who refers to a group, and which rules have lost theirs.
 *
 * Invariant: a rule is stale while its group is gone or its peering connection passes no packets (VPC Peering Guide, "Work with stale
 * security group rules"); it stays in its group until its owner removes it, and lets nobody through.
 */
import type { Place } from '#kit/action'
import type { Reader } from '#store/store'
import { hasPorts, isIcmp, type GroupPeer, type Rule } from '#service/ec2/security-group/rule'
import { securityGroup, type SecurityGroupRow } from '#service/ec2/security-group/security-group'
import { isLinked, peering } from '#service/ec2/vpc-peering/peering'
import type * as sdk from '@aws-sdk/client-ec2'

const beyond = ({ peer }: Rule): GroupPeer | undefined => ('group' in peer && peer.peering !== undefined ? peer : undefined)

/** VPCs whose groups refer to these groups, once for each group and VPC. */
export async function referencesTo(reader: Reader, groups: readonly SecurityGroupRow[]): Promise<sdk.SecurityGroupReference[]> {
  const wanted = new Set(groups.map(row => row.id))
  const found = new Map<string, sdk.SecurityGroupReference>()
  for (const row of await securityGroup.everywhere(reader)) {
    for (const peer of row.spec.rules.map(beyond)) {
      if (!peer || !wanted.has(peer.group)) continue
      const reference = { GroupId: peer.group, ReferencingVpcId: row.spec.vpc, VpcPeeringConnectionId: peer.peering }
      found.set(Object.values(reference).join(' '), reference)
    }
  }
  return [...found.keys()].sort().map(key => found.get(key)!)
}

const staleRule = ({ protocol, from, to }: Rule, peer: GroupPeer, isThere: boolean): sdk.StaleIpPermission => ({
  IpProtocol: protocol,
  ...(hasPorts(protocol) || isIcmp(protocol) ? { FromPort: from, ToPort: to } : {}),
  IpRanges: [], PrefixListIds: [],
  UserIdGroupPairs: [{
    GroupId: peer.group, UserId: peer.account, VpcId: peer.vpc, VpcPeeringConnectionId: peer.peering, PeeringStatus: isThere ? 'active' : 'deleted',
  }],
})

/** Groups of a VPC that have stale rules, with these. */
export async function staleIn(reader: Reader, place: Place, vpc: string): Promise<sdk.StaleSecurityGroup[]> {
  const groups = new Set((await securityGroup.everywhere(reader)).map(row => row.id))
  const linked = new Set((await peering.everywhere(reader)).filter(isLinked).map(row => row.id))
  const stale = (row: SecurityGroupRow, egress: boolean) => row.spec.rules.filter(rule => rule.egress === egress).flatMap(rule => {
    const peer = beyond(rule)
    return peer && !(linked.has(peer.peering!) && groups.has(peer.group)) ? [staleRule(rule, peer, linked.has(peer.peering!))] : []
  })
  return (await securityGroup.list(reader, place)).filter(row => row.spec.vpc === vpc).flatMap(row => {
    const [ingress, egress] = [stale(row, false), stale(row, true)]
    if (ingress.length + egress.length === 0) return []
    return [{
      GroupId: row.id, GroupName: row.spec.name, Description: row.spec.description, VpcId: vpc,
      StaleIpPermissions: ingress, StaleIpPermissionsEgress: egress,
    }]
  })
}
