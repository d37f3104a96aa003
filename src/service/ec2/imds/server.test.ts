/** Over loopback, with requests written byte by byte: what a guest sends is not what a library would. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { openLog, silent } from '#base/log'
import type { Metadata } from '#service/ec2/imds/metadata'
import { launched, sample, signer } from '#service/ec2/imds/sample.suite'
import { openImds, type Imds, type ImdsOptions } from '#service/ec2/imds/server'

const opened: Imds[] = []
after(() => Promise.all(opened.map(imds => imds.close())))

let now = launched.getTime()
const secret = Buffer.alloc(32, 1)
async function open(metadata: Metadata | undefined | (() => never), more: Partial<ImdsOptions> = {}) {
  const lookup = async () => (typeof metadata === 'function' ? metadata() : metadata)
  const imds = await openImds({
    host: '127.0.0.1', port: 0, lookup, secret, signer: signer(), clock: () => new Date(now), log: silent, ...more,
  })
  opened.push(imds)
  return imds
}

/** Sends bytes and reads until the server ends the connection. */
function raw(imds: Imds, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(imds.port, '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.setEncoding('latin1').on('data', chunk => { text += chunk }).on('error', reject).on('close', () => resolve(text))
  })
}
type Reply = { status: number; body: string; headers: Record<string, string> }
async function ask(imds: Imds, line: string, headers: string[] = []): Promise<Reply> {
  const text = await raw(imds, [`${line} HTTP/1.1`, 'Host: 169.254.169.254', ...headers, '', ''].join('\r\n'))
  const [head = '', ...body] = text.split('\r\n\r\n')
  const [status = '', ...fields] = head.split('\r\n')
  const pairs = fields.map(field => [field.split(': ')[0]!.toLowerCase(), field.split(': ').slice(1).join(': ')])
  return { status: Number(status.split(' ')[1]), body: body.join('\r\n\r\n'), headers: Object.fromEntries(pairs) }
}
const PUT = 'PUT /latest/api/token'
const ttl = (seconds: string | number) => `X-aws-ec2-metadata-token-ttl-seconds: ${seconds}`
const withToken = (token: string) => `X-aws-ec2-metadata-token: ${token}`
const ID = 'GET /latest/meta-data/instance-id'
const status = async (imds: Imds, line: string, headers?: string[]) => (await ask(imds, line, headers)).status

const optional = await open(sample())
const required = await open(sample({ options: { endpointEnabled: true, tokensRequired: true } }))

test('without a token the answer looks like EC2ws', async () => {
  const { status: code, body, headers } = await ask(optional, ID)
  assert.equal(`${code} ${body}`, '200 i-0123456789abcdef0')
  const { date, ...rest } = headers
  assert.ok(!Number.isNaN(Date.parse(date!)))
  assert.deepEqual(rest, {
    server: 'EC2ws', connection: 'close', 'content-type': 'text/plain', 'content-length': '19', 'accept-ranges': 'none',
    'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
  })
  const head = await ask(optional, ID.replace('GET', 'HEAD'))
  assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '19'])
})

test('the list of interfaces has a tag, which changes with anything below', async () => {
  const tagOf = async (imds: Imds) => (await ask(imds, 'GET /latest/meta-data/network/interfaces/macs/')).headers.etag
  const { interfaces: [first] } = sample()
  const other = await open(sample({ interfaces: [{ ...first, privateIps: [...first.privateIps, '172.31.0.99'] }] }))
  const [one, again, changed] = [await tagOf(optional), await tagOf(optional), await tagOf(other)]
  assert.match(one!, /^"[\w-]{16}"$/)
  assert.deepEqual([again === one, changed === one, (await ask(optional, ID)).headers.etag], [true, false, undefined])
})

test('a session: PUT gives a token, GET with it is answered and told how long it lasts', async () => {
  const put = await ask(required, PUT, [ttl(60)])
  assert.deepEqual([put.status, put.body.length, put.headers['x-aws-ec2-metadata-token-ttl-seconds']], [200, 56, '60'])
  now += 20_500
  const got = await ask(required, ID, [withToken(put.body)])
  assert.deepEqual([got.status, got.headers['x-aws-ec2-metadata-token-ttl-seconds']], [200, '39'])
  now += 40_000
  assert.equal(await status(required, ID, [withToken(put.body)]), 401)
})

test('a token outlives the server, but opens nothing for another instance', async () => {
  const token = (await ask(required, PUT, [ttl(21600)])).body
  const again = await open(sample({ options: { endpointEnabled: true, tokensRequired: true } }))
  const other = await open(sample({ instanceId: 'i-2', options: { endpointEnabled: true, tokensRequired: true } }))
  assert.deepEqual([await status(again, ID, [withToken(token)]), await status(other, ID, [withToken(token)])], [200, 401])
})

test('401 without a token where one is needed, and with a wrong one everywhere', async () => {
  const wrong = withToken(`AQAE${'A'.repeat(52)}`)
  assert.deepEqual([await status(required, ID), await status(required, ID, [wrong])], [401, 401])
  assert.deepEqual([await status(optional, ID, [wrong]), await status(optional, ID, [withToken('')])], [401, 401])
  const token = (await ask(required, PUT, [ttl(60)])).body
  assert.equal(await status(required, ID, [withToken(token), withToken(token)]), 401)
})

test('a PUT must ask for one second to six hours, and must not come through a proxy', async () => {
  const asked = ['0', '1', '21600', '21601', '-1', '1.5', '1e3', '', ' ', 'x', '0x10', '99999999999', '60, 60']
  const codes = await Promise.all(asked.map(value => status(optional, PUT, [ttl(value)])))
  assert.deepEqual(codes, [400, 200, 200, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400])
  const proxied = 'X-Forwarded-For: 1.2.3.4'
  assert.deepEqual([await status(optional, PUT), await status(optional, PUT, [ttl(60), ttl(60)])], [400, 400])
  assert.deepEqual([await status(optional, PUT, [ttl(60), proxied]), await status(optional, PUT, [ttl(60), 'X-Forwarded-For:'])],
    [403, 403])
  assert.equal(await status(optional, ID, [proxied]), 200)
})

test('other methods are 405, unknown paths 404, a disabled endpoint 403, an unknown caller 404', async () => {
  const lines = [
    'POST /latest/api/token', 'DELETE /latest/meta-data/', 'PUT /latest/meta-data/', 'OPTIONS /', 'PATCH /', 'GET /latest/api/token',
  ]
  assert.deepEqual(await Promise.all(lines.map(line => status(optional, line))), lines.map(() => 405))
  const missing = await ask(optional, 'GET /latest/meta-data/nothing')
  assert.deepEqual([missing.status, missing.headers['content-type']], [404, 'text/html'])
  assert.match(missing.body, /<title>404 - Not Found<\/title>/)
  const off = await open(sample({ options: { endpointEnabled: false, tokensRequired: false } }))
  assert.deepEqual([await status(off, ID), await status(off, PUT, [ttl(60)]), await status(off, 'GET /')], [403, 403, 403])
  assert.equal(await status(await open(undefined), ID), 404)
})

test('a failing look-up is 500 and logged with its cause, and the next request is served', async () => {
  const lines: string[] = []
  const broken = await open(() => { throw new Error('the store is away') }, { log: openLog(line => lines.push(line)) })
  assert.deepEqual([await status(broken, ID), await status(broken, ID)], [500, 500])
  assert.match(lines[0]!, /"event":"imds.failed".*the store is away/)
})

test('binary user data arrives whole, and a whole URL is taken for its path', async () => {
  const { body, headers } = await ask(optional, 'GET http://169.254.169.254/latest/user-data')
  assert.deepEqual([...Buffer.from(body, 'latin1')], [0x23, 0x21, 0x0a, 0xff, 0x00])
  assert.equal(headers['content-type'], 'application/octet-stream')
})

test('garbage is refused and nothing breaks', async () => {
  const long = 'x'.repeat(20_000)
  const first = async (bytes: string | Buffer) => (await raw(optional, bytes)).split('\r\n')[0]
  assert.deepEqual(await Promise.all([
    first('\0\0\0\0\r\n\r\n'), first('GET / HTTP/9.9\r\n\r\n'), first('hello\r\n\r\n'),
    first(Buffer.from([0x16, 0x03, 0x01, 0x00, 0xff, 0x0a])),
    first(`GET /${long} HTTP/1.1\r\nHost: x\r\n\r\n`), first(`GET / HTTP/1.1\r\nHost: x\r\nX: ${long}\r\n\r\n`),
    first('GET / HTTP/1.1\r\n\r\n'), first('GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'),
    first('GET /%00%ff%zz HTTP/1.1\r\nHost: x\r\n\r\n'), first('CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n'),
    first('GET /latest/meta-data/mac HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    first(`${PUT} HTTP/1.1\r\nHost: x\r\n${ttl(60)}\r\nContent-Length: 1000000000\r\n\r\nx`),
  ]), [
    ...Array(4).fill('HTTP/1.1 400 Bad Request'), ...Array(2).fill('HTTP/1.1 431 Request Header Fields Too Large'),
    ...Array(2).fill('HTTP/1.1 400 Bad Request'), 'HTTP/1.1 404 Not Found', '', 'HTTP/1.1 200 OK', 'HTTP/1.1 200 OK',
  ])
  assert.equal(await status(optional, ID), 200)
})

test('a caller that asks too often gets 503 until time has passed', async () => {
  const busy = await open(sample())
  const codes = new Map<number, number>()
  for (let i = 0; i < 21; i += 1) {
    const some = await Promise.all(Array.from({ length: 50 }, () => status(busy, 'GET /')))
    for (const code of some) codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  assert.deepEqual(Object.fromEntries(codes), { 200: 1000, 503: 50 })
  now += 1000
  assert.equal(await status(busy, 'GET /'), 200)
})

test('one caller holds no more than its share of connections', async () => {
  const small = await open(sample())
  const sockets = Array.from({ length: 140 }, () => connect(small.port, '127.0.0.1').on('error', () => {}))
  const alive = () => sockets.filter(socket => !socket.destroyed).length
  try {
    const closed = sockets.map(socket => new Promise<void>(resolve => { socket.on('close', () => resolve()) }))
    await Promise.all(closed.slice(128))
    assert.equal(alive(), 128)
  } finally { for (const socket of sockets) socket.destroy() }
})

test('a port that is taken is an error of opening', async () => {
  await assert.rejects(open(sample(), { port: optional.port }), { code: 'EADDRINUSE' })
})
