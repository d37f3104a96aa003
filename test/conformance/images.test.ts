/** Snapshots and images by the SDK, over the fake engine: moments kept, copies, shares between accounts, launches from images of one's own. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { BLOCK_BYTES } from '#engine/port'
import { makeSnapshot, makeVolume, registration, untilTrue } from './disk-samples.ts'
import { code, openBench, type Bench } from './kit.ts'

let bench: Bench
before(async () => { bench = await openBench() })
after(() => bench.close())

const { account: stranger, region } = { account: '444455556666', region: 'us-east-1' }
/** What another account is answered. */
async function asStranger(operation: string, input: object): Promise<any> {
  const principal = { account: stranger, arn: `arn:aws:iam::${stranger}:root`, userId: stranger, root: true }
  const caller = { principal, region, requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
  return bench.server.cloud.dispatch({ service: 'ec2', operation, input, caller })
}
const engine = () => bench.server.engine
const block = (byte: number) => new Uint8Array(BLOCK_BYTES).fill(byte)
const until = (holds: () => Promise<boolean>, what: string) => untilTrue(bench, holds, what)
const image = async (id: string, client = bench.ec2) => (await client.send(new sdk.DescribeImagesCommand({ ImageIds: [id] }))).Images![0]!
const available = (id: string, client = bench.ec2) => until(async () => (await image(id, client)).State === 'available', `${id} is not available`)
const rootOf = async (id: string) => (await bench.one(id)).BlockDeviceMappings![0]!.Ebs!.VolumeId!

test('a snapshot keeps the moment it was taken, and needs neither its volume nor other snapshots', async () => {
  const volume = await makeVolume(bench)
  await engine().disks.writeBlock(volume, 1, block(1))
  const first = await makeSnapshot(bench, volume)
  await engine().disks.writeBlock(volume, 1, block(2))
  const second = await makeSnapshot(bench, volume)
  await bench.ec2.send(new sdk.DeleteVolumeCommand({ VolumeId: volume }))
  await until(async () => !engine().disksById.has(volume), 'the volume is still there')
  const restored = await makeVolume(bench, { Size: undefined, SnapshotId: first })
  assert.deepEqual(await engine().disks.readBlock(restored, 1), block(1))
  await bench.ec2.send(new sdk.DeleteSnapshotCommand({ SnapshotId: first }))
  await assert.rejects(bench.ec2.send(new sdk.DescribeSnapshotsCommand({ SnapshotIds: [first] })), code('InvalidSnapshot.NotFound'))
  await until(async () => !engine().disksById.has(first), 'the snapshot\'s disk is still there')
  const { Snapshots } = await bench.ec2.send(new sdk.DescribeSnapshotsCommand({ SnapshotIds: [second] }))
  assert.deepEqual([Snapshots![0]!.Progress, Snapshots![0]!.FullSnapshotSizeInBytes, Snapshots![0]!.VolumeId], ['100%', BLOCK_BYTES, volume])
  await bench.refuses(sdk.CreateVolumeCommand, [[{ AvailabilityZone: 'us-east-1a', SnapshotId: second, Size: 4 }, 'InvalidParameterValue',
    /smaller/]])
})

test('snapshots of all an instance\'s volumes are taken at once, without those left out', async () => {
  const { InstanceId = '' } = await bench.launch({ BlockDeviceMappings: [
    { DeviceName: '/dev/sdb', Ebs: { VolumeSize: 1 } }, { DeviceName: '/dev/sdc', Ebs: { VolumeSize: 2 } },
  ] })
  const ids = (await bench.one(InstanceId)).BlockDeviceMappings!.map(m => m.Ebs!.VolumeId!)
  const { Snapshots } = await bench.ec2.send(new sdk.CreateSnapshotsCommand({
    InstanceSpecification: { InstanceId, ExcludeDataVolumeIds: [ids[1]!] }, Description: 'both',
    TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'k', Value: 'v' }] }],
  }))
  assert.deepEqual(Snapshots!.map(s => [s.VolumeId, s.Description, s.Tags]), [ids[0], ids[2]].map(id => [id, 'both', [{ Key: 'k', Value: 'v' }]]))
  await bench.terminate(InstanceId)
  const { Snapshots: done } = await bench.ec2.send(new sdk.DescribeSnapshotsCommand({ SnapshotIds: Snapshots!.map(s => s.SnapshotId!) }))
  assert.deepEqual(done!.map(s => s.State), ['completed', 'completed'])
})

test('a snapshot is copied to another Region', async () => {
  const volume = await makeVolume(bench)
  await engine().disks.writeBlock(volume, 0, block(5))
  const source = await makeSnapshot(bench, volume)
  const paris = bench.server.ec2({ region: 'eu-west-3' })
  const { SnapshotId } = await paris.send(new sdk.CopySnapshotCommand({ SourceRegion: region, SourceSnapshotId: source }))
  const seen = async () => (await paris.send(new sdk.DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId!] }))).Snapshots![0]!
  await until(async () => (await seen()).State === 'completed', 'the copy is not completed')
  await bench.ec2.send(new sdk.DeleteSnapshotCommand({ SnapshotId: source }))
  assert.deepEqual([await engine().disks.readBlock(SnapshotId!, 0), (await seen()).Description], [block(5), `[Copied ${source} from us-east-1]`])
})

test('another account sees and uses what it is given, until it is taken back or public access is blocked', async () => {
  const SnapshotId = await makeSnapshot(bench, await makeVolume(bench))
  const use = () => asStranger('CreateVolume', { AvailabilityZone: 'us-east-1a', SnapshotId, DryRun: true })
  await assert.rejects(use(), { code: 'InvalidSnapshot.NotFound' })
  const change = (CreateVolumePermission: sdk.CreateVolumePermissionModifications) =>
    bench.ec2.send(new sdk.ModifySnapshotAttributeCommand({ SnapshotId, Attribute: 'createVolumePermission', CreateVolumePermission }))
  await change({ Add: [{ UserId: stranger }] })
  await assert.rejects(use(), { code: 'DryRunOperation' })
  await assert.rejects(asStranger('DeleteSnapshot', { SnapshotId }), { code: 'UnauthorizedOperation' })
  const { CreateVolumePermissions } = await bench.ec2.send(new sdk.DescribeSnapshotAttributeCommand({ SnapshotId,
    Attribute: 'createVolumePermission' }))
  assert.deepEqual(CreateVolumePermissions, [{ UserId: stranger }])
  await bench.ec2.send(new sdk.ResetSnapshotAttributeCommand({ SnapshotId, Attribute: 'createVolumePermission' }))
  await assert.rejects(use(), { code: 'InvalidSnapshot.NotFound' })
  await change({ Add: [{ Group: 'all' }] })
  await assert.rejects(use(), { code: 'DryRunOperation' })
  await bench.ec2.send(new sdk.EnableSnapshotBlockPublicAccessCommand({ State: 'block-all-sharing' }))
  await assert.rejects(use(), { code: 'InvalidSnapshot.NotFound' })
  await change({ Remove: [{ Group: 'all' }] })
  await assert.rejects(change({ Add: [{ Group: 'all' }] }), code('OperationNotPermitted'))
  await bench.ec2.send(new sdk.DisableSnapshotBlockPublicAccessCommand({}))
})

test('an image of a running instance stops it in order, keeps its volumes, and instances are launched from it', async () => {
  const { InstanceId: source = '' } = await bench.launch({ BlockDeviceMappings: [{ DeviceName: '/dev/sdb', Ebs: { VolumeSize: 3 } }] })
  const disk = engine().disksById.get(await rootOf(source))!
  disk.blocks = new Map([[9, block(9)]])
  const { ImageId = '' } = await bench.ec2.send(new sdk.CreateImageCommand({ InstanceId: source, Name: 'configured' }))
  await available(ImageId)
  await until(async () => engine().machinesById.get(source)!.boots === 2, 'the instance was not started again')
  assert.equal((await bench.one(source)).State!.Name, 'running')
  const { BlockDeviceMappings, SourceInstanceId, RootDeviceName, Public, OwnerId } = await image(ImageId)
  assert.deepEqual([BlockDeviceMappings!.map(m => [m.DeviceName, m.Ebs!.VolumeSize]), SourceInstanceId, RootDeviceName, Public, OwnerId],
    [[['/dev/xvda', 8], ['/dev/sdb', 3]], source, '/dev/xvda', false, '123456789012'])
  const copies = await bench.run({ ImageId, MinCount: 3, MaxCount: 3, BlockDeviceMappings: [{ DeviceName: '/dev/sdb', NoDevice: '' }] })
  for (const id of copies) {
    await bench.until(id, 'running')
    const root = await rootOf(id)
    assert.deepEqual([await engine().disks.readBlock(root, 9), engine().disksById.get(root)!.identity], [block(9), 'fresh'])
    assert.equal((await bench.one(id)).BlockDeviceMappings!.length, 1)
  }
  const snapshots = BlockDeviceMappings!.map(m => m.Ebs!.SnapshotId!)
  await assert.rejects(bench.ec2.send(new sdk.DeleteSnapshotCommand({ SnapshotId: snapshots[0] })), code('InvalidSnapshot.InUse',
    new RegExp(ImageId)))
  await bench.refuses(sdk.CreateImageCommand, [
    [{ InstanceId: source, Name: 'configured' }, 'InvalidAMIName.Duplicate'], [{ InstanceId: source, Name: 'x' }, 'InvalidAMIName.Malformed'],
  ])
  const gone = await bench.ec2.send(new sdk.DeregisterImageCommand({ ImageId, DeleteAssociatedSnapshots: true }))
  assert.deepEqual(gone.DeleteSnapshotResults, snapshots.map(SnapshotId => ({ SnapshotId, ReturnCode: 'success' })))
  await until(async () => !snapshots.some(id => engine().disksById.has(id)), 'snapshots are still there')
  await assert.rejects(bench.run({ ImageId }), code('InvalidAMIID.Unavailable'))
  await bench.terminate(source, ...copies)
})

test('without a reboot an image is made of the running instance as it is', async () => {
  const { InstanceId = '' } = await bench.launch()
  const { ImageId = '' } = await bench.ec2.send(new sdk.CreateImageCommand({ InstanceId, Name: 'as it is', NoReboot: true }))
  await available(ImageId)
  assert.equal(engine().machinesById.get(InstanceId)!.boots, 1)
  await bench.terminate(InstanceId)
})

test('an image is registered of a snapshot, copied to another Region and shared', async () => {
  const snapshot = await makeSnapshot(bench, await makeVolume(bench))
  const { ImageId = '' } = await bench.ec2.send(new sdk.RegisterImageCommand(registration(snapshot, 'registered')))
  const launch = () => asStranger('RunInstances', { ImageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1, DryRun: true })
  await assert.rejects(launch(), { code: 'InvalidAMIID.NotFound' })
  const share = (LaunchPermission: sdk.LaunchPermissionModifications) =>
    bench.ec2.send(new sdk.ModifyImageAttributeCommand({ ImageId, LaunchPermission }))
  await share({ Add: [{ UserId: stranger }] })
  await assert.rejects(launch(), { code: 'DryRunOperation' })
  assert.deepEqual((await asStranger('DescribeImages', { ExecutableUsers: ['self'] })).Images.map((i: sdk.Image) => i.ImageId), [ImageId])
  await bench.ec2.send(new sdk.DisableImageCommand({ ImageId }))
  await assert.rejects(launch(), { code: 'InvalidAMIID.NotFound' })
  await assert.rejects(bench.run({ ImageId }), code('InvalidAMIID.Unavailable'))
  await bench.ec2.send(new sdk.EnableImageCommand({ ImageId }))
  await share({ Add: [{ Group: 'all' }] })
  await bench.ec2.send(new sdk.EnableImageDeprecationCommand({ ImageId, DeprecateAt: new Date(Date.now() + 120_000) }))
  await assert.rejects(launch(), { code: 'DryRunOperation' })
  await bench.ec2.send(new sdk.EnableImageDeregistrationProtectionCommand({ ImageId }))
  await assert.rejects(bench.ec2.send(new sdk.DeregisterImageCommand({ ImageId })), code('OperationNotPermitted'))

  const paris = bench.server.ec2({ region: 'eu-west-3' })
  const { ImageId: copy = '' } = await paris.send(new sdk.CopyImageCommand({ Name: 'copy', SourceImageId: ImageId, SourceRegion: region }))
  await available(copy, paris)
  const { SourceImageId, SourceImageRegion, BlockDeviceMappings } = await image(copy, paris)
  assert.deepEqual([SourceImageId, SourceImageRegion], [ImageId, region])
  assert.notEqual(BlockDeviceMappings![0]!.Ebs!.SnapshotId, snapshot)
})

test('an image of Amazon\'s is copied into one\'s own', async () => {
  const { ImageId = '' } = await bench.ec2.send(new sdk.CopyImageCommand({ Name: 'mine', SourceImageId: bench.imageId, SourceRegion: region }))
  await available(ImageId)
  const [id = ''] = await bench.run({ ImageId })
  await bench.until(id, 'running')
  await bench.terminate(id)
})

test('the root volume of a running instance is replaced: with what it was launched with, or with a snapshot of its own', async () => {
  const { InstanceId = '' } = await bench.launch()
  const before = await rootOf(InstanceId)
  const tasks = async () => (await bench.ec2.send(new sdk.DescribeReplaceRootVolumeTasksCommand({}))).ReplaceRootVolumeTasks!
  const replace = async (more: Partial<sdk.CreateReplaceRootVolumeTaskCommandInput>) => {
    const { ReplaceRootVolumeTask: begun } = await bench.ec2.send(new sdk.CreateReplaceRootVolumeTaskCommand({ InstanceId, ...more }))
    assert.equal(begun!.TaskState, 'pending')
    const ended = async () => (await tasks()).find(t => t.ReplaceRootVolumeTaskId === begun!.ReplaceRootVolumeTaskId)!.TaskState === 'succeeded'
    await until(ended, 'it has not succeeded')
    await bench.until(InstanceId, 'running')
  }
  await replace({})
  const second = await rootOf(InstanceId)
  assert.notEqual(second, before)
  await until(async () => engine().machinesById.get(InstanceId)!.power === 'on', 'it is off')
  assert.equal(engine().machinesById.get(InstanceId)!.spec.rootDisk, second)
  const { Volumes } = await bench.ec2.send(new sdk.DescribeVolumesCommand({ VolumeIds: [before] }))
  assert.equal(Volumes![0]!.State, 'available')
  const SnapshotId = await makeSnapshot(bench, before)
  await replace({ SnapshotId, DeleteReplacedRootVolume: true })
  const third = await rootOf(InstanceId)
  await until(async () => !engine().disksById.has(second), 'the replaced volume is still there')
  assert.deepEqual([engine().machinesById.get(InstanceId)!.spec.rootDisk, engine().disksById.get(third)!.identity], [third, undefined])
  await bench.terminate(InstanceId)
})
