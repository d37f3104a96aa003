import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rest, type Step } from '#loop/loop'
import { plan, type Seen } from '#service/ec2/vpc/plan'
import type { Spec } from '#service/ec2/vpc/vpc'

const apply: Step = { act: 'apply' }
const remove: Step = { act: 'delete' }
const forget: Step = { write: 'remove' }

test('the plan of a network, for all that may be wanted and seen', () => {
  const cells: [Spec['desired'], boolean, Record<Seen['network'], Step>][] = [
    ['present', true, { absent: apply, stale: apply, current: rest }],
    ['present', false, { absent: rest, stale: apply, current: rest }],
    ['absent', true, { absent: forget, stale: remove, current: remove }],
    ['absent', false, { absent: forget, stale: remove, current: remove }],
  ]
  for (const [desired, populated, steps] of cells) {
    for (const [network, step] of Object.entries(steps)) {
      const seen = { network: network as Seen['network'], populated }
      assert.deepEqual(plan({ spec: { desired } as Spec }, seen), step, `${desired}, ${JSON.stringify(seen)}`)
    }
  }
})
