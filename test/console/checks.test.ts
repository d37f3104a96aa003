/** The word of the instances' column of status checks, as the EC2 console has it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checksOf, isCounted } from '../../console/src/resources/checks.ts'

const of = (system: string, own: string, ebs?: string) =>
  checksOf({ SystemStatus: { Status: system }, InstanceStatus: { Status: own }, ...(ebs && { AttachedEbsStatus: { Status: ebs } }) })

test('checks that passed are counted; one that failed makes it a failure, one that is under way makes it wait', () => {
  const cases = [
    of('ok', 'ok', 'ok'), of('ok', 'impaired', 'ok'), of('ok', 'impaired', 'initializing'), of('ok', 'initializing', 'ok'),
    of('insufficient-data', 'initializing', 'ok'), of('ok', 'ok'), of('not-applicable', 'not-applicable', 'not-applicable'), checksOf({}),
  ]
  assert.deepEqual(cases.map(one => one && [one.state, `${one.passed}/${one.all}`, isCounted(one)]), [
    ['ok', '3/3', true], ['impaired', '2/3', true], ['impaired', '1/3', true], ['initializing', '2/3', false],
    ['insufficient-data', '1/3', false], ['ok', '2/2', true], undefined, undefined,
  ])
})
