/**
 * The rules of a security group as its editor has them, and the calls that the difference takes. Pure.
 *
 * Invariant: a rule keeps its id while what is changed of it can be changed in place; where its source becomes one of another kind it is
 * another rule.
 */
import type { Preview } from '../api/preview.ts'

// As resources/kinds.ts has it, which the tests of this file can't load.
type Item = any

/** `type`: one of the known ones, or 'as it is' for traffic that has no name here. */
export type Row = { type: string; ports: string; peer: string; description: string; original?: Item }
type Known = { label: string; protocol: string; ports?: string }

export const AS_IT_IS = 'as-it-is'
export const known: Record<string, Known> = {
  ssh: { label: 'SSH', protocol: 'tcp', ports: '22' },
  http: { label: 'HTTP', protocol: 'tcp', ports: '80' },
  https: { label: 'HTTPS', protocol: 'tcp', ports: '443' },
  mysql: { label: 'MYSQL/Aurora', protocol: 'tcp', ports: '3306' },
  postgres: { label: 'PostgreSQL', protocol: 'tcp', ports: '5432' },
  rdp: { label: 'RDP', protocol: 'tcp', ports: '3389' },
  dnsUdp: { label: 'DNS (UDP)', protocol: 'udp', ports: '53' },
  dnsTcp: { label: 'DNS (TCP)', protocol: 'tcp', ports: '53' },
  tcp: { label: 'rules.tcp', protocol: 'tcp' },
  udp: { label: 'rules.udp', protocol: 'udp' },
  icmp: { label: 'rules.allIcmp', protocol: 'icmp', ports: '-1' },
  all: { label: 'rules.all', protocol: '-1', ports: '-1' },
}

const portsText = ({ FromPort: from, ToPort: to }: Item): string => (from === to ? String(from) : `${from}-${to}`)
function typeOfRule(rule: Item): string {
  const ports = rule.IpProtocol === '-1' ? '-1' : portsText(rule)
  const [named] = Object.entries(known).find(([, one]) => one.protocol === rule.IpProtocol && one.ports === ports) ?? []
  return named ?? (rule.IpProtocol === 'tcp' || rule.IpProtocol === 'udp' ? rule.IpProtocol : AS_IT_IS)
}
const peerOf = (rule: Item): string => rule.CidrIpv4 ?? rule.CidrIpv6 ?? rule.ReferencedGroupInfo?.GroupId ?? rule.PrefixListId ?? ''

export const rowOf = (rule: Item): Row => ({
  type: typeOfRule(rule),
  ports: rule.IpProtocol === 'tcp' || rule.IpProtocol === 'udp' ? portsText(rule) : '',
  peer: peerOf(rule),
  description: rule.Description ?? '',
  original: rule,
})

/** Whether its ports can be read: one, or the first and the last. */
export const isWhole = ({ type, ports, peer }: Row): boolean =>
  peer !== '' && (type === AS_IT_IS || known[type]!.ports !== undefined || /^\d{1,5}(-\d{1,5})?$/.test(ports))

type Traffic = { IpProtocol: string; FromPort?: number; ToPort?: number }
function trafficOf(row: Row): Traffic {
  if (row.type === AS_IT_IS) {
    const { IpProtocol, FromPort, ToPort } = row.original as Traffic
    return { IpProtocol, FromPort, ToPort }
  }
  const { protocol, ports = row.ports } = known[row.type]!
  if (protocol === '-1') return { IpProtocol: protocol }
  const [from, to = from] = ports.startsWith('-') ? [Number(ports)] : ports.split('-').map(Number)
  return { IpProtocol: protocol, FromPort: from, ToPort: to }
}

type Peer = 'CidrIpv4' | 'CidrIpv6' | 'PrefixListId' | 'ReferencedGroupId'
const kindOf = (peer: string): Peer =>
  peer.startsWith('sg-') ? 'ReferencedGroupId' : peer.startsWith('pl-') ? 'PrefixListId' : peer.includes(':') ? 'CidrIpv6' : 'CidrIpv4'
const said = ({ description }: Row): { Description?: string } => (description === '' ? {} : { Description: description })

function permission(row: Row): object {
  const peers = {
    ReferencedGroupId: { UserIdGroupPairs: [{ GroupId: row.peer, ...said(row) }] },
    PrefixListId: { PrefixListIds: [{ PrefixListId: row.peer, ...said(row) }] },
    CidrIpv6: { Ipv6Ranges: [{ CidrIpv6: row.peer, ...said(row) }] },
    CidrIpv4: { IpRanges: [{ CidrIp: row.peer, ...said(row) }] },
  }
  return { ...trafficOf(row), ...peers[kindOf(row.peer)] }
}
const replacement = (row: Row): object => ({
  SecurityGroupRuleId: row.original!.SecurityGroupRuleId,
  SecurityGroupRule: { ...trafficOf(row), [kindOf(row.peer)]: row.peer, ...said(row) },
})

const isChanged = (row: Row): boolean => {
  const before = rowOf(row.original)
  return (['type', 'ports', 'peer', 'description'] as const).some(part => row[part] !== before[part])
}
const isOther = (row: Row): boolean => kindOf(row.peer) !== kindOf(peerOf(row.original))

type Edited = { group: string; outbound: boolean; before: readonly Item[]; rows: readonly Row[] }
/** What is new comes first, and what goes last: who may reach the instance now is not cut off between two calls. */
export function callsOf({ group: GroupId, outbound, before, rows }: Edited): Preview[] {
  const [authorize, revoke] = outbound
    ? ['AuthorizeSecurityGroupEgress', 'RevokeSecurityGroupEgress']
    : ['AuthorizeSecurityGroupIngress', 'RevokeSecurityGroupIngress']
  const kept = rows.filter(row => row.original && !isOther(row))
  const added = rows.filter(row => !kept.includes(row)).map(permission)
  const changed = kept.filter(isChanged).map(replacement)
  const gone = before.filter(rule => !kept.some(row => row.original === rule)).map(rule => rule.SecurityGroupRuleId)
  const call = (operation: string, list: unknown[], input: object): Preview[] =>
    list.length > 0 ? [{ service: 'ec2', operation, input: { GroupId, ...input } }] : []
  return [
    ...call(authorize, added, { IpPermissions: added }),
    ...call('ModifySecurityGroupRules', changed, { SecurityGroupRules: changed }),
    ...call(revoke, gone, { SecurityGroupRuleIds: gone }),
  ]
}
