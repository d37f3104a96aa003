/**
 * From the rules of a request to drafts, with AWS's errors for what no rule can be. Pure; which groups exist is not known here.
 *
 * Invariant: a draft is canonical (rule.ts).
 */
import { formatCidr, parseCidr } from '#base/cidr'
import { ApiError } from '#kit/error'
import { missingParameter } from '#service/ec2/errors'
import { canonicalCidr6 } from '#base/cidr6'
import { hasPorts, isIcmp, ruleKey, type Draft, type Peer } from '#service/ec2/security-group/rule'
import type * as sdk from '@aws-sdk/client-ec2'

/** The old parameters that make one rule, beside those of the newer list. */
export type Flat = Pick<sdk.AuthorizeSecurityGroupIngressRequest,
  'IpProtocol' | 'FromPort' | 'ToPort' | 'CidrIp' | 'SourceSecurityGroupName' | 'SourceSecurityGroupOwnerId'>
/** A peer group as the caller names it; it must be looked up. */
export type GroupReference = { id?: string; name?: string; owner?: string }
export type ParsedPeer = Exclude<Peer, { group: string }> | { reference: GroupReference }
export type Parsed = Omit<Draft, 'peer'> & { peer: ParsedPeer }

const value = (message: string) => new ApiError('InvalidParameterValue', message)
const names: Record<string, string> = { 6: 'tcp', 17: 'udp', 1: 'icmp', 58: 'icmpv6' }

function protocolOf(given: string | undefined): string {
  if (given === undefined || given === '') throw missingParameter('ipProtocol')
  const text = given.toLowerCase()
  if (text === '-1' || Object.values(names).includes(text)) return text
  // Names that AWS does not know are refused, 'all' too (terraform-provider-aws#1793).
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255) throw value(`Invalid value '${given}' for IP protocol. Unknown protocol.`)
  return names[Number(text)] ?? String(Number(text))
}

/** Ports, or ICMP's type and code (chef-provisioning-aws#183, boto3#336, aws-cli#1066, terraform-aws-security-group#7). */
function portsOf(protocol: string, from: number | undefined, to: number | undefined): { from: number; to: number } {
  if (hasPorts(protocol)) {
    if (from === undefined || to === undefined) {
      throw value(`Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.`)
    }
    for (const [end, port] of [['from', from], ['to', to]] as const) {
      if (port < 0 || port > 65_535) throw value(`TCP/UDP (${end}) port (${port}) out of range`)
    }
    if (from > to) throw value(`Invalid TCP/UDP port range (${from}:${to})`)
    return { from, to }
  }
  if (!isIcmp(protocol)) return { from: -1, to: -1 }
  if (protocol === 'icmp' && (from === undefined || to === undefined)) {
    throw value(`Invalid value 'Must specify both from and to ports with ICMP.' for portRange.`)
  }
  const [type, code] = [from ?? -1, to ?? -1]
  if (type < -1 || type > 255) throw value(`ICMP type (${type}) out of range`)
  if (code < -1 || code > 255) throw value(`ICMP code (${code}) out of range`)
  // "If you specify all ICMP types, you must specify all ICMP codes" (API Reference, IpPermission.FromPort).
  if (type === -1 && code !== -1) throw value(`ICMP code (${code}) must be -1 when the ICMP type is -1`)
  return { from: type, to: code }
}

const malformed = (cidr: string) => value(`CIDR block ${cidr} is malformed`)

/** Host bits are cleared, not refused: AWS keeps 10.0.0.0/8 for 10.0.0.1/8 (ansible#25403, ansible#21956). */
export function cidrPeer(cidr: string): { cidr: string } {
  const parsed = parseCidr(cidr)
  if (!parsed) throw malformed(cidr)
  return { cidr: formatCidr(parsed) }
}

export function cidr6Peer(cidr: string): { cidr6: string } {
  const canonical = canonicalCidr6(cidr)
  if (canonical === undefined) throw malformed(cidr)
  return { cidr6: canonical }
}

/** A rule's description (API Reference, IpRange.Description). */
export function checkDescription(text: string | undefined): string | undefined {
  if (text !== undefined && (text.length > 255 || !/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]*$/.test(text))) {
    throw value('Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: '
      + ' a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*')
  }
  return text === '' ? undefined : text
}

/** What one permission lets through, without saying for whom. */
export function trafficOf({ IpProtocol, FromPort, ToPort }: Pick<sdk.IpPermission, 'IpProtocol' | 'FromPort' | 'ToPort'>) {
  const protocol = protocolOf(IpProtocol)
  return { protocol, ...portsOf(protocol, FromPort, ToPort) }
}

function peersOf(permission: sdk.IpPermission): { peer: ParsedPeer; description?: string }[] {
  const { IpRanges = [], Ipv6Ranges = [], UserIdGroupPairs = [], PrefixListIds = [] } = permission
  const peers = [
    ...IpRanges.map(({ CidrIp = '', Description }) => ({ peer: cidrPeer(CidrIp), Description })),
    ...Ipv6Ranges.map(({ CidrIpv6 = '', Description }) => ({ peer: cidr6Peer(CidrIpv6), Description })),
    ...UserIdGroupPairs.map(({ GroupId, GroupName, UserId, Description }) => ({
      peer: { reference: { id: GroupId, name: GroupName, owner: UserId } }, Description,
    })),
    ...PrefixListIds.map(({ PrefixListId = '', Description }) => ({ peer: { prefixList: PrefixListId }, Description })),
  ]
  if (peers.length === 0) {
    throw new ApiError('MissingParameter', 'The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId')
  }
  return peers.map(({ peer, Description }) => ({ peer, description: checkDescription(Description) }))
}

function flatPermission(flat: Flat): sdk.IpPermission {
  const { CidrIp, SourceSecurityGroupName: GroupName, SourceSecurityGroupOwnerId: UserId, ...traffic } = flat
  // With a source group alone, the old form means all traffic (API Reference, AuthorizeSecurityGroupIngress).
  const all = GroupName !== undefined && traffic.IpProtocol === undefined
  return {
    ...(all ? { IpProtocol: '-1' } : { IpProtocol: traffic.IpProtocol, FromPort: traffic.FromPort, ToPort: traffic.ToPort }),
    IpRanges: CidrIp === undefined ? [] : [{ CidrIp }],
    UserIdGroupPairs: GroupName === undefined ? [] : [{ GroupName, UserId }],
  }
}

const isFlat = (flat: Flat): boolean =>
  [flat.IpProtocol, flat.FromPort, flat.ToPort, flat.CidrIp, flat.SourceSecurityGroupName].some(given => given !== undefined)

/** All rules that a request names, in its order; none where it names none. */
export function parseRules(input: Flat & { IpPermissions?: sdk.IpPermission[] }, egress: boolean): Parsed[] {
  const listed = input.IpPermissions ?? []
  if (listed.length > 0 && isFlat(input)) {
    throw new ApiError('InvalidParameterCombination', 'The parameter ipPermissions cannot be used with ipProtocol, ports or sources')
  }
  const given = isFlat(input) ? [flatPermission(input)] : listed
  return given.flatMap(permission => peersOf(permission).map(peer => ({ egress, ...trafficOf(permission), ...peer })))
}

/** Two rules of one request may not be the same (bitte#24). */
export function refuseRepeated(drafts: readonly Draft[]): void {
  if (new Set(drafts.map(ruleKey)).size < drafts.length) throw value('The same permission must not appear multiple times')
}
