import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { text as textOf } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { nothing, open, post, refusal } from '#wire/wire.suite'

const body = 'Action=DescribeVpcs&Version=2016-11-15'
const padded = (bytes: number) => `${body}&NextToken=`.padEnd(bytes, 'x')

test('bodies over the limit are refused with an answer, and up to it they are read', async t => {
  const { url } = await open(t, nothing, { limits: { bodyBytes: 10_000 } })
  assert.equal((await post(url, padded(10_000))).status, 200)
  assert.equal(await refusal(post(url, padded(10_001))), '413 RequestEntityTooLarge: The request is larger than 10000 bytes.')
  assert.equal(await refusal(post(url, padded(100_000))), '413 RequestEntityTooLarge: The request is larger than 10000 bytes.')
})

test('gzip bodies are read after their signature is checked, and cannot grow past their limit', async t => {
  const { url } = await open(t, nothing, { limits: { inflatedBytes: 10_000 } })
  const gzip = (data: Uint8Array | string, headers = { 'content-encoding': 'gzip' }) => post(url, data, { headers })
  assert.equal((await gzip(gzipSync(padded(10_000)))).status, 200)
  assert.equal(await refusal(gzip(gzipSync(padded(5_000_000)))), '413 RequestEntityTooLarge: The request is larger than 10000 bytes.')
  assert.match(await refusal(gzip('no gzip')), /^400 MalformedHttpRequest/)
  assert.match(await refusal(gzip(body, { 'content-encoding': 'br' })), /^400 MalformedHttpRequest/)
})

test('more requests at a time than allowed are told so at once', async t => {
  const gate = Promise.withResolvers<object>()
  const entered = Promise.withResolvers<void>()
  const { url } = await open(t, () => { entered.resolve(); return gate.promise }, { limits: { concurrent: 1 } })
  const first = post(url, body)
  await entered.promise
  assert.equal(await refusal(post(url, body)), '503 RequestLimitExceeded: Request limit exceeded.')
  gate.resolve({})
  assert.equal((await first).status, 200)
  assert.equal((await post(url, body)).status, 200)
})

const raw = async (t: { after(free: () => void): void }, port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

test('clients that send too slowly are cut off', async t => {
  const { port } = await open(t, nothing, { limits: { headersMs: 200, requestMs: 400 } })
  const [headers, sending] = [await raw(t, port), await raw(t, port)]
  headers.write('POST / HTTP/1.1\r\nHost: x\r\n')
  sending.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nAction=')
  assert.deepEqual((await Promise.all([headers, sending].map(textOf))).map(text => text.slice(0, 12)), ['HTTP/1.1 408', 'HTTP/1.1 408'])
})

test('a client that goes away while sending leaves a line in the log and nothing else', async t => {
  const { port, lines, wire } = await open(t, nothing)
  const socket = await raw(t, port)
  const begun = once(wire.server, 'request')
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nAction=')
  await begun
  socket.destroy()
  await until(() => lines.length > 0)
  assert.deepEqual(lines.map(line => JSON.parse(line)).map(({ level, event, code }) => ({ level, event, code })), [
    { level: 'info', event: 'wire.request', code: 'Aborted' },
  ])
})

async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise(setImmediate)
}

test('health is answered unsigned, by GET alone, and so are the pages that main adds', async t => {
  const { url } = await open(t, nothing, {
    health: async () => ({ status: 'starting' }),
    routes: { '/page': (_request, response) => { response.end('a page') }, '/broken': () => { throw new Error('broken page') } },
  })
  assert.deepEqual(await (await fetch(`${url}/_enclume/health?verbose`)).json(), { status: 'starting' })
  assert.equal((await fetch(`${url}/_enclume/health`, { method: 'POST' })).status, 405)
  assert.equal(await (await fetch(`${url}/page`)).text(), 'a page')
  await assert.rejects(fetch(`${url}/broken`))
  assert.equal((await fetch(`${url}/_enclume/other`)).status, 400)
})

test('each response header comes once, in lower case', async t => {
  const { port } = await open(t, nothing)
  const socket = await raw(t, port)
  socket.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const names = (await textOf(socket)).split('\r\n\r\n')[0]!.split('\r\n').slice(1).map(line => line.split(':')[0]!)
  assert.deepEqual(names.filter(name => /^(x-amzn|content)/i.test(name)), ['x-amzn-requestid', 'content-type', 'content-length'])
})

test('a taken port rejects, and closing waits for requests under way', async t => {
  const gate = Promise.withResolvers<object>()
  const entered = Promise.withResolvers<void>()
  const { url, wire, port } = await open(t, () => { entered.resolve(); return gate.promise })
  const { wire: second } = await open(t, nothing)
  await second.close()
  await assert.rejects(second.listen(port, '127.0.0.1'), { code: 'EADDRINUSE' })
  const sent = post(url, body)
  await entered.promise
  const closed = wire.close()
  gate.resolve({})
  assert.equal((await sent).status, 200)
  await closed
  await assert.rejects(fetch(url))
})
