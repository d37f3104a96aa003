/** What CloudWatch knows of an instance, as curves that go on by themselves. Loaded with its tab: charts are large. */
import { Alert, Box, Button, ColumnLayout, Container, FormField, Header, LineChart, Select, SpaceBetween } from '@cloudscape-design/components'
import { useEffect, useState } from 'react'
import { call } from '../api/call'
import { useLoaded } from '../api/use'
import { currentLanguage, t, type Key } from '../i18n/text'
import { alarmForm } from '../resources/alarms'
import type { Item } from '../resources/kinds'
import { follow } from '../shell/router'

const METRICS = [
  ['cpu', 'CPUUtilization', 'Average', 'metrics.cpu'],
  ['failed', 'StatusCheckFailed', 'Maximum', 'metrics.failed'],
  ['in', 'NetworkIn', 'Sum', 'metrics.in'],
  ['out', 'NetworkOut', 'Sum', 'metrics.out'],
  ['packetsIn', 'NetworkPacketsIn', 'Sum', 'metrics.packetsIn'],
  ['packetsOut', 'NetworkPacketsOut', 'Sum', 'metrics.packetsOut'],
] as const satisfies readonly (readonly [string, string, string, Key])[]
const RANGES_H = ['1', '3', '12', '24', '168']
const PERIODS_MIN = ['1', '5', '60']
/** One for all stretches of a curve: Cloudscape's first colour for charts. */
const COLOUR = '#688ae8'
const EACH_MS = 30_000
const HOUR_MS = 3_600_000

type Point = { x: Date; y: number }
/** The longest time between two values that is no gap: twice what basic monitoring leaves, and a bit. */
const LEAST_GAP_MIN = 12.5

/** Curves without what is not known: one for each stretch of time. */
function stretches(points: readonly Point[], minutes: number): Point[][] {
  const gapMs = Math.max(LEAST_GAP_MIN, 2.5 * minutes) * 60_000
  const found: Point[][] = []
  for (const point of points) {
    const last = found.at(-1)
    if (last && point.x.getTime() - last.at(-1)!.x.getTime() <= gapMs) last.push(point)
    else found.push([point])
  }
  return found
}

const timeOf = (hours: number) => (date: Date) =>
  date.toLocaleString(currentLanguage(), hours > 24 ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit' })

type Found = { from: Date; to: Date; points: Map<string, Point[]> }

async function load(id: string, hours: number, minutes: number): Promise<Found> {
  const to = new Date()
  const from = new Date(to.getTime() - hours * HOUR_MS)
  const { MetricDataResults } = await call('cloudwatch', 'GetMetricData', {
    StartTime: from,
    EndTime: to,
    ScanBy: 'TimestampAscending',
    MetricDataQueries: METRICS.map(([Id, MetricName, Stat]) => ({
      Id,
      MetricStat: { Metric: { Namespace: 'AWS/EC2', MetricName, Dimensions: [{ Name: 'InstanceId', Value: id }] }, Period: minutes * 60, Stat },
    })),
  })
  const points = (MetricDataResults as Item[]).map(
    one => [one.Id, one.Timestamps.map((x: Date, i: number) => ({ x, y: one.Values[i] }))] as [string, Point[]],
  )
  return { from, to, points: new Map(points) }
}

type Choice = { label: Key; value: string; values: readonly string[]; words: Key; onChange(value: string): void }
function Chosen({ label, value, values, words, onChange }: Choice) {
  const options = values.map(one => ({ value: one, label: t(words, { count: one }) }))
  return (
    <FormField label={t(label)}>
      <Select selectedOption={options.find(one => one.value === value)!} options={options} onChange={e => onChange(e.detail.selectedOption.value!)} />
    </FormField>
  )
}

const AlarmLink = ({ href, metric }: { href: string; metric: string }) => (
  <Button variant="inline-link" href={href} onFollow={follow} ariaLabel={`${t('alarms.create')}: ${metric}`}>
    {t('alarms.create')}
  </Button>
)

export default function Metrics({ id }: { id: string }) {
  const [hours, setHours] = useState('3')
  const [minutes, setMinutes] = useState('5')
  const { data, error, reload } = useLoaded(() => load(id, Number(hours), Number(minutes)), ['instance'], `metrics ${id} ${hours} ${minutes}`)
  useEffect(() => {
    const timer = setInterval(reload, EACH_MS)
    return () => clearInterval(timer)
  }, [reload])
  return (
    <Container header={<Header variant="h2">{t('tab.monitoring')}</Header>}>
      <SpaceBetween size="l">
        {error && <Alert type="error">{error}</Alert>}
        <SpaceBetween size="m" direction="horizontal">
          <Chosen label="metrics.range" value={hours} values={RANGES_H} words="metrics.hours" onChange={setHours} />
          <Chosen label="metrics.period" value={minutes} values={PERIODS_MIN} words="metrics.minutes" onChange={setMinutes} />
        </SpaceBetween>
        <Box color="text-body-secondary">{t('metrics.note')}</Box>
        <ColumnLayout columns={2}>
          {METRICS.map(([key, name, statistic, title]) => {
            const points = data?.points.get(key) ?? []
            return (
              <div key={key}>
                <Header variant="h3" actions={<AlarmLink href={alarmForm(id, name, statistic)} metric={t(title)} />}>
                  {t(title)}
                </Header>
                <LineChart
                  series={stretches(points, Number(minutes)).map(data => ({ type: 'line', title: t(title), color: COLOUR, data }))}
                  xDomain={data && [data.from, data.to]}
                  yDomain={[0, Math.max(1, ...points.map(one => one.y)) * 1.1]}
                  xScaleType="time"
                  i18nStrings={{ xTickFormatter: timeOf(Number(hours)) }}
                  height={160}
                  hideFilter
                  hideLegend
                  ariaLabel={t(title)}
                  statusType={data || error ? 'finished' : 'loading'}
                  empty={<Box color="text-body-secondary">{t('metrics.none')}</Box>}
                />
              </div>
            )
          })}
        </ColumnLayout>
      </SpaceBetween>
    </Container>
  )
}
