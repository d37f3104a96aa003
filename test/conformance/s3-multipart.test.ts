/** S3's multipart uploads by the SDK for JavaScript. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-s3'
import { checksumOf } from '#base/checksum'
import { openS3Bench, outcome, type S3Bench } from './s3-bench.ts'

const MIB = 1 << 20
const parts = [randomBytes(5 * MIB), randomBytes(5 * MIB + 1), randomBytes(1000)]
const whole = Buffer.concat(parts)
const Key = 'big/object'

/** Every piece that there is: those with a file, and the small ones in the tables. */
function files({ server }: S3Bench): string[] {
  const entries = readdirSync(join(server.dir, 's3', 'data'), { recursive: true, withFileTypes: true })
  const db = new DatabaseSync(join(server.dir, 's3.db'), { readOnly: true })
  const small = db.prepare('select id from small').all().map(row => String(row.id))
  db.close()
  return [...entries.filter(entry => entry.isFile()).map(entry => entry.name), ...small]
}

async function begin({ s3, Bucket }: S3Bench, more: Partial<sdk.CreateMultipartUploadCommandInput> = {}): Promise<string> {
  return (await s3.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key, ...more }))).UploadId!
}
async function send({ s3, Bucket }: S3Bench, UploadId: string, more: Partial<sdk.UploadPartCommandInput> = {}): Promise<sdk.CompletedPart[]> {
  return Promise.all(parts.map(async (Body, i) => {
    const PartNumber = i + 1
    const { $metadata: _, ServerSideEncryption: _sse, ...sums } = await s3.send(
      new sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...more }))
    return { ...sums, PartNumber }
  }))
}
type More = Partial<sdk.CompleteMultipartUploadCommandInput>
const complete = ({ s3, Bucket }: S3Bench, UploadId: string, Parts: sdk.CompletedPart[], more: More = {}) =>
  s3.send(new sdk.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }))

test('parts become one object with the ETag of its parts, and each part can be read', async t => {
  const bench = await openS3Bench(t)
  const { s3, Bucket, get } = bench
  const UploadId = await begin(bench, { ContentType: 'text/x-big', Metadata: { a: 'b' } })
  const sent = await send(bench, UploadId)
  const listed = await s3.send(new sdk.ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2 }))
  assert.deepEqual([listed.Parts!.map(({ Size }) => Size), listed.IsTruncated, listed.NextPartNumberMarker],
    [parts.slice(0, 2).map(p => p.length), true, '2'])
  assert.equal((await s3.send(new sdk.ListMultipartUploadsCommand({ Bucket }))).Uploads!.length, 1)
  assert.equal(await outcome(get(Key)), 'NoSuchKey')
  const made = await complete(bench, UploadId, sent)
  const digests = Buffer.concat(parts.map(part => createHash('md5').update(part).digest()))
  assert.equal(made.ETag, `"${createHash('md5').update(digests).digest('hex')}-3"`)
  const got = await get(Key)
  assert.deepEqual([got.ContentType, got.Metadata, got.ContentLength], ['text/x-big', { a: 'b' }, whole.length])
  assert.ok(Buffer.from(await got.Body!.transformToByteArray()).equals(whole))
  const second = await get(Key, { PartNumber: 2 })
  assert.deepEqual([second.PartsCount, second.ContentLength], [3, 5 * MIB + 1])
  assert.ok(Buffer.from(await second.Body!.transformToByteArray()).equals(parts[1]!))
  const across = await get(Key, { Range: `bytes=${5 * MIB - 3}-${5 * MIB + 3}` })
  assert.ok(Buffer.from(await across.Body!.transformToByteArray()).equals(whole.subarray(5 * MIB - 3, 5 * MIB + 4)))
  assert.equal(files(bench).length, 3)
  assert.equal(await outcome(complete(bench, UploadId, sent)), 'NoSuchUpload')
})

test('whole and composite checksums of uploads are computed and checked', async t => {
  const bench = await openS3Bench(t)
  const { get } = bench
  const kinds = [['CRC64NVME', 'FULL_OBJECT'], ['CRC32', 'FULL_OBJECT'], ['CRC32', 'COMPOSITE'], ['SHA256', 'COMPOSITE']] as const
  for (const [ChecksumAlgorithm, ChecksumType] of kinds) {
    const UploadId = await begin(bench, { ChecksumAlgorithm, ChecksumType })
    const sent = await send(bench, UploadId, { ChecksumAlgorithm })
    const member = `Checksum${ChecksumAlgorithm}` as 'ChecksumCRC32'
    const composite = checksumOf(ChecksumAlgorithm, Buffer.concat(sent.map(part => Buffer.from(part[member]!, 'base64'))))
    const wanted = ChecksumType === 'FULL_OBJECT' ? checksumOf(ChecksumAlgorithm, whole) : `${composite}-3`
    if (ChecksumType === 'FULL_OBJECT')
      assert.equal(await outcome(complete(bench, UploadId, sent, { [member]: 'AAAAAA==', ChecksumType })), 'BadDigest')
    const made = await complete(bench, UploadId, sent, { ChecksumType })
    assert.deepEqual([made[member], made.ChecksumType], [wanted, ChecksumType])
    const got = await get(Key, { ChecksumMode: 'ENABLED' })
    await got.Body!.transformToByteArray()
    assert.equal(got[member], wanted)
  }
  assert.equal(await outcome(begin(bench, { ChecksumAlgorithm: 'SHA1', ChecksumType: 'FULL_OBJECT' })), 'InvalidRequest')
})

test('completions that name parts wrongly are refused and can be repeated rightly', async t => {
  const bench = await openS3Bench(t)
  const { s3, Bucket, put } = bench
  const UploadId = await begin(bench)
  const sent = await send(bench, UploadId)
  assert.equal(await outcome(complete(bench, UploadId, sent.toReversed())), 'InvalidPartOrder')
  assert.equal(await outcome(complete(bench, UploadId, [{ ...sent[0], ETag: '"other"' }])), 'InvalidPart')
  assert.equal(await outcome(complete(bench, UploadId, [...sent, { PartNumber: 9, ETag: 'x' }])), 'EntityTooSmall')
  assert.equal(await outcome(complete(bench, UploadId, [])), 'MalformedXML')
  assert.equal(await outcome(s3.send(new sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 10_001, Body: 'x' }))), 'InvalidArgument')
  assert.equal(await outcome(s3.send(new sdk.UploadPartCommand({ Bucket, Key: 'other', UploadId, PartNumber: 1, Body: 'x' }))), 'NoSuchUpload')
  await put(Key, 'already there')
  assert.equal(await outcome(complete(bench, UploadId, sent, { IfNoneMatch: '*' })), 'PreconditionFailed')
  assert.equal(await outcome(complete(bench, UploadId, sent.slice(1))), 'success')
  assert.equal(files(bench).length, 2) // The first part and the object before it are gone.
})

test('aborting frees every part, and a part uploaded again replaces the one before', async t => {
  const bench = await openS3Bench(t)
  const { s3, Bucket } = bench
  const UploadId = await begin(bench)
  await send(bench, UploadId)
  await send(bench, UploadId)
  assert.equal(files(bench).length, 3)
  await s3.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
  assert.deepEqual(files(bench), [])
  assert.equal(await outcome(s3.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }))), 'NoSuchUpload')
})

test('a copy of an upload is one piece: its ETag is its MD5, its checksum the whole\'s', async t => {
  const bench = await openS3Bench(t)
  const { s3, Bucket } = bench
  for (const ChecksumAlgorithm of [undefined, 'SHA256', 'CRC32'] as const) {
    const UploadId = await begin(bench, { ChecksumAlgorithm })
    await complete(bench, UploadId, await send(bench, UploadId, { ChecksumAlgorithm }))
    const { CopyObjectResult: made } = await s3.send(new sdk.CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${Key}` }))
    assert.equal(made!.ETag, `"${createHash('md5').update(whole).digest('hex')}"`)
    const expected = ChecksumAlgorithm && checksumOf(ChecksumAlgorithm, whole)
    assert.deepEqual([made!.ChecksumType, made!.ChecksumSHA256 ?? made!.ChecksumCRC32], [expected && 'FULL_OBJECT', expected])
  }
  const asked = { Bucket, Key: 'again', CopySource: `${Bucket}/copy`, ChecksumAlgorithm: 'CRC64NVME' } as const
  const { CopyObjectResult: again } = await s3.send(new sdk.CopyObjectCommand(asked))
  assert.deepEqual([again!.ChecksumCRC64NVME, again!.ChecksumCRC32], [checksumOf('CRC64NVME', whole), undefined])
  const got = await s3.send(new sdk.HeadObjectCommand({ Bucket, Key: 'copy', PartNumber: 1 }))
  assert.deepEqual([got.PartsCount, got.ContentLength], [undefined, whole.length])
})

test('parts are copied from objects, whole or a range', async t => {
  const bench = await openS3Bench(t)
  const { s3, Bucket, put, get } = bench
  await put('source', whole)
  const UploadId = await begin(bench)
  const copy = (PartNumber: number, CopySourceRange?: string) =>
    s3.send(new sdk.UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber, CopySource: `${Bucket}/source`, CopySourceRange }))
  const first = await copy(1, `bytes=0-${6 * MIB - 1}`)
  const second = await copy(2, `bytes=${6 * MIB}-${whole.length - 1}`)
  assert.equal(await outcome(copy(3, `bytes=0-${whole.length}`)), 'InvalidArgument')
  await complete(bench, UploadId, [first, second].map((made, i) => ({ PartNumber: i + 1, ETag: made.CopyPartResult!.ETag })))
  assert.ok(Buffer.from(await (await get(Key)).Body!.transformToByteArray()).equals(whole))
})
