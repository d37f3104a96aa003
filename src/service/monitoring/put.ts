/** PutMetricData: metrics of users' own. What it takes: API Reference, PutMetricData and MetricDatum. */
import type * as Sdk from '@aws-sdk/client-cloudwatch'
import type { MetricDatum } from '@aws-sdk/client-cloudwatch'
import type { Actions, Place } from '#kit/action'
import {
  checkNamespace, checkUnit, combination, invalid, metricOf, missing, unsupported, type Point, type Weighted,
} from '#service/monitoring/metric'
import type { Entry, Series } from '#service/monitoring/series'
import { combine } from '#service/monitoring/statistics'

const MOST_DATA = 1000
const MOST_VALUES = 150
const LARGEST = 2 ** 360
const OLDEST_MS = 14 * 86_400_000
const NEWEST_MS = 2 * 3_600_000

function number(member: string, value: number | undefined): number {
  if (value === undefined) throw missing(member)
  if (!Number.isFinite(value) || Math.abs(value) > LARGEST) throw invalid(`The value ${value} for parameter ${member} is invalid.`)
  return value
}

const single = (value: number, count = 1): Omit<Point, 'time' | 'unit'> => ({ count, sum: value * count, least: value, most: value })

/** What a datum says was measured. */
function measured(datum: MetricDatum, at: string): Omit<Point, 'time' | 'unit'> {
  const { Value, Values, Counts, StatisticValues } = datum
  const given = [Value, Values, StatisticValues].filter(one => one !== undefined)
  if (given.length > 1)
    throw combination(`The parameters ${at}.Value, ${at}.Values and ${at}.StatisticValues exclude each other, and more than one was specified.`)
  if (Values !== undefined) {
    if (Values.length === 0 || Values.length > MOST_VALUES) throw invalid(`The collection ${at}.Values must have from 1 to ${MOST_VALUES} members.`)
    if (Counts !== undefined && Counts.length !== Values.length)
      throw invalid(`The collections ${at}.Values and ${at}.Counts must be of the same size.`)
    const values: Weighted = Values.map((value, i) => [number(`${at}.Values`, value), number(`${at}.Counts`, Counts?.[i] ?? 1)])
    if (values.some(([, count]) => count <= 0)) throw invalid(`The values of ${at}.Counts must be greater than 0.`)
    return combine(values.map(([value, count]) => ({ time: 0, unit: '', ...single(value, count) })), 0)
  }
  if (StatisticValues !== undefined) {
    const [count, sum] = [number(`${at}.StatisticValues.SampleCount`, StatisticValues.SampleCount), number(`${at}.StatisticValues.Sum`,
      StatisticValues.Sum)]
    const least = number(`${at}.StatisticValues.Minimum`, StatisticValues.Minimum)
    const most = number(`${at}.StatisticValues.Maximum`, StatisticValues.Maximum)
    if (count <= 0) throw invalid(`The value ${count} for parameter ${at}.StatisticValues.SampleCount is invalid.`)
    if (least > most) throw invalid(`The parameter ${at}.StatisticValues.Minimum must be less than or equal to ${at}.StatisticValues.Maximum.`)
    return { count, sum, least, most }
  }
  return single(number(`${at}.Value`, Value))
}

function entryOf(datum: MetricDatum, { at, place, namespace, now }: { at: string; place: Place; namespace: string; now: Date }): Entry {
  const time = datum.Timestamp ?? now
  if (time.getTime() < now.getTime() - OLDEST_MS || time.getTime() > now.getTime() + NEWEST_MS) {
    throw invalid(`The parameter ${at}.Timestamp must specify a time no more than 2 weeks in the past and no more than 2 hours in the future.`)
  }
  const resolution = datum.StorageResolution ?? 60
  if (resolution !== 1 && resolution !== 60) throw invalid(`The parameter ${at}.StorageResolution must be 1 or 60.`)
  return {
    metric: metricOf(place, { ...datum, Namespace: namespace }), fine: resolution === 1,
    point: { ...measured(datum, at), time: Math.floor(time.getTime() / 1000), unit: checkUnit(datum.Unit) ?? 'None' },
  }
}

export const puts = (series: () => Series): Actions<typeof Sdk> => ({
  PutMetricData: {
    async work({ input, account, region, now }) {
      if (input.EntityMetricData?.length || input.StrictEntityValidation) throw unsupported('EntityMetricData of PutMetricData')
      const namespace = checkNamespace(input.Namespace)
      // What AWS's own services measure can't be made up by their users.
      if (/^AWS\//i.test(namespace)) throw invalid('The value AWS/ for parameter Namespace is invalid.')
      const data = input.MetricData ?? []
      if (data.length === 0) throw missing('MetricData')
      if (data.length > MOST_DATA) throw invalid(`The collection MetricData must not have a size greater than ${MOST_DATA}.`)
      const place = { account, region }
      series().put(data.map((datum, i) => entryOf(datum, { at: `MetricData.member.${i + 1}`, place, namespace, now })))
      return {}
    },
  },
})
