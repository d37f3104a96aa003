import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rest } from '#loop/driver'
import type { Status } from '#service/ec2/vpc-peering/peering'
import { plan, type Seen } from '#service/ec2/vpc-peering/plan'

const now = new Date('2026-01-02T03:04:05.000Z')
const inMs = (ms: number) => new Date(now.getTime() + ms).toISOString()
const step = (state: Status['state'], more: Partial<Seen> = {}, until?: number) =>
  plan({ status: { state, message: '', ...(until !== undefined && { until: inMs(until) }) } }, { vpcs: 'both', linked: false, ...more }, now)

test('a connection is active once both networks are linked, and ends with either VPC', () => {
  assert.deepEqual([
    step('provisioning'), step('provisioning', { linked: true }), step('active', { linked: true }), step('active', { vpcs: 'gone' }),
    step('provisioning', { vpcs: 'gone' }), step('pending-acceptance', { vpcs: 'gone' }, 5),
  ], [{ act: 'link' }, { write: 'active' }, rest, { write: 'deleted' }, { write: 'deleted' }, { write: 'deleted' }])
})

test('a request expires, and what has ended is shown until its time and then forgotten', () => {
  assert.deepEqual([
    step('pending-acceptance', {}, 5), step('pending-acceptance', {}, 0), step('deleted', {}, 7), step('rejected', {}, 0),
    step('failed', {}, -1), step('expired', { vpcs: 'gone' }, 9),
  ], [
    { rest: true, againMs: 5 }, { write: 'expired' }, { rest: true, againMs: 7 }, { write: 'remove' }, { write: 'remove' },
    { rest: true, againMs: 9 },
  ])
})
