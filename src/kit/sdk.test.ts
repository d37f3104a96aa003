import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import * as sts from '@aws-sdk/client-sts'
import { errorsOf, operationsOf, type Shape } from '#kit/schema'
import { loadSdk } from '#kit/sdk'

/** A shape as text, some levels deep: shapes of two loads are never the same objects. */
function outline(shape: Shape, depth = 4): string {
  const own = `${shape.kind} ${shape.name} ${JSON.stringify(shape.traits)}`
  const inner = [...shape.members, ...(shape.value ? [shape.value] : [])]
  if (!depth) return own
  return [own, ...inner.map(m => `${m.name} ${m.required} ${JSON.stringify(m.traits)} ${outline(m.target, depth - 1)}`)].join()
}
const summary = (sdk: object) => ({
  operations: [...operationsOf(sdk).values()].map(({ name, input, output }) => `${name} ${outline(input)} ${outline(output)}`).sort(),
  errors: [...errorsOf(sdk)].map(([name, shape]) => `${name} ${outline(shape)}`).sort(),
})

test('schemas alone hold the same operations and errors as the whole client', async () => {
  const [fromEc2, fromSts] = await Promise.all([loadSdk('ec2'), loadSdk('sts')])
  assert.deepEqual(summary(fromEc2), summary(ec2))
  assert.deepEqual(summary(fromSts), summary(sts))
  assert.equal(operationsOf(fromEc2).size, 823)
})
