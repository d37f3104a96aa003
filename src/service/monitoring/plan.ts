/**
 * What state an alarm's data says, and when it is looked at again. Pure.
 *
 * CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data": more periods are looked at than are evaluated; where there is
 * data of enough of them, what is missing does not matter.
 */
import type { Step } from '#loop/driver'
import type { Spec, State, Status } from '#service/monitoring/alarm'

/** The newest periods that have ended, the newest first; undefined where there is no data. `time` in seconds. */
export type Window = { time: number; value: number | undefined }
export type Seen = { windows: Window[] }
export type Verdict = { state: State; reason: string; data: string }

/** Further periods that are looked at. */
export const MORE = 2
/** Data of a period comes a moment after its end. */
export const SETTLE_MS = 5_000
const LONGEST_MS = 60_000

const WORDS: Record<Spec['comparison'] & string, [above: string, below: string, holds: (value: number, threshold: number) => boolean]> = {
  GreaterThanThreshold: ['greater than', 'not greater than', (value, threshold) => value > threshold],
  GreaterThanOrEqualToThreshold: ['greater than or equal to', 'not greater than or equal to', (value, threshold) => value >= threshold],
  LessThanThreshold: ['less than', 'not less than', (value, threshold) => value < threshold],
  LessThanOrEqualToThreshold: ['less than or equal to', 'not less than or equal to', (value, threshold) => value <= threshold],
} as Record<string, [string, string, (value: number, threshold: number) => boolean]>
export const COMPARISONS = Object.keys(WORDS)

const decimal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value))
const two = (value: number): string => String(value).padStart(2, '0')
function dated(seconds: number): string {
  const date = new Date(seconds * 1000)
  const day = [date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCFullYear() % 100].map(two).join('/')
  return `${day} ${[date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':')}`
}

type Known = { time: number; value: number; age: number }

/** 'kept': the data does not say, and the state stays. */
function stateOf(spec: Spec, known: Known[]): State | 'kept' {
  const { evaluationPeriods: all, datapointsToAlarm: enough = all, missing = 'missing', comparison, threshold } = spec
  const breaches = ({ value }: Known) => WORDS[comparison]![2](value, threshold)
  const breaching = known.filter(breaches)
  const filled = all - known.length
  if (breaching.length >= enough) return 'ALARM'
  if (missing === 'breaching') return breaching.length + filled >= enough ? 'ALARM' : 'OK'
  if (missing === 'notBreaching') return 'OK'
  if (known.length === 0) return missing === 'missing' ? 'INSUFFICIENT_DATA' : 'kept'
  if (breaching.length < known.length) return 'OK'
  // All that there is breaches, and it is too little. It is enough where it began long enough ago ("Avoiding premature transitions to alarm state").
  return missing === 'missing' && Math.max(...known.map(({ age }) => age)) >= enough ? 'ALARM' : 'kept'
}

/** Undefined where the state stays as it is. */
export function evaluate(spec: Spec, { windows }: Seen, now: Date): Verdict | undefined {
  const { evaluationPeriods: all, datapointsToAlarm: enough = all, comparison, threshold } = spec
  const known = windows.flatMap(({ time, value }, i) => (value === undefined ? [] : [{ time, value, age: i + 1 }])).slice(0, all)
  const state = stateOf(spec, known)
  if (state === 'kept') return undefined
  const [above, below, holds] = WORDS[comparison]!
  const told = known.filter(({ value }) => (state === 'ALARM') === holds(value, threshold))
  const count = `${told.length} datapoint${told.length === 1 ? '' : 's'}`
  const listed = told.map(({ time, value }) => `${decimal(value)} (${dated(time)})`).join(', ')
  const word = `${state === 'ALARM' ? above : below} the threshold (${decimal(threshold)})`
  const reason = state === 'INSUFFICIENT_DATA' ? `Insufficient Data: ${all} datapoint${all === 1 ? ' was' : 's were'} unknown.`
    : told.length === 0 ? `Threshold Crossed: no datapoints were received for ${all} period${all === 1 ? '' : 's'} and missing ones are treated as `
      + `${spec.missing}.`
      : `Threshold Crossed: ${count} [${listed}] ${told.length === 1 ? 'was' : 'were'} ${word}`
        + `${enough < all ? ` (minimum ${enough} out of ${all} datapoints)` : ''}.`
  const data = JSON.stringify({
    version: '1.0', queryDate: now.toISOString(), statistic: spec.statistic, period: spec.period, threshold,
    ...(known.length > 0 && { startDate: new Date(known.at(-1)!.time * 1000).toISOString() }),
    recentDatapoints: known.map(({ value }) => value).reverse(),
    evaluatedDatapoints: known.map(({ time, value }) => ({ timestamp: new Date(time * 1000).toISOString(), value })),
  })
  return { state, reason, data }
}

/** When the next period ends and its data is there, or a minute from now. */
export const againMs = (period: number, now: Date): number => {
  const length = period * 1000
  return Math.min(LONGEST_MS, length - (now.getTime() - SETTLE_MS) % length + 1)
}

export function plan({ spec, status }: { spec: Spec; status: Status }, seen: Seen, now: Date): Step {
  if (status.due.length > 0) return { write: 'act' }
  const held = status.heldUntil === undefined ? 0 : Date.parse(status.heldUntil) - now.getTime()
  if (held > 0) return { rest: true, againMs: held + 1 }
  const verdict = evaluate(spec, seen, now)
  if (verdict && verdict.state !== status.state) return { write: 'change', ...verdict }
  return { rest: true, againMs: againMs(spec.period, now) }
}
