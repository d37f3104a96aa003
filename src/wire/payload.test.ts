import assert from 'node:assert/strict'
import { createHash, createHmac, createSecretKey, hash } from 'node:crypto'
import { test } from 'node:test'
import { EMPTY, openPayload, type FrameKey } from '#wire/payload'

const key: FrameKey = { key: createSecretKey(Buffer.from('k'.repeat(32))), scope: 's', time: 't', seed: '0'.repeat(64) }
const hmac = (text: string) => createHmac('sha256', key.key).update(text).digest('hex')

/** A body in signed frames, as a client writes it. */
function framed(pieces: string[], trailers = ''): string {
  let before = key.seed
  const frame = (piece: string): string => {
    before = hmac(`AWS4-HMAC-SHA256-PAYLOAD\nt\ns\n${before}\n${EMPTY}\n${hash('sha256', piece, 'hex')}`)
    return `${piece.length.toString(16)};chunk-signature=${before}\r\n${piece}${piece && '\r\n'}`
  }
  const body = [...pieces, ''].map(frame).join('')
  if (!trailers) return `${body}\r\n`
  const text = trailers.replaceAll('\r\n', '\n')
  return `${body}${trailers}x-amz-trailer-signature:${hmac(`AWS4-HMAC-SHA256-TRAILER\nt\ns\n${before}\n${hash('sha256', text, 'hex')}`)}\r\n\r\n`
}

async function* bytes(text: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size), 'latin1')
}

async function read(text: string, { size = 7, payloadHash, headers = {} }: { size?: number; payloadHash: string; headers?: Record<string, string> }) {
  const payload = openPayload(bytes(text, size), { headers, payloadHash, frameKey: key })
  const pieces: Buffer[] = []
  for await (const piece of payload) pieces.push(Buffer.from(piece))
  return { text: Buffer.concat(pieces).toString(), trailers: payload.trailers }
}
const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
const refused = (text: string, options: Parameters<typeof read>[1]) => read(text, options).then(() => 'read', (error: { code?: string }) =>
  error.code ?? String(error))

test('frames are read however the network cuts them, and their trailers with them', async () => {
  const headers = { 'x-amz-decoded-content-length': '11' }
  for (const size of [1, 2, 3, 17, 64, 10_000]) {
    assert.equal((await read(framed(['hello ', 'world']), { size, payloadHash: SIGNED, headers })).text, 'hello world')
    const trailing = await read(framed(['hello ', 'world'], 'x-amz-checksum-crc32:abc=\r\n'), { size, payloadHash: `${SIGNED}-TRAILER`, headers })
    assert.deepEqual(trailing, { text: 'hello world', trailers: { 'x-amz-checksum-crc32': 'abc=' } })
    const open = await read('5\r\nhello\r\n0\r\nx-a:b\r\n\r\n', { size, payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: { 'x-amz-decoded-content-length': '5' } })
    assert.deepEqual(open, { text: 'hello', trailers: { 'x-a': 'b' } })
  }
})

test('a body that was changed, cut or lengthened does not end well', async () => {
  const headers = { 'x-amz-decoded-content-length': '11' }
  const good = framed(['hello ', 'world'])
  assert.equal(await refused(good.replace('world', 'World'), { payloadHash: SIGNED, headers }), 'SignatureDoesNotMatch')
  assert.equal(await refused(good.slice(0, good.lastIndexOf('\r\n0;')), { payloadHash: SIGNED, headers }), 'IncompleteBody')
  assert.equal(await refused(good, { payloadHash: SIGNED, headers: { 'x-amz-decoded-content-length': '12' } }), 'IncompleteBody')
  assert.equal(await refused(good, { payloadHash: SIGNED, headers: { 'x-amz-decoded-content-length': '5' } }), 'IncompleteBody')
  const trailing = framed(['hello world'], 'x-amz-checksum-crc32:abc=\r\n')
  assert.equal(await refused(trailing.replace('abc=', 'abd='), { payloadHash: `${SIGNED}-TRAILER`, headers }), 'SignatureDoesNotMatch')
  assert.equal(await refused('zz\r\nhello\r\n', { payloadHash: SIGNED, headers }), 'InvalidRequest')
  assert.equal(await refused('5\r\nhello0\r\n', { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers: {} }), 'InvalidRequest')
  const digest = createHash('sha256').update('hello').digest('hex')
  assert.equal(await refused('hello', { payloadHash: digest, headers: { 'content-length': '5' } }), 'read')
  assert.equal(await refused('hellO', { payloadHash: digest, headers: { 'content-length': '5' } }), 'XAmzContentSHA256Mismatch')
})
