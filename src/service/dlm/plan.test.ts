import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastTime, plan } from '#service/dlm/plan'
import type { Spec } from '#service/dlm/policy'

const at = (text: string) => new Date(`2026-05-02T${text}:00.000Z`)
const last = (minutes: number, intervalHours: number, now: string) =>
  new Date(lastTime({ at: minutes, intervalHours }, at(now))).toISOString().slice(0, 16)

test('a schedule runs at its time of the day, and every so many hours from then', () => {
  assert.deepEqual([last(540, 24, '08:59'), last(540, 24, '09:00'), last(540, 12, '20:59'), last(540, 12, '21:30'), last(30, 1, '10:29'),
    last(30, 1, '10:30')], [
    '2026-05-01T09:00', '2026-05-02T09:00', '2026-05-02T09:00', '2026-05-02T21:00', '2026-05-02T09:30', '2026-05-02T10:30',
  ])
})

test('each time is run once, none from before the policy, and none while it is disabled', () => {
  const schedule = { name: 'daily', intervalHours: 24, at: 540, keep: 1, copyTags: false, tags: {} }
  const spec = { enabled: true, schedules: [schedule], modified: at('08:00').toISOString() } as unknown as Spec
  const row = { spec, status: { done: {} }, created: at('08:00').toISOString() }
  const run = { write: 'run', name: 'daily', time: at('09:00').toISOString() }
  assert.deepEqual([
    plan(row, {}, at('08:30')), plan(row, {}, at('09:00')), plan({ ...row, status: { done: { daily: run.time } } }, {}, at('09:00')),
    plan({ ...row, spec: { ...spec, enabled: false } }, {}, at('09:00')), plan({ ...row, spec: { ...spec,
      modified: at('10:00').toISOString() } }, {}, at('11:00')),
  ], [{ rest: true, againMs: 1_800_000 }, run, { rest: true, againMs: 3_600_000 }, { rest: true }, { rest: true, againMs: 3_600_000 }])
})

test('a clock that ran ahead and was put back keeps no schedule waiting for years, and one put back by moments runs nothing twice', () => {
  const schedule = { name: 'daily', intervalHours: 24, at: 540, keep: 1, copyTags: false, tags: {} }
  const spec = { enabled: true, schedules: [schedule], modified: '2026-04-01T08:00:00.000Z' } as unknown as Spec
  const row = (done: string) => ({ spec, status: { done: { daily: done } }, created: spec.modified })
  assert.deepEqual(plan(row('2031-05-02T09:00:00.000Z'), {}, at('09:10')), { write: 'run', name: 'daily', time: at('09:00').toISOString() })
  assert.deepEqual(plan(row('2026-05-02T09:00:00.000Z'), {}, at('08:59')), { rest: true, againMs: 60_000 })
})
