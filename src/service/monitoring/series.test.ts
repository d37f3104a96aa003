import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Metric, Point } from '#service/monitoring/metric'
import { openSeries } from '#service/monitoring/series'
import { combine, thin, valueOf, windows } from '#service/monitoring/statistics'

const metric: Metric = { account: '1', region: 'us-east-1', namespace: 'App', name: 'Load', dimensions: [{ name: 'Host', value: 'a' }] }
const START = Date.parse('2026-05-02T00:00:00.000Z') / 1000
const of = (time: number, value: number): Point => ({ time, unit: 'Count', count: 1, sum: value, least: value, most: value })
const DAY = 86_400
const KIND = { dimensions: metric.dimensions, namespace: 'App', name: 'Load' }

function open(mostBytes?: number) {
  let now = START
  const series = openSeries({ file: ':memory:', clock: () => new Date(now * 1000), mostBytes })
  return { series, to: (time: number) => { now = time }, all: () => series.read(metric, { from: 0, to: START * 2 }) }
}

test('what comes of one minute is one point, with all that statistics want; by seconds only where that is asked', () => {
  const { series, all } = open()
  series.put([{ metric, point: of(START + 1, 4) }, { metric, point: of(START + 59, 10) }])
  assert.deepEqual(all(), [{ time: START, unit: 'Count', count: 2, sum: 14, least: 4, most: 10, values: [[4, 1], [10, 1]] }])
  series.put([{ metric, fine: true, point: of(START + 61, 1) }, { metric, fine: true, point: of(START + 62, 2) }])
  assert.deepEqual(all().map(({ time }) => time - START), [0, 61, 62])
  series.put([{ metric, point: { ...of(START, 7), unit: 'Bytes' } }])
  assert.deepEqual(series.read(metric, { from: START, to: START + 60, unit: 'Bytes' }).map(({ sum }) => sum), [7])
  assert.deepEqual(series.read({ ...metric, dimensions: [] }, { from: 0, to: START * 2 }), [])
  series.close()
})

test('pieces of time grow longer with age, and nothing of their sums is lost until it is too old', async () => {
  const { series, to, all } = open()
  series.put(Array.from({ length: 120 }, (_, i) => ({ metric, fine: true, point: of(START + i * 30, i) })))
  const summed = () => all().reduce((sum, { sum: one }) => sum + one, 0)
  const lengths: number[] = []
  for (const age of [0, 5 * 3600, 16 * DAY, 64 * DAY]) {
    to(START + age)
    await series.age()
    lengths.push(all().length)
    assert.equal(summed(), 120 * 119 / 2)
  }
  assert.deepEqual(lengths, [120, 60, 12, 1])
  assert.deepEqual(all().map(({ count, least, most }) => [count, least, most]), [[120, 0, 119]])
  assert.equal(valueOf('p50', all()[0]!), 59)
  to(START + 457 * DAY)
  await series.age()
  assert.deepEqual([all(), series.list(metric, { since: 0, after: 0 })], [[], []])
  series.close()
})

test('beyond its bound the oldest goes first', async () => {
  const { series, to, all } = open(200_000)
  for (let day = 0; day < 10; day++) {
    to(START + day * DAY)
    series.put(Array.from({ length: 1440 }, (_, i) => ({ metric, point: of(START + day * DAY + i * 60, i) })))
  }
  to(START + 10 * DAY)
  const before = series.bytes()
  await series.age()
  const left = all()
  assert.ok(before > 200_000 && series.bytes() <= 200_000, `${before} ${series.bytes()}`)
  assert.ok(left.length > 1440 && left[0]!.time > START, `${left.length}`)
  assert.equal(left.at(-1)!.time, START + 10 * DAY - 60)
  series.close()
})

test('metrics with recent data are listed, by what they are called', () => {
  const { series } = open()
  series.put([{ metric, point: of(START, 1) }, { metric: { ...metric, name: 'Other' }, point: of(START - 20 * DAY, 1) }])
  const names = (since: number, more = {}) => series.list(metric, { since, after: 0, ...more }).map(({ name }) => name)
  assert.deepEqual([names(0), names(START - 14 * DAY), names(0, { name: 'Other' }), names(0, { namespace: 'X' })],
    [['Load', 'Other'], ['Load'], ['Other'], []])
  assert.deepEqual(series.list(metric, { since: 0, after: 0 })[0], { ...metric, ...KIND, id: 1, newest: START })
  series.close()
})

test('statistics of a window are those of all that is in it, and percentiles only where values are known', () => {
  const points = [of(START, 1), of(START + 60, 3), of(START + 300, 8)]
  const found = windows(points, { from: START, period: 300 })
  assert.deepEqual(found.map(one => [one.time - START, valueOf('Average', one), valueOf('SampleCount', one), valueOf('p100', one), valueOf('p10',
    one)]),
    [[0, 2, 2, 3, 1], [300, 8, 1, 8, 8]])
  const sets = combine([{ ...of(START, 9), count: 3, least: 1, most: 5 }, of(START, 2)], START)
  assert.deepEqual([valueOf('p50', sets), valueOf('Average', sets), valueOf('Minimum', sets)], [undefined, 2.75, 1])
  assert.equal(valueOf('p50', of(START, -1)), undefined)
  const many = thin(Array.from({ length: 10_000 }, (_, i) => [i / 7, 1]))
  assert.ok(many.length <= 200 && many.reduce((sum, [, count]) => sum + count, 0) === 10_000)
})
