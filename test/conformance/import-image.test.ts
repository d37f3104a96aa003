/** Images made of disks' files and of snapshots, by the SDK; what is on the disks, the fake engine looks at no closer than for a boot sector. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import * as s3 from '@aws-sdk/client-s3'
import { BLOCK_BYTES } from '#engine/port'
import { makeImportRole, makeSnapshot, makeVolume, untilTrue } from './disk-samples.ts'
import { code, openBench, type Bench } from './kit.ts'
import { keys } from './server.ts'

let bench: Bench
let objects: s3.S3Client
/** The first block of a disk with a partition table. */
const boot = randomBytes(BLOCK_BYTES)
boot.writeUInt16BE(0x55aa, 510)
before(async () => {
  bench = await openBench()
  objects = new s3.S3Client({ endpoint: bench.server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1, forcePathStyle: true })
  await objects.send(new s3.CreateBucketCommand({ Bucket: 'disks' }))
  for (const [Key, Body] of [['root.raw', boot], ['data.raw', randomBytes(1000)], ['empty', Buffer.alloc(0)]] as const) {
    await objects.send(new s3.PutObjectCommand({ Bucket: 'disks', Key, Body }))
  }
})
after(async () => { objects.destroy(); await bench.close() })

const container = (S3Key: string, more: object = {}) => ({ Format: 'RAW', UserBucket: { S3Bucket: 'disks', S3Key }, ...more })
const task = async (id: string) =>
  (await bench.ec2.send(new sdk.DescribeImportImageTasksCommand({ ImportTaskIds: [id] }))).ImportImageTasks![0]!
async function imported(input: sdk.ImportImageCommandInput): Promise<sdk.ImportImageTask> {
  const { ImportTaskId } = await bench.ec2.send(new sdk.ImportImageCommand(input))
  await untilTrue(bench, async () => (await task(ImportTaskId!)).Status !== 'active', 'the import does not end')
  return task(ImportTaskId!)
}
const own = async () => (await bench.ec2.send(new sdk.DescribeSnapshotsCommand({ OwnerIds: ['self'] }))).Snapshots!
const firstOf = async (id: string) => Buffer.from((await bench.server.engine.disks.readBlock(id, 0))!)

test('a disk is imported as an image only by whoever has the service role, of a format and kind that are there', async () => {
  await assert.rejects(bench.ec2.send(new sdk.ImportImageCommand({ DiskContainers: [container('root.raw')] })), code('InvalidParameter', /vmimport/))
  await makeImportRole(bench)
  const refused: [sdk.ImportImageCommandInput, string][] = [
    [{}, 'MissingParameter'], [{ DiskContainers: [{ Format: 'RAW' }] }, 'MissingParameter'],
    [{ DiskContainers: [container('root.raw', { Format: 'OVA' })] }, 'UnsupportedOperation'],
    [{ DiskContainers: [container('root.raw', { Format: 'ISO' })] }, 'InvalidParameterValue'],
    [{ DiskContainers: [container('root.raw', { DeviceName: '/dev/disk' })] }, 'InvalidParameterValue'],
    [{ DiskContainers: [container('a', { DeviceName: '/dev/sdb' }), container('b', { DeviceName: 'xvdb' })] }, 'InvalidParameterCombination'],
    [{ DiskContainers: [container('a', { SnapshotId: 'snap-0123456789abcdef0' })] }, 'InvalidParameterCombination'],
    [{ DiskContainers: [{ SnapshotId: 'snap-0123456789abcdef0' }] }, 'InvalidSnapshot.NotFound'],
    [{ DiskContainers: [container('a')], Platform: 'Windows' }, 'UnsupportedOperation'],
    [{ DiskContainers: [container('a')], Platform: 'BeOS' }, 'InvalidParameterValue'],
    [{ DiskContainers: [container('a')], Architecture: 'i386' }, 'InvalidParameterValue'],
    [{ DiskContainers: [container('a')], LicenseType: 'free' }, 'InvalidParameterValue'],
    [{ DiskContainers: [container('a')], Encrypted: true }, 'UnsupportedOperation'],
    [{ DiskContainers: [container('a')], BootMode: 'uefi' }, 'UnsupportedOperation'],
  ]
  for (const [input, error] of refused) await assert.rejects(bench.ec2.send(new sdk.ImportImageCommand(input)), code(error))
})

test('files become an image named by its task, that is launched, and nothing else stays of them', async () => {
  const done = await imported({
    Description: 'brought', LicenseType: 'BYOL', TagSpecifications: [{ ResourceType: 'import-image-task', Tags: [{ Key: 'a', Value: 'b' }] }],
    DiskContainers: [container('data.raw', { Description: 'data' }), container('root.raw', { DeviceName: '/dev/xvda' })],
  })
  assert.deepEqual([done.Status, done.Description, done.LicenseType, done.Platform, done.Tags],
    ['completed', 'brought', 'BYOL', 'Linux', [{ Key: 'a', Value: 'b' }]], done.StatusMessage)
  const { ImageId } = done
  const { Name, Description, RootDeviceName, State, BlockDeviceMappings } =
    (await bench.ec2.send(new sdk.DescribeImagesCommand({ ImageIds: [ImageId!] }))).Images![0]!
  assert.deepEqual([Name, Description, RootDeviceName, State], [done.ImportTaskId, 'brought', '/dev/xvda', 'available'])
  const mappings = BlockDeviceMappings!.map(({ DeviceName, Ebs }) => [DeviceName, Ebs!.SnapshotId, Ebs!.VolumeSize])
  assert.deepEqual(done.SnapshotDetails!.map(({ DeviceName, SnapshotId, DiskImageSize }) => [DeviceName, SnapshotId, DiskImageSize]),
    [['/dev/xvda', mappings[0]![1], BLOCK_BYTES], ['/dev/sdb', mappings[1]![1], 1000]])
  assert.deepEqual(await firstOf(mappings[0]![1] as string), boot)
  await untilTrue(bench, async () => (await own()).length === 2, 'more than the image\'s snapshots are left')
  assert.deepEqual((await own()).map(({ Description: text }) => text), Array(2).fill(`Created by AWS-VMImport service for ${done.ImportTaskId}`))
  const [id] = await bench.run({ ImageId })
  await bench.until(id!, 'running')
  await bench.ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: [id!] }))
  await bench.ec2.send(new sdk.DeregisterImageCommand({ ImageId, DeleteAssociatedSnapshots: true }))
  await untilTrue(bench, async () => (await own()).length === 0, 'its snapshots stay')
})

test('a snapshot becomes an image, and stays', async () => {
  const volume = await makeVolume(bench, { Size: 2 })
  await bench.server.engine.disks.writeBlock(volume, 0, boot)
  const SnapshotId = await makeSnapshot(bench, volume)
  const { Status, SnapshotDetails, StatusMessage, ImageId } = await imported({ DiskContainers: [{ SnapshotId }] })
  assert.equal(Status, 'completed', StatusMessage)
  const [made] = SnapshotDetails!
  assert.deepEqual((await own()).map(one => one.SnapshotId).sort(), [SnapshotId, made!.SnapshotId!].sort())
  assert.deepEqual(await firstOf(made!.SnapshotId!), boot)
  await bench.ec2.send(new sdk.DeregisterImageCommand({ ImageId, DeleteAssociatedSnapshots: true }))
  await bench.ec2.send(new sdk.DeleteSnapshotCommand({ SnapshotId }))
})

test('what holds no system, is not there or is cancelled leaves neither image nor snapshot', async () => {
  const said = []
  for (const key of ['data.raw', 'nothing', 'empty']) {
    const { Status, StatusMessage, ImageId } = await imported({ DiskContainers: [container(key)] })
    assert.deepEqual([Status, ImageId], ['deleted', undefined])
    said.push(StatusMessage)
  }
  assert.match(String(said), /Unknown OS \/ Missing OS files.*no object s3:\/\/disks\/nothing.*the object is empty/)
  const { ImportTaskId } = await bench.ec2.send(new sdk.ImportImageCommand({ DiskContainers: [container('root.raw')] }))
  const cancel = () => bench.ec2.send(new sdk.CancelImportTaskCommand({ ImportTaskId, CancelReason: 'no more' }))
  assert.deepEqual([(await cancel()).State, (await task(ImportTaskId!)).StatusMessage], ['deleted', 'no more'])
  await bench.server.cloud.loop.idle()
  await untilTrue(bench, async () => (await own()).length === 0, 'snapshots are left')
  assert.deepEqual((await bench.ec2.send(new sdk.DescribeImagesCommand({ Owners: ['self'] }))).Images, [])
})
