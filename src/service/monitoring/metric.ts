/** What a metric is called and what one data point of it holds; how requests name both. CloudWatch API Reference, MetricDatum and Dimension. */
import type { Dimension } from '@aws-sdk/client-cloudwatch'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'

/** Dimensions are in the order of their names: whoever gives them in another means the same metric. */
export type Metric = Place & { namespace: string; name: string; dimensions: { name: string; value: string }[] }
/** What was measured in the piece of time that begins at `time`, in seconds since 1970. */
export type Point = {
  time: number
  unit: string
  count: number
  sum: number
  least: number
  most: number
  /** Each value with how often it came, where that is known: percentiles need it. */
  values?: Weighted
}
export type Weighted = [value: number, count: number][]

/** StandardUnit of the API. The store keeps their places in this list: new ones are added at its end. */
export const UNITS = [
  'None', 'Seconds', 'Microseconds', 'Milliseconds', 'Bytes', 'Kilobytes', 'Megabytes', 'Gigabytes', 'Terabytes', 'Bits', 'Kilobits', 'Megabits',
  'Gigabits', 'Terabits', 'Percent', 'Count', 'Bytes/Second', 'Kilobytes/Second', 'Megabytes/Second', 'Gigabytes/Second', 'Terabytes/Second',
  'Bits/Second', 'Kilobits/Second', 'Megabits/Second', 'Gigabits/Second', 'Terabits/Second', 'Count/Second',
] as const

const MOST_DIMENSIONS = 30
const TEXT = /^[\x20-\x7e\t\n\r]+$/

export const invalid = (message: string): ApiError => new ApiError('InvalidParameterValueException', message)
export const combination = (message: string): ApiError => new ApiError('InvalidParameterCombinationException', message)
export const missing = (member: string): ApiError => new ApiError('MissingRequiredParameterException', `The parameter ${member} is required.`)
export const validation = (message: string): ApiError => new ApiError('ValidationException', message)
export const unsupported = (what: string): ApiError => new ApiError('UnsupportedOperation', `Enclume does not implement ${what}.`)

export function checkText(member: string, value: string | undefined, most = 255): string {
  if (value === undefined || value === '') throw missing(member)
  if (value.length > most || !TEXT.test(value) || value.trim() === '')
    throw invalid(`The value ${value.slice(0, 300)} for parameter ${member} is invalid.`)
  return value
}

export function checkNamespace(namespace: string | undefined): string {
  const text = checkText('Namespace', namespace)
  if (text.startsWith(':')) throw invalid(`The value ${text} for parameter Namespace is invalid.`)
  return text
}

export function checkUnit(unit: string | undefined): string | undefined {
  if (unit !== undefined && !(UNITS as readonly string[]).includes(unit)) throw invalid(`The value ${unit} for parameter Unit is invalid.`)
  return unit
}

export function readDimensions(given: readonly Dimension[] = []): Metric['dimensions'] {
  if (given.length > MOST_DIMENSIONS) throw invalid(`The collection Dimensions must not have a size greater than ${MOST_DIMENSIONS}.`)
  const read = given.map(({ Name, Value }) => {
    const name = checkText('Dimensions.member.Name', Name)
    if (name.startsWith(':')) throw invalid(`The value ${name} for parameter Dimensions.member.Name is invalid.`)
    return { name, value: checkText('Dimensions.member.Value', Value, 1024) }
  })
  if (new Set(read.map(({ name }) => name)).size < read.length) throw invalid('The collection Dimensions must not have a name twice.')
  return read.sort((a, b) => (a.name < b.name ? -1 : 1))
}

export const dimensionsView = (dimensions: Metric['dimensions']): Dimension[] => dimensions.map(({ name, value }) => ({ Name: name, Value: value }))

/** The metric that a request of a place names. */
export const metricOf = (
  { account, region }: Place, { Namespace, MetricName, Dimensions }: { Namespace?: string; MetricName?: string; Dimensions?: Dimension[] },
): Metric => ({
  account, region, namespace: checkNamespace(Namespace), name: checkText('MetricName', MetricName), dimensions: readDimensions(Dimensions),
})
