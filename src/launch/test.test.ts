import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readStages } from '#launch/test'

test('stages run in the order of their length, whatever the order in which they are named', () => {
  const all = ['unit', 'conformance', 'console', 'real', 'e2e']
  assert.deepEqual([readStages([], false), readStages(['all'], true), readStages(['e2e', 'unit'], false), readStages(['bench'], false),
    readStages(['audit', 'all'], false)], [[...all], [...all, 'bench'], ['unit', 'e2e'], ['bench'], [...all, 'audit']])
  assert.throws(() => readStages(['quick'], false), /there is no stage 'quick'/)
})
