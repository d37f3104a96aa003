/** Disks and images as objects of buckets, by the SDK: imported raw, stored and restored. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import * as sdk from '@aws-sdk/client-ec2'
import * as s3 from '@aws-sdk/client-s3'
import { BLOCK_BYTES } from '#engine/port'
import { makeImportRole, makeSnapshot, makeVolume, registration, untilTrue } from './disk-samples.ts'
import { code, openBench, type Bench } from './kit.ts'
import { keys } from './server.ts'

let bench: Bench
let objects: s3.S3Client
before(async () => {
  bench = await openBench()
  objects = new s3.S3Client({ endpoint: bench.server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1, forcePathStyle: true })
  await objects.send(new s3.CreateBucketCommand({ Bucket: 'disks' }))
})
after(async () => { objects.destroy(); await bench.close() })

const put = (Key: string, Body: Uint8Array) => objects.send(new s3.PutObjectCommand({ Bucket: 'disks', Key, Body }))
const container = (S3Key: string) => ({ Format: 'RAW', UserBucket: { S3Bucket: 'disks', S3Key } })
const task = async (id: string) =>
  (await bench.ec2.send(new sdk.DescribeImportSnapshotTasksCommand({ ImportTaskIds: [id] }))).ImportSnapshotTasks![0]!.SnapshotTaskDetail!
async function imported(input: sdk.ImportSnapshotCommandInput): Promise<sdk.SnapshotTaskDetail> {
  const { ImportTaskId } = await bench.ec2.send(new sdk.ImportSnapshotCommand(input))
  await untilTrue(bench, async () => (await task(ImportTaskId!)).Status !== 'active', 'the import does not end')
  return task(ImportTaskId!)
}
const image = async (id: string) => (await bench.ec2.send(new sdk.DescribeImagesCommand({ ImageIds: [id] }))).Images![0]!
async function disk(id: string): Promise<unknown[][]> {
  const blocks: unknown[][] = []
  for await (const { index, data } of bench.server.engine.disks.contents(id)) blocks.push([index, data])
  return blocks
}
const plain = (blocks: unknown[][]) => blocks.map(([index, data]) => [index, Buffer.from(data as Uint8Array).toString('base64')])

test('a raw disk is imported only by whoever has the service role', async () => {
  const asked = new sdk.ImportSnapshotCommand({ DiskContainer: container('raw') })
  await assert.rejects(bench.ec2.send(asked), code('InvalidParameter', /service role vmimport/))
  await makeImportRole(bench)
  const refused: [sdk.ImportSnapshotCommandInput, string][] = [
    [{ DiskContainer: container('raw'), RoleName: 'other' }, 'InvalidParameter'],
    [{ DiskContainer: { ...container('x'), Format: 'VHDX' } }, 'UnsupportedOperation'],
    [{ DiskContainer: { ...container('x'), Format: 'VHD' } }, 'UnsupportedOperation'],
    [{ DiskContainer: { ...container('x'), Format: 'ISO' } }, 'InvalidParameterValue'],
    [{ DiskContainer: { Format: 'RAW' } }, 'MissingParameter'], [{ DiskContainer: container('x'), Encrypted: true }, 'UnsupportedOperation'],
  ]
  for (const [input, error] of refused) await assert.rejects(bench.ec2.send(new sdk.ImportSnapshotCommand(input)), code(error))
})

test('a raw disk becomes a snapshot with its bytes, its holes left out, and an image can be registered of it', async () => {
  const [one, two] = [randomBytes(BLOCK_BYTES), randomBytes(1000)]
  await put('raw', Buffer.concat([one, Buffer.alloc(BLOCK_BYTES), two]))
  const done = await imported({ Description: 'brought', DiskContainer: container('raw') })
  assert.deepEqual([done.Status, done.Format, done.DiskImageSize, done.Url], ['completed', 'RAW', BLOCK_BYTES * 2 + 1000, undefined])
  const made = (await bench.ec2.send(new sdk.DescribeSnapshotsCommand({ SnapshotIds: [done.SnapshotId!] }))).Snapshots![0]!
  assert.deepEqual([made.State, made.VolumeSize, made.Description], ['completed', 1, 'brought'])
  assert.deepEqual(plain(await disk(done.SnapshotId!)), plain([[0, one], [2, Buffer.concat([two, Buffer.alloc(BLOCK_BYTES - 1000)])]]))
  const again = await imported({ DiskContainer: { Format: 'raw', Url: 's3://disks/raw' } })
  assert.deepEqual([again.Status, again.Url], ['completed', 's3://disks/raw'])
  const { ImageId } = await bench.ec2.send(new sdk.RegisterImageCommand(registration(done.SnapshotId!, 'imported')))
  assert.equal((await image(ImageId!)).State, 'available')
})

test('an object that is not there, or is empty, is told in the task, and leaves no snapshot', async () => {
  const count = async () => (await bench.ec2.send(new sdk.DescribeSnapshotsCommand({ OwnerIds: ['self'] }))).Snapshots!.length
  const before = await count()
  await put('empty', new Uint8Array())
  const said = []
  for (const key of ['nothing', 'empty']) {
    const { Status, StatusMessage, SnapshotId } = await imported({ DiskContainer: container(key) })
    said.push([Status, SnapshotId, StatusMessage])
  }
  assert.deepEqual(said.map(([status, id]) => [status, id]), Array(2).fill(['deleted', undefined]))
  assert.match(String(said), /no object s3:\/\/disks\/nothing.*the object is empty/)
  await bench.server.cloud.loop.idle()
  assert.equal(await count(), before)
})

const exported = async (id: string) =>
  (await bench.ec2.send(new sdk.DescribeExportImageTasksCommand({ ExportImageTaskIds: [id] }))).ExportImageTasks![0]!

test('an image is exported as VMDK, and becomes a snapshot with its bytes', async () => {
  const root = await makeVolume(bench, { Size: 1 })
  for (const index of [0, 5, 2047]) await bench.server.engine.disks.writeBlock(root, index, randomBytes(BLOCK_BYTES))
  const from = await makeSnapshot(bench, root)
  const { ImageId } = await bench.ec2.send(new sdk.RegisterImageCommand(registration(from, 'to export')))
  const asked = { ImageId, DiskImageFormat: 'VMDK' as const, Description: 'out', S3ExportLocation: { S3Bucket: 'disks', S3Prefix: 'exports/' } }
  const { ExportImageTaskId: id, Status } = await bench.ec2.send(new sdk.ExportImageCommand(asked))
  assert.equal(Status, 'active')
  await untilTrue(bench, async () => (await exported(id!)).Status !== 'active', 'the export does not end')
  const { Status: end, StatusMessage, S3ExportLocation, ...task } = await exported(id!)
  assert.deepEqual([end, task.ImageId, task.Description, S3ExportLocation], ['completed', ImageId, 'out', asked.S3ExportLocation], StatusMessage)
  const UserBucket = { S3Bucket: 'disks', S3Key: `exports/${id}.vmdk` }
  const { ContentLength } = await objects.send(new s3.HeadObjectCommand({ Bucket: 'disks', Key: UserBucket.S3Key }))
  assert.ok(ContentLength! < 4 * BLOCK_BYTES)
  const done = await imported({ DiskContainer: { Format: 'VMDK', UserBucket } })
  assert.deepEqual([done.Status, done.Format, done.DiskImageSize], ['completed', 'VMDK', ContentLength], done.StatusMessage)
  assert.deepEqual(plain(await disk(done.SnapshotId!)), plain(await disk(from)))
  await assert.rejects(bench.ec2.send(new sdk.CancelExportTaskCommand({ ExportTaskId: id })), code('IncorrectState'))
})

test('an image that can\'t be exported is refused, an export that fails says so, and one that is cancelled leaves no object', async () => {
  const root = await makeVolume(bench, { Size: 1 })
  const from = await makeSnapshot(bench, root)
  const { ImageId } = await bench.ec2.send(new sdk.RegisterImageCommand(registration(from, 'to refuse')))
  const asked: sdk.ExportImageCommandInput = { ImageId, DiskImageFormat: 'VMDK', S3ExportLocation: { S3Bucket: 'nowhere-at-all' } }
  const amazon = (await bench.ec2.send(new sdk.DescribeImagesCommand({ Owners: ['amazon'] }))).Images![0]!.ImageId
  const { ImageId: several } = await bench.ec2.send(new sdk.RegisterImageCommand({ ...registration(from, 'several'), BlockDeviceMappings: [
    ...registration(from, 'x').BlockDeviceMappings!, { DeviceName: '/dev/sdf', Ebs: { SnapshotId: from } },
  ] }))
  const refused: [Partial<sdk.ExportImageCommandInput>, string][] = [
    [{ DiskImageFormat: 'VHD' }, 'UnsupportedOperation'], [{ DiskImageFormat: 'ISO' as 'VHD' }, 'InvalidParameterValue'],
    [{ RoleName: 'other' }, 'InvalidParameter'], [{ ImageId: amazon }, 'AuthFailure'], [{ ImageId: several }, 'UnsupportedOperation'],
    [{ ImageId: 'ami-0123456789abcdef0' }, 'InvalidAMIID.NotFound'],
  ]
  for (const [more, error] of refused) await assert.rejects(bench.ec2.send(new sdk.ExportImageCommand({ ...asked, ...more })), code(error))
  const { ExportImageTaskId: failing } = await bench.ec2.send(new sdk.ExportImageCommand(asked))
  await untilTrue(bench, async () => (await exported(failing!)).Status !== 'active', 'the export does not end')
  const { Status, StatusMessage } = await exported(failing!)
  assert.equal(Status, 'deleted')
  assert.match(StatusMessage!, /bucket/)
  const elsewhere = { ...asked, S3ExportLocation: { S3Bucket: 'disks', S3Prefix: 'not/' } }
  const { ExportImageTaskId: id } = await bench.ec2.send(new sdk.ExportImageCommand(elsewhere))
  await bench.ec2.send(new sdk.CancelExportTaskCommand({ ExportTaskId: id }))
  await bench.server.cloud.loop.idle()
  assert.equal((await exported(id!)).Status, 'deleted')
  assert.equal((await objects.send(new s3.ListObjectsV2Command({ Bucket: 'disks', Prefix: 'not/' }))).KeyCount, 0)
})

test('an image is stored in a bucket and restored from it, with all its disks and its name', async () => {
  const [root, data] = [await makeVolume(bench), await makeVolume(bench, { Size: 2 })]
  for (const [id, index] of [[root, 3], [root, 9], [data, 1]] as const) {
    await bench.server.engine.disks.writeBlock(id, index, randomBytes(BLOCK_BYTES))
  }
  const [first, second] = [await makeSnapshot(bench, root), await makeSnapshot(bench, data)]
  const asked = registration(first, 'to store')
  const { ImageId } = await bench.ec2.send(new sdk.RegisterImageCommand({
    ...asked, Description: 'kept', BlockDeviceMappings: [...asked.BlockDeviceMappings!, { DeviceName: '/dev/sdf', Ebs: { SnapshotId: second } }],
  }))
  const { ObjectKey } = await bench.ec2.send(new sdk.CreateStoreImageTaskCommand({
    ImageId, Bucket: 'disks', S3ObjectTags: [{ Key: 'kind', Value: 'ami' }],
  }))
  assert.equal(ObjectKey, `${ImageId}.bin`)
  const stored = async () => (await bench.ec2.send(new sdk.DescribeStoreImageTasksCommand({ ImageIds: [ImageId!] }))).StoreImageTaskResults![0]!
  await untilTrue(bench, async () => (await stored()).StoreTaskState !== 'InProgress', 'the image is not stored')
  const { StoreTaskState, ProgressPercentage, Bucket, S3objectKey, StoreTaskFailureReason } = await stored()
  assert.deepEqual([StoreTaskState, ProgressPercentage, Bucket, S3objectKey], ['Completed', 100, 'disks', ObjectKey], StoreTaskFailureReason)
  const { TagSet } = await objects.send(new s3.GetObjectTaggingCommand({ Bucket: 'disks', Key: ObjectKey! }))
  assert.deepEqual(TagSet, [{ Key: 'kind', Value: 'ami' }])

  const restore = (Name: string) => bench.ec2.send(new sdk.CreateRestoreImageTaskCommand({ Bucket: 'disks', ObjectKey, Name }))
  await assert.rejects(restore('to store'), code('InvalidAMIName.Duplicate'))
  const { ImageId: restored } = await restore('restored')
  await untilTrue(bench, async () => (await image(restored!)).State !== 'pending', 'the image is not restored')
  const { State, StateReason, Name, Description, BlockDeviceMappings, RootDeviceName } = await image(restored!)
  assert.deepEqual([State, Name, Description, RootDeviceName], ['available', 'restored', 'kept', '/dev/xvda'], StateReason?.Message)
  assert.deepEqual(BlockDeviceMappings!.map(({ DeviceName, Ebs }) => [DeviceName, Ebs!.VolumeSize]), [['/dev/xvda', 8], ['/dev/sdf', 2]])
  const ids = BlockDeviceMappings!.map(({ Ebs }) => Ebs!.SnapshotId!)
  assert.deepEqual([plain(await disk(ids[0]!)), plain(await disk(ids[1]!))], [plain(await disk(first)), plain(await disk(second))])
})

test('what is no stored image becomes a failed one with the reason, and leaves no snapshot', async () => {
  const header = (value: unknown) => {
    const text = Buffer.from(JSON.stringify(value))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(text.length)
    return Buffer.concat([Buffer.from('ENCLUME-AMI 1\n'), length, text])
  }
  const mapping = { device: '/dev/xvda', ebs: { disk: 0, sizeGiB: 1, type: 'gp3', deleteOnTermination: true } }
  const good = {
    image: { name: 'x', description: '', architecture: 'x86_64', rootDevice: '/dev/xvda', user: '', tags: {}, mappings: [mapping] },
    disks: [{ sizeGiB: 1 }],
  }
  const withEbs = (more: object) => header({ ...good, image: { ...good.image, mappings: [{ ...mapping, ebs: { ...mapping.ebs, ...more } }] } })
  const bad: [Buffer, RegExp][] = [
    [Buffer.from('not compressed'), /header/], [gzipSync('something else entirely'), /no stored image/], [gzipSync(header(good)), /too early/],
    [gzipSync(header({ ...good, disks: [{ sizeGiB: 0.5 }] })), /no disks/],
    [gzipSync(withEbs({ disk: 4 })), /disk that it has not/],
    [gzipSync(withEbs({ type: 'no' })), /volume type/],
    [gzipSync(Buffer.concat([header(good), Buffer.from([0, 0, 0, 9, 0, 0, 0, 0])])), /disk that it has not/],
    [gzipSync(Buffer.concat([header(good), Buffer.from([0, 0, 0, 0, 0xff, 0, 0, 0]), Buffer.alloc(BLOCK_BYTES)])), /no such block/],
  ]
  const count = async () => (await bench.ec2.send(new sdk.DescribeSnapshotsCommand({ OwnerIds: ['self'] }))).Snapshots!.length
  const before = await count()
  for (const [n, [body, reason]] of bad.entries()) {
    const ObjectKey = `ami-${n}.bin`
    await put(ObjectKey, body)
    const { ImageId } = await bench.ec2.send(new sdk.CreateRestoreImageTaskCommand({ Bucket: 'disks', ObjectKey, Name: `bad ${n}` }))
    await untilTrue(bench, async () => (await image(ImageId!)).State !== 'pending', `${reason}`)
    const { State, StateReason } = await image(ImageId!)
    assert.equal(State, 'failed')
    assert.match(StateReason!.Message!, reason)
  }
  await bench.server.cloud.loop.idle()
  assert.equal(await count(), before)
})
