/**
 * Damaged requests on raw sockets at each door: the API's, the metadata service's, the console's. Each is answered or refused, never with
 * a 500; none hangs; nothing is written, and no connection is left. Another seed: FUZZ_SEED=7; more: FUZZ_ROUNDS=20000.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import { Sha256 } from '@smithy/core/checksum'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import { openLog, type Log } from '#base/log'
import { openDoor } from '#console/door'
import { launched, sample, signer } from '#service/ec2/imds/sample.suite'
import { openImds } from '#service/ec2/imds/server'
import { wireServices } from '#service/index'
import { openSqlite } from '#store/sqlite'
import { openWire } from '#wire/server'
import { keys, openServer } from '../conformance/server.ts'
import { NIGHT_MS, openRandom, roundsOf, seed } from './random.ts'
import { batter, type Found, type Template } from './raw.ts'

const rounds = roundsOf(1 / 10)

/** A log that keeps what is called an error. */
function watchful(): { log: Log; errors: string[] } {
  const errors: string[] = []
  return { errors, log: openLog(line => { if (JSON.parse(line).level === 'error') errors.push(line) }) }
}

function judge(found: Found, errors: string[], tell: (text: string) => void): void {
  tell(`seed ${seed}, ${rounds} connections: ${JSON.stringify(found.statuses)}`)
  assert.deepEqual({ hung: found.hung, failed: found.failed, errors }, { hung: [], failed: [], errors: [] })
}

async function signed(url: string, body: string): Promise<Template> {
  const { host, hostname, port } = new URL(url)
  const sign = new SignatureV4({ service: 'ec2', region: 'us-east-1', sha256: Sha256, credentials: keys })
  const headers = { host, 'content-type': 'application/x-www-form-urlencoded' }
  const request = await sign.sign(new HttpRequest({ method: 'POST', protocol: 'http:', hostname, port: Number(port), path: '/', headers, body }))
  return { method: 'POST', path: '/', headers: request.headers, body }
}

test('the API', { timeout: NIGHT_MS }, async t => {
  const { log, errors } = watchful()
  const server = await openServer()
  const wire = openWire({
    services: wireServices(server.cloud.services), dispatch: server.cloud.dispatch, log, clock: () => new Date(), health: () => ({ status: 'ok' }),
    credentials: server.cloud.identity.credentials,
  })
  try {
    const { port } = await wire.listen(0, '127.0.0.1')
    const url = `http://127.0.0.1:${port}`
    const templates: Template[] = [
      await signed(url, 'Action=DescribeVpcs&Version=2016-11-15'),
      await signed(url, 'Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=instance-id&Filter.1.Value.1=x'),
      { method: 'GET', path: '/_enclume/health', headers: { host: 'x' } }, { method: 'GET', path: '/bucket/key?uploads', headers: { host: 's3' } },
      { method: 'PUT', path: '/bucket/key', headers: { host: 's3.localhost', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, body: 'x' },
      { method: 'POST', path: '/', headers: { host: 'x', 'x-amz-target': 'AmazonSSM.GetParameter', 'content-type': 'application/x-amz-json-1.1' },
        body: '{}' },
      { method: 'POST', path: '/policies', headers: { host: 'x', 'content-type': 'application/json' }, body: '{"a":' },
    ]
    await server.ec2().send(new DescribeVpcsCommand({}))
    await server.cloud.loop.idle()
    const before = (await server.store.events({ after: 0, limit: 1_000_000 })).length
    const found = await batter(port, templates, { random: openRandom(seed), rounds })
    judge(found, errors, text => t.diagnostic(text))
    assert.ok(found.statuses[200]! > rounds / 20, 'next to nothing was answered, so next to nothing was tried')
    assert.equal((await server.store.events({ after: 0, limit: 1_000_000 })).length, before)
    assert.equal(await connections(wire.server), 0)
  } finally {
    await wire.close()
    await server.close()
  }
})

test('the metadata service', { timeout: NIGHT_MS }, async t => {
  const { log, errors } = watchful()
  // The clock runs by the minute: its limits of requests are another test's.
  let now = launched.getTime()
  const imds = await openImds({
    host: '127.0.0.1', port: 0, secret: Buffer.alloc(32, 1), signer: signer(), clock: () => new Date(now += 60_000), log,
    lookup: async () => sample({ options: { endpointEnabled: true, tokensRequired: false } }),
  })
  try {
    const host = { host: '169.254.169.254' }
    const found = await batter(imds.port, [
      { method: 'PUT', path: '/latest/api/token', headers: { ...host, 'X-aws-ec2-metadata-token-ttl-seconds': '60' } },
      ...['meta-data/', 'meta-data/instance-id', 'user-data', 'dynamic/instance-identity/document',
        'meta-data/network/interfaces/macs/0e:00:00:00:00:01/', '']
        .map(path => ({ method: 'GET', path: `/latest/${path}`, headers: { ...host, 'X-aws-ec2-metadata-token': 'AQAAA' } })),
      { method: 'GET', path: '/latest/meta-data/instance-id', headers: host }, { method: 'GET', path: '/', headers: host },
    ], { random: openRandom(seed), rounds })
    judge(found, errors, text => t.diagnostic(text))
    assert.ok(found.statuses[200]! > rounds / 20)
  } finally {
    await imds.close()
  }
})

test('the console', { timeout: NIGHT_MS }, async t => {
  const { log, errors } = watchful()
  const store = openSqlite(':memory:')
  const door = openDoor({
    store, log, clock: () => new Date(), watch: () => () => {},
    wire: { emit: (_: unknown, __: unknown, response: { end(): void }) => { response.end(); return true } } as never,
    verify: async () => undefined, issue: async () => ({ accessKeyId: '', secretAccessKey: '', expiration: '' }), facts: () => ({}),
    reach: async (_, response) => void response.end(), terminals: { target: async () => ({ file: 'true', args: [] }) },
  })
  try {
    const { port } = await door.listen(0, '127.0.0.1')
    const own = { host: `127.0.0.1:${port}`, 'x-enclume-console': '1', 'content-type': 'application/json' }
    const found = await batter(port, [
      { method: 'POST', path: '/_console/sign-in', headers: own, body: '{"kind":"root","account":"","user":"","password":"x"}' },
      { method: 'POST', path: '/_console/session', headers: { ...own, cookie: 'enclume-console=x' } },
      { method: 'GET', path: '/_console/events', headers: own }, { method: 'GET', path: '/ec2/instances', headers: own },
      { method: 'POST', path: '/', headers: { ...own, authorization: 'AWS4-HMAC-SHA256 Credential=x' }, body: 'Action=DescribeVpcs' },
      { method: 'GET', path: '/_console/terminal?kind=session&instance=i-1', headers: {
        ...own, origin: own.host, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'x', 'sec-websocket-version': '13' } },
    ], { random: openRandom(seed), rounds })
    judge(found, errors, text => t.diagnostic(text))
    assert.ok(found.statuses[401]! > rounds / 20)
    assert.deepEqual(await store.list({ kind: 'console-session' }), [])
  } finally {
    await door.close()
    await store.close()
  }
})

const connections = (server: { getConnections(done: (error: Error | null, count: number) => void): void }): Promise<number> =>
  new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))))
