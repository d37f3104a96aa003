import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Spec, Status } from '#service/monitoring/alarm'
import { againMs, evaluate, plan, type Seen } from '#service/monitoring/plan'

const NOW = new Date('2026-05-02T10:05:05.000Z')
const spec = {
  name: 'a', metric: { namespace: 'n', name: 'm', dimensions: [] }, statistic: 'Average', period: 60, evaluationPeriods: 3, threshold: 80,
  comparison: 'GreaterThanThreshold', actionsEnabled: true, actions: { OK: [], ALARM: [], INSUFFICIENT_DATA: [] }, configured: '',
} satisfies Spec
const END = Date.parse('2026-05-02T10:05:00.000Z') / 1000

/** As the User Guide writes it, the oldest first: X breaches, 0 does not, - is missing. */
const seen = (text: string): Seen => ({
  windows: text.split(' ').reverse().map((one, i) => ({ time: END - (i + 1) * 60, value: one === '-' ? undefined : one === 'X' ? 90 : 10 })),
})
const kinds = ['missing', 'ignore', 'breaching', 'notBreaching'] as const
const states = (text: string, more: Partial<Spec> = {}) => kinds.map(missing => evaluate({ ...spec, missing, ...more }, seen(text),
  NOW)?.state ?? 'kept')

test('missing data is treated as the User Guide\'s tables say, three of three', () => {
  assert.deepEqual(['0 - X - X', '- - - - 0', '- - - - -', '0 X X - X', '- - X - -'].map(text => states(text)), [
    ['OK', 'OK', 'OK', 'OK'], ['OK', 'OK', 'OK', 'OK'], ['INSUFFICIENT_DATA', 'kept', 'ALARM', 'OK'], ['ALARM', 'ALARM', 'ALARM', 'ALARM'],
    ['ALARM', 'kept', 'ALARM', 'OK'],
  ])
})

test('and two of three; one that has just begun to breach is not enough', () => {
  const two = { datapointsToAlarm: 2 }
  assert.deepEqual(['0 - X - X', '0 0 X 0 X', '0 - X - -', '- - - - 0', '- - - X -', '- - - - X'].map(text => states(text, two)), [
    ['ALARM', 'ALARM', 'ALARM', 'ALARM'], ['ALARM', 'ALARM', 'ALARM', 'ALARM'], ['OK', 'OK', 'ALARM', 'OK'], ['OK', 'OK', 'ALARM', 'OK'],
    ['ALARM', 'kept', 'ALARM', 'OK'], ['kept', 'kept', 'ALARM', 'OK'],
  ])
})

test('the reason names the data', () => {
  const one = { ...spec, evaluationPeriods: 1 }
  assert.equal(evaluate(one, seen('X'), NOW)!.reason,
    'Threshold Crossed: 1 datapoint [90.0 (02/05/26 10:04:00)] was greater than the threshold (80.0).')
  assert.equal(evaluate(one, seen('0'), NOW)!.reason,
    'Threshold Crossed: 1 datapoint [10.0 (02/05/26 10:04:00)] was not greater than the threshold (80.0).')
  assert.equal(evaluate(one, seen('-'), NOW)!.reason, 'Insufficient Data: 1 datapoint was unknown.')
  assert.deepEqual(JSON.parse(evaluate(one, seen('X'), NOW)!.data).recentDatapoints, [90])
})

test('what is due comes first, a state that was set is held, and a look comes with each period\'s end', () => {
  const status: Status = { state: 'OK', reason: '', updated: '', changed: '', due: [] }
  const at = (more: Partial<Status>) => plan({ spec, status: { ...status, ...more } }, seen('X X X'), NOW)
  assert.deepEqual([at({ due: ['arn'] }), at({ heldUntil: '2026-05-02T10:05:06.000Z' }), at({ state: 'ALARM' })],
    [{ write: 'act' }, { rest: true, againMs: 1001 }, { rest: true, againMs: 60_000 }])
  const step = at({})
  assert.deepEqual('write' in step && [step.write, step.state], ['change', 'ALARM'])
  assert.deepEqual([againMs(60, new Date('2026-05-02T10:05:00.000Z')), againMs(10, NOW), againMs(3600, NOW)], [5001, 10_001, 60_000])
})
