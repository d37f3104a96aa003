/**
 * Data points put together, and what statistics say of them. Pure.
 *
 * Invariant: a window without data has no value: it is left out, never zero.
 */
import type { Point, Weighted } from '#service/monitoring/metric'

export const SIMPLE = ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'] as const
export type Simple = typeof SIMPLE[number]
/** One of the five, or `p90`, `p99.9`. */
export type Statistic = string

/** How many different values a point keeps; more are told apart by fewer digits. */
const MOST_VALUES = 200

export const isSimple = (text: string): text is Simple => (SIMPLE as readonly string[]).includes(text)
const percentOf = (text: string): number | undefined => {
  const percent = /^p(\d{1,3}(?:\.\d{1,10})?)$/.exec(text)?.[1]
  return percent !== undefined && Number(percent) <= 100 ? Number(percent) : undefined
}
export const isPercentile = (text: string): boolean => percentOf(text) !== undefined
/** Trimmed means and their like, which CloudWatch has too (User Guide, "CloudWatch statistics definitions"). */
export const isTrimmed = (text: string): boolean => /^(TM|WM|TC|TS|PR|IQM$|tm|wm|tc|ts)/.test(text)

/** What is known of the values one by one. */
export const valuesOf = ({ values, least, most, count }: Point): Weighted | undefined => values ?? (least === most ? [[least, count]] : undefined)

/** So few that keeping them costs little: those that share their first digits become one. */
export function thin(values: Weighted, digits = 15): Weighted {
  const byValue = new Map<number, number>()
  for (const [value, count] of values) {
    const near = digits === 15 ? value : Number(value.toPrecision(digits))
    byValue.set(near, (byValue.get(near) ?? 0) + count)
  }
  const found = [...byValue].sort((a, b) => a[0] - b[0])
  return found.length <= MOST_VALUES || digits === 1 ? found : thin(found, digits === 15 ? 4 : digits - 1)
}

/** Points of one unit as one, which begins when `time` says. */
export function combine(points: readonly Point[], time: number): Point {
  if (points.length === 1) return { ...points[0]!, time }
  const known = points.map(valuesOf)
  const values = known.every(one => one !== undefined) ? thin(known.flat()) : undefined
  const [least, most] = [Math.min(...points.map(one => one.least)), Math.max(...points.map(one => one.most))]
  return {
    time, unit: points[0]!.unit, count: total(points, 'count'), sum: total(points, 'sum'), least, most, ...(values && least !== most && { values }),
  }
}
const total = (points: readonly Point[], of: 'count' | 'sum'): number => points.reduce((sum, one) => sum + one[of], 0)

/** Points by windows of a length from a beginning on, in order of time. */
export function windows(points: readonly Point[], { from, period }: { from: number; period: number }): Point[] {
  const found = new Map<number, Point[]>()
  for (const point of points) {
    const start = from + Math.floor((point.time - from) / period) * period
    const among = found.get(start)
    if (among) among.push(point)
    else found.set(start, [point])
  }
  return [...found].sort((a, b) => a[0] - b[0]).map(([start, among]) => combine(among, start))
}

/** Undefined where the points don't tell: there are no percentiles of values that are not known, or below zero. */
export function valueOf(statistic: Statistic, point: Point): number | undefined {
  const { count, sum, least, most } = point
  switch (statistic) {
    case 'SampleCount': return count
    case 'Sum': return sum
    case 'Minimum': return least
    case 'Maximum': return most
    case 'Average': return count === 0 ? undefined : sum / count
    default: return percentile(valuesOf(point), percentOf(statistic))
  }
}

/** The least value that so many percent of all are not above. */
function percentile(values: Weighted | undefined, percent: number | undefined): number | undefined {
  if (!values || percent === undefined || values.some(([value]) => value < 0)) return undefined
  const sorted = values.toSorted((a, b) => a[0] - b[0])
  const wanted = sorted.reduce((sum, [, count]) => sum + count, 0) * percent / 100
  let reached = 0
  for (const [value, count] of sorted) {
    reached += count
    if (reached >= wanted && reached > 0) return value
  }
  return undefined
}
