import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '#kit/error'
import { gp2Iops, provision, volumeType, type Asked } from '#service/ec2/volume/limits'

const refused = (asked: Asked): string => {
  try {
    provision(asked)
  } catch (error) {
    if (error instanceof ApiError) return `${error.code}: ${error.message}`
  }
  return assert.fail(`${JSON.stringify(asked)} was not refused`)
}

test('each type has its own defaults', () => {
  assert.deepEqual(provision({ type: 'gp3', sizeGiB: 1 }), { iops: 3000, throughput: 125 })
  assert.deepEqual(provision({ type: 'gp3', sizeGiB: 65_536, iops: 80_000, throughput: 2000 }), { iops: 80_000, throughput: 2000 })
  assert.deepEqual(provision({ type: 'io1', sizeGiB: 4, iops: 200 }), { iops: 200, throughput: undefined })
  for (const type of ['gp2', 'standard'] as const) {
    assert.deepEqual(provision({ type, sizeGiB: 1024 }), { iops: undefined, throughput: undefined })
  }
  assert.deepEqual([1, 100, 10_000].map(gp2Iops), [100, 300, 16_000])
})

test('sizes outside the type\'s are refused', () => {
  assert.equal(refused({ type: 'standard', sizeGiB: 2000 }),
    'InvalidParameterValue: Volume of 2000GiB is too large for volume type standard; maximum is 1024GiB')
  assert.equal(refused({ type: 'io2', sizeGiB: 3, iops: 100 }),
    'InvalidParameterValue: Volume of 3GiB is too small for volume type io2; minimum is 4GiB')
  assert.match(refused({ type: 'gp3', sizeGiB: 65_537 }), /maximum is 65536GiB$/)
  assert.match(refused({ type: 'gp2', sizeGiB: 16_385 }), /maximum is 16384GiB$/)
  assert.match(refused({ type: 'st1', sizeGiB: 124 }), /minimum is 125GiB$/)
  assert.match(refused({ type: 'gp3', sizeGiB: 0 }), /minimum is 1GiB$/)
  assert.match(refused({ type: 'gp3', sizeGiB: 1.5 }), /^InvalidParameterValue/)
})

test('rates outside the type\'s are refused', () => {
  assert.equal(refused({ type: 'gp2', sizeGiB: 8, iops: 3000 }),
    'InvalidParameterCombination: The parameter iops is not supported for gp2 volumes.')
  assert.equal(refused({ type: 'io2', sizeGiB: 8 }), 'InvalidParameterCombination: The parameter iops must be specified for io2 volumes.')
  assert.equal(refused({ type: 'io1', sizeGiB: 8, iops: 100, throughput: 125 }),
    'InvalidParameterCombination: The parameter throughput is not supported for io1 volumes.')
  assert.equal(refused({ type: 'gp3', sizeGiB: 20, iops: 15_000 }),
    'InvalidParameterValue: Iops to volume size ratio of 750.000000 is too high; maximum is 500')
  assert.equal(refused({ type: 'gp3', sizeGiB: 20, throughput: 1000 }),
    'InvalidParameterValue: Throughput (MiBps) to iops ratio of 0.333333 is too high; maximum is 0.250000 MiBps per iops')
  assert.match(refused({ type: 'gp3', sizeGiB: 20, iops: 2999 }), /Volume iops of 2999 is too low; minimum is 3000\.$/)
  assert.match(refused({ type: 'io1', sizeGiB: 16_384, iops: 64_001 }), /Volume iops of 64001 is too high; maximum is 64000\.$/)
  assert.match(refused({ type: 'gp3', sizeGiB: 20, throughput: 124 }), /Volume throughput of 124 is too low; minimum is 125\.$/)
})

test('a type that does not exist is refused', () => {
  assert.equal(volumeType('sc1'), 'sc1')
  for (const name of ['gp4', 'toString']) assert.throws(() => volumeType(name), { code: 'InvalidParameterValue' })
})
