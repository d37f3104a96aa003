/** How long volumes burst: the account of credits, and what the engine is told when they are spent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openFake } from '#engine/fake'
import { openLoop } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { harness, NOW } from '#service/ec2/harness.suite'
import { actions } from '#service/ec2/volume/actions'
import { account, bucketOf, creditSweeper, type Credits } from '#service/ec2/volume/credits'
import { volumeDriver } from '#service/ec2/volume/drive'
import { volume, type Shape } from '#service/ec2/volume/volume'

const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)
const work = (operations: number, bytes = 0) => ({ operations, bytes, reads: operations, bytesRead: bytes })
const bucket = (type: Shape['type'], sizeGiB: number) => bucketOf({ type, sizeGiB })

test('the buckets are those of the types that burst, and of sizes whose baseline is below the burst', () => {
  const figures = (type: Shape['type'], sizeGiB: number) => {
    const found = bucket(type, sizeGiB)
    return found && [found.most, found.perSecond, found.held({ iops: 3000, bytesPerSecond: 9e9 })]
  }
  assert.deepEqual([figures('gp2', 10), figures('gp2', 500), figures('gp2', 1000), figures('gp3', 10), figures('io1', 10), figures('standard', 10)], [
    [5_400_000, 100, { iops: 100, bytesPerSecond: 9e9 }], [5_400_000, 1500, { iops: 1500, bytesPerSecond: 9e9 }],
    undefined, undefined, undefined, undefined,
  ])
  const mib = 2 ** 20
  assert.deepEqual([figures('st1', 1024), figures('sc1', 1024), figures('st1', 12_800), figures('sc1', 16_384)], [
    [2 ** 40, 40 * mib, { iops: 3000, bytesPerSecond: 40 * mib }], [2 ** 40, 12 * mib, { iops: 3000, bytesPerSecond: 12 * mib }],
    undefined, [2 ** 44, 192 * mib, { iops: 3000, bytesPerSecond: 192 * mib }],
  ])
})

test('a gp2 volume at 3,000 IOPS has spent its credits after half an hour, and earns them by its baseline', () => {
  const small = bucket('gp2', 10)!
  let credits: Credits | undefined = account(undefined, small, { work: work(0), now: NOW })
  let minutes = 0
  while (!credits.spent) credits = account(credits, small, { work: work(++minutes * 180_000), now: later(minutes * 60) })
  // 5,400,000 / (3,000 - 100) a second.
  assert.equal(minutes, Math.ceil(5_400_000 / 2900 / 60))
  const dry = account(credits, small, { work: work(minutes * 180_000), now: later(minutes * 60 + 100) })
  assert.ok(dry.spent, 'a debt and a minute of the baseline have to be paid first')
  const rested = account(dry, small, { work: work(minutes * 180_000), now: later(minutes * 60 + 5000) })
  assert.deepEqual([rested.spent, rested.balance], [false, credits.balance + 500_000])
  assert.equal(account(rested, small, { work: work(minutes * 180_000), now: later(1e7) }).balance, 5_400_000)
})

test('large operations cost one credit for each 256 KiB, and HDD types are charged by bytes', () => {
  const after = (type: Shape['type'], sizeGiB: number) =>
    bucket(type, sizeGiB)!.most - account(undefined, bucket(type, sizeGiB)!, { work: work(10, 2 ** 30), now: NOW }).balance
  assert.deepEqual([after('gp2', 10), after('st1', 500)], [4096, 2 ** 30])
})

test('what was used while nobody looked is counted once, and a new device begins at nothing', () => {
  const small = bucket('gp2', 10)!
  const one = account(undefined, small, { work: work(1000), now: NOW })
  const two = account(one, small, { work: work(1500), now: NOW })
  const rebooted = account(two, small, { work: work(200), now: NOW })
  const detached = account(rebooted, small, { work: undefined, now: NOW })
  const [full] = [5_400_000]
  assert.deepEqual([one, two, rebooted, detached].map(({ balance }) => full - balance), [1000, 1500, 1700, 1700])
})

test('a volume that has spent its credits is held to its baseline until it has some again; a modification ends it', async t => {
  const engine = openFake()
  const home = homeAt({ dir: '/nonexistent' })
  const capacity = { ...await engine.capacity(), diskFreeGiB: engine.diskFreeGiB() }
  const ec2 = harness(actions({ capacity: () => capacity } as unknown as Context))
  let now = NOW
  const common = { engine, log: silent, store: ec2.store, clock: () => now, home }
  const loop = openLoop({ store: ec2.store, log: silent, clock: () => now, pause: { first: 1, longest: 4 }, drivers: [volumeDriver(common)] })
  t.after(async () => { await loop.close(); await ec2.store.close() })
  const look = creditSweeper(common)
  const { VolumeId: id } = await ec2.call('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 10, VolumeType: 'gp2' })
  await loop.settle('volume', id!)
  const limits = async () => {
    await look()
    await loop.settle('volume', id!)
    return engine.disksById.get(id!)!.limits?.iops
  }
  const disk = engine.disksById.get(id!)!
  assert.equal(await limits(), 3000)
  assert.equal((await volume.find(ec2.store, id!))!.status.credits, undefined, 'nothing is written of what nobody used')
  disk.work = work(5_400_001)
  assert.equal(await limits(), 100)
  now = later(30)
  assert.equal(await limits(), 100)
  now = later(70)
  assert.equal(await limits(), 3000)
  disk.work = work(6_000_000)
  assert.equal(await limits(), 100)
  now = later(70 - 86_400)
  assert.equal(await limits(), 100)
  now = later(70 - 86_400 + 6100)
  assert.equal(await limits(), 3000, 'a clock that was put back by a day keeps nobody waiting for a day')
  disk.work = work(7_000_000)
  assert.equal(await limits(), 100)
  await ec2.call('ModifyVolume', { VolumeId: id!, VolumeType: 'gp3' })
  assert.equal(await limits(), 3000)
})
