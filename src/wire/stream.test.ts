import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { Sha256 } from '@smithy/core/checksum'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Payload } from '#kit/payload'
import { errorsOf, operationsOf } from '#kit/schema'
import type { Dispatch, WireService } from '#wire/server'
import { good, open, services } from '#wire/wire.suite'

const service: WireService = {
  id: 's3', signingName: 's3', version: '', xmlns: 'x', protocol: 'restXml', unsignedPayload: true, operations: operationsOf(s3),
  errors: errorsOf(s3),
}
async function put(port: number, headers: Record<string, string>): Promise<string> {
  const signer = new SignatureV4({ service: 's3', region: 'eu-west-3', credentials: good, sha256: Sha256, uriEscapePath: false })
  const made = await signer.sign(new HttpRequest({
    method: 'PUT', protocol: 'http:', hostname: '127.0.0.1', path: '/b/k',
    headers: { host: `127.0.0.1:${port}`, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers },
  }))
  return `PUT /b/k HTTP/1.1\r\n${Object.entries(made.headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}connection: close\r\n\r\n`
}
const counting: Dispatch = async ({ input }) => {
  let size = 0
  for await (const bytes of (input as { Body: Payload }).Body) size += bytes.length
  return { ETag: `"${size}"` }
}

test('a body may take longer than other requests, but not stand still', async t => {
  const { port, lines } = await open(t, counting, { services: [...services, service], limits: { requestMs: 100, idleMs: 400 } })
  const socket = connect(port, '127.0.0.1')
  socket.write(await put(port, { 'content-length': '5' }))
  for (const byte of 'hello') {
    await new Promise(resolve => setTimeout(resolve, 60)) // What is tried is time itself: 300 ms for one body.
    socket.write(byte)
  }
  assert.match(await textOf(socket), /^HTTP\/1\.1 200 [^]*etag: "5"/)
  const still = connect(port, '127.0.0.1')
  still.on('error', () => {}) // It is cut off: that is the test.
  still.write(await put(port, { 'content-length': '5' }))
  still.write('he')
  await new Promise(resolve => still.once('close', resolve))
  while (lines.length < 2) await new Promise(setImmediate)
  assert.deepEqual(lines.map(line => JSON.parse(line).code), [undefined, 'Aborted'])
})

test('a body that is not read is not waited for, and one without its length is refused by the action alone', async t => {
  const { port } = await open(t, async () => ({ ETag: '"none"' }), { services: [...services, service] })
  const socket = connect(port, '127.0.0.1')
  socket.write(await put(port, { 'content-length': '3' }))
  socket.write('abc')
  assert.match(await textOf(socket), /etag: "none"/)
})

test('services are still told apart: what is unsigned at the root is a Query service\'s, what has a path is S3\'s', async t => {
  const { url } = await open(t, counting, { services: [...services, service] })
  assert.match(await (await fetch(`${url}/?Action=DescribeVpcs&Version=2016-11-15`)).text(), /^<\?xml[^]*<Response><Errors>/)
  const refused = await fetch(`${url}/bucket/key`)
  assert.deepEqual([refused.status, /<Error><Code>(\w+)/.exec(await refused.text())?.[1]], [403, 'AccessDenied'])
})
