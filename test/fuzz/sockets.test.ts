/**
 * The console's sockets: frames that no browser would send, from a signed-in page; terminals whose program does not read, pages that do not
 * read. Each socket ends, its program with it, and nothing grows. Another seed: FUZZ_SEED=7; more: FUZZ_ROUNDS=20000.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openLog } from '#base/log'
import { BINARY, clientFrame, CLOSE, PING, PONG, TEXT } from '#base/websocket'
import { openDoor, type ConsoleDoor } from '#console/door'
import { openSqlite } from '#store/sqlite'
import type { Store } from '#store/store'
import { NIGHT_MS, openRandom, roundsOf, seed, type Random } from './random.ts'

const rounds = roundsOf(1 / 100)
const PATIENCE_MS = 20_000
const principal = { account: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', root: true }
const programs: Record<string, string> = { cat: 'stty raw -echo; cat', deaf: 'echo deaf; sleep 600', loud: 'yes' }
const errors: string[] = []
let [store, door, port, cookie, running] = [undefined as unknown as Store, undefined as unknown as ConsoleDoor, 0, '', 0]

before(async () => {
  store = openSqlite(':memory:')
  door = openDoor({
    store, log: openLog(line => { if (JSON.parse(line).level === 'error') errors.push(line) }), clock: () => new Date(), wire: { emit: () => false },
    verify: async () => ({ principal, name: 'root' }), issue: async () => ({ accessKeyId: '', secretAccessKey: '', expiration: '' }),
    facts: () => ({}),
    reach: async () => {}, watch: callback => store.watch(events => callback(events.map(({ kind }) => kind))),
    terminals: { target: async ({ instance }) => { running++; return { file: 'sh', args: ['-c', programs[instance]!], done: () => { running-- } } } },
  })
  port = (await door.listen(0, '127.0.0.1')).port
  const headers = { 'x-enclume-console': '1', 'content-type': 'application/json' }
  const body = JSON.stringify({ kind: 'root', account: '', user: '', password: 'x' })
  cookie = (await fetch(`http://127.0.0.1:${port}/_console/sign-in`, { method: 'POST', headers, body })).headers.get('set-cookie')!.split(';')[0]!
})
after(async () => { await door.close(); await store.close() })

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !await holds(); await pause(5)) assert.ok(Date.now() < end, `${what}, in time`)
}

type Page = { socket: Socket; heard(): number; closed(): boolean }

/** A terminal's socket as bytes, once it is open. */
async function open(path: string, upgrade = true): Promise<Page> {
  const socket = connect(port, '127.0.0.1')
  const seen = { bytes: 0, head: '', closed: false }
  socket.on('error', () => {}).on('close', () => { seen.closed = true }).on('data', (part: Buffer) => {
    seen.bytes += part.length
    if (seen.head.length < 200) seen.head += part.toString('latin1')
  })
  const lines = [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, `Origin: http://127.0.0.1:${port}`, `Cookie: ${cookie}`,
    ...upgrade ? ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='] : []]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await until('it opens', () => seen.closed || seen.head.includes('ready'))
  assert.ok(!seen.closed, seen.head)
  return { socket, heard: () => seen.bytes, closed: () => seen.closed }
}
const terminal = (program: string) => open(`/_console/terminal?kind=session&instance=${program}&region=r&cols=80&rows=24`)

/** A frame: well-formed, or wrong in its flags, its mask, its length or its text. */
function frame(random: Random): Buffer {
  const payload = Buffer.alloc(random.pick([0, 1, 125, 126, 5000]), random.pick(['x', '{', '\0']))
  const text = Buffer.from(random.pick(['{"cols":1,"rows":1}', '{"cols":-1,"rows":1e9}', '{"cols":"a"}', 'null', '[]', '{', '', '"x"',
    '{"__proto__":{}}', '\xff\xfe']))
  const whole = random.pick([
    clientFrame(BINARY, payload), clientFrame(TEXT, text), clientFrame(PING, payload), clientFrame(PONG, payload), clientFrame(0, payload),
    clientFrame(random.below(16), payload),
  ])
  const kind = random.next()
  if (kind < 0.6) return whole
  if (kind < 0.7) return Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
  if (kind < 0.75) return Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x10, 0, 0, 0, 1, 2, 3, 4])
  if (kind < 0.8) return clientFrame(CLOSE, text)
  if (kind < 0.9) { whole[random.below(Math.min(whole.length, 8))] = random.below(256); return whole }
  return whole.subarray(0, random.below(whole.length))
}

test('whatever frames come, a terminal ends with its page and leaves no program', { timeout: NIGHT_MS }, async t => {
  t.diagnostic(`seed ${seed}, ${rounds} sockets`)
  const random = openRandom(seed)
  for (let round = 0; round < rounds; round += 5) {
    const pages = await Promise.all(Array.from({ length: 5 }, () => terminal('cat')))
    for (const { socket } of pages) {
      for (let frames = random.below(20); frames > 0 && !socket.destroyed; frames--) socket.write(frame(random))
      if (random.next() < 0.3) socket.destroy()
      else socket.end()
    }
    await until('all sockets end', () => pages.every(page => page.closed()))
    await until('their programs end', () => running === 0)
  }
  assert.deepEqual(errors, [])
})

test('what is pasted comes back whole from a program that writes while it reads', { timeout: 60_000 }, async () => {
  const { socket, heard, closed } = await terminal('cat')
  await pause(200) // Until stty has made the terminal raw: what comes before is echoed and cooked.
  const before = heard()
  const piece = Buffer.alloc(50_000, 'paste ')
  for (let sent = 0; sent < 8; sent++) socket.write(clientFrame(BINARY, piece))
  await until('all of it is back', () => closed() || heard() - before >= 8 * piece.length)
  assert.equal(closed(), false)
  socket.destroy()
  await until('the program ends', () => running === 0)
})

test('a program that reads nothing is not typed to for ever, and one whose page reads nothing waits', { timeout: 120_000 }, async () => {
  const [deaf, loud] = [await terminal('deaf'), await terminal('loud')]
  loud.socket.pause()
  const before = process.memoryUsage().rss
  const piece = clientFrame(BINARY, Buffer.alloc(100_000, 'x\n'))
  await until('it is cut off', async () => {
    for (let more = 0; more < 10 && !deaf.closed(); more++) deaf.socket.write(piece)
    await pause(5)
    return deaf.closed()
  })
  const grown = (process.memoryUsage().rss - before) / 2 ** 20
  assert.ok(grown < 200, `${grown.toFixed(0)} MiB more`)
  loud.socket.destroy()
  await until('both programs end', () => running === 0)
})

test('a page that hears no events is let go, and others hear theirs', { timeout: 120_000 }, async () => {
  const [slow, quick] = [await open('/_console/events', false), await open('/_console/events', false)]
  slow.socket.pause()
  const size = 1 << 20 // More of these than a socket's buffers hold.
  const row = { kind: 'k'.repeat(size), id: 'x', account: '', region: '', generation: 0, created: '', spec: {}, status: {}, tags: {} }
  let told = await store.transact(tx => tx.put(row, 'changed'))
  for (let events = 1; events <= 24; events++) {
    await until('it is heard', () => quick.heard() >= events * size)
    told = await store.transact(tx => tx.put(told, 'changed'))
  }
  slow.socket.resume()
  await until('it is let go', () => slow.closed())
  assert.equal(quick.closed(), false)
  quick.socket.destroy()
})
