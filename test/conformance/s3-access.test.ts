/** Who may what in S3: bucket policies, blocked public access, users with policies, links, CORS; requests that are tampered with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-s3'
import { keys } from './server.ts'
import { openS3Bench, outcome, userOf, type S3Bench } from './s3-bench.ts'

const allow = (Action: string | string[], Resource: string | string[], more: object = {}) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource, ...more }] })
const openPublic = ({ s3, Bucket }: S3Bench) => s3.send(new sdk.DeletePublicAccessBlockCommand({ Bucket }))
const setPolicy = ({ s3, Bucket }: S3Bench, Policy: string) => s3.send(new sdk.PutBucketPolicyCommand({ Bucket, Policy }))

test('nobody reads unsigned until a policy lets the public in, and blocking public access ends it', async t => {
  const bench = await openS3Bench(t)
  const { s3, Bucket, put, server } = bench
  await put('open/page', 'hello')
  await put('closed', 'secret')
  const status = async (key: string, method = 'GET') => (await fetch(`${server.url}/${Bucket}/${key}`, { method })).status
  assert.equal(await status('open/page'), 403)
  const policy = allow('s3:GetObject', `arn:aws:s3:::${Bucket}/open/*`, { Principal: '*' })
  assert.equal(await outcome(setPolicy(bench, policy)), 'AccessDenied')
  await openPublic(bench)
  await setPolicy(bench, policy)
  assert.equal((await s3.send(new sdk.GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus!.IsPublic, true)
  const got = await fetch(`${server.url}/${Bucket}/open/page`)
  assert.deepEqual([got.status, await got.text()], [200, 'hello'])
  assert.deepEqual([await status('open/page', 'HEAD'), await status('closed'), await status('open/page', 'DELETE'), await status('')], [200, 403, 403,
    403])
  await s3.send(new sdk.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } }))
  assert.equal(await status('open/page'), 403)
  assert.equal(await outcome(s3.send(new sdk.GetObjectCommand({ Bucket, Key: 'open/page' }))), 'success')
})

test('a user reads the prefix that its policy names, and no other', async t => {
  const bench = await openS3Bench(t)
  const { Bucket, put } = bench
  await put('mine/a', 'a')
  await put('theirs/b', 'b')
  const reader = await userOf(bench, t, allow(['s3:GetObject', 's3:PutObject'], `arn:aws:s3:::${Bucket}/mine/*`))
  const ask = (command: any) => outcome(reader.send(command))
  assert.equal(await ask(new sdk.GetObjectCommand({ Bucket, Key: 'mine/a' })), 'success')
  assert.equal(await ask(new sdk.GetObjectCommand({ Bucket, Key: 'theirs/b' })), 'AccessDenied')
  assert.equal(await ask(new sdk.GetObjectCommand({ Bucket, Key: 'mine/none' })), 'AccessDenied')
  assert.equal(await ask(new sdk.ListObjectsV2Command({ Bucket })), 'AccessDenied')
  assert.equal(await ask(new sdk.DeleteObjectCommand({ Bucket, Key: 'mine/a' })), 'AccessDenied')
  assert.equal(await ask(new sdk.PutObjectCommand({ Bucket, Key: 'mine/new', Body: 'x' })), 'success')
  assert.equal(await ask(new sdk.PutObjectCommand({ Bucket, Key: 'mine/new', Body: 'x', Tagging: 'a=b' })), 'AccessDenied')
  assert.equal(await ask(new sdk.CopyObjectCommand({ Bucket, Key: 'mine/copy', CopySource: `${Bucket}/theirs/b` })), 'AccessDenied')
  assert.equal(await ask(new sdk.CopyObjectCommand({ Bucket, Key: 'mine/copy', CopySource: `${Bucket}/mine/a` })), 'success')
  await setPolicy(bench, allow('s3:*', `arn:aws:s3:::${Bucket}/mine/a`, { Effect: 'Deny', Principal: '*' }))
  assert.equal(await ask(new sdk.GetObjectCommand({ Bucket, Key: 'mine/a' })), 'AccessDenied')
})

test('policies that are none, or speak of another bucket, are refused', async t => {
  const bench = await openS3Bench(t)
  const { Bucket, s3 } = bench
  const other = allow('s3:GetObject', 'arn:aws:s3:::other/*', { Principal: '*' })
  for (const policy of ['nonsense', '{}', other, allow('s3:GetObject', `arn:aws:s3:::${Bucket}/*`)]) {
    assert.equal(await outcome(setPolicy(bench, policy)), 'MalformedPolicy', policy)
  }
  assert.equal(await outcome(s3.send(new sdk.GetBucketPolicyCommand({ Bucket }))), 'NoSuchBucketPolicy')
})

test('browsers are told what the CORS rules say', async t => {
  const { s3, Bucket, put, server } = await openS3Bench(t)
  await put('a', 'a')
  const ask = (origin: string, method: string, headers = '') => fetch(`${server.url}/${Bucket}/a`, {
    method: 'OPTIONS', headers: { origin, 'access-control-request-method': method, ...(headers && { 'access-control-request-headers': headers }) },
  })
  assert.equal((await ask('https://www.example.org', 'PUT')).status, 403)
  await s3.send(new sdk.PutBucketCorsCommand({
    Bucket, CORSConfiguration: { CORSRules: [{
      AllowedOrigins: ['https://*.example.org'], AllowedMethods: ['GET', 'PUT'], AllowedHeaders: ['x-amz-*'], ExposeHeaders: ['ETag'],
        MaxAgeSeconds: 60,
    }] },
  }))
  const good = await ask('https://www.example.org', 'PUT', 'x-amz-date')
  assert.deepEqual([good.status, good.headers.get('access-control-allow-origin'), good.headers.get('access-control-max-age')],
    [200, 'https://www.example.org', '60'])
  assert.equal((await ask('https://www.example.org', 'DELETE')).status, 403)
  assert.equal((await ask('https://www.example.org', 'PUT', 'authorization')).status, 403)
  assert.equal((await ask('https://example.com', 'PUT')).status, 403)
  const denied = await fetch(`${server.url}/${Bucket}/a`, { headers: { origin: 'https://www.example.org' } })
  assert.deepEqual([denied.status, denied.headers.get('access-control-allow-origin')], [403, 'https://www.example.org'])
})

test('requests that nobody signed as they came are refused', async t => {
  const { client, Bucket, put } = await openS3Bench(t)
  await put('a', 'a')
  const get = new sdk.GetObjectCommand({ Bucket, Key: 'a' })
  assert.equal(await outcome(client({ credentials: { ...keys, secretAccessKey: 'wrong' } }).send(get)), 'SignatureDoesNotMatch')
  assert.equal(await outcome(client({ credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' } }).send(get)), 'InvalidAccessKeyId')
  assert.equal(await outcome(client({ systemClockOffset: -20 * 60_000 }).send(get)), 'RequestTimeTooSkewed')
  const added = client()
  added.middlewareStack.add(next => async args => {
    const request = args.request as { headers: Record<string, string> }
    request.headers['x-amz-meta-added'] = 'later'
    return next(args)
  }, { step: 'finalizeRequest', priority: 'low' })
  assert.equal(await outcome(added.send(new sdk.PutObjectCommand({ Bucket, Key: 'b', Body: 'b' }))), 'AccessDenied')
})
