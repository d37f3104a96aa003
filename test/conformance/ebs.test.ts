/** EBS direct by the SDK: blocks of snapshots read, compared and written. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as ebs from '@aws-sdk/client-ebs'
import * as sdk from '@aws-sdk/client-ec2'
import { BLOCK_BYTES } from '#engine/port'
import { makeSnapshot, makeVolume, untilTrue } from './disk-samples.ts'
import { code, openBench, type Bench } from './kit.ts'
import { keys } from './server.ts'

let bench: Bench
let client: ebs.EBSClient
before(async () => {
  bench = await openBench()
  client = new ebs.EBSClient({ endpoint: bench.server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
})
after(async () => { client.destroy(); await bench.close() })

const block = (byte: number) => new Uint8Array(BLOCK_BYTES).fill(byte)
const sum = (data: Uint8Array) => createHash('sha256').update(data).digest('base64')
const put = (SnapshotId: string, BlockIndex: number, data: Uint8Array, more: Partial<ebs.PutSnapshotBlockCommandInput> = {}) =>
  client.send(new ebs.PutSnapshotBlockCommand({
    SnapshotId, BlockIndex, BlockData: data, DataLength: data.length, Checksum: sum(data), ChecksumAlgorithm: 'SHA256', ...more,
  }))

test('blocks of snapshots are listed, compared and read', async () => {
  const volume = await makeVolume(bench)
  const write = (index: number, byte: number) => bench.server.engine.disks.writeBlock(volume, index, block(byte))
  await write(1, 1)
  await write(5, 5)
  const first = await makeSnapshot(bench, volume)
  await write(5, 6)
  await write(9, 9)
  const second = await makeSnapshot(bench, volume)
  const { Blocks, BlockSize, VolumeSize } = await client.send(new ebs.ListSnapshotBlocksCommand({ SnapshotId: first }))
  assert.deepEqual([Blocks!.map(b => b.BlockIndex), BlockSize, VolumeSize], [[1, 5], BLOCK_BYTES, 8])
  const { ChangedBlocks } = await client.send(new ebs.ListChangedBlocksCommand({ FirstSnapshotId: first, SecondSnapshotId: second }))
  assert.deepEqual(ChangedBlocks!.map(b => [b.BlockIndex, b.FirstBlockToken !== undefined, b.SecondBlockToken !== undefined]), [[5, true,
    true], [9, false, true]])
  const read = await client.send(new ebs.GetSnapshotBlockCommand({ SnapshotId: second, BlockIndex: 5,
    BlockToken: ChangedBlocks![0]!.SecondBlockToken! }))
  assert.deepEqual([await read.BlockData!.transformToByteArray(), read.DataLength, read.Checksum], [block(6), BLOCK_BYTES, sum(block(6))])
  const wrong = new ebs.GetSnapshotBlockCommand({ SnapshotId: second, BlockIndex: 9, BlockToken: ChangedBlocks![0]!.SecondBlockToken! })
  await assert.rejects(client.send(wrong), code('ValidationException'))
  await assert.rejects(client.send(new ebs.ListSnapshotBlocksCommand({ SnapshotId: 'snap-0123456789abcdef0' })), code('ResourceNotFoundException'))
})

test('a snapshot is written block by block over another, and volumes are made of it', async () => {
  const volume = await makeVolume(bench)
  await bench.server.engine.disks.writeBlock(volume, 0, block(1))
  const parent = await makeSnapshot(bench, volume)
  const { SnapshotId = '', Status } = await client.send(new ebs.StartSnapshotCommand({ VolumeSize: 10, ParentSnapshotId: parent,
    Description: 'built' }))
  assert.equal(Status, 'pending')
  await put(SnapshotId, 3, block(3))
  await assert.rejects(put(SnapshotId, 4, block(4), { Checksum: sum(block(5)) }), code('ValidationException', /checksum/))
  await assert.rejects(put(SnapshotId, 10 * 2048, block(4)), code('ValidationException', /no such block/))
  await assert.rejects(put(parent, 3, block(3)), code('ValidationException', /pending/))
  await assert.rejects(client.send(new ebs.CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 2 })), code('ValidationException', /1 blocks/))
  await client.send(new ebs.CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 1 }))
  const seen = async () => (await bench.ec2.send(new sdk.DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }))).Snapshots![0]!
  await untilTrue(bench, async () => (await seen()).State === 'completed', 'it is not completed')
  assert.deepEqual([(await seen()).VolumeSize, (await seen()).Description], [10, 'built'])
  const made = await makeVolume(bench, { SnapshotId, Size: undefined })
  assert.deepEqual(await Promise.all([0, 3].map(index => bench.server.engine.disks.readBlock(made, index))), [block(1), block(3)])
  await assert.rejects(put(SnapshotId, 4, block(4)), code('ValidationException'))
})
