/** A terminal over a real WebSocket, with programs of this host in place of a guest's. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#base/log'
import { openDoor, type ConsoleDoor } from '#console/door'
import { Refused } from '#console/targets'
import { openSqlite } from '#store/sqlite'
import type { Store } from '#store/store'

const root = { account: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', root: true }
const own = { 'x-enclume-console': '1', 'content-type': 'application/json' }
let store: Store
let door: ConsoleDoor
let url: string
let cookie: string
let done = 0
/** How often `i-slow` was looked for, and when it is to be found. */
let sought = 0
const found = Promise.withResolvers<void>()

before(async () => {
  store = openSqlite(':memory:')
  door = openDoor({
    store,
    watch: callback => store.watch(events => callback(events.map(({ kind }) => kind))),
    log: silent,
    clock: () => new Date(),
    wire: { emit: () => false },
    verify: async () => ({ principal: root, name: 'root' }),
    issue: async () => ({ accessKeyId: '', secretAccessKey: '', expiration: '' }),
    facts: () => ({}),
    reach: async () => {},
    terminals: {
      target: async ({ instance }) => {
        if (instance === 'i-refused') throw new Refused('UnauthorizedOperation: no.')
        if (instance === 'i-slow') {
          sought++
          await found.promise
        }
        return {
          file: 'sh',
          args: ['-c', 'stty -echo; tty; stty size; while read line; do [ "$line" = size ] && stty size || echo "<$line>"; done'],
          done: () => {
            done++
          },
        }
      },
    },
  })
  url = `127.0.0.1:${(await door.listen(0, '127.0.0.1')).port}`
  const answer = await fetch(`http://${url}/_console/sign-in`, {
    method: 'POST',
    headers: own,
    body: JSON.stringify({ kind: 'root', account: '', user: '', password: 'x' }),
  })
  cookie = answer.headers.get('set-cookie')!.split(';')[0]!
})
after(async () => {
  await door.close()
  await store.close()
})

type Options = { instance?: string; headers?: Record<string, string> }
function open({ instance = 'i-1', headers = { cookie, origin: `http://${url}` } }: Options = {}) {
  const socket = new WebSocket(`ws://${url}/_console/terminal?kind=session&instance=${instance}&region=us-east-1&cols=100&rows=30`, {
    headers,
  } as never)
  socket.binaryType = 'arraybuffer'
  const seen = { text: '', told: [] as object[], closed: false }
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') seen.told.push(JSON.parse(data) as object)
    else seen.text += Buffer.from(data as ArrayBuffer).toString()
  }
  socket.onclose = () => {
    seen.closed = true
  }
  return { socket, seen }
}
async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!holds()) {
    assert.ok(Date.now() < end, 'in time')
    await pause(10)
  }
}

test("what is typed reaches a program on a terminal of the page's size, and its output comes back", async () => {
  const { socket, seen } = open()
  await until(() => seen.text.includes('30 100'))
  assert.match(seen.text, /\/dev\/pts\//)
  socket.send(Buffer.from('héllo\r'))
  await until(() => seen.text.includes('<héllo>'))
  socket.send(JSON.stringify({ cols: 80, rows: 25 }))
  socket.send(Buffer.from('size\r'))
  await until(() => seen.text.includes('25 80'))
  const before = done
  socket.close()
  await until(() => done === before + 1)
})

test('a program that ends closes its terminal and says with what', async () => {
  const { socket, seen } = open()
  await until(() => seen.text.includes('30 100'))
  socket.send(Buffer.from('\u0004'))
  await until(() => seen.closed)
  assert.deepEqual(seen.told, [{ ready: true }, { ended: 0 }])
})

test('a refusal is told and nothing runs', async () => {
  const { seen } = open({ instance: 'i-refused' })
  await until(() => seen.closed)
  assert.deepEqual([seen.told, seen.text], [[{ error: 'UnauthorizedOperation: no.' }], ''])
})

test('without a session, or from another origin, there is no terminal', async () => {
  for (const headers of [{ origin: `http://${url}` }, { cookie, origin: 'http://evil.example' }, { cookie }]) {
    const { seen } = open({ headers: headers as never })
    await until(() => seen.closed)
    assert.deepEqual(seen.told, [])
  }
})

test('one asked for on a connection that an earlier request on it has ended is turned away, and ends nothing else', async () => {
  const { socket, seen } = open()
  await until(() => seen.text.includes('30 100'))
  // Without a host the first request is refused and its answer closes the connection, while the door still looks who asks for the terminal.
  for (const asker of [cookie, 'enclume-console=guessed']) {
    const said = await raw([
      'GET / HTTP/1.1', '', `GET /_console/terminal?kind=session&instance=i-1 HTTP/1.1`, `host: ${url}`, `origin: http://${url}`, `cookie: ${asker}`,
      'upgrade: websocket', 'connection: Upgrade', 'sec-websocket-key: dGVzdCBvZiBhIHRlcm1pbg==', '', '',
    ])
    assert.deepEqual(said.match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 400'])
  }
  assert.equal(seen.closed, false)
  const before = done
  socket.close()
  await until(() => done === before + 1)
})

/** All that the door says to these lines, until it has closed the connection. */
function raw(lines: string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let said = ''
  const socket = connect(Number(url.split(':')[1]), '127.0.0.1', () => socket.write(lines.join('\r\n')))
  socket.setEncoding('utf8').on('data', (part: string) => { said += part }).on('close', () => resolve(said)).on('error', reject)
  return promise
}

test("logout closes the session's terminals, and one that is still looked for begins nothing", async () => {
  const { seen } = open()
  const slow = open({ instance: 'i-slow' })
  await until(() => seen.text.includes('30 100') && sought === 1)
  const before = done
  await fetch(`http://${url}/_console/sign-out`, { method: 'POST', headers: { ...own, cookie } })
  await until(() => seen.closed && slow.seen.closed && done === before + 1)
  found.resolve()
  await until(() => done === before + 2)
  assert.deepEqual(slow.seen.told, [])
})
