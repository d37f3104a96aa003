/** The client against a daemon of the test's own, on a unix socket. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { IncusError, openClient, unixTransport, Unreachable, type Client } from '#engine/incus/client'

const dir = mkdtempSync(join(tmpdir(), 'client-'))
test.after(() => rmSync(dir, { recursive: true }))

/** Answers each request by its method and path; a function gets the bare response. */
type Answer = object | ((response: http.ServerResponse) => void)
async function withDaemon(answers: Record<string, Answer>, use: (client: Client) => Promise<void>) {
  const server = http.createServer((request, response) => {
    const answer = answers[`${request.method} ${request.url}`] ?? { type: 'error', error: 'not found', error_code: 404 }
    if (typeof answer === 'function') answer(response)
    else response.writeHead('error_code' in answer ? answer.error_code as number : 200).end(JSON.stringify(answer))
  })
  const socket = join(dir, 'socket')
  await once(server.listen(socket), 'listening')
  try {
    await use(openClient(unixTransport(socket)))
  } finally {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}

test('an answer is its metadata, and what is not there is undefined only when it may be', () =>
  withDaemon({ 'GET /1.0/a': { type: 'sync', metadata: { name: 'a' } } }, async client => {
    const found = [await client.get('/1.0/a'), await client.find('/1.0/a'), await client.find('/1.0/b')]
    assert.deepEqual(found, [{ name: 'a' }, { name: 'a' }, undefined])
    await assert.rejects(client.get('/1.0/b'), (error: unknown) => error instanceof IncusError && error.status === 404)
  }))

test('an act ends when its operation has ended, and fails with it', () => {
  const started = (id: string) => ({ type: 'async', metadata: { id } })
  const ended = (id: string, status_code: number, err: string) => ({ type: 'sync', metadata: { id, status_code, err } })
  return withDaemon({
    'POST /1.0/good': started('1'), 'GET /1.0/operations/1/wait': ended('1', 200, ''),
    'POST /1.0/bad': started('2'), 'GET /1.0/operations/2/wait': ended('2', 400, 'no room'),
  }, async client => {
    await client.act('POST', '/1.0/good', {})
    await assert.rejects(client.act('POST', '/1.0/bad', {}), (error: unknown) =>
      error instanceof IncusError && /no room/.test(error.message))
  })
})

test('silence, garbage and a broken answer are unreachable, never absent', async () => {
  await withDaemon({
    'GET /garbage': response => response.end('<html>'),
    'GET /broken': response => { response.writeHead(200, { 'content-length': '100' }).write('{'); setImmediate(() => response.destroy()) },
  }, async client => {
    await assert.rejects(client.find('/garbage'), Unreachable)
    await assert.rejects(client.find('/broken'), Unreachable)
  })
  await assert.rejects(openClient(unixTransport(join(dir, 'nobody'))).find('/1.0'), Unreachable)
})
