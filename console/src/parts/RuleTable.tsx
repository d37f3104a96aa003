/** The rules of security groups, as people read them. */
import type { ReactNode } from 'react'
import { t, type Key } from '../i18n/text'
import { column, type Column, type Item } from '../resources/kinds'
import { List } from './SubList'

const KNOWN: Record<string, string> = {
  'tcp/22': 'SSH',
  'tcp/80': 'HTTP',
  'tcp/443': 'HTTPS',
  'tcp/3306': 'MYSQL/Aurora',
  'tcp/5432': 'PostgreSQL',
  'tcp/3389': 'RDP',
  'udp/53': 'DNS (UDP)',
  'tcp/53': 'DNS (TCP)',
}

export function typeOf({ IpProtocol: protocol, FromPort: from, ToPort: to }: Item): string {
  if (protocol === '-1') return t('rules.all')
  const known = from === to ? KNOWN[`${protocol}/${from}`] : undefined
  if (known) return known
  if (protocol === 'tcp') return t(from === 0 && to === 65535 ? 'rules.allTcp' : 'rules.tcp')
  if (protocol === 'udp') return t(from === 0 && to === 65535 ? 'rules.allUdp' : 'rules.udp')
  return protocol === 'icmp' ? t('rules.allIcmp') : String(protocol)
}
export const portsOf = ({ IpProtocol: protocol, FromPort: from, ToPort: to }: Item): string =>
  protocol === '-1' || from === undefined || from === -1 ? t('rules.every') : from === to ? String(from) : `${from}-${to}`
export const peerOf = (rule: Item): string => rule.CidrIpv4 ?? rule.CidrIpv6 ?? rule.ReferencedGroupInfo?.GroupId ?? rule.PrefixListId ?? '–'

export const protocolText = (protocol: string): string => (protocol === '-1' ? t('rules.every') : protocol.toUpperCase())

const columns = (peer: Key): Column[] => [
  column('SecurityGroupRuleId', 'f.ruleId'),
  { id: 'type', label: 'rules.type', value: typeOf },
  { id: 'protocol', label: 'f.protocol', value: rule => protocolText(rule.IpProtocol) },
  { id: 'ports', label: 'f.ports', value: portsOf },
  { id: 'peer', label: peer, value: peerOf },
  column('Description', 'f.description'),
]

export const RuleTable = ({ title, rules, actions }: { title: Key; rules: Item[]; actions?: ReactNode }) => (
  <List title={title} columns={columns(rules[0]?.IsEgress ? 'f.destination' : 'f.source')} items={rules} actions={actions} empty="rules.none" />
)
