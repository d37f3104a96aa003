import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ratesOf } from '#service/ec2/volume/rates'
import type { Shape } from '#service/ec2/volume/volume'

const rate = (shape: Shape) => {
  const { iops, bytesPerSecond } = ratesOf(shape)
  return [iops, bytesPerSecond! / 1024 / 1024]
}

test('each type is held to what the EBS User Guide says of it', () => {
  assert.deepEqual([
    rate({ type: 'gp3', sizeGiB: 8, iops: 3000, throughput: 125 }), rate({ type: 'gp3', sizeGiB: 100, iops: 16_000, throughput: 1000 }),
    rate({ type: 'gp2', sizeGiB: 8 }), rate({ type: 'gp2', sizeGiB: 500 }), rate({ type: 'gp2', sizeGiB: 2000 }),
    rate({ type: 'gp2', sizeGiB: 9000 }),
    rate({ type: 'io1', sizeGiB: 10, iops: 100 }), rate({ type: 'io1', sizeGiB: 1000, iops: 20_000 }),
    rate({ type: 'io1', sizeGiB: 2000, iops: 64_000 }),
    rate({ type: 'io2', sizeGiB: 10, iops: 1000 }), rate({ type: 'io2', sizeGiB: 1000, iops: 256_000 }),
    rate({ type: 'st1', sizeGiB: 1024 }), rate({ type: 'st1', sizeGiB: 12_288 }), rate({ type: 'sc1', sizeGiB: 512 }),
    rate({ type: 'sc1', sizeGiB: 8192 }),
    rate({ type: 'standard', sizeGiB: 1 }),
  ], [
    [3000, 125], [16_000, 1000],
    [3000, 128], [3000, 250], [6000, 250], [16_000, 250],
    [100, 25], [20_000, 500], [64_000, 1000],
    [1000, 250], [256_000, 4000],
    [undefined, 250], [undefined, 500], [undefined, 40], [undefined, 250],
    [200, 90],
  ])
})
