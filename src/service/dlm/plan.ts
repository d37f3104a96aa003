/** When a policy's schedules run. Pure. */
import { rest, type Step } from '#loop/loop'
import type { PolicyRow, Schedule } from '#service/dlm/policy'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LONGEST_MS = HOUR_MS

/** The newest time of a schedule that is not after a moment: from its time of the day on, every so many hours. */
export function lastTime({ at, intervalHours }: Pick<Schedule, 'at' | 'intervalHours'>, now: Date): number {
  const first = Math.floor(now.getTime() / DAY_MS) * DAY_MS + at * 60_000 - DAY_MS
  const step = intervalHours * HOUR_MS
  return first + Math.floor((now.getTime() - first) / step) * step
}

export function plan({ spec, status, created }: Pick<PolicyRow, 'spec' | 'status' | 'created'>, _: object, now: Date): Step {
  if (!spec.enabled) return rest
  let next = LONGEST_MS
  for (const schedule of spec.schedules) {
    const last = lastTime(schedule, now)
    // A time that passed while the policy was not there, or another one, is not made up for. What lies further ahead than the next time was
    // noted by a clock that has been put back since, and would keep the schedule waiting until it is so late again.
    const since = [created, spec.modified, status.done[schedule.name] ?? ''].map(time => (time === '' ? 0 : Date.parse(time)))
      .filter(time => time <= now.getTime() + schedule.intervalHours * HOUR_MS)
    if (last > Math.max(0, ...since)) return { write: 'run', name: schedule.name, time: new Date(last).toISOString() }
    next = Math.min(next, last + schedule.intervalHours * HOUR_MS - now.getTime())
  }
  return { rest: true, againMs: Math.max(1, next) }
}
