/** S3 by the SDK for JavaScript: objects, conditions, ranges, checksums, listings, versions, copies. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-s3'
import { openS3Bench, outcome } from './s3-bench.ts'

const md5 = (bytes: string | Uint8Array) => createHash('md5').update(bytes).digest('hex')

test('what is put comes back: bytes, type, metadata, tags, dates and the ETag', async t => {
  const { s3, Bucket, put, get } = await openS3Bench(t)
  const body = randomBytes(300_000)
  const made = await put('a folder/ü + x&y=%25.bin', body, {
    ContentType: 'image/png', ContentEncoding: 'br', CacheControl: 'max-age=1', ContentDisposition: 'inline', ContentLanguage: 'fr',
    Expires: new Date('2030-01-02T03:04:05Z'), Metadata: { colour: 'blue', 'two-words': 'a, "b"' }, Tagging: 'team=a%20b&x=',
  })
  assert.equal(made.ETag, `"${md5(body)}"`)
  assert.equal(made.ServerSideEncryption, 'AES256')
  const got = await get('a folder/ü + x&y=%25.bin')
  assert.deepEqual(Buffer.from(await got.Body!.transformToByteArray()), body)
  const { ContentType, ContentEncoding, CacheControl, ContentDisposition, ContentLanguage, ExpiresString, Metadata, TagCount } = got
  assert.deepEqual(
    [ContentType, ContentEncoding, CacheControl, ContentDisposition, ContentLanguage, ExpiresString, Metadata, TagCount],
    ['image/png', 'br', 'max-age=1', 'inline', 'fr', 'Wed, 02 Jan 2030 03:04:05 GMT', { colour: 'blue', 'two-words': 'a, "b"' }, 2],
  )
  assert.deepEqual([got.ContentLength, got.AcceptRanges, got.VersionId], [300_000, 'bytes', undefined])
  const head = await s3.send(new sdk.HeadObjectCommand({ Bucket, Key: 'a folder/ü + x&y=%25.bin' }))
  assert.deepEqual([head.ContentLength, head.ETag, head.ContentType], [300_000, made.ETag, 'image/png'])
  const tags = await s3.send(new sdk.GetObjectTaggingCommand({ Bucket, Key: 'a folder/ü + x&y=%25.bin' }))
  assert.deepEqual(tags.TagSet, [{ Key: 'team', Value: 'a b' }, { Key: 'x', Value: '' }])
})

test('empty objects, odd keys and a stream of unknown length are stored', async t => {
  const { s3, Bucket, put, text } = await openS3Bench(t)
  const odd = ['/leading', 'trailing/', 'a//b', '.', '..', '../../etc/passwd', 'a/../b', '%2e%2e%2f', '\u0001\u007f', '日本', '😀', ' ']
  for (const key of ['empty', ...odd]) {
    await put(key, key === 'empty' ? '' : `<${key}>`)
  }
  assert.equal(await text('empty'), '')
  assert.equal(await text('../../etc/passwd'), '<../../etc/passwd>')
  assert.equal(await text('/leading'), '</leading>')
  const pieces = Array.from({ length: 50 }, (_, i) => Buffer.alloc(10_000, i))
  const stream = Readable.from(pieces)
  await s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'streamed', Body: stream, ContentLength: 500_000 }))
  const back = await (await s3.send(new sdk.GetObjectCommand({ Bucket, Key: 'streamed' }))).Body!.transformToByteArray()
  assert.deepEqual(Buffer.from(back), Buffer.concat(pieces))
  const listed = await s3.send(new sdk.ListObjectsV2Command({ Bucket, EncodingType: 'url' }))
  const keys = listed.Contents!.map(({ Key }) => decodeURIComponent(Key!))
  assert.equal(keys.length, 14)
  assert.equal(keys[0], '\u0001\u007f')
  assert.deepEqual(keys, keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
})

test('ranges and parts of objects', async t => {
  const { put, get, s3, Bucket } = await openS3Bench(t)
  await put('digits', '0123456789')
  const range = async (Range: string) => {
    const got = await get('digits', { Range })
    return `${got.$metadata.httpStatusCode} ${got.ContentRange} ${await got.Body!.transformToString()}`
  }
  assert.equal(await range('bytes=2-4'), '206 bytes 2-4/10 234')
  assert.equal(await range('bytes=7-'), '206 bytes 7-9/10 789')
  assert.equal(await range('bytes=-2'), '206 bytes 8-9/10 89')
  assert.equal(await range('bytes=5-500'), '206 bytes 5-9/10 56789')
  assert.equal(await range('bytes=4-2'), '200 undefined 0123456789')
  assert.equal(await range('lines=1-2'), '200 undefined 0123456789')
  assert.equal(await outcome(get('digits', { Range: 'bytes=10-' })), 'InvalidRange')
  const big = randomBytes(3_000_000)
  await put('big', big)
  for (const [start, end] of [[0, 0], [1, 17], [15, 16], [1_048_570, 1_048_590], [2_999_999, 2_999_999]] as const) {
    const got = await get('big', { Range: `bytes=${start}-${end}` })
    assert.deepEqual(Buffer.from(await got.Body!.transformToByteArray()), big.subarray(start, end + 1))
  }
  const head = await s3.send(new sdk.HeadObjectCommand({ Bucket, Key: 'digits', Range: 'bytes=2-4' }))
  assert.deepEqual([head.ContentLength, head.ContentRange], [3, 'bytes 2-4/10'])
})

test('conditions of reads and writes hold', async t => {
  const { put, get, s3, Bucket } = await openS3Bench(t)
  const { ETag } = await put('a', 'one')
  assert.equal(await outcome(get('a', { IfMatch: ETag })), 'success')
  assert.equal(await outcome(get('a', { IfMatch: '"other"' })), 'PreconditionFailed')
  assert.equal(await outcome(get('a', { IfModifiedSince: new Date(Date.now() - 60_000) })), 'success')
  assert.equal(await outcome(get('a', { IfUnmodifiedSince: new Date(Date.now() - 60_000) })), 'PreconditionFailed')
  const unchanged = await get('a', { IfNoneMatch: ETag }).catch((error: sdk.S3ServiceException) => error)
  assert.equal(unchanged.$metadata.httpStatusCode, 304)
  assert.equal(await outcome(put('a', 'two', { IfNoneMatch: '*' })), 'PreconditionFailed')
  assert.equal(await outcome(put('b', 'two', { IfNoneMatch: '*' })), 'success')
  assert.equal(await outcome(put('a', 'two', { IfMatch: '"other"' })), 'PreconditionFailed')
  assert.equal(await outcome(put('a', 'two', { IfMatch: ETag })), 'success')
  assert.equal(await outcome(put('none', 'two', { IfMatch: ETag })), 'NoSuchKey')
  const race = await Promise.all(Array.from({ length: 20 }, (_, i) => outcome(put('race', `${i}`, { IfNoneMatch: '*' }))))
  assert.equal(race.filter(result => result === 'success').length, 1)
  assert.equal(await outcome(s3.send(new sdk.DeleteObjectCommand({ Bucket, Key: 'a', IfMatch: ETag }))), 'PreconditionFailed')
})

test('all five checksums are checked, kept and told; a wrong one or a wrong MD5 leaves nothing', async t => {
  const { put, get, s3, Bucket } = await openS3Bench(t)
  const known: Record<string, string> = {
    CRC32: 'y/Q5Jg==', CRC32C: '4waSgw==', CRC64NVME: 'rosUhgp5mIg=', SHA1: '98O8HYCOBHMq32eZZczDTKeuNEE=',
    SHA256: createHash('sha256').update('123456789').digest('base64'),
  }
  for (const [name, value] of Object.entries(known)) {
    const member = `Checksum${name}` as 'ChecksumCRC32'
    assert.equal((await put(name, '123456789', { ChecksumAlgorithm: name as 'CRC32' }))[member], value, name)
    assert.equal((await get(name, { ChecksumMode: 'ENABLED' }))[member], value, name)
    const attributes = await s3.send(new sdk.GetObjectAttributesCommand({ Bucket, Key: name, ObjectAttributes: ['Checksum', 'ObjectSize', 'ETag'] }))
    assert.deepEqual([attributes.Checksum?.[member], attributes.ObjectSize, attributes.ETag], [value, 9, md5('123456789')])
    assert.equal(await outcome(put('wrong', 'other bytes', { [member]: value })), 'BadDigest', name)
  }
  assert.equal(await outcome(put('wrong', 'x', { ContentMD5: createHash('md5').update('y').digest('base64') })), 'BadDigest')
  assert.equal(await outcome(put('wrong', 'x', { ContentMD5: 'nonsense' })), 'InvalidDigest')
  assert.equal(await outcome(get('wrong')), 'NoSuchKey')
})

test('listings have prefixes, delimiters, pages and start points', async t => {
  const { s3, Bucket, put } = await openS3Bench(t)
  const names = ['a.txt', 'docs/1', 'docs/2', 'docs/sub/3', 'docs/sub/4', 'photos/x', 'z']
  for (const name of names) await put(name, name)
  const list = async (more: Partial<sdk.ListObjectsV2CommandInput>) => {
    const found: string[] = []
    let ContinuationToken: string | undefined
    let pages = 0
    do {
      const page: sdk.ListObjectsV2CommandOutput = await s3.send(new sdk.ListObjectsV2Command({ Bucket, ContinuationToken, ...more }))
      found.push(...page.Contents?.map(({ Key }) => Key!) ?? [], ...page.CommonPrefixes?.map(({ Prefix }) => Prefix!) ?? [])
      assert.equal(page.KeyCount, (page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0))
      ContinuationToken = page.NextContinuationToken
      pages += 1
    } while (ContinuationToken)
    return `${pages}: ${found.sort().join(' ')}`
  }
  assert.equal(await list({}), `1: ${names.join(' ')}`)
  assert.equal(await list({ MaxKeys: 2 }), `4: ${names.join(' ')}`)
  assert.equal(await list({ Delimiter: '/' }), '1: a.txt docs/ photos/ z')
  assert.equal(await list({ Delimiter: '/', MaxKeys: 1 }), '4: a.txt docs/ photos/ z')
  assert.equal(await list({ Delimiter: '/', Prefix: 'docs/' }), '1: docs/1 docs/2 docs/sub/')
  assert.equal(await list({ StartAfter: 'docs/2' }), '1: docs/sub/3 docs/sub/4 photos/x z')
  assert.equal(await list({ Prefix: 'nothing' }), '1: ')
  assert.equal(await list({ MaxKeys: 0 }), '1: ')
  const first = await s3.send(new sdk.ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2 }))
  assert.deepEqual([first.IsTruncated, first.NextMarker], [true, 'docs/'])
  const second = await s3.send(new sdk.ListObjectsCommand({ Bucket, Delimiter: '/', Marker: first.NextMarker }))
  assert.deepEqual([second.CommonPrefixes, second.Contents?.map(({ Key }) => Key)], [[{ Prefix: 'photos/' }], ['z']])
  assert.equal(await outcome(s3.send(new sdk.ListObjectsV2Command({ Bucket, ContinuationToken: 'nonsense!' }))), 'InvalidArgument')
})

test('versions are kept, hidden by markers, listed newest first, and can be taken away one by one', async t => {
  const { s3, Bucket, put, text, get, enable } = await openS3Bench(t)
  await put('k', 'before')
  await enable()
  const one = await put('k', 'one')
  const two = await put('k', 'two')
  assert.ok(one.VersionId && two.VersionId && one.VersionId !== two.VersionId)
  assert.equal(await text('k'), 'two')
  assert.equal(await text('k', { VersionId: one.VersionId }), 'one')
  assert.equal(await text('k', { VersionId: 'null' }), 'before')
  const gone = await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key: 'k' }))
  assert.equal(gone.DeleteMarker, true)
  assert.equal(await outcome(get('k')), 'NoSuchKey')
  assert.equal(await outcome(get('k', { VersionId: gone.VersionId })), 'MethodNotAllowed')
  const all = await s3.send(new sdk.ListObjectVersionsCommand({ Bucket }))
  assert.deepEqual(all.Versions!.map(v => [v.VersionId, v.IsLatest]), [[two.VersionId, false], [one.VersionId, false], ['null', false]])
  assert.deepEqual(all.DeleteMarkers!.map(v => [v.VersionId, v.IsLatest]), [[gone.VersionId, true]])
  const page = await s3.send(new sdk.ListObjectVersionsCommand({ Bucket, MaxKeys: 2 }))
  const rest = await s3.send(new sdk.ListObjectVersionsCommand({ Bucket, KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }))
  assert.deepEqual(rest.Versions!.map(v => v.VersionId), [one.VersionId, 'null'])
  await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key: 'k', VersionId: gone.VersionId }))
  assert.equal(await text('k'), 'two')
  await enable('Suspended')
  assert.equal((await put('k', 'null again')).VersionId, 'null')
  assert.equal(await outcome(s3.send(new sdk.DeleteBucketCommand({ Bucket }))), 'BucketNotEmpty')
  const left = await s3.send(new sdk.ListObjectVersionsCommand({ Bucket }))
  const Objects = [...left.Versions!, ...left.DeleteMarkers ?? []].map(({ Key, VersionId }) => ({ Key, VersionId }))
  assert.equal(Objects.length, 3)
  const deleted = await s3.send(new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
  assert.equal(deleted.Deleted!.length, 3)
  assert.equal(await outcome(s3.send(new sdk.DeleteBucketCommand({ Bucket }))), 'success')
})

test('copies keep or replace what stands beside the bytes, and outlive their source', async t => {
  const { s3, Bucket, put, get, text, enable } = await openS3Bench(t)
  const source = await put('from/a b', 'bytes', { ContentType: 'text/x-a', Metadata: { a: '1' }, Tagging: 't=1' })
  const copy = (Key: string, more: Partial<sdk.CopyObjectCommandInput> = {}) =>
    s3.send(new sdk.CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${encodeURIComponent('from/a b')}`, ...more }))
  assert.equal((await copy('kept')).CopyObjectResult!.ETag, source.ETag)
  await copy('replaced', { MetadataDirective: 'REPLACE', ContentType: 'text/x-b', Metadata: { b: '2' }, TaggingDirective: 'REPLACE', Tagging: 'u=2' })
  assert.equal(await outcome(copy('from/a b')), 'InvalidRequest')
  assert.equal(await outcome(copy('x', { CopySourceIfNoneMatch: source.ETag })), 'PreconditionFailed')
  assert.equal(await outcome(copy('x', { CopySource: `${Bucket}/nothing` })), 'NoSuchKey')
  assert.equal(await outcome(copy('x', { CopySource: 'nonsense' })), 'InvalidArgument')
  await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key: 'from/a b' }))
  const [kept, replaced] = [await get('kept'), await get('replaced')]
  assert.deepEqual([kept.ContentType, kept.Metadata, kept.TagCount], ['text/x-a', { a: '1' }, 1])
  assert.deepEqual([replaced.ContentType, replaced.Metadata], ['text/x-b', { b: '2' }])
  assert.deepEqual([await kept.Body!.transformToString(), await replaced.Body!.transformToString()], ['bytes', 'bytes'])
  await enable()
  const old = await put('v', 'old')
  await put('v', 'new')
  await s3.send(new sdk.CopyObjectCommand({ Bucket, Key: 'v', CopySource: `${Bucket}/v?versionId=${old.VersionId}` }))
  assert.equal(await text('v'), 'old')
})

test('what is asked for and not done is refused by name', async t => {
  const { s3, Bucket, put } = await openS3Bench(t)
  const refused = async (sent: Promise<unknown>, words: RegExp) => assert.rejects(sent, (error: Error) => {
    assert.equal(error.name, 'NotImplemented', error.message)
    assert.match(error.message, words)
    return true
  })
  await refused(put('x', 'x', { ServerSideEncryption: 'aws:kms' }), /aws:kms/)
  await refused(put('x', 'x', { StorageClass: 'GLACIER' }), /GLACIER/)
  await refused(put('x', 'x', { SSECustomerAlgorithm: 'AES256', SSECustomerKey: 'a'.repeat(32) }), /SSECustomerAlgorithm/)
  await refused(s3.send(new sdk.PutBucketReplicationCommand({ Bucket, ReplicationConfiguration: { Role: 'r', Rules: [] } })), /PutBucketReplication/)
  await refused(s3.send(new sdk.PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} })), /NotificationConfiguration/)
  await refused(s3.send(new sdk.RestoreObjectCommand({ Bucket, Key: 'x', RestoreRequest: { Days: 1 } })), /RestoreObject/)
  assert.equal(await outcome(put('x', 'x', { ACL: 'public-read' })), 'AccessControlListNotSupported')
  const listed = await s3.send(new sdk.ListObjectsV2Command({ Bucket }))
  assert.equal(listed.KeyCount, 0)
})
