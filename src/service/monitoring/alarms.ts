/** The operations on alarms and their tags. */
import type * as Sdk from '@aws-sdk/client-cloudwatch'
import type { PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch'
import type { Actions, Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { tagList } from '#kit/resource'
import { limit, readTags, type Tags } from '#kit/tags'
import { ALARM, alarmsIn, arnOf, HISTORY, historyView, idOf, note, viewOf, type AlarmRow, type HistorySpec,
  type Spec } from '#service/monitoring/alarm'
import { change } from '#service/monitoring/alarm-drive'
import { permissionsOf } from '#service/monitoring/automate'
import { checkText, checkUnit, metricOf, unsupported, validation } from '#service/monitoring/metric'
import { againMs, COMPARISONS } from '#service/monitoring/plan'
import { checkPeriod, checkStatistic } from '#service/monitoring/query'
import { isSimple } from '#service/monitoring/statistics'
import type { Reader, Row, Tx } from '#store/store'

const MOST_ALARMS = 5000
const MOST_ACTIONS = 5
const MOST_NAMED = 100
const STATES = ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const
const MISSING = ['breaching', 'notBreaching', 'ignore', 'missing'] as const
const DAY = 86_400
/** What of PutMetricAlarm is another kind of alarm. */
const OTHERS = [
  'Metrics', 'ThresholdMetricId', 'EvaluationWindow', 'WarmUpConfiguration', 'EvaluationCriteria', 'EvaluationInterval', 'ActionConfiguration',
] as const

const notFound = (): ApiError => new ApiError('ResourceNotFound', 'Unknown alarm', 404)
const within = (member: string, value: number | undefined, most: number): number => {
  if (value === undefined) throw validation(`${member} must be specified.`)
  if (!Number.isInteger(value) || value < 1 || value > most) throw validation(`${member} must be from 1 to ${most}.`)
  return value
}

function readAlarm(place: Place, input: PutMetricAlarmInput, now: Date): Spec {
  const other = OTHERS.find(name => input[name] !== undefined && !(Array.isArray(input[name]) && input[name].length === 0))
  if (other) throw unsupported(`${other} of PutMetricAlarm`)
  if (input.EvaluateLowSampleCountPercentile === 'ignore') throw unsupported('EvaluateLowSampleCountPercentile of PutMetricAlarm')
  if (!input.MetricName || !input.Namespace) throw validation('MetricName and Namespace must be specified.')
  if ((input.Statistic === undefined) === (input.ExtendedStatistic === undefined))
    throw validation('Either Statistic or ExtendedStatistic must be specified.')
  if (input.Statistic !== undefined && !isSimple(input.Statistic)) throw validation(`The statistic ${String(input.Statistic)} is not supported.`)
  if (input.Threshold === undefined || !Number.isFinite(input.Threshold)) throw validation('Threshold must be specified.')
  if (!COMPARISONS.includes(input.ComparisonOperator!))
    throw validation(`The comparison operator ${String(input.ComparisonOperator)} is not supported.`)
  const missing = input.TreatMissingData as Spec['missing']
  if (missing !== undefined && !MISSING.includes(missing)) throw validation(`TreatMissingData must be one of ${MISSING.join(', ')}.`)
  const period = checkPeriod(within('Period', input.Period, 7 * DAY))
  const evaluationPeriods = within('EvaluationPeriods', input.EvaluationPeriods, 7 * DAY)
  if (period < 10) throw validation('Period must be 10, 20, 30 or a multiple of 60.')
  if (period * evaluationPeriods > (period >= 3600 ? 7 * DAY : DAY))
    throw validation('Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).')
  const datapointsToAlarm = input.DatapointsToAlarm === undefined ? undefined : within('DatapointsToAlarm', input.DatapointsToAlarm,
    evaluationPeriods)
  const { account: _account, region: _region, ...metric } = metricOf(place, input)
  const actions = { OK: input.OKActions ?? [], ALARM: input.AlarmActions ?? [], INSUFFICIENT_DATA: input.InsufficientDataActions ?? [] }
  if (Object.values(actions).some(list => list.length > MOST_ACTIONS)) throw validation(`An alarm can have ${MOST_ACTIONS} actions for each state.`)
  if ((input.AlarmDescription ?? '').length > 1024) throw validation('AlarmDescription must have up to 1024 characters.')
  return {
    name: checkText('AlarmName', input.AlarmName), metric, statistic: input.Statistic ?? checkStatistic(input.ExtendedStatistic!,
      'ExtendedStatistic'),
    period, evaluationPeriods, threshold: input.Threshold, comparison: input.ComparisonOperator!, actionsEnabled: input.ActionsEnabled ?? true,
      actions,
    configured: now.toISOString(), ...(checkUnit(input.Unit) && { unit: input.Unit! }), ...(missing && { missing }),
    ...(datapointsToAlarm !== undefined && { datapointsToAlarm }), ...(input.AlarmDescription && { description: input.AlarmDescription }),
  }
}

const readNames = (names: readonly string[] = []): string[] => {
  if (names.length > MOST_NAMED) throw validation(`At most ${MOST_NAMED} alarms can be named.`)
  return [...new Set(names)]
}
const find = (reader: Reader, place: Place, name: string) => reader.get<AlarmRow>(ALARM, idOf(place, name))

async function byArn(reader: Reader, place: Place, arn: string): Promise<AlarmRow> {
  const prefix = arnOf(place, '')
  const row = arn.startsWith(prefix) ? await find(reader, place, arn.slice(prefix.length)) : undefined
  if (!row) throw new ApiError('ResourceNotFoundException', `Unknown resource ${arn.slice(0, 300)}`, 404, { ResourceType: 'alarm', ResourceId: arn })
  return row
}
function readTagList(tags: { Key?: string | undefined; Value?: string | undefined }[] = [], had: Tags = {}): Tags {
  try {
    return limit({ ...had, ...readTags(tags as { Key?: string; Value?: string }[]) })
  } catch (error) {
    throw Object.assign(validation((error as Error).message), { cause: error })
  }
}

/** A page by names: a token is the last one given. */
function paged<T>(items: readonly T[], nameOf: (item: T) => string, { MaxRecords = 50, NextToken }: { MaxRecords?: number; NextToken?: string }) {
  const size = within('MaxRecords', MaxRecords, 100)
  const after = NextToken === undefined ? '' : Buffer.from(NextToken, 'base64url').toString()
  if (NextToken !== undefined && Buffer.from(after).toString('base64url') !== NextToken)
    throw new ApiError('InvalidNextToken', 'The next token is not valid.')
  const left = items.filter(item => nameOf(item) > after)
  const given = left.slice(0, size)
  return { given, NextToken: given.length < left.length ? Buffer.from(nameOf(given.at(-1)!)).toString('base64url') : undefined }
}

async function switchActions(tx: Tx, place: Place, names: string[] | undefined, to: boolean): Promise<void> {
  for (const name of readNames(names)) {
    const row = await find(tx, place, name)
    if (row && row.spec.actionsEnabled !== to) await tx.put<AlarmRow>({ ...row, spec: { ...row.spec, actionsEnabled: to } }, 'updated')
  }
}

/** By time, and within a moment as they were written; whatever the alarm. */
const orderOf = ({ id }: Row): string => id.slice(id.lastIndexOf('#', id.lastIndexOf('#') - 1))

export const alarms: Actions<typeof Sdk> = {
  async PutMetricAlarm({ input, tx, account, region, now, permit }) {
    const place = { account, region }
    const spec = readAlarm(place, input, now)
    for (const also of permissionsOf(place, spec.metric, Object.values(spec.actions).flat())) await permit(also)
    const before = await find(tx, place, spec.name)
    if (!before && (await alarmsIn(tx, place)).length >= MOST_ALARMS)
      throw new ApiError('LimitExceededFault', `There are ${MOST_ALARMS} alarms already.`)
    const time = now.toISOString()
    // An alarm that is there keeps its state and its tags (API Reference, PutMetricAlarm).
    const row = await tx.put<AlarmRow>(before ? { ...before, spec } : {
      kind: ALARM, id: idOf(place, spec.name), account, region, generation: 0, created: time, spec, tags: readTagList(input.Tags),
      status: { state: 'INSUFFICIENT_DATA', reason: 'Unchecked: Initial alarm creation', updated: time, changed: time, due: [] },
    }, before ? 'updated' : 'created')
    const verb = before ? 'Update' : 'Create'
    await note(tx, row, now, {
      type: 'ConfigurationUpdate', summary: `Alarm "${spec.name}" ${before ? 'updated' : 'created'}`,
      data: JSON.stringify({ version: '1.0', type: verb, [`${verb.toLowerCase()}dAlarm`]: viewOf(row) }),
    })
    return {}
  },

  async DescribeAlarms({ input, tx, account, region }) {
    if (input.ChildrenOfAlarmName ?? input.ParentsOfAlarmName) throw unsupported('composite alarms')
    if (input.AlarmNames?.length && input.AlarmNamePrefix !== undefined) throw validation('AlarmNames and AlarmNamePrefix exclude each other.')
    const names = readNames(input.AlarmNames)
    const { StateValue, AlarmNamePrefix = '', ActionPrefix = '', AlarmTypes = [] } = input
    if (StateValue !== undefined && !(STATES as readonly string[]).includes(StateValue))
      throw validation(`StateValue must be one of ${STATES.join(', ')}.`)
    const isWanted = ({ spec, status }: AlarmRow) => (names.length === 0 || names.includes(spec.name)) && spec.name.startsWith(AlarmNamePrefix)
      && (StateValue === undefined || status.state === StateValue)
      && (ActionPrefix === '' || Object.values(spec.actions).flat().some(arn => arn.startsWith(ActionPrefix)))
    const rows = AlarmTypes.length > 0 && !AlarmTypes.includes('MetricAlarm') ? [] : (await alarmsIn(tx, { account, region })).filter(isWanted)
    const { given, NextToken } = paged(rows, ({ spec }) => spec.name, input)
    return { MetricAlarms: given.map(viewOf), CompositeAlarms: [], NextToken }
  },

  async DescribeAlarmsForMetric({ input, tx, account, region }) {
    const { account: _account, region: _region, ...metric } = metricOf({ account, region }, input)
    const statistic = input.Statistic ?? input.ExtendedStatistic
    const isWanted = ({ spec }: AlarmRow) => JSON.stringify(spec.metric) === JSON.stringify(metric) && (statistic === undefined
      || spec.statistic === statistic)
      && (input.Period === undefined || spec.period === input.Period) && (input.Unit === undefined || spec.unit === input.Unit)
    return { MetricAlarms: (await alarmsIn(tx, { account, region })).filter(isWanted).map(viewOf) }
  },

  async DescribeAlarmHistory({ input, tx, account, region }) {
    const { AlarmName, HistoryItemType, StartDate, EndDate, ScanBy = 'TimestampDescending' } = input
    if (StartDate && EndDate && StartDate > EndDate) throw validation('StartDate must be before EndDate.')
    const rows = await tx.list<Row<HistorySpec, object>>({ kind: HISTORY, account, region })
    const found = rows.filter(({ spec }) => (AlarmName === undefined || spec.alarm === AlarmName)
      && (HistoryItemType === undefined || spec.type === HistoryItemType) && (!StartDate || spec.time >= StartDate.toISOString())
      && (!EndDate || spec.time <= EndDate.toISOString()))
    const timely = found.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
    const ordered = (ScanBy === 'TimestampDescending' ? timely.toReversed() : timely).map((row, i) => ({ row, place: String(i).padStart(9, '0') }))
    const { given, NextToken } = paged(ordered, one => one.place, input)
    return { AlarmHistoryItems: given.map(({ row }) => historyView(row)), NextToken }
  },

  /** All or none (API Reference, DeleteAlarms). Their history stays. */
  async DeleteAlarms({ input, tx, account, region }) {
    const rows = await Promise.all(readNames(input.AlarmNames).map(name => find(tx, { account, region }, name)))
    if (rows.some(row => row === undefined)) throw notFound()
    for (const row of rows) await tx.remove(row!, 'deleted')
    return {}
  },

  /** Until the next look, which says what is so. */
  async SetAlarmState({ input, tx, account, region, now }) {
    const row = await find(tx, { account, region }, input.AlarmName!)
    if (!row) throw notFound()
    const state = STATES.find(one => one === input.StateValue)
    if (!state) throw validation(`StateValue must be one of ${STATES.join(', ')}.`)
    if (input.StateReasonData !== undefined) {
      try { JSON.parse(input.StateReasonData) } catch { throw new ApiError('InvalidFormatFault', 'StateReasonData is not valid JSON.') }
    }
    const heldUntil = new Date(now.getTime() + againMs(row.spec.period, now)).toISOString()
    await change(tx, row, { state, reason: checkText('StateReason', input.StateReason, 1023), data: input.StateReasonData, now, heldUntil })
    return {}
  },

  async EnableAlarmActions({ input, tx, account, region }) {
    await switchActions(tx, { account, region }, input.AlarmNames, true)
    return {}
  },
  async DisableAlarmActions({ input, tx, account, region }) {
    await switchActions(tx, { account, region }, input.AlarmNames, false)
    return {}
  },

  async ListTagsForResource({ input, tx, account, region }) {
    return { Tags: tagList((await byArn(tx, { account, region }, input.ResourceARN!)).tags) as Sdk.Tag[] }
  },
  async TagResource({ input, tx, account, region }) {
    const row = await byArn(tx, { account, region }, input.ResourceARN!)
    await tx.put<AlarmRow>({ ...row, tags: readTagList(input.Tags, row.tags) }, 'tagged')
    return {}
  },
  async UntagResource({ input, tx, account, region }) {
    const row = await byArn(tx, { account, region }, input.ResourceARN!)
    await tx.put<AlarmRow>({ ...row, tags: Object.fromEntries(Object.entries(row.tags).filter(([key]) => !input.TagKeys!.includes(key))) }, 'tagged')
    return {}
  },
}
