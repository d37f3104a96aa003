/** ListMetrics, GetMetricStatistics, GetMetricData. */
import type * as Sdk from '@aws-sdk/client-cloudwatch'
import type { Datapoint, DimensionFilter, MetricDataQuery, MetricDataResult } from '@aws-sdk/client-cloudwatch'
import type { Actions, Place } from '#kit/action'
import {
  checkNamespace, checkText, checkUnit, combination, dimensionsView, invalid, metricOf, missing, unsupported, validation, type Metric,
} from '#service/monitoring/metric'
import { calculate, idsIn, parse, type Expression } from '#service/monitoring/expression'
import { checkPeriod, checkSpan, checkStatistic, firstWindow, read } from '#service/monitoring/query'
import type { Series } from '#service/monitoring/series'
import { isSimple, valueOf } from '#service/monitoring/statistics'

const MOST_LISTED = 500
const LISTED_S = 14 * 86_400
const RECENT_S = 3 * 3600
const MOST_POINTS = 1440
const MOST_QUERIES = 500
const MOST_DATA = 100_800

const secondsOf = (date: Date): number => date.getTime() / 1000

/** A filter without a value is met by any. All filters must be met; a metric may have more dimensions. */
const meets = ({ dimensions }: Metric, filters: readonly DimensionFilter[]): boolean => filters.every(({ Name, Value }) =>
  dimensions.some(({ name, value }) => name === Name && (Value === undefined || Value === value)))

const readToken = (token: string | undefined): number => {
  if (token === undefined) return 0
  if (!/^\d{1,15}$/.test(token)) throw invalid('The value of parameter NextToken is invalid.')
  return Number(token)
}

type Series1 = { times: number[]; values: number[]; label: string; period: number }
type Asking = Place & { series: Series; now: number; start: number; end: number }

function statOf({ MetricStat, Label }: MetricDataQuery, at: string, { series, now, start, end, ...place }: Asking): Series1 {
  const { Metric: named, Period, Stat, Unit } = MetricStat!
  if (!named) throw missing(`${at}.MetricStat.Metric`)
  if (Period === undefined) throw missing(`${at}.MetricStat.Period`)
  const [period, statistic] = [checkPeriod(Period), checkStatistic(checkText(`${at}.MetricStat.Stat`, Stat), `${at}.MetricStat.Stat`)]
  const metric = metricOf(place, named)
  const from = Math.floor(firstWindow(start, { now, period }) / period) * period
  const points = read(series, metric, { from, to: end, period, unit: checkUnit(Unit) })
  const known = points.flatMap(one => { const value = valueOf(statistic, one); return value === undefined ? [] : [{ time: one.time, value }] })
  return { times: known.map(one => one.time), values: known.map(one => one.value), label: Label ?? metric.name, period }
}

function checkQueries(queries: readonly MetricDataQuery[]): Map<string, { query: MetricDataQuery; at: string; expression?: Expression }> {
  if (queries.length === 0 || queries.length > MOST_QUERIES)
    throw validation(`The collection MetricDataQueries must have from 1 to ${MOST_QUERIES} members.`)
  const found = new Map<string, { query: MetricDataQuery; at: string; expression?: Expression }>()
  for (const [i, query] of queries.entries()) {
    const at = `MetricDataQueries.member.${i + 1}`
    const { Id: id = '', Expression, MetricStat, AccountId } = query
    if (!/^[a-z][A-Za-z0-9_]{0,254}$/.test(id))
      throw validation(`The value ${id} for parameter ${at}.Id is not matching the pattern [a-z][a-zA-Z0-9_]*.`)
    if (found.has(id)) throw validation(`The values for parameter id in MetricDataQueries are not unique: ${id}.`)
    if ((Expression === undefined) === (MetricStat === undefined)) throw validation(`${at} must have either an Expression or a MetricStat.`)
    if (AccountId !== undefined) throw unsupported('metrics of other accounts')
    found.set(id, { query, at, ...(Expression !== undefined && { expression: parse(Expression) }) })
  }
  for (const { expression, at } of found.values()) {
    const unknown = expression && idsIn(expression).find(id => !found.has(id))
    if (unknown) throw validation(`Error in expression of ${at}: ${unknown} is the id of no query.`)
  }
  return found
}

/** Every query's series; an expression has values where all that it is made of have one. */
function seriesOf(queries: ReturnType<typeof checkQueries>, asking: Asking): Map<string, Series1> {
  const done = new Map<string, Series1>()
  const find = (id: string, within: readonly string[]): Series1 => {
    const known = done.get(id)
    if (known) return known
    if (within.includes(id)) throw validation(`The expressions of ${[...within, id].join(', ')} depend on each other.`)
    const { query, at, expression } = queries.get(id)!
    let found: Series1
    if (expression) {
      const parts = new Map(idsIn(expression).map(part => [part, find(part, [...within, id])]))
      if (parts.size === 0) throw validation(`The expression of ${at} names no metric.`)
      const period = Math.max(...[...parts.values()].map(one => one.period))
      if ([...parts.values()].some(one => one.period !== period)) throw unsupported('expressions over metrics of different periods')
      found = { ...calculate(expression, parts), label: query.Label ?? id, period }
    } else found = statOf(query, at, asking)
    done.set(id, found)
    return found
  }
  for (const id of queries.keys()) find(id, [])
  return done
}

export const gets = (open: () => Series): Actions<typeof Sdk> => ({
  ListMetrics: {
    async look({ input, account, region, now }) {
      const { Namespace, MetricName, Dimensions: filters = [], RecentlyActive, NextToken, OwningAccount } = input
      if (RecentlyActive !== undefined && RecentlyActive !== 'PT3H')
        throw invalid(`The value ${RecentlyActive} for parameter RecentlyActive is invalid.`)
      if (OwningAccount !== undefined && OwningAccount !== account) throw unsupported('metrics of other accounts')
      for (const { Name } of filters) checkText('Dimensions.member.Name', Name)
      const found = open().list({ account, region }, {
        since: secondsOf(now) - (RecentlyActive ? RECENT_S : LISTED_S), after: readToken(NextToken),
        ...(Namespace !== undefined && { namespace: checkNamespace(Namespace) }), ...(MetricName !== undefined && { name: checkText('MetricName',
          MetricName) }),
      }).filter(metric => meets(metric, filters))
      const given = found.slice(0, MOST_LISTED)
      return {
        Metrics: given.map(({ namespace, name, dimensions }) => ({ Namespace: namespace, MetricName: name, Dimensions: dimensionsView(dimensions) })),
        NextToken: given.length < found.length ? String(given.at(-1)!.id) : undefined,
        ...(input.IncludeLinkedAccounts && { OwningAccounts: given.map(() => account) }),
      }
    },
  },

  GetMetricStatistics: {
    async look({ input, account, region, now }) {
      const { Statistics = [], ExtendedStatistics = [] } = input
      const metric = metricOf({ account, region }, input)
      const period = checkPeriod(input.Period!)
      const { start, end } = checkSpan(input.StartTime!, input.EndTime!)
      if (Statistics.length === 0 && ExtendedStatistics.length === 0)
        throw combination('At least one of the parameters Statistics and ExtendedStatistics must be specified.')
      const other = Statistics.find(one => !isSimple(one))
      if (other !== undefined) throw invalid(`The value ${other} for parameter Statistics is not supported.`)
      const extended = ExtendedStatistics.map(one => checkStatistic(one, 'ExtendedStatistics'))
      const from = firstWindow(start, { now: secondsOf(now), period })
      const count = Math.ceil((end - from) / period)
      if (count > MOST_POINTS) {
        throw combination(`You have requested up to ${count.toLocaleString('en-US')} datapoints, which exceeds the limit of 1,440. `
          + 'You may reduce the datapoints requested by increasing Period, or decreasing the time range.')
      }
      const points = read(open(), metric, { from, to: end, period, unit: checkUnit(input.Unit) })
      const Datapoints = points.map((point): Datapoint => ({
        Timestamp: new Date(point.time * 1000), Unit: point.unit as Datapoint['Unit'], ...Object.fromEntries(Statistics.map(one => [one, valueOf(one,
          point)])),
        ...(extended.length > 0 && {
          ExtendedStatistics: Object.fromEntries(extended.flatMap(one => { const value = valueOf(one, point); return value === undefined ? []
            : [[one, value]] })),
        }),
      }))
      return { Label: metric.name, Datapoints }
    },
  },

  GetMetricData: {
    async look({ input, account, region, now }) {
      const { ScanBy = 'TimestampDescending', MaxDatapoints = MOST_DATA, NextToken, LabelOptions } = input
      if (LabelOptions?.Timezone !== undefined) throw unsupported('LabelOptions of GetMetricData')
      if (!Number.isInteger(MaxDatapoints) || MaxDatapoints < 1 || MaxDatapoints > MOST_DATA) {
        throw validation(`The value ${MaxDatapoints} for parameter MaxDatapoints must be from 1 to ${MOST_DATA}.`)
      }
      if (ScanBy !== 'TimestampDescending' && ScanBy !== 'TimestampAscending')
        throw validation(`The value ${String(ScanBy)} for parameter ScanBy is invalid.`)
      const queries = checkQueries(input.MetricDataQueries!)
      const span = checkSpan(input.StartTime!, input.EndTime!)
      const found = seriesOf(queries, { account, region, series: open(), now: secondsOf(now), ...span })
      const shown = [...queries].filter(([, { query }]) => query.ReturnData !== false)
      // Pages run through all the results in their order: a token says how many points were given before.
      let [skip, room] = [readToken(NextToken), MaxDatapoints]
      let more = false
      const next = readToken(NextToken) + MaxDatapoints
      const MetricDataResults = shown.map(([id]): MetricDataResult => {
        const { times, values, label } = found.get(id)!
        const order = ScanBy === 'TimestampDescending' ? times.map((_, i) => times.length - 1 - i) : times.map((_, i) => i)
        const given = order.slice(skip, skip + room)
        const left = Math.max(0, order.length - skip) > given.length
        skip = Math.max(0, skip - order.length)
        room -= given.length
        more ||= left
        return {
          Id: id, Label: label, Timestamps: given.map(i => new Date(times[i]! * 1000)), Values: given.map(i => values[i]!),
          StatusCode: left ? 'PartialData' : 'Complete',
        }
      })
      return { MetricDataResults, Messages: [], NextToken: more ? String(next) : undefined }
    },
  },
})
