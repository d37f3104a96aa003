/** S3's own condition keys, in policies of users and buckets; and deletions of which some may be and some not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-s3'
import { Sha256 } from '@smithy/core/checksum'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import { openS3Bench, outcome, userOf } from './s3-bench.ts'

const Version = '2012-10-17'
const objects = 'arn:aws:s3:::a-bucket/*'
const may = (...Statement: object[]) => JSON.stringify({ Version, Statement: Statement.map(one => ({ Effect: 'Allow', ...one })) })

/** A link that is good for an hour. */
async function linkOf(s3: sdk.S3Client, url: string): Promise<string> {
  const { hostname, host, port, pathname } = new URL(url)
  const signer = new SignatureV4({ credentials: s3.config.credentials, region: 'us-east-1', service: 's3', uriEscapePath: false, sha256: Sha256 })
  const headers = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
  const request = new HttpRequest({ protocol: 'http:', hostname, port: Number(port), path: pathname, headers })
  const { query } = await signer.presign(request, { expiresIn: 3600 })
  return `${url}?${new URLSearchParams(query as Record<string, string>)}`
}

test('tags of objects and of requests say who may read, write and tag', async t => {
  const bench = await openS3Bench(t)
  const { Bucket, put, enable } = bench
  await put('open', 'x', { Tagging: 'class=open' })
  await put('secret', 'x', { Tagging: 'class=secret' })
  await put('plain', 'x')
  const one = await userOf(bench, t, may(
    { Action: ['s3:GetObject', 's3:GetObjectVersion'], Resource: objects, Condition: { StringEquals: { 's3:ExistingObjectTag/class': 'open' } } },
    { Action: 's3:PutObject', Resource: objects },
    { Action: 's3:PutObjectTagging', Resource: objects, Condition: {
      StringEquals: { 's3:RequestObjectTag/class': 'open' }, 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['class', 'by'] } } },
  ))
  const ask = (command: any) => outcome(one.send(command))
  const read = (Key: string, VersionId?: string) => ask(new sdk.GetObjectCommand({ Bucket, Key, VersionId }))
  assert.deepEqual([await read('open'), await read('secret'), await read('plain')], ['success', 'AccessDenied', 'AccessDenied'])
  const write = (Tagging: string) => ask(new sdk.PutObjectCommand({ Bucket, Key: 'new', Body: 'x', Tagging }))
  assert.deepEqual([await write('class=open&by=me'), await write('class=secret'), await write('class=open&more=1')],
    ['success', 'AccessDenied', 'AccessDenied'])
  const tag = (Value: string) => ask(new sdk.PutObjectTaggingCommand({ Bucket, Key: 'secret', Tagging: { TagSet: [{ Key: 'class', Value }] } }))
  assert.deepEqual([await tag('secret'), await tag('open'), await read('secret')], ['AccessDenied', 'success', 'success'])
  const copy = (Key: string) => ask(new sdk.CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${Key}`, TaggingDirective: 'REPLACE' }))
  assert.deepEqual([await copy('open'), await copy('plain')], ['success', 'AccessDenied'])
  await enable()
  const { VersionId } = await put('open', 'y')
  assert.deepEqual([await read('open'), await read('open', 'null'), await read('open', VersionId)], ['AccessDenied', 'success', 'AccessDenied'])
})

test('what a request asks in its parameters and headers is asked of policies', async t => {
  const bench = await openS3Bench(t)
  const { Bucket } = bench
  const one = await userOf(bench, t, may(
    { Action: 's3:ListBucket', Resource: 'arn:aws:s3:::a-bucket',
      Condition: { StringLike: { 's3:prefix': 'mine/*' }, NumericLessThanEquals: { 's3:max-keys': '10' }, StringEquals: { 's3:delimiter': '/' } } },
    { Action: 's3:PutObject', Resource: 'arn:aws:s3:::a-bucket/acl/*', Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } } },
    { Action: 's3:PutObject', Resource: 'arn:aws:s3:::a-bucket/once/*',
      Condition: { Null: { 's3:if-none-match': 'false' }, Bool: { 's3:ObjectCreationOperation': 'true' } } },
    { Action: 's3:PutObject', Resource: 'arn:aws:s3:::a-bucket/once/*', Condition: { Bool: { 's3:ObjectCreationOperation': 'false' } } },
    { Action: 's3:PutObject', Resource: 'arn:aws:s3:::a-bucket/site/*',
      Condition: { StringLike: { 's3:x-amz-website-redirect-location': '/*', 's3:ResourceAccount': '*' } } },
    { Action: 's3:CreateBucket', Resource: '*', Condition: { StringEquals: { 's3:locationconstraint': 'eu-west-3' } } },
  ))
  const ask = (command: any) => outcome(one.send(command))
  const list = (Prefix: string, MaxKeys = 5) => ask(new sdk.ListObjectsV2Command({ Bucket, Prefix, MaxKeys, Delimiter: '/' }))
  assert.deepEqual([await list('mine/a'), await list('theirs/'), await list('mine/a', 11)], ['success', 'AccessDenied', 'AccessDenied'])
  const put = (Key: string, more: Partial<sdk.PutObjectCommandInput> = {}) => ask(new sdk.PutObjectCommand({ Bucket, Key, Body: 'x', ...more }))
  assert.deepEqual([await put('acl/a', { ACL: 'bucket-owner-full-control' }), await put('acl/a'), await put('acl/a', { ACL: 'private' })],
    ['success', 'AccessDenied', 'AccessDenied'])
  assert.deepEqual([await put('once/a', { IfNoneMatch: '*' }), await put('once/a'), await put('site/a', { WebsiteRedirectLocation: '/b' }),
    await put('site/a', { WebsiteRedirectLocation: 'https://b' })], ['success', 'AccessDenied', 'success', 'AccessDenied'])
  const { UploadId } = await one.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key: 'once/m' }))
  const { ETag } = await one.send(new sdk.UploadPartCommand({ Bucket, Key: 'once/m', UploadId, PartNumber: 1, Body: 'x' }))
  const complete = (IfNoneMatch?: string) => ask(new sdk.CompleteMultipartUploadCommand({
    Bucket, Key: 'once/m', UploadId, IfNoneMatch, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
  }))
  assert.deepEqual([await complete(), await complete('*')], ['AccessDenied', 'success'])
  const make = (LocationConstraint: any) =>
    ask(new sdk.CreateBucketCommand({ Bucket: 'another-bucket', CreateBucketConfiguration: { LocationConstraint } }))
  assert.deepEqual([await make('eu-west-1'), await make('eu-west-3')], ['AccessDenied', 'success'])
})

test('a bucket can refuse links, those of long ago, unsigned bodies and plain connections', async t => {
  let ageMs = 0
  const bench = await openS3Bench(t, { clock: () => new Date(Date.now() + ageMs) })
  const { s3, Bucket, put, server } = bench
  await put('a', 'x')
  const one = await userOf(bench, t, may({ Action: 's3:*', Resource: '*' }))
  const deny = (Condition: object) => s3.send(new sdk.PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({
    Version, Statement: { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: objects, Condition },
  }) }))
  const link = await linkOf(one, `${server.url}/${Bucket}/a`)
  const ask = async () => [await outcome(one.send(new sdk.GetObjectCommand({ Bucket, Key: 'a' }))), (await fetch(link)).status]
  await deny({ StringEquals: { 's3:authType': 'REST-QUERY-STRING' } })
  assert.deepEqual(await ask(), ['success', 403])
  await deny({ NumericGreaterThan: { 's3:signatureAge': '600000' } })
  assert.deepEqual(await ask(), ['success', 200])
  ageMs = 900_000
  assert.equal((await fetch(link)).status, 403)
  ageMs = 0
  await deny({ StringNotEquals: { 's3:signatureversion': 'AWS4-HMAC-SHA256' } })
  assert.deepEqual(await ask(), ['success', 200])
  await deny({ StringEquals: { 's3:x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })
  assert.deepEqual(await ask(), ['success', 403])
  await deny({ Null: { 's3:TlsVersion': 'true' } })
  assert.deepEqual(await ask(), ['AccessDenied', 403])
})

test('of many keys those that may go do, and each that may not is told', async t => {
  const bench = await openS3Bench(t)
  const { Bucket, put, s3 } = bench
  for (const Key of ['mine/a', 'mine/b', 'theirs/c']) await put(Key, 'x')
  const one = await userOf(bench, t, may({ Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::a-bucket/mine/*' }))
  const Objects = [{ Key: 'mine/a' }, { Key: 'theirs/c' }, { Key: 'mine/b', VersionId: 'null' }]
  const { Deleted, Errors } = await one.send(new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
  assert.deepEqual([Deleted, Errors!.map(({ Key, VersionId, Code }) => [Key, VersionId, Code])],
    [[{ Key: 'mine/a' }], [['theirs/c', undefined, 'AccessDenied'], ['mine/b', 'null', 'AccessDenied']]])
  assert.deepEqual((await s3.send(new sdk.ListObjectsV2Command({ Bucket }))).Contents!.map(({ Key }) => Key), ['mine/b', 'theirs/c'])
})
