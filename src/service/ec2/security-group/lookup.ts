/** Finding the groups and peers that requests name. */
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { missingParameter } from '#service/ec2/errors'
import { referenced } from '#service/ec2/prefix-list/managed'
import { parseRules, type Flat, type GroupReference, type Parsed, type ParsedPeer } from '#service/ec2/security-group/parse'
import type { Draft, GroupPeer, Peer } from '#service/ec2/security-group/rule'
import { nameScope, securityGroup, type SecurityGroupRow } from '#service/ec2/security-group/security-group'
import { peersOf } from '#service/ec2/vpc-peering/peering'
import { findDefaultVpc } from '#service/ec2/vpc/prepare'
import type { Reader } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** A group by its name, which works in the default VPC alone (aws-sdk#402). */
export async function groupByName(reader: Reader, place: Place, name: string): Promise<SecurityGroupRow> {
  const vpc = await findDefaultVpc(reader, place)
  if (!vpc) throw new ApiError('VPCIdNotSpecified', 'No default VPC for this user')
  const id = await reader.holder(nameScope(vpc.id), name)
  if (id === undefined) {
    throw new ApiError('InvalidGroup.NotFound', `The security group '${name}' does not exist in default VPC '${vpc.id}'`)
  }
  return securityGroup.get(reader, place, id)
}

/** The group that a request is about. */
export async function groupOf(
  reader: Reader, place: Place, { GroupId, GroupName }: { GroupId?: string; GroupName?: string },
): Promise<SecurityGroupRow> {
  if (GroupId !== undefined) return securityGroup.get(reader, place, GroupId)
  if (GroupName !== undefined) return groupByName(reader, place, GroupName)
  throw missingParameter('groupName or groupId')
}

/** A group of a VPC that an active connection joins with this one, in the same Region (VPC Peering Guide, "Reference security groups"). */
async function groupBeyond(reader: Reader, of: SecurityGroupRow, { id, owner }: GroupReference): Promise<GroupPeer | undefined> {
  const found = id === undefined ? undefined : await securityGroup.find(reader, id)
  if (!found || (owner ?? of.account) !== found.account || found.region !== of.region || found.spec.vpc === of.spec.vpc) return undefined
  const peer = (await peersOf(reader, of.spec.vpc)).find(({ other }) => other.vpc === found.spec.vpc)
  return peer && { group: found.id, account: found.account, vpc: found.spec.vpc, peering: peer.id }
}

/** A peer group is in the same network, or in one that is joined with it. */
async function peerGroup(reader: Reader, of: SecurityGroupRow, reference: GroupReference): Promise<GroupPeer> {
  const { id, name, owner } = reference
  if (id === undefined && name === undefined) throw missingParameter('groupId')
  const beyond = await groupBeyond(reader, of, reference)
  if (beyond) return beyond
  if (owner !== undefined && owner !== of.account) {
    throw new ApiError('InvalidGroup.NotFound', `The security group '${id ?? name}' does not exist`)
  }
  const found = await groupOf(reader, of, { GroupId: id, GroupName: name })
  if (found.spec.vpc !== of.spec.vpc) {
    throw new ApiError('InvalidGroup.NotFound', 'You have specified two resources that belong to different networks.')
  }
  return { group: found.id }
}

/** A parsed peer with its group or prefix list looked up. */
export async function peerOf(reader: Reader, of: SecurityGroupRow, peer: ParsedPeer): Promise<Peer> {
  if ('reference' in peer) return peerGroup(reader, of, peer.reference)
  if ('prefixList' in peer) {
    return { prefixList: (await referenced(reader, of, peer.prefixList)).id }
  }
  return peer
}

type RulesInput = Flat & { IpPermissions?: sdk.IpPermission[] }

/** The rules that a request names, as this group would have them. */
export async function draftsOf(reader: Reader, of: SecurityGroupRow, input: RulesInput, egress: boolean): Promise<Draft[]> {
  const draft = async ({ peer, ...rest }: Parsed): Promise<Draft> => ({ ...rest, peer: await peerOf(reader, of, peer) })
  return Promise.all(parseRules(input, egress).map(draft))
}
