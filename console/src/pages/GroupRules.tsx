/** The rule editor: rules are added, changed in place and taken away together, by the calls that the difference needs. */
import { Alert, Box, Button, Container, ContentLayout, Grid, Header, Input, Select, SpaceBetween, Spinner } from '@cloudscape-design/components'
import { useEffect, useState, type ReactNode } from 'react'
import { send, wordsOf } from '../api/call'
import { messages, t, type Key } from '../i18n/text'
import { Code } from '../parts/Code'
import { useRules } from '../parts/GroupTab'
import { portsOf, protocolText, typeOf } from '../parts/RuleTable'
import type { Item } from '../resources/kinds'
import { facts } from '../shell/facts'
import { flash } from '../shell/flash'
import { go } from '../shell/router'
import { AS_IT_IS, callsOf, isWhole, known, rowOf, type Row } from './group-rules'

/** One line from a tablet's width on; below it each part has a line. */
const WIDTHS = [3, 1, 2, 3, 2, 1].map(span => ({ colspan: { default: 12, xs: span } }))
const labelOf = (label: string): string => (label in messages ? t(label as Key) : label)

export default function GroupRules({ id, outbound }: { id: string; outbound: boolean }) {
  const rules = useRules(id)
  const [before, setBefore] = useState<Item[]>([])
  const [rows, setRows] = useState<Row[]>()
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    if (rows || !rules.data) return
    const own = rules.data.filter(rule => rule.IsEgress === outbound)
    setBefore(own)
    setRows(own.map(rowOf))
  }, [rules.data])
  if (!rows) return rules.error ? <Alert type="error">{rules.error}</Alert> : <Spinner size="large" />

  const calls = callsOf({ group: id, outbound, before, rows })
  const touched = rows.filter(row => !row.original || row.peer !== rowOf(row.original).peer || row.type !== rowOf(row.original).type)
  const change = (i: number, part: Partial<Row>): void => setRows(rows.map((row, j) => (i === j ? { ...row, ...part } : row)))
  const back = (): void => go(`/ec2/security-groups/${id}`)
  async function save(): Promise<void> {
    setBusy(true)
    try {
      for (const one of calls) await send(one)
      flash({ type: 'success', content: t('rules.saved', { id }) })
      back()
    } catch (cause) {
      setError(wordsOf(cause))
      setBusy(false)
    }
  }
  const drop = (i: number): void => setRows(rows.filter((_, j) => i !== j))
  const open = touched.some(row => row.peer === '0.0.0.0/0' && (row.type === 'ssh' || row.type === 'all'))
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
            <Button variant="primary" loading={busy} disabled={calls.length === 0 || !rows.every(isWhole)} onClick={() => void save()}>
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
            <RuleRow
              key={row.original?.SecurityGroupRuleId ?? `new-${i}`}
              row={row}
              outbound={outbound}
              onChange={part => change(i, part)}
              onRemove={() => drop(i)}
            />
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

type RowProps = { row: Row; outbound: boolean; onChange(part: Partial<Row>): void; onRemove(): void }

function RuleRow({ row, outbound, onChange, onRemove }: RowProps) {
  const heads = headsOf(outbound)
  const options = Object.entries(known).map(([value, { label }]) => ({ value, label: labelOf(label) }))
  // Traffic that has no name here stays as it is until another is chosen.
  if (row.original && rowOf(row.original).type === AS_IT_IS) options.unshift({ value: AS_IT_IS, label: typeOf(row.original) })
  const fixed = row.type === AS_IT_IS ? portsOf(row.original) : known[row.type]!.ports
  const wrong = fixed === undefined && row.ports !== '' && !isWhole({ ...row, peer: 'any' })
  return (
    <Grid gridDefinition={WIDTHS}>
      <Under head={heads[0]}>
        <Select
          ariaLabel={heads[0]}
          options={options}
          selectedOption={options.find(o => o.value === row.type)!}
          onChange={({ detail }) => onChange({ type: detail.selectedOption.value! })}
        />
      </Under>
      <Under head={heads[1]}>
        <Input
          ariaLabel={heads[1]}
          disabled
          value={protocolText(row.type === AS_IT_IS ? row.original.IpProtocol : known[row.type]!.protocol)}
        />
      </Under>
      <Under head={heads[2]}>
        <Input
          ariaLabel={heads[2]}
          placeholder="8080-8090"
          disabled={fixed !== undefined}
          invalid={wrong}
          value={fixed === '-1' ? t('rules.every') : (fixed ?? row.ports)}
          onChange={({ detail }) => onChange({ ports: detail.value })}
        />
      </Under>
      <Under head={heads[3]}>
        <Input
          ariaLabel={heads[3]}
          placeholder={t('rules.peer')}
          value={row.peer}
          onChange={({ detail }) => onChange({ peer: detail.value })}
        />
      </Under>
      <Under head={heads[4]}>
        <Input
          ariaLabel={heads[4]}
          placeholder={t('f.description')}
          value={row.description}
          onChange={({ detail }) => onChange({ description: detail.value })}
        />
      </Under>
      <Button iconName="remove" variant="icon" ariaLabel={t('do.remove')} onClick={onRemove} />
    </Grid>
  )
}
