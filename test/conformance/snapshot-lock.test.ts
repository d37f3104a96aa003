/** Locked snapshots, and their fast restores, while the clock goes on: asked behind the wire, which nothing passes that another clock signed. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type * as sdk from '@aws-sdk/client-ec2'
import { ApiError } from '#kit/error'
import { makeSnapshot, makeVolume, registration, untilTrue } from './disk-samples.ts'
import { openBench, type Bench } from './kit.ts'

const [HOUR, DAY] = [3_600_000, 86_400_000]
let bench: Bench
let aheadMs = 0
let ids: string[]
before(async () => {
  bench = await openBench({ clock: () => new Date(Date.now() + aheadMs) })
  const volume = await makeVolume(bench)
  ids = [await makeSnapshot(bench, volume), await makeSnapshot(bench, volume), await makeSnapshot(bench, volume), await makeSnapshot(bench, volume)]
})
after(() => bench.close())

const account = '123456789012'
const principal = { account, arn: `arn:aws:iam::${account}:root`, userId: account, root: true }
const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
const call = async (operation: string, input: object): Promise<any> => bench.server.cloud.dispatch({ service: 'ec2', operation, input, caller })
/** For assert.rejects. */
const code = (wanted: string, words = /./) => (error: unknown) => {
  assert.ok(error instanceof ApiError)
  assert.equal(error.code, wanted, error.message)
  assert.match(error.message, words)
  return true
}

const lock = (SnapshotId: string, more: Partial<sdk.LockSnapshotRequest>) =>
  call('LockSnapshot', { SnapshotId, LockMode: 'governance', ...more })
const unlock = (SnapshotId: string) => call('UnlockSnapshot', { SnapshotId })
const remove = (SnapshotId: string) => call('DeleteSnapshot', { SnapshotId })
const locked = async (id: string) =>
  (await call('DescribeLockedSnapshots', { SnapshotIds: [id] })).Snapshots![0]!
const later = (ms: number) => { aheadMs += ms }

test('a lock needs a mode, an end and a cooling-off period that fit', async () => {
  const id = ids[0]!
  const refused: [Partial<sdk.LockSnapshotRequest>, string][] = [
    [{}, 'MissingParameter'], [{ LockMode: 'other' as 'governance', LockDuration: 1 }, 'InvalidParameterValue'],
    [{ LockDuration: 0 }, 'InvalidParameterValue'], [{ LockDuration: 36_501 }, 'InvalidParameterValue'],
    [{ ExpirationDate: new Date(Date.now() + HOUR) }, 'InvalidParameterValue'],
    [{ LockDuration: 1, ExpirationDate: new Date(Date.now() + 2 * DAY) }, 'InvalidParameterCombination'],
    [{ LockDuration: 1, CoolOffPeriod: 1 }, 'InvalidParameterCombination'],
    [{ LockMode: 'compliance', LockDuration: 1, CoolOffPeriod: 73 }, 'InvalidParameterValue'],
  ]
  for (const [more, error] of refused) await assert.rejects(lock(id, more), code(error))
  await assert.rejects(unlock(id), code('IncorrectState'))
  assert.deepEqual((await call('DescribeLockedSnapshots', {})).Snapshots, [])
})

test('a snapshot locked in governance mode is deleted by nobody, not with its image either, until it is unlocked or its time is over', async () => {
  const [one, two] = [ids[1]!, ids[2]!]
  const { LockState, LockDuration, LockExpiresOn, LockDurationStartTime, CoolOffPeriod } = await lock(one, { LockDuration: 2 })
  assert.deepEqual([LockState, LockDuration, CoolOffPeriod], ['governance', 2, undefined])
  assert.equal(LockExpiresOn!.getTime() - LockDurationStartTime!.getTime(), 2 * DAY)
  await assert.rejects(remove(one), code('OperationNotPermitted', /locked/))
  const { ImageId } = await call('RegisterImage', (registration(one, 'locked')))
  const { DeleteSnapshotResults } = await call('DeregisterImage', { ImageId, DeleteAssociatedSnapshots: true })
  assert.deepEqual(DeleteSnapshotResults, [{ SnapshotId: one, ReturnCode: 'skipped' }])
  await unlock(one)
  await remove(one)
  await lock(two, { ExpirationDate: new Date(Date.now() + aheadMs + 3 * DAY) })
  assert.equal((await lock(two, { LockDuration: 1 })).LockDuration, 1)
  later(DAY + HOUR)
  assert.equal((await locked(two)).LockState, 'expired')
  await remove(two)
})

test('fast restores are kept for each zone, and refused for each by itself', async () => {
  const [SnapshotId, zones] = [ids[0]!, ['us-east-1a', 'us-east-1b']]
  const asked = { AvailabilityZones: zones, SourceSnapshotIds: [SnapshotId, 'snap-0123456789abcdef0'] }
  const { Successful, Unsuccessful } = await call('EnableFastSnapshotRestores', asked)
  assert.deepEqual(Successful.map((one: any) => [one.SnapshotId, one.AvailabilityZone, one.State]), zones.map(zone => [SnapshotId, zone, 'enabled']))
  assert.deepEqual(Unsuccessful.map((one: any) => [one.SnapshotId, one.FastSnapshotRestoreStateErrors[0].Error.Code]),
    [['snap-0123456789abcdef0', 'InvalidSnapshot.NotFound']])
  const shown = async (Filters: object[] = []) => (await call('DescribeFastSnapshotRestores', { Filters })).FastSnapshotRestores
  assert.deepEqual((await shown()).map((one: any) => [one.SnapshotId, one.AvailabilityZone]), zones.map(zone => [SnapshotId, zone]))
  const disable = (AvailabilityZones: string[]) => call('DisableFastSnapshotRestores', { AvailabilityZones, SourceSnapshotIds: [SnapshotId] })
  assert.equal((await disable(['us-east-1a'])).Successful[0].State, 'disabled')
  assert.equal((await disable(['us-east-1a'])).Unsuccessful[0].FastSnapshotRestoreStateErrors[0].Error.Code, 'InvalidParameterValue')
  assert.deepEqual((await shown([{ Name: 'state', Values: ['enabled'] }])).map((one: any) => one.AvailabilityZone), ['us-east-1b'])
  await assert.rejects(disable(['eu-west-3a']), code('InvalidParameterValue'))
})

test('a compliance lock is taken back while it cools off, and afterwards only ever made longer', async () => {
  const id = ids[3]!
  const cooling = await lock(id, { LockMode: 'compliance', LockDuration: 10, CoolOffPeriod: 2 })
  assert.deepEqual([cooling.LockState, cooling.CoolOffPeriod], ['compliance-cooloff', 2])
  await unlock(id)
  await lock(id, { LockMode: 'compliance', LockDuration: 10, CoolOffPeriod: 2 })
  later(3 * HOUR)
  assert.equal((await locked(id)).LockState, 'compliance')
  await assert.rejects(unlock(id), code('OperationNotPermitted'))
  for (const more of [{ LockDuration: 9 }, { LockDuration: 20, CoolOffPeriod: 1 }]) {
    await assert.rejects(lock(id, { LockMode: 'compliance', ...more }), code('OperationNotPermitted', /extended/))
  }
  await assert.rejects(lock(id, { LockDuration: 20 }), code('OperationNotPermitted', /extended/))
  assert.deepEqual((await lock(id, { LockMode: 'compliance', LockDuration: 20 })).LockDuration, 20)
  later(11 * DAY)
  await assert.rejects(remove(id), code('OperationNotPermitted'))
  const filtered = await call('DescribeLockedSnapshots', { Filters: [{ Name: 'lock-state', Values: ['compliance'] }] })
  assert.deepEqual(filtered.Snapshots!.map((one: any) => one.SnapshotId), [id])
  later(10 * DAY)
  await remove(id)
  await untilTrue(bench, async () => (await call('DescribeLockedSnapshots', {})).Snapshots!.length === 0, 'it is still told of')
})
