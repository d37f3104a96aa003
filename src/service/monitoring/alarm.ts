/**
 * An alarm on one metric: what it is, how it is shown, and its history.
 *
 * Invariants: a name is one alarm's in its account and Region (it is in the record's id); a change of state, its line of history and the
 * actions that are due stand in one transaction.
 */
import { randomUUID } from 'node:crypto'
import type { AlarmHistoryItem, ComparisonOperator, HistoryItemType, MetricAlarm, StateValue, Statistic } from '@aws-sdk/client-cloudwatch'
import type { Place } from '#kit/action'
import { dimensionsView, type Metric } from '#service/monitoring/metric'
import { isSimple } from '#service/monitoring/statistics'
import type { Reader, Row, Tx } from '#store/store'

export type State = Extract<StateValue, string>
export type Spec = {
  name: string
  description?: string
  metric: Omit<Metric, keyof Place>
  statistic: string
  unit?: string
  period: number
  evaluationPeriods: number
  datapointsToAlarm?: number
  threshold: number
  comparison: ComparisonOperator
  missing?: 'breaching' | 'notBreaching' | 'ignore' | 'missing'
  actionsEnabled: boolean
  actions: Record<State, string[]>
  /** ISO 8601. */
  configured: string
}
export type Status = {
  state: State
  reason: string
  reasonData?: string
  /** ISO 8601: when the state was last told, and when it became another. */
  updated: string
  changed: string
  /** What is due since the last change of state. */
  due: string[]
  /** A state that somebody set stays until then. ISO 8601. */
  heldUntil?: string
}
export type AlarmRow = Row<Spec, Status>
export type HistorySpec = { alarm: string; type: HistoryItemType; summary: string; data: string; time: string }

export const ALARM = 'alarm'
export const HISTORY = 'alarm-history'
const MOST_HISTORY = 500
/** CloudWatch User Guide, "Alarm history": 30 days. */
export const HISTORY_MS = 30 * 86_400_000

export const idOf = ({ account, region }: Place, name: string): string => `${account}/${region}/${name}`
export const arnOf = ({ account, region }: Place, name: string): string => `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`

/** Alarms of a place by name. */
export const alarmsIn = async (reader: Reader, { account, region }: Place): Promise<AlarmRow[]> =>
  (await reader.list<AlarmRow>({ kind: ALARM, account, region })).sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1))

export function viewOf(row: AlarmRow): MetricAlarm {
  const { spec, status } = row
  return {
    AlarmName: spec.name, AlarmArn: arnOf(row, spec.name), AlarmDescription: spec.description,
    AlarmConfigurationUpdatedTimestamp: new Date(spec.configured),
    ActionsEnabled: spec.actionsEnabled, OKActions: spec.actions.OK, AlarmActions: spec.actions.ALARM,
      InsufficientDataActions: spec.actions.INSUFFICIENT_DATA,
    StateValue: status.state, StateReason: status.reason, StateReasonData: status.reasonData, StateUpdatedTimestamp: new Date(status.updated),
    StateTransitionedTimestamp: new Date(status.changed), MetricName: spec.metric.name, Namespace: spec.metric.namespace,
    ...(isSimple(spec.statistic) ? { Statistic: spec.statistic as Statistic } : { ExtendedStatistic: spec.statistic }),
    Dimensions: dimensionsView(spec.metric.dimensions), Period: spec.period, Unit: spec.unit as MetricAlarm['Unit'],
    EvaluationPeriods: spec.evaluationPeriods, DatapointsToAlarm: spec.datapointsToAlarm, Threshold: spec.threshold,
    ComparisonOperator: spec.comparison, TreatMissingData: spec.missing,
  }
}

/** Lines of one moment stay in the order in which they were written. */
let lines = 0

/** One more line of an alarm's history; the oldest goes where there are too many. */
export async function note(
  tx: Tx, { account, region, spec: { name } }: Pick<AlarmRow, 'account' | 'region' | 'spec'>, now: Date, line: Omit<HistorySpec, 'alarm' | 'time'>,
): Promise<void> {
  const prefix = `${idOf({ account, region }, name)}#`
  const time = now.toISOString()
  const there = await tx.list<Row<HistorySpec, object>>({ kind: HISTORY, account, region, after: prefix, limit: MOST_HISTORY })
  const own = there.filter(row => row.spec.alarm === name)
  if (own.length === MOST_HISTORY) await tx.remove(own[0]!)
  await tx.put<Row<HistorySpec, object>>({
    kind: HISTORY, id: `${prefix}${time}#${String(++lines).padStart(12, '0')}${randomUUID()}`, account, region, generation: 0, created: time,
    status: {}, tags: {},
    spec: { alarm: name, time, ...line },
  }, 'noted')
}

export const historyView = ({ spec: { alarm, type, summary, data, time } }: Row<HistorySpec, object>): AlarmHistoryItem => (
  { AlarmName: alarm, AlarmType: 'MetricAlarm', HistoryItemType: type, HistorySummary: summary, HistoryData: data, Timestamp: new Date(time) })
