/** From a request to an entry of a network ACL, with AWS's errors for what no entry can be. Pure. */
import { formatCidr } from '#base/cidr'
import { ApiError } from '#kit/error'
import { invalidCombination, invalidValue, missingParameter } from '#service/ec2/errors'
import { LAST_RULE, type Entry } from '#service/ec2/network-acl/network-acl'
import { canonicalCidr6 } from '#base/cidr6'
import { readCidr } from '#service/ec2/vpc/cidr'
import type * as sdk from '@aws-sdk/client-ec2'

const [ICMP, TCP, UDP, ICMP6] = ['1', '6', '17', '58']

/** A number of an entry (API Reference, CreateNetworkAclEntry: 1 to 32766). */
export function ruleNumber(number: number): number {
  if (!Number.isInteger(number) || number < 1 || number >= LAST_RULE) {
    throw invalidValue('ruleNumber', number, `It must be from 1 to ${LAST_RULE - 1}.`)
  }
  return number
}

function protocolOf(given: string): string {
  if (given === '-1') return given
  if (/^\d{1,3}$/.test(given) && Number(given) <= 255) return String(Number(given))
  throw invalidValue('protocol', given, 'Unknown protocol.')
}

function portsOf({ From: from, To: to }: sdk.PortRange = {}): Entry['ports'] {
  if (from === undefined) throw missingParameter('portRange.from')
  if (to === undefined) throw missingParameter('portRange.to')
  if ([from, to].some(port => !Number.isInteger(port) || port < 0 || port > 65_535) || from > to) {
    throw new ApiError('InvalidParameterValue', `Invalid TCP/UDP port range (${from}:${to})`)
  }
  return { from, to }
}

/** Missing: hashicorp/terraform#2085. "If you use ICMP type -1, the code must be -1" (API Reference, IcmpTypeCode). */
function icmpOf({ Type: type, Code: code }: sdk.IcmpTypeCode = {}): Entry['icmp'] {
  if (type === undefined) throw missingParameter('icmpTypeCode.type')
  if (code === undefined) throw missingParameter('icmpTypeCode.code')
  for (const [name, value] of [['type', type], ['code', code]] as const) {
    if (!Number.isInteger(value) || value < -1 || value > 255) throw new ApiError('InvalidParameterValue', `ICMP ${name} (${value}) out of range`)
  }
  if (type === -1 && code !== -1) throw new ApiError('InvalidParameterValue', `ICMP code (${code}) must be -1 when the ICMP type is -1`)
  return { type, code }
}

/** Blocks without host bits, as AWS keeps them. */
function blockOf({ CidrBlock, Ipv6CidrBlock }: sdk.CreateNetworkAclEntryRequest): { cidr: string } | { cidr6: string } {
  if (CidrBlock !== undefined && Ipv6CidrBlock !== undefined) throw invalidCombination('An entry has an IPv4 block or an IPv6 block, not both.')
  if (CidrBlock !== undefined) return { cidr: formatCidr(readCidr('cidrBlock', CidrBlock)) }
  if (Ipv6CidrBlock === undefined) throw missingParameter('cidrBlock or ipv6CidrBlock')
  const cidr6 = canonicalCidr6(Ipv6CidrBlock)
  if (cidr6 === undefined) throw invalidValue('ipv6CidrBlock', Ipv6CidrBlock, 'This is not a valid IPv6 CIDR block.')
  return { cidr6 }
}

/** Ports and ICMP types are read only for protocols that have them; AWS ignores them for others. */
export function readEntry(input: sdk.CreateNetworkAclEntryRequest): Entry {
  const number = ruleNumber(input.RuleNumber!)
  const protocol = protocolOf(input.Protocol!)
  const action: string = input.RuleAction!
  if (action !== 'allow' && action !== 'deny') throw invalidValue('ruleAction', action)
  return {
    number, egress: input.Egress!, allow: action === 'allow', protocol,
    ...(protocol === TCP || protocol === UDP ? { ports: portsOf(input.PortRange) } : {}),
    ...(protocol === ICMP || protocol === ICMP6 ? { icmp: icmpOf(input.IcmpTypeCode) } : {}),
    ...blockOf(input),
  }
}
