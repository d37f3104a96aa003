/**
 * Which points a request for statistics is about, and when their windows begin. API Reference, GetMetricStatistics (Period, StartTime) and
 * GetMetricData.
 */
import { combination, invalid, type Metric, type Point } from '#service/monitoring/metric'
import type { Series } from '#service/monitoring/series'
import { isPercentile, isSimple, isTrimmed, windows } from '#service/monitoring/statistics'
import { unsupported } from '#service/monitoring/metric'

const DAY = 86_400
const SHORT = [1, 5, 10, 20, 30]

export const isPeriod = (period: number): boolean => SHORT.includes(period) || (Number.isInteger(period) && period >= 60 && period % 60 === 0)

export function checkPeriod(period: number): number {
  if (!isPeriod(period)) throw invalid(`The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60; it is ${period}.`)
  return period
}

export function checkSpan(start: Date, end: Date): { start: number; end: number } {
  if (start >= end) throw combination('The parameter StartTime must be less than the parameter EndTime.')
  return { start: start.getTime() / 1000, end: Math.ceil(end.getTime() / 1000) }
}

/** Any statistic; `what` is the parameter's name. */
export function checkStatistic(text: string, what: string): string {
  if (isSimple(text) || isPercentile(text)) return text
  throw isTrimmed(text) ? unsupported(`the statistic ${text}`) : invalid(`The value ${text} for parameter ${what} is not supported.`)
}

/** Where the first window begins: the older, the coarser; for short periods at a multiple of them. */
export function firstWindow(start: number, { now, period }: { now: number; period: number }): number {
  const age = now - start
  const step = age > 63 * DAY ? 3600 : age > 15 * DAY ? 300 : Math.min(period, 60)
  return Math.floor(start / step) * step
}

export type Span = { from: number; to: number; period: number; unit?: string | undefined }
/** Windows with data, each of the points of one unit: the one that most points have, where none is asked for. */
export function read(series: Series, metric: Metric, { from, to, period, unit }: Span): Point[] {
  const points = series.read(metric, { from, to, unit })
  const units = [...Map.groupBy(points, one => one.unit).values()].sort((a, b) => b.length - a.length)
  return windows(units[0] ?? [], { from, period })
}
