/** The rule editor: rules are added and taken away together, by the calls that the difference needs. */
import { Alert, Box, Button, Container, ContentLayout, Grid, Header, Input, Select, SpaceBetween, Spinner } from '@cloudscape-design/components'
import { useEffect, useState, type ReactNode } from 'react'
import { send, wordsOf } from '../api/call'
import type { Preview } from '../api/preview'
import { t } from '../i18n/text'
import { Code } from '../parts/Code'
import { useRules } from '../parts/GroupTab'
import { peerOf, portsOf, protocolText, typeOf } from '../parts/RuleTable'
import type { Item } from '../resources/kinds'
import { facts } from '../shell/facts'
import { flash } from '../shell/flash'
import { go } from '../shell/router'

type Row = { id?: string; type: string; ports: string; peer: string; description: string; original?: Item }
type Known = { label(): string; protocol: string; ports?: string }

const known: Record<string, Known> = {
  ssh: { label: () => 'SSH', protocol: 'tcp', ports: '22' },
  http: { label: () => 'HTTP', protocol: 'tcp', ports: '80' },
  https: { label: () => 'HTTPS', protocol: 'tcp', ports: '443' },
  tcp: { label: () => t('rules.tcp'), protocol: 'tcp' },
  udp: { label: () => t('rules.udp'), protocol: 'udp' },
  icmp: { label: () => t('rules.allIcmp'), protocol: 'icmp', ports: '-1' },
  all: { label: () => t('rules.all'), protocol: '-1', ports: '–' },
  mysql: { label: () => 'MYSQL/Aurora', protocol: 'tcp', ports: '3306' },
  postgres: { label: () => 'PostgreSQL', protocol: 'tcp', ports: '5432' },
}

/** One line from a tablet's width on; below it each part has a line. */
const WIDTHS = [3, 1, 2, 3, 2, 1].map(span => ({ colspan: { default: 12, xs: span } }))

function permission(row: Row): object {
  const { protocol, ports = row.ports } = known[row.type]!
  const [from, to = from] = ports.startsWith('-') ? [Number(ports)] : ports.split('-').map(Number)
  const description = row.description === '' ? {} : { Description: row.description }
  const peer = row.peer.startsWith('sg-')
    ? { UserIdGroupPairs: [{ GroupId: row.peer, ...description }] }
    : row.peer.startsWith('pl-')
      ? { PrefixListIds: [{ PrefixListId: row.peer, ...description }] }
      : row.peer.includes(':')
        ? { Ipv6Ranges: [{ CidrIpv6: row.peer, ...description }] }
        : { IpRanges: [{ CidrIp: row.peer, ...description }] }
  return { IpProtocol: protocol, ...(protocol === '-1' ? {} : { FromPort: from, ToPort: to }), ...peer }
}

export default function GroupRules({ id, outbound }: { id: string; outbound: boolean }) {
  const rules = useRules(id)
  const [rows, setRows] = useState<Row[]>()
  const [removed, setRemoved] = useState<string[]>([])
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    if (rows || !rules.data) return
    setRows(
      rules.data
        .filter(rule => rule.IsEgress === outbound)
        .map(rule => ({
          id: rule.SecurityGroupRuleId,
          type: '',
          ports: portsOf(rule),
          peer: peerOf(rule),
          description: rule.Description ?? '',
          original: rule,
        })),
    )
  }, [rules.data])
  if (!rows) return rules.error ? <Alert type="error">{rules.error}</Alert> : <Spinner size="large" />

  const way = outbound ? 'Egress' : 'Ingress'
  const added = rows.filter(row => !row.original)
  const calls: Preview[] = [
    ...(added.length > 0
      ? [{ service: 'ec2' as const, operation: `AuthorizeSecurityGroup${way}`, input: { GroupId: id, IpPermissions: added.map(permission) } }]
      : []),
    ...(removed.length > 0
      ? [{ service: 'ec2' as const, operation: `RevokeSecurityGroup${way}`, input: { GroupId: id, SecurityGroupRuleIds: removed } }]
      : []),
  ]
  const change = (i: number, part: Partial<Row>): void => setRows(rows.map((row, j) => (i === j ? { ...row, ...part } : row)))
  const back = (): void => go(`/ec2/security-groups/${id}`)
  async function save(): Promise<void> {
    setBusy(true)
    try {
      // What is new comes first: who may reach the instance now is not cut off between the two calls.
      for (const one of calls) await send(one)
      flash({ type: 'success', content: t('rules.saved', { id }) })
      back()
    } catch (cause) {
      setError(wordsOf(cause))
      setBusy(false)
    }
  }
  const drop = (i: number): void => {
    if (rows[i]!.id) setRemoved([...removed, rows[i]!.id!])
    setRows(rows.filter((_, j) => i !== j))
  }
  const open = added.some(row => row.peer === '0.0.0.0/0' && (row.type === 'ssh' || row.type === 'all'))
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={id}>
          {t(outbound ? 'rules.edit.outbound' : 'rules.edit.inbound')}
        </Header>
      }
    >
      <Container
        footer={
          <SpaceBetween size="xs" direction="horizontal">
            <Button variant="link" onClick={back}>
              {t('do.cancel')}
            </Button>
            <Button variant="primary" loading={busy} disabled={calls.length === 0} onClick={() => void save()}>
              {t('rules.save')}
            </Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="m">
          {error && (
            <Alert type="error" header={t('error.title')}>
              {error}
            </Alert>
          )}
          {open && !outbound && <Alert type="warning">{t('launch.openWarning')}</Alert>}
          {rows.length === 0 && <Box>{t('rules.none')}</Box>}
          {rows.length > 0 && (
            <div className="wide-only">
              <Grid gridDefinition={WIDTHS}>
                {headsOf(outbound).map(head => (
                  <Label key={head} text={head} />
                ))}
                <span />
              </Grid>
            </div>
          )}
          {rows.map((row, i) => (
            <RuleRow key={row.id ?? `new-${i}`} row={row} outbound={outbound} onChange={part => change(i, part)} onRemove={() => drop(i)} />
          ))}
          <Button
            iconName="add-plus"
            onClick={() => setRows([...rows, { type: 'ssh', ports: '', peer: `${facts().hostAddress}/32`, description: '' }])}
          >
            {t('rules.add')}
          </Button>
          <Code calls={calls} />
        </SpaceBetween>
      </Container>
    </ContentLayout>
  )
}

/** What stands over the fields, and where there is no room for that, over each of them. */
const headsOf = (outbound: boolean) =>
  [t('rules.type'), t('f.protocol'), t('f.ports'), t(outbound ? 'f.destination' : 'f.source'), t('f.description')] as const
const Label = ({ text }: { text: string }) => <Box variant="awsui-key-label">{text}</Box>
const Under = ({ head, children }: { head: string; children: ReactNode }) => (
  <div>
    <div className="narrow-only">
      <Label text={head} />
    </div>
    {children}
  </div>
)

function RuleRow({ row, outbound, onChange, onRemove }: { row: Row; outbound: boolean; onChange(part: Partial<Row>): void; onRemove(): void }) {
  const options = Object.entries(known).map(([value, { label }]) => ({ value, label: label() }))
  const fixed = row.original !== undefined
  const heads = headsOf(outbound)
  const ports = fixed ? row.ports : (known[row.type]!.ports ?? row.ports)
  return (
    <Grid gridDefinition={WIDTHS}>
      <Under head={heads[0]}>
        {fixed ? (
          <Input ariaLabel={heads[0]} disabled value={typeOf(row.original)} />
        ) : (
          <Select
            ariaLabel={heads[0]}
            options={options}
            selectedOption={options.find(o => o.value === row.type)!}
            onChange={({ detail }) => onChange({ type: detail.selectedOption.value! })}
          />
        )}
      </Under>
      <Under head={heads[1]}>
        <Input ariaLabel={heads[1]} disabled value={protocolText(row.original?.IpProtocol ?? known[row.type]!.protocol)} />
      </Under>
      <Under head={heads[2]}>
        <Input
          ariaLabel={heads[2]}
          placeholder="8080-8090"
          disabled={fixed || known[row.type]?.ports !== undefined}
          value={ports}
          onChange={({ detail }) => onChange({ ports: detail.value })}
        />
      </Under>
      <Under head={heads[3]}>
        <Input
          ariaLabel={heads[3]}
          placeholder={t('rules.peer')}
          disabled={fixed}
          value={row.peer}
          onChange={({ detail }) => onChange({ peer: detail.value })}
        />
      </Under>
      <Under head={heads[4]}>
        <Input
          ariaLabel={heads[4]}
          placeholder={t('f.description')}
          disabled={fixed}
          value={row.description}
          onChange={({ detail }) => onChange({ description: detail.value })}
        />
      </Under>
      <Button iconName="remove" variant="icon" ariaLabel={t('do.remove')} onClick={onRemove} />
    </Grid>
  )
}
