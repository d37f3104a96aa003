import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rest } from '#loop/driver'
import type { Spec, Status } from '#service/ec2/nat-gateway/nat-gateway'
import { plan, SHOWN_MS } from '#service/ec2/nat-gateway/plan'

const now = new Date('2026-01-02T03:04:05.000Z')
const ago = (ms: number) => new Date(now.getTime() - ms).toISOString()
const step = (status: Status, seen: { translates?: boolean; occupies?: boolean } = {}, spec: Partial<Spec> = {}) =>
  plan({ spec: spec as Spec, status }, { translates: false, occupies: false, ...seen }, now)

test('a gateway is available once its network translates, or has failed from the start', () => {
  assert.deepEqual([
    step({ state: 'pending' }), step({ state: 'pending' }, { translates: true }),
    step({ state: 'pending' }, {}, { failure: { code: 'c', message: 'm' } }), step({ state: 'available' }, { translates: true }),
  ], [{ act: 'join' }, { write: 'available' }, { write: 'fail' }, rest])
})

test('a gateway is deleted once its interface is gone, shown for an hour, and then forgotten', () => {
  assert.deepEqual([
    step({ state: 'deleting' }, { occupies: true }), step({ state: 'deleting' }), step({ state: 'deleted', ended: ago(1000) }),
    step({ state: 'failed', ended: ago(SHOWN_MS) }),
  ], [{ act: 'leave' }, { write: 'deleted' }, { rest: true, againMs: SHOWN_MS - 1000 }, { write: 'remove' }])
})
