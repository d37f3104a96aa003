/** The prices that the console shows: each of a type that is there, and none invented. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { all } from '#service/ec2/instance-type/instance-type'
import { PRICES, VOLUME_PRICES } from '../../console/src/data/prices.ts'
import { disksOf, newVolume, start } from '../../console/src/pages/launch-state.ts'
import { priceOf, sumOf, volumePriceOf } from '../../console/src/prices.ts'

test('every price is of a type that is there, and every type has one', () => {
  const priced = Object.entries(PRICES).flatMap(([family, words]) => words.split(' ').filter((_, i) => i % 2 === 0).map(size => `${family}.${size}`))
  assert.deepEqual(priced.sort(), all().map(({ name }) => name).sort())
  assert.deepEqual(priced.filter(name => !(priceOf(name)! > 0)), [])
})

test('a volume costs its size, and the speed above what comes with it', () => {
  assert.deepEqual(Object.keys(VOLUME_PRICES), ['gp3', 'gp2', 'io1', 'io2', 'st1', 'sc1', 'standard'])
  const cents = (type: string, iops?: number, throughput?: number): number => Math.round(volumePriceOf({ type, gib: 100, iops, throughput })! * 100)
  assert.deepEqual(
    [cents('gp3'), cents('gp3', 3000, 125), cents('gp3', 4000, 225), cents('gp2', 300), cents('io1', 1000)],
    [800, 800, 1700, 1000, 7750],
  )
  assert.deepEqual([cents('st1'), cents('sc1'), cents('standard')], [450, 150, 500])
  // 32,000 at 0.065, as many at 0.0455, the rest at 0.03185.
  assert.deepEqual([cents('io2', 32_000), cents('io2', 70_000)], [209_250, 373_960])
  assert.equal(volumePriceOf({ type: 'gp9', gib: 1 }), undefined)
})

test('sums are by what they are of, and say how many have no price', () => {
  assert.deepEqual(
    sumOf({ types: ['t3.micro', 'm5.large', 'x99.huge'], disks: [{ type: 'gp3', gib: 730 }, { type: 'gp9', gib: 1 }], addresses: 2 }),
    { instances: 0.1064, storage: 0.08, addresses: 0.01, total: 0.1064 + 0.08 + 0.01, unknown: 2 },
  )
  assert.deepEqual([priceOf('t3.micro'), priceOf('x99.huge')], [0.0104, undefined])
})

test('the volumes of a launch are those of the form, and what the image brings besides', () => {
  const root = { ...newVolume, size: '12', iops: '4000' }
  const form = { ...start, rootDevice: '/dev/xvda', root, volumes: [{ ...newVolume, type: 'st1', iops: '9', size: '125' }] }
  const ebs = (DeviceName: string, VolumeSize: number) => ({ DeviceName, Ebs: { VolumeSize, VolumeType: 'gp2' } })
  const image = { BlockDeviceMappings: [ebs('/dev/xvda', 8), ebs('/dev/sdf', 1), ebs('/dev/sdg', 30), { DeviceName: '/dev/sdh' }] }
  assert.deepEqual(disksOf(form, image), [
    { type: 'gp3', gib: 12, iops: 4000, throughput: undefined },
    { type: 'st1', gib: 125, iops: undefined, throughput: undefined },
    { type: 'gp2', gib: 30, iops: undefined, throughput: undefined },
  ])
})
