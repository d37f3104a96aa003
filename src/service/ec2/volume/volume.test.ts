import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { resourceId } from '#base/id'
import { fakeImages, openFake, type FakeEngine } from '#engine/fake'
import { openLoop } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { checkFilters, harness, NOW, PLACE } from '#service/ec2/harness.suite'
import { image } from '#service/ec2/image/image'
import { imageId, prepareImages } from '#service/ec2/image/prepare'
import { actions } from '#service/ec2/volume/actions'
import { volumeDriver } from '#service/ec2/volume/drive'
import { createPlanned, plannedVolumes } from '#service/ec2/volume/mapping'
import { releaseVolumes } from '#service/ec2/volume/release'
import { diskSweeper } from '#service/ec2/volume/sweep'
import { volume, volumeStatus, type VolumeRow } from '#service/ec2/volume/volume'
import type { Tx } from '#store/store'

const INSTANCE = 'i-0123456789abcdef0'

type Root = { sizeGiB?: number; type?: string; iops?: number; throughput?: number; deleteOnTermination?: boolean; tags?: Record<string, string> }

/** As the instance's end does it. */
const release = async (tx: Tx, { id }: VolumeRow) => releaseVolumes(tx, INSTANCE, [(await volume.find(tx, id))!])

/** Actions, loop and fake engine over one store; ends what it began when the test ends. */
async function cloud(t: { after(f: () => Promise<void>): void }, engine: FakeEngine = openFake()) {
  const [seen] = fakeImages
  const capacity = { ...await engine.capacity(), diskFreeGiB: engine.diskFreeGiB() }
  const context = { capacity: () => capacity } as unknown as Context
  const ec2 = harness(actions(context), async (tx, place) => prepareImages(tx, place, await engine.disks.images()))
  await ec2.call('DescribeVolumes', {})
  const ami = (await image.find(ec2.store, imageId('us-east-1', seen!)))!
  const loop = openLoop({
    store: ec2.store, log: silent, clock: () => NOW, pause: { first: 1, longest: 4 },
    drivers: [volumeDriver({ engine, log: silent, store: ec2.store, clock: () => NOW, home: homeAt({ dir: '/nonexistent' }) })],
  })
  t.after(async () => { await loop.close(); await ec2.store.close() })
  const root = (more: Root = {}) => ec2.store.transact(async tx => {
    const { sizeGiB, type, iops, throughput, deleteOnTermination = true, tags = {} } = more
    const Ebs = { VolumeSize: sizeGiB, VolumeType: type as 'gp3', Iops: iops, Throughput: throughput, DeleteOnTermination: deleteOnTermination }
    const [planned] = await plannedVolumes(tx, PLACE, ami, [{ DeviceName: '/dev/xvda', Ebs }])
    return createPlanned(tx, planned!, { place: PLACE, now: NOW, zone: 'us-east-1b', instance: INSTANCE, tags })
  })
  const state = async (row: VolumeRow) => (await volume.find(ec2.store, row.id))?.status.state
  return { ...ec2, engine, loop, root, state, ami }
}
/** Waits until something holds, by the turns of the event loop. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000
  while (!await holds()) {
    if (Date.now() > deadline) assert.fail('it never came to hold')
    await new Promise(resolve => setImmediate(resolve))
  }
}

test('a root volume is made of its image and shown attached to its instance', async t => {
  const { root, call, loop, engine, ami } = await cloud(t)
  const row = await root({ sizeGiB: 20, tags: { Name: 'disk' } })
  await loop.idle()
  const { id, sizeGiB, from, limits } = engine.disksById.get(row.id)!
  assert.deepEqual({ id, sizeGiB, from, limits }, {
    id: row.id, sizeGiB: 20, from: { image: ami.spec.image }, limits: { iops: 3000, bytesPerSecond: 125 * 1024 * 1024 },
  })
  assert.deepEqual((await call('DescribeVolumes', { VolumeIds: [row.id] })).Volumes, [{
    VolumeId: row.id, VolumeArn: `arn:aws:ec2:us-east-1:111122223333:volume/${row.id}`, OwnerId: '111122223333', State: 'in-use',
    AvailabilityZone: 'us-east-1b', AvailabilityZoneId: 'use1-az2', CreateTime: NOW, Size: 20, VolumeType: 'gp3', Iops: 3000,
    Throughput: 125, SnapshotId: ami.spec.snapshot, Encrypted: false, MultiAttachEnabled: false, Operator: { Managed: false },
    Tags: [{ Key: 'Name', Value: 'disk' }],
    Attachments: [{
      VolumeId: row.id, InstanceId: INSTANCE, Device: '/dev/xvda', AttachTime: NOW, DeleteOnTermination: true, State: 'attached',
    }],
  }])
})

test('a root volume that AWS would refuse is refused', async t => {
  const { root, ami, store } = await cloud(t)
  const refused = [
    [{ sizeGiB: 7 }, 'InvalidBlockDeviceMapping', `Volume of size 7GB is smaller than snapshot '${ami.spec.snapshot}', expect size >= 8GB`],
    [{ type: 'st1', sizeGiB: 500 }, 'InvalidBlockDeviceMapping', 'Volume type st1 is not supported for the root device /dev/xvda.'],
    [{ type: 'gp2', throughput: 300 }, 'InvalidBlockDeviceMapping',
      "throughput cannot be specified with the volumeType of device '/dev/xvda'"],
    [{ type: 'io1' }, 'InvalidParameterCombination', 'The parameter iops must be specified for io1 volumes.'],
    [{ type: 'gp9' }, 'InvalidParameterValue', 'Value (gp9) for parameter volumeType is invalid. There is no volume type gp9.'],
  ] as const
  for (const [asked, code, message] of refused) await assert.rejects(root(asked), { code, message })
  assert.deepEqual(await volume.everywhere(store), [])
})

test('a volume is deleted when it is free, and only then', async t => {
  const { root, call, refusal, loop, engine, store } = await cloud(t)
  const row = await root({ deleteOnTermination: false })
  await loop.idle()
  assert.equal(await refusal('DeleteVolume', { VolumeId: row.id }), `VolumeInUse: Volume ${row.id} is currently attached to ${INSTANCE}`)
  await store.transact(tx => release(tx, row))
  await loop.idle()
  assert.equal((await call('DescribeVolumes', { Filters: [{ Name: 'status', Values: ['available'] }] })).Volumes![0]!.VolumeId, row.id)
  assert.match(await refusal('DeleteVolume', { VolumeId: row.id, DryRun: true }), /^DryRunOperation/)
  await call('DeleteVolume', { VolumeId: row.id })
  await loop.idle()
  assert.equal(engine.disksById.size, 0)
  assert.equal(await refusal('DeleteVolume', { VolumeId: row.id }), `InvalidVolume.NotFound: The volume '${row.id}' does not exist`)
  assert.match(await refusal('DeleteVolume', { VolumeId: 'vol-x' }), /^InvalidVolumeID.Malformed/)
})

test('a volume that is being made is not deleted', async t => {
  const { root, refusal, engine, store } = await cloud(t)
  engine.outage = true
  const row = await root({ deleteOnTermination: false })
  await store.transact(tx => release(tx, row))
  assert.match(await refusal('DeleteVolume', { VolumeId: row.id }), /^IncorrectState/)
})

test('a volume that goes with its instance waits for the machine to let go of the disk', async t => {
  const { root, loop, engine, store, state } = await cloud(t)
  const row = await root()
  await loop.idle()
  await engine.machines.create({ id: INSTANCE, cpus: 1, memoryMiB: 512, rootDisk: row.id, ports: [] })
  await store.transact(tx => release(tx, row))
  await loop.idle()
  assert.deepEqual([await state(row), engine.disksById.has(row.id)], ['deleting', true])
  await engine.machines.delete(INSTANCE)
  await loop.settle('volume', row.id)
  assert.deepEqual([await state(row), engine.disksById.has(row.id)], [undefined, false])
})

test('a lost disk is an error and never made again; it is taken back when it is seen', async t => {
  const { root, loop, engine, state, call } = await cloud(t)
  const row = await root()
  await loop.idle()
  const disk = engine.disksById.get(row.id)!
  engine.disksById.delete(row.id)
  await loop.settle('volume', row.id)
  assert.deepEqual([await state(row), engine.disksById.size], ['error', 0])
  assert.equal((await call('DescribeVolumeStatus', {})).VolumeStatuses![0]!.VolumeStatus!.Status, 'impaired')
  engine.disksById.set(row.id, disk)
  await loop.settle('volume', row.id)
  assert.equal(await state(row), 'in-use')
})

test('an engine that is down makes nothing an error', async t => {
  const { root, loop, engine, state } = await cloud(t)
  const row = await root()
  await loop.idle()
  engine.outage = true
  await assert.rejects(loop.settle('volume', row.id), /can't be seen/)
  assert.equal(await state(row), 'in-use')
})

test('a volume that cannot be made is given up, and can be deleted', async t => {
  let attempts = 0
  const engine = openFake({ before(act) { if (act === 'disk.create') { attempts++; throw new Error('no space') } } })
  const { root, store, state, call, loop } = await cloud(t, engine)
  const row = await root()
  await until(async () => (await state(row)) === 'error')
  assert.deepEqual([attempts, (await volume.find(store, row.id))!.status.reason], [4, 'no space'])
  await store.transact(async tx => {
    const current = await tx.get<VolumeRow>('volume', row.id)
    await volume.update(tx, current!, { spec: { attachments: [] } }, 'detached')
  })
  await call('DeleteVolume', { VolumeId: row.id })
  await loop.settle('volume', row.id)
  assert.equal(await state(row), undefined)
})

test('volumes are listed by filter and page, with their status and attributes', async t => {
  const { root, call, refusal, loop } = await cloud(t)
  const rows: VolumeRow[] = []
  for (let i = 0; i < 7; i++) rows.push(await root({ sizeGiB: 10 + i, tags: { n: `${i}` }, type: i % 2 ? 'gp2' : 'gp3' }))
  await loop.idle()
  const first = await call('DescribeVolumes', { MaxResults: 5 })
  const second = await call('DescribeVolumes', { MaxResults: 5, NextToken: first.NextToken })
  assert.deepEqual([first.Volumes!.length, second.Volumes!.length, second.NextToken], [5, 2, undefined])
  const sizes = async (Name: string, Values: string[]) =>
    (await call('DescribeVolumes', { Filters: [{ Name, Values }] })).Volumes!.map(v => v.Size!).sort()
  assert.deepEqual(await sizes('volume-type', ['gp2']), [11, 13, 15])
  assert.deepEqual(await sizes('size', ['1?']), [10, 11, 12, 13, 14, 15, 16])
  assert.deepEqual(await sizes('tag:n', ['3']), [13])
  assert.deepEqual(await sizes('attachment.instance-id', ['i-none']), [])
  assert.deepEqual(await sizes('create-time', ['2026-05-01*']), [10, 11, 12, 13, 14, 15, 16])
  assert.deepEqual((await call('DescribeVolumeStatus', { VolumeIds: [rows[0]!.id] })).VolumeStatuses, [{
    VolumeId: rows[0]!.id, AvailabilityZone: 'us-east-1b', AvailabilityZoneId: 'use1-az2', Actions: [], Events: [],
    VolumeStatus: {
      Status: 'ok', Details: [{ Name: 'io-enabled', Status: 'passed' }, { Name: 'io-performance', Status: 'not-applicable' }],
    },
    AttachmentStatuses: [{ InstanceId: INSTANCE, IoPerformance: 'not-applicable' }],
  }])
  const ok = { Filters: [{ Name: 'volume-status.status', Values: ['ok'] }], MaxResults: 1000 }
  assert.equal((await call('DescribeVolumeStatus', ok)).VolumeStatuses!.length, 7)
  const id = rows[0]!.id
  assert.deepEqual(await call('DescribeVolumeAttribute', { VolumeId: id, Attribute: 'autoEnableIO' }),
    { VolumeId: id, AutoEnableIO: { Value: false } })
  assert.deepEqual(await call('DescribeVolumeAttribute', { VolumeId: id, Attribute: 'productCodes' }), { VolumeId: id, ProductCodes: [] })
  assert.match(await refusal('DescribeVolumeAttribute', { VolumeId: id, Attribute: 'size' as 'productCodes' }), /^InvalidParameterValue/)
  assert.deepEqual(await call('DescribeVolumesModifications', {}), { VolumesModifications: [], NextToken: undefined })
  assert.equal(await refusal('DescribeVolumesModifications', { VolumeIds: [id] }),
    `InvalidVolumeModification.NotFound: Modification for volume '${id}' does not exist.`)
  assert.match(await refusal('DescribeVolumesModifications', { Filters: [{ Name: 'nonsense', Values: ['x'] }] }), /^InvalidParameterValue/)
  const elsewhere = { ...PLACE, region: 'eu-west-1' }
  assert.deepEqual((await call('DescribeVolumes', {}, elsewhere)).Volumes, [])
  assert.match(await refusal('DescribeVolumes', { VolumeIds: [id] }, elsewhere), /^InvalidVolume.NotFound/)
})

test('a disk that no record knows is deleted at its second sighting, others never', async t => {
  const { root, loop, engine, store } = await cloud(t)
  const row = await root()
  await loop.idle()
  const [orphan, held] = [resourceId('vol'), resourceId('vol')]
  for (const id of [orphan, held, 'debian-12', 'vol-mine']) await engine.disks.create({ id, sizeGiB: 1 })
  await engine.machines.create({ id: 'm', cpus: 1, memoryMiB: 1, rootDisk: held, ports: [] })
  const sweep = diskSweeper({ engine, store, log: silent })
  assert.deepEqual(await sweep(), [])
  engine.outage = true
  assert.deepEqual(await sweep(), [])
  engine.outage = false
  assert.deepEqual(await sweep(), [orphan])
  assert.deepEqual([...engine.disksById.keys()].sort(), [row.id, held, 'debian-12', 'vol-mine'].sort())
  await engine.machines.delete('m')
  assert.deepEqual(await sweep(), [held])
})

test('every filter leads to a member of the answer', () => {
  checkFilters(volume, 'DescribeVolumes', 'Volumes')
  checkFilters(volumeStatus, 'DescribeVolumeStatus', 'VolumeStatuses')
})

test('a root volume has its image\'s size unless another is asked for', async t => {
  const { root, ami } = await cloud(t)
  assert.equal((await root()).spec.sizeGiB, ami.spec.rootSizeGiB)
})
