/** Volumes, snapshots and images by the SDK, over the fake engine: what the answers say, and what the engine was told to do. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { BLOCK_BYTES } from '#engine/port'
import { makeSnapshot, makeVolume, untilTrue } from './disk-samples.ts'
import { code, openBench, type Bench } from './kit.ts'

let bench: Bench
before(async () => { bench = await openBench() })
after(() => bench.close())

const volume = async (id: string) => (await bench.ec2.send(new sdk.DescribeVolumesCommand({ VolumeIds: [id] }))).Volumes![0]!
const attachment = async (id: string) => (await volume(id)).Attachments?.[0]?.State
const until = (holds: () => Promise<boolean>, what: string) => untilTrue(bench, holds, what)
const block = (byte: number) => new Uint8Array(BLOCK_BYTES).fill(byte)
const disk = (id: string) => bench.server.engine.disksById.get(id)!
const machine = (id: string) => bench.server.engine.machinesById.get(id)!
const zoneOf = async (id: string) => (await bench.one(id)).Placement!.AvailabilityZone!
const attach = async (VolumeId: string, InstanceId: string, Device = '/dev/sdf') => {
  const answer = await bench.ec2.send(new sdk.AttachVolumeCommand({ VolumeId, InstanceId, Device }))
  assert.equal(answer.State, 'attaching')
  await until(async () => await attachment(VolumeId) === 'attached', `${VolumeId} is not attached`)
}
const detach = async (VolumeId: string, more: Partial<sdk.DetachVolumeCommandInput> = {}) => {
  await bench.ec2.send(new sdk.DetachVolumeCommand({ VolumeId, ...more }))
  await until(async () => (await volume(VolumeId)).State === 'available', `${VolumeId} is not available`)
}

test('a volume goes from one instance to another with what is on it', async () => {
  const [one, other] = [(await bench.launch()).InstanceId!, (await bench.launch()).InstanceId!]
  const id = await makeVolume(bench, { AvailabilityZone: await zoneOf(one), VolumeType: 'gp3', Iops: 4000, Throughput: 200 })
  await bench.server.engine.disks.writeBlock(id, 3, block(7))
  await attach(id, one)
  assert.deepEqual(machine(one).spec.disks, [{ disk: id, device: 'sdf', serial: id.replace('-', ''), model: 'Amazon Elastic Block Store' }])
  assert.deepEqual(disk(id).limits, { iops: 4000, bytesPerSecond: 200 * 1024 * 1024 })
  const mapping = (await bench.one(one)).BlockDeviceMappings!
  assert.deepEqual(mapping.map(m => [m.DeviceName, m.Ebs!.Status, m.Ebs!.DeleteOnTermination]), [['/dev/xvda', 'attached', true],
    ['/dev/sdf', 'attached', false]])
  await assert.rejects(bench.ec2.send(new sdk.DeleteVolumeCommand({ VolumeId: id })), code('VolumeInUse'))
  await assert.rejects(bench.ec2.send(new sdk.AttachVolumeCommand({ VolumeId: id, InstanceId: other, Device: '/dev/sdf' })), code('VolumeInUse'))
  await detach(id)
  await attach(id, other, '/dev/xvdg')
  assert.deepEqual([machine(one).spec.disks, machine(other).spec.disks!.map(d => d.device)], [[], ['xvdg']])
  assert.deepEqual(await bench.server.engine.disks.readBlock(id, 3), block(7))
  await bench.terminate(one, other)
  assert.deepEqual([(await volume(id)).State, bench.server.engine.disksById.has(id)], ['available', true])
})

test('what a guest has mounted stays busy until it lets go, or until it is forced', async () => {
  const { InstanceId: holder = '' } = await bench.launch()
  const id = await makeVolume(bench, { AvailabilityZone: await zoneOf(holder) })
  await attach(id, holder)
  bench.server.engine.guest.mount(holder, id)
  await bench.ec2.send(new sdk.DetachVolumeCommand({ VolumeId: id }))
  await until(async () => await attachment(id) === 'busy', 'it is not busy')
  assert.equal((await volume(id)).State, 'in-use')
  await detach(id, { Force: true })
  await attach(id, holder)
  await bench.terminate(holder)
})

test('devices, zones and states that EC2 refuses are refused', async () => {
  const { InstanceId: holder = '' } = await bench.launch()
  const zone = await zoneOf(holder)
  const [id, other] = [await makeVolume(bench, { AvailabilityZone: zone }), await makeVolume(bench, { AvailabilityZone: zone })]
  const far = await makeVolume(bench, { AvailabilityZone: zone === 'us-east-1a' ? 'us-east-1b' : 'us-east-1a' })
  await attach(id, holder)
  await bench.refuses(sdk.AttachVolumeCommand, [
    [{ VolumeId: other, InstanceId: holder, Device: 'disk1' }, 'InvalidParameterValue', /not a valid EBS device name/],
    [{ VolumeId: other, InstanceId: holder, Device: '/dev/xvdf' }, 'InvalidParameterValue', /already in use/],
    [{ VolumeId: other, InstanceId: holder, Device: '/dev/xvda' }, 'InvalidParameterValue', /already in use/],
    [{ VolumeId: far, InstanceId: holder, Device: '/dev/sdg' }, 'InvalidVolume.ZoneMismatch'],
  ])
  const root = (await bench.one(holder)).BlockDeviceMappings![0]!.Ebs!.VolumeId!
  await bench.refuses(sdk.DetachVolumeCommand, [
    [{ VolumeId: other }, 'IncorrectState', /available/], [{ VolumeId: root }, 'OperationNotPermitted', /root volume/],
    [{ VolumeId: id, Device: '/dev/sdz' }, 'InvalidAttachment.NotFound'],
  ])
  await bench.refuses(sdk.CreateVolumeCommand, [
    [{ AvailabilityZone: 'us-east-1z', Size: 8 }, 'InvalidZone.NotFound'], [{ AvailabilityZone: zone }, 'MissingParameter'],
    [{ AvailabilityZone: zone, Size: 8, Encrypted: true }, 'UnsupportedOperation'],
    [{ AvailabilityZone: zone, Size: 8, MultiAttachEnabled: true }, 'InvalidParameterCombination'],
  ])
  await bench.terminate(holder)
})

test('a volume grows while it is in use, and changes its type', async () => {
  const { InstanceId: holder = '' } = await bench.launch()
  const id = await makeVolume(bench, { AvailabilityZone: await zoneOf(holder) })
  await attach(id, holder)
  const { VolumeModification: begun } = await bench.ec2.send(new sdk.ModifyVolumeCommand({ VolumeId: id, Size: 20, VolumeType: 'io1', Iops: 500 }))
  assert.deepEqual([begun!.ModificationState, begun!.OriginalSize, begun!.OriginalIops, begun!.TargetSize, begun!.TargetIops], ['modifying',
    8, 100, 20, 500])
  const newest = async () => (await bench.ec2.send(new sdk.DescribeVolumesModificationsCommand({ VolumeIds: [id] }))).VolumesModifications![0]!
  await until(async () => (await newest()).ModificationState === 'completed', 'it is still being modified')
  assert.deepEqual([disk(id).sizeGiB, disk(id).limits], [20, { iops: 500, bytesPerSecond: 125 * 1024 * 1024 }])
  await bench.refuses(sdk.ModifyVolumeCommand, [
    [{ VolumeId: id, Size: 10 }, 'InvalidParameterValue', /smaller/], [{ VolumeId: id }, 'InvalidParameterCombination'],
    [{ VolumeId: id, Iops: 5000 }, 'InvalidParameterValue', /ratio/],
  ])
  await bench.terminate(holder)
})

test('a Multi-Attach volume is two instances\' at once', async () => {
  const [one, other] = [(await bench.launch()).InstanceId!, (await bench.launch()).InstanceId!]
  const id = await makeVolume(bench, { AvailabilityZone: await zoneOf(one), VolumeType: 'io2', Iops: 100, MultiAttachEnabled: true })
  await attach(id, one)
  await bench.ec2.send(new sdk.AttachVolumeCommand({ VolumeId: id, InstanceId: other, Device: '/dev/sdf' }))
  await until(async () => (await volume(id)).Attachments!.filter(a => a.State === 'attached').length === 2, 'it has not two attachments')
  await assert.rejects(bench.ec2.send(new sdk.DetachVolumeCommand({ VolumeId: id })), code('InvalidParameterCombination'))
  await bench.terminate(one)
  assert.deepEqual((await volume(id)).Attachments!.map(a => a.InstanceId), [other])
  await bench.terminate(other)
})

test('a launch brings volumes of its own; those that go with the instance go', async () => {
  const source = await makeVolume(bench)
  await bench.server.engine.disks.writeBlock(source, 0, block(1))
  const SnapshotId = await makeSnapshot(bench, source)
  const { InstanceId: id = '', BlockDeviceMappings: mappings = [] } = await bench.launch({ BlockDeviceMappings: [
    { DeviceName: '/dev/xvda', Ebs: { VolumeSize: 12 } }, { DeviceName: '/dev/sdb', Ebs: { VolumeSize: 4 } },
    { DeviceName: '/dev/sdc', Ebs: { SnapshotId, DeleteOnTermination: false } }, { DeviceName: '/dev/sdd', VirtualName: 'ephemeral0' },
  ] })
  const ids = mappings.map(m => m.Ebs!.VolumeId!)
  assert.deepEqual(await Promise.all(ids.map(async one => (await volume(one)).Size)), [12, 4, 8])
  assert.deepEqual(await bench.server.engine.disks.readBlock(ids[2]!, 0), block(1))
  await bench.ec2.send(new sdk.ModifyInstanceAttributeCommand({ InstanceId: id, BlockDeviceMappings: [
    { DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } },
  ] }))
  await bench.terminate(id)
  const left = await bench.ec2.send(new sdk.DescribeVolumesCommand({ Filters: [{ Name: 'volume-id', Values: ids }] }))
  assert.deepEqual(left.Volumes!.map(v => [v.VolumeId, v.State]).sort(), [[ids[0], 'available'], [ids[2], 'available']].sort())
  await bench.refuses(sdk.RunInstancesCommand, [[{
    ImageId: bench.imageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1,
    BlockDeviceMappings: [{ DeviceName: '/dev/sdb', Ebs: { VolumeSize: 4 } }, { DeviceName: '/dev/xvdb', Ebs: { VolumeSize: 4 } }],
  }, 'InvalidBlockDeviceMapping', /more than one/]])
})

test('the root volume of a stopped instance is taken out, repaired elsewhere, and put back', async () => {
  const [broken, doctor] = [(await bench.launch()).InstanceId!, (await bench.launch()).InstanceId!]
  const root = (await bench.one(broken)).BlockDeviceMappings![0]!.Ebs!.VolumeId!
  await bench.ec2.send(new sdk.StopInstancesCommand({ InstanceIds: [broken] }))
  await bench.until(broken, 'stopped')
  await detach(root)
  assert.deepEqual([(await bench.one(broken)).BlockDeviceMappings, machine(broken).spec.rootDisk], [[], undefined])
  await assert.rejects(bench.ec2.send(new sdk.StartInstancesCommand({ InstanceIds: [broken] })), code('InvalidParameterValue', /attached at root/))
  await attach(root, doctor, '/dev/sdf')
  await detach(root)
  await attach(root, broken, '/dev/xvda')
  await bench.ec2.send(new sdk.StartInstancesCommand({ InstanceIds: [broken] }))
  await bench.until(broken, 'running')
  assert.deepEqual([machine(broken).spec.rootDisk, machine(broken).power], [root, 'on'])
  // As every volume that is attached after the launch, it is preserved unless that is asked otherwise.
  const [{ Ebs: mapped }] = (await bench.one(broken)).BlockDeviceMappings as [{ Ebs: sdk.EbsInstanceBlockDevice }]
  assert.deepEqual([mapped.DeleteOnTermination, (await volume(root)).Attachments![0]!.DeleteOnTermination], [false, false])
  await bench.terminate(broken, doctor)
  assert.deepEqual([(await volume(root)).State, bench.server.engine.disksById.has(root)], ['available', true])
})

test('a root volume that was put back goes with its instance once that is asked', async () => {
  const { InstanceId: id = '', BlockDeviceMappings } = await bench.launch()
  const root = BlockDeviceMappings![0]!.Ebs!.VolumeId!
  await bench.ec2.send(new sdk.StopInstancesCommand({ InstanceIds: [id] }))
  await bench.until(id, 'stopped')
  await detach(root)
  await attach(root, id, '/dev/xvda')
  await bench.ec2.send(new sdk.ModifyInstanceAttributeCommand({ InstanceId: id, BlockDeviceMappings: [
    { DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: true } },
  ] }))
  await bench.terminate(id)
  await until(async () => !bench.server.engine.disksById.has(root), 'the disk is still there')
  assert.deepEqual((await bench.ec2.send(new sdk.DescribeVolumesCommand({ Filters: [{ Name: 'volume-id', Values: [root] }] }))).Volumes, [])
})

test('the snapshots of an instance are of one moment', async () => {
  const { InstanceId: id = '', BlockDeviceMappings: mappings = [] } = await bench.launch({ BlockDeviceMappings: [{ DeviceName: '/dev/sdb',
    Ebs: { VolumeSize: 4 } }] })
  const { Snapshots = [] } = await bench.ec2.send(new sdk.CreateSnapshotsCommand({ InstanceSpecification: { InstanceId: id } }))
  const ids = Snapshots.map(one => one.SnapshotId!)
  await until(async () => (await bench.ec2.send(new sdk.DescribeSnapshotsCommand({ SnapshotIds: ids }))).Snapshots!
    .every(({ State }) => State === 'completed'), 'they are not completed')
  assert.deepEqual([ids.length, mappings.length, new Set(ids.map(one => disk(one).moment)).size], [2, 2, 1])
  for (const SnapshotId of ids) await bench.ec2.send(new sdk.DeleteSnapshotCommand({ SnapshotId }))
  await bench.terminate(id)
})

test('instance store disks are empty at each start and stay over a reboot', async () => {
  const { InstanceId: id = '' } = await bench.launch({ InstanceType: 'm5d.large' })
  const [first] = machine(id).spec.disks!
  assert.deepEqual([first!.device, first!.model, disk(first!.disk).sizeGiB], ['nvme1n1', 'Amazon EC2 NVMe Instance Storage', 69])
  await bench.ec2.send(new sdk.RebootInstancesCommand({ InstanceIds: [id] }))
  await until(async () => machine(id).boots === 2, 'it has not rebooted')
  assert.equal(machine(id).spec.disks![0]!.disk, first!.disk)
  await bench.ec2.send(new sdk.StopInstancesCommand({ InstanceIds: [id] }))
  await bench.until(id, 'stopped')
  await until(async () => !bench.server.engine.disksById.has(first!.disk), 'the disk is still there')
  await bench.ec2.send(new sdk.StartInstancesCommand({ InstanceIds: [id] }))
  await bench.until(id, 'running')
  const second = machine(id).spec.disks![0]!.disk
  assert.notEqual(second, first!.disk)
  await bench.terminate(id)
  assert.equal(bench.server.engine.disksById.has(second), false)
})

test('a full pool takes no new volumes and snapshots, and keeps what is there; with room it takes them at once', async () => {
  const id = await makeVolume(bench)
  const { engine } = bench.server
  const before = engine.freeGiB
  engine.freeGiB = 3
  try {
    await bench.refuses(sdk.CreateVolumeCommand, [[{ AvailabilityZone: 'us-east-1a', Size: 1 }, 'InsufficientVolumeCapacity', /3\.0 GiB/]])
    await bench.refuses(sdk.CreateSnapshotCommand, [[{ VolumeId: id }, 'InsufficientVolumeCapacity']])
  } finally {
    engine.freeGiB = before
  }
  await makeVolume(bench)
})
