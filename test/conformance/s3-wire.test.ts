/** S3's connections: virtual hosts, clients that go away amid a body, a disk without room, bodies that come slowly or not as announced. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import * as sdk from '@aws-sdk/client-s3'
import { Sha256 } from '@smithy/core/checksum'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import { keys } from './server.ts'
import { openS3Bench, type S3Bench } from './s3-bench.ts'

const files = ({ server }: S3Bench): string[] =>
  readdirSync(join(server.dir, 's3', 'data'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).map(entry => entry.name)
async function until(met: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!await met()) {
    assert.ok(Date.now() < deadline, 'it never came to be so')
    await pause(5)
  }
}

/** Headers that sign a request with a body left out of the signature. */
async function sign({ server }: S3Bench, method: string, path: string, headers: Record<string, string>): Promise<Record<string, string>> {
  const signer = new SignatureV4({ service: 's3', region: 'us-east-1', credentials: keys, sha256: Sha256, uriEscapePath: false })
  const { host, hostname } = new URL(server.url)
  const made = await signer.sign(new HttpRequest({
    method, protocol: 'http:', hostname, path, headers: { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers },
  }))
  return made.headers
}
async function head(bench: S3Bench, method: string, path: string, headers: Record<string, string>): Promise<string> {
  const signed = await sign(bench, method, path, headers)
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}
const open = (bench: S3Bench) => connect(Number(new URL(bench.server.url).port), '127.0.0.1')

test('a bucket in the host\'s name is the same bucket', async t => {
  const bench = await openS3Bench(t)
  await bench.put('a/b', 'virtual')
  const { port } = new URL(bench.server.url)
  for (const host of ['a-bucket.s3.us-east-1.amazonaws.com', 'a-bucket.s3.amazonaws.com', `a-bucket.localhost:${port}`,
    `a-bucket.s3.localhost:${port}`, 'a-bucket.bucket.vpce-0123456789abcdef0-1a2b3c4d.s3.us-east-1.vpce.amazonaws.com']) {
    const headers = await sign(bench, 'GET', '/a/b', { host })
    const got = await new Promise<string>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: '/a/b', headers }, response => resolve(text(response))).on('error', reject).end()
    })
    assert.equal(got, 'virtual', host)
  }
})

test('an upload whose client goes away leaves nothing', async t => {
  const bench = await openS3Bench(t)
  const socket = open(bench)
  socket.write(await head(bench, 'PUT', '/a-bucket/cut', { 'content-length': '5000000' }))
  socket.write(randomBytes(2_000_000))
  await until(() => files(bench).length === 1)
  socket.destroy()
  await until(() => files(bench).length === 0)
  assert.equal((await bench.s3.send(new sdk.ListObjectsV2Command({ Bucket: bench.Bucket }))).KeyCount, 0)
})

test('an object that is deleted while it is read is read to its end, and its file goes then', async t => {
  const bench = await openS3Bench(t)
  const body = randomBytes(20_000_000)
  await bench.put('read', body)
  const { Body } = await bench.get('read')
  await bench.s3.send(new sdk.DeleteObjectCommand({ Bucket: bench.Bucket, Key: 'read' }))
  assert.equal(files(bench).length, 1)
  assert.ok(Buffer.from(await Body!.transformToByteArray()).equals(body))
  await until(() => files(bench).length === 0)
})

test('a reader that goes away lets go of its file', async t => {
  const bench = await openS3Bench(t)
  await bench.put('left', randomBytes(20_000_000))
  const socket = open(bench)
  socket.write(await head(bench, 'GET', '/a-bucket/left', {}))
  await new Promise(resolve => socket.once('data', resolve))
  socket.destroy()
  await bench.s3.send(new sdk.DeleteObjectCommand({ Bucket: bench.Bucket, Key: 'left' }))
  await until(() => files(bench).length === 0)
})

test('a client that asks first is told before it sends a body that would be refused', async t => {
  const bench = await openS3Bench(t)
  const socket = open(bench)
  t.after(() => socket.destroy())
  const answers: string[] = []
  socket.on('data', data => answers.push(data.toString()))
  socket.write(await head(bench, 'PUT', '/no-such-bucket/x', { 'content-length': '5000000000', expect: '100-continue' }))
  await until(() => answers.join('').includes('NoSuchBucket'))
  assert.match(answers.join(''), /^HTTP\/1\.1 404 /)
  const good = open(bench)
  t.after(() => good.destroy())
  good.write(await head(bench, 'PUT', '/a-bucket/x', { 'content-length': '5', expect: '100-continue' }))
  const told = await new Promise<Buffer>(resolve => good.once('data', resolve))
  assert.match(told.toString(), /^HTTP\/1\.1 100 /)
  good.write('hello')
  await until(async () => (await bench.s3.send(new sdk.ListObjectsV2Command({ Bucket: bench.Bucket }))).KeyCount === 1)
})
