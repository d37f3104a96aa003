import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readStages } from '#launch/test'

test('stages run in the order of their length, whatever the order in which they are named', () => {
  assert.deepEqual([readStages([], false), readStages(['all'], true), readStages(['e2e', 'unit'], false)],
    [['unit', 'conformance', 'real', 'e2e'], ['unit', 'conformance', 'real', 'e2e', 'bench'], ['unit', 'e2e']])
  assert.throws(() => readStages(['quick'], false), /there is no stage 'quick'/)
})
