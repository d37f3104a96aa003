/** Buckets as websites, by a browser's requests. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-s3'
import { openS3Bench, outcome } from './s3-bench.ts'

test('a website has its index, folders, error document and redirects, and shows what its policy lets the public see', async t => {
  const { s3, Bucket, put, server } = await openS3Bench(t)
  const { port } = new URL(server.url)
  const get = (path: string, { method = 'GET', host = `${Bucket}.s3-website.localhost:${port}` } = {}): Promise<string> =>
    new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, headers: { host } }, response => {
      void text(response).then(body => resolve([response.statusCode, response.headers.location, body.slice(0, 20)].filter(Boolean).join(' ')))
    }).on('error', reject).end()
  })
  assert.match(await get('/'), /^404 <html>/)
  await s3.send(new sdk.PutBucketWebsiteCommand({
    Bucket, WebsiteConfiguration: { IndexDocument: { Suffix: 'index.html' }, ErrorDocument: { Key: 'error.html' } },
  }))
  await put('index.html', 'home', { ContentType: 'text/html' })
  await put('docs/index.html', 'docs')
  await put('error.html', 'sorry')
  await put('old', '', { WebsiteRedirectLocation: '/new place' })
  await put('closed/secret', 'secret')
  assert.match(await get('/'), /^403 <html>/)
  await s3.send(new sdk.DeletePublicAccessBlockCommand({ Bucket }))
  const open = ['index.html', 'docs', 'docs/*', 'error.html', 'old', 'none'].map(key => `arn:aws:s3:::${Bucket}/${key}`)
  const Statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: open }
  await s3.send(new sdk.PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }))
  assert.equal(await get('/'), '200 home')
  assert.equal(await get('/', { host: `${Bucket}.s3-website-us-east-1.amazonaws.com` }), '200 home')
  assert.equal(await get('/', { method: 'HEAD' }), '200')
  assert.equal(await get('/docs/'), '200 docs')
  assert.equal(await get('/docs'), '302 /docs/')
  assert.equal(await get('/old'), '301 /new%20place')
  assert.equal(await get('/none'), '403 sorry')
  assert.equal(await get('/closed/secret'), '403 sorry')
  const list = { Effect: 'Allow', Principal: '*', Action: 's3:ListBucket', Resource: `arn:aws:s3:::${Bucket}` }
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [Statement, list] })
  await s3.send(new sdk.PutBucketPolicyCommand({ Bucket, Policy }))
  assert.equal(await get('/none'), '404 sorry')
  assert.match(await get('/', { method: 'DELETE' }), /^405 /)
  assert.match(await get('/%zz'), /^400 /)
  const RedirectAllRequestsTo = { HostName: 'www.example.org', Protocol: 'https' as const }
  await s3.send(new sdk.PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration: { RedirectAllRequestsTo } }))
  assert.equal(await get('/a?b=c'), '301 https://www.example.org/a?b=c')
  const bad = { IndexDocument: { Suffix: 'a/b' } }
  assert.equal(await outcome(s3.send(new sdk.PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration: bad }))), 'InvalidArgument')
})
