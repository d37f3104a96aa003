import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan } from '#service/ec2/image/plan'

const now = new Date('2026-05-01T10:00:00.000Z')

test('an image is available with its last snapshot, and failed without one', () => {
  const next = (...snapshots: ('pending' | 'completed' | 'error' | undefined)[]) => plan({ status: { state: 'pending' } }, { snapshots }, now)
  assert.deepEqual([next('completed', 'pending'), next('completed'), next('completed', 'error'), next(undefined)],
    [{ rest: true }, { write: 'available' }, { write: 'failed' }, { write: 'failed' }])
})

test('a deregistered image goes at its time; one that has none stays, as those do that were rebuilt', () => {
  const next = (forgetAt?: string) => plan({ status: { state: 'deregistered', forgetAt } }, { snapshots: [] }, now)
  assert.deepEqual([next('2026-05-01T10:00:01.000Z'), next('2026-05-01T10:00:00.000Z'), next()],
    [{ rest: true, againMs: 1000 }, { write: 'forget' }, { rest: true }])
})
