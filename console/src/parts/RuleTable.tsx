/** The rules of security groups, as people read them. */
import { Box, Header, Table } from '@cloudscape-design/components'
import type { ReactNode } from 'react'
import { t, type Key } from '../i18n/text'
import type { Item } from '../resources/kinds'

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

export function RuleTable({ title, rules, actions }: { title: Key; rules: Item[]; actions?: ReactNode }) {
  return (
    <Table
      variant="container"
      items={rules}
      ariaLabels={{ tableLabel: t(title) }}
      header={
        <Header variant="h2" counter={`(${rules.length})`} actions={actions}>
          {t(title)}
        </Header>
      }
      empty={<Box>{t('rules.none')}</Box>}
      columnDefinitions={[
        { id: 'id', header: t('f.ruleId'), cell: rule => rule.SecurityGroupRuleId, isRowHeader: true },
        { id: 'type', header: t('rules.type'), cell: typeOf },
        {
          id: 'protocol',
          header: t('f.protocol'),
          cell: rule => protocolText(rule.IpProtocol),
        },
        { id: 'ports', header: t('f.ports'), cell: portsOf },
        { id: 'peer', header: t(rules[0]?.IsEgress ? 'f.destination' : 'f.source'), cell: peerOf },
        { id: 'description', header: t('f.description'), cell: rule => rule.Description ?? '–' },
      ]}
    />
  )
}
