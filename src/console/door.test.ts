/** What the door lets in, and what it does not. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { request, type IncomingHttpHeaders } from 'node:http'
import { silent } from '#base/log'
import { openDoor, type ConsoleDoor } from '#console/door'
import { openSqlite } from '#store/sqlite'
import type { Store } from '#store/store'

const root = { account: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', root: true }
let now = new Date('2026-01-01T00:00:00Z')
let store: Store
let door: ConsoleDoor
let port: number
let passed: string[] = []

before(async () => {
  store = openSqlite(':memory:')
  door = openDoor({
    store,
    watch: callback => store.watch(events => callback(events.map(({ kind }) => kind))),
    log: silent,
    clock: () => now,
    wire: {
      emit: (_: unknown, asked: { url: string }, response: { end(text: string): void }) => {
        passed.push(asked.url)
        response.end('api')
        return true
      },
    } as never,
    verify: async ({ kind, password, mfa, newPassword }) =>
      password === 'right' && kind === 'root'
        ? { principal: root, name: 'root' }
        : password === 'two'
          ? mfa === '123456'
            ? { principal: root, name: 'ann' }
            : 'mfa'
          : password === 'first'
            ? newPassword === undefined
              ? 'change'
              : newPassword === 'second'
                ? { principal: root, name: 'ann' }
                : { refused: 'Password should have a minimum length of 8' }
            : undefined,
    issue: async () => ({ accessKeyId: 'ASIA', secretAccessKey: 's', sessionToken: 't', expiration: now.toISOString() }),
    facts: () => ({ region: 'us-east-1' }),
    terminals: { target: async () => ({ file: 'cat', args: [] }) },
    reach: async (_, response) => void response.end(),
  })
  port = (await door.listen(0, '127.0.0.1')).port
})
after(async () => {
  await door.close()
  await store.close()
})
beforeEach(() => {
  passed = []
  now = new Date(now.getTime() + 3_600_000)
})

type Answer = { status: number; headers: IncomingHttpHeaders; body: string }
function ask(
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: object } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, headers }, response => {
      let text = ''
      response
        .on('data', (part: Buffer) => {
          text += part.toString()
        })
        .on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }))
    })
    call.on('error', reject)
    call.end(body && JSON.stringify(body))
  })
}
const own = { 'x-enclume-console': '1', 'content-type': 'application/json' }
const signIn = (password: string, more: object = {}, headers: Record<string, string> = own) =>
  ask('/_console/sign-in', { method: 'POST', headers, body: { kind: 'root', account: '', user: '', password, ...more } })
const cookieOf = ({ headers }: Answer): string => String(headers['set-cookie']![0]).split(';')[0]!

test('a session begins with the right password alone, in a cookie that no script and no other site has', async () => {
  assert.deepEqual([(await signIn('wrong')).status, (await signIn('')).status], [401, 401])
  const answer = await signIn('right')
  assert.equal(answer.status, 200)
  assert.match(String(answer.headers['set-cookie']), /^enclume-console=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/)
  const cookie = cookieOf(answer)
  assert.equal((await ask('/_console/credentials', { method: 'POST', headers: { ...own, cookie } })).status, 200)
  assert.ok(!JSON.stringify(await store.list({ kind: 'console-session' })).includes(cookie.split('=')[1]!), 'the store holds a digest')
})

test('a password that must be changed signs in with a new one beside it, and is told what that one lacks', async () => {
  const answers = [await signIn('first'), await signIn('first', { newPassword: 'short' }), await signIn('first', { newPassword: 7 })]
  assert.deepEqual(answers.map(({ status, body }) => [status, JSON.parse(body)]), [
    [401, { error: 'change' }], [401, { error: 'password', message: 'Password should have a minimum length of 8' }], [400, { error: 'malformed' }],
  ])
  assert.ok(answers.every(({ headers }) => headers['set-cookie'] === undefined))
  assert.equal((await signIn('first', { newPassword: 'second' })).status, 200)
})

test('without a session there is nothing but the page and the sign-in', async () => {
  const asked = [
    await ask('/_console/session', { method: 'POST', headers: own }),
    await ask('/_console/credentials', { method: 'POST', headers: own }),
    await ask('/_console/events'),
    await ask('/', { method: 'POST', headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x' } }),
    await ask('/_console/session', { method: 'POST', headers: { ...own, cookie: 'enclume-console=guessed' } }),
  ]
  assert.deepEqual([asked.map(a => a.status), passed], [[401, 401, 401, 403, 401], []])
})

test('what another site sends is refused, with the cookie too', async () => {
  const cookie = cookieOf(await signIn('right'))
  const foreign = [{ origin: 'http://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { host: 'evil.example' }]
  for (const headers of foreign) {
    const posted = await ask('/_console/sign-out', { method: 'POST', headers: { ...own, cookie, ...headers } as never })
    const signed = await ask('/', { method: 'POST', headers: { authorization: 'AWS4-HMAC-SHA256 x', cookie, ...headers } as never })
    assert.deepEqual([[403, 421].includes(posted.status), [403, 421].includes(signed.status)], [true, true], JSON.stringify(headers))
  }
  assert.equal((await ask('/_console/credentials', { method: 'POST', headers: { cookie } })).status, 403, "a form can't set our header")
  assert.equal((await ask('/_console/session', { method: 'POST', headers: { ...own, cookie } })).status, 200, 'the session was left alone')
  assert.deepEqual(passed, [])
})

test('signed requests go to the API as they came, and their answers are no pages', async () => {
  const cookie = cookieOf(await signIn('right'))
  const answer = await ask('/bucket/key?x=1', { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x', cookie } })
  assert.deepEqual([answer.body, passed], ['api', ['/bucket/key?x=1']])
  assert.match(String(answer.headers['content-security-policy']), /^sandbox/)
})

test('logout ends the session at once', async () => {
  const cookie = cookieOf(await signIn('right'))
  assert.equal((await ask('/_console/sign-out', { method: 'POST', headers: { ...own, cookie } })).status, 200)
  assert.equal((await ask('/_console/session', { method: 'POST', headers: { ...own, cookie } })).status, 401)
  assert.equal((await ask('/', { headers: { authorization: 'AWS4-HMAC-SHA256 x', cookie } })).status, 403)
})

test('a session ends after twelve hours', async () => {
  const cookie = cookieOf(await signIn('right'))
  now = new Date(now.getTime() + 12 * 3_600_000 + 1)
  assert.equal((await ask('/_console/session', { method: 'POST', headers: { ...own, cookie } })).status, 401)
})

test('five failures lock the name, for the right password too, until some minutes have gone', async () => {
  const tries = []
  for (let i = 0; i < 6; i++) tries.push((await signIn('wrong', { user: 'x' })).status)
  assert.deepEqual([tries, (await signIn('right', { user: 'x' })).status], [[401, 401, 401, 401, 401, 429], 429])
  now = new Date(now.getTime() + 5 * 60_000 + 1)
  assert.equal((await signIn('right', { user: 'x' })).status, 200)
})

test('many tries at once are no more than the few that are allowed', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => signIn('wrong', { user: 'crowd' })))
  assert.deepEqual([answers.filter(a => a.status === 401).length, answers.filter(a => a.status === 429).length], [5, 15])
})

test('who has a second factor needs it', async () => {
  const [without, bad, good] = [await signIn('two'), await signIn('two', { mfa: '000000' }), await signIn('two', { mfa: '123456' })]
  assert.deepEqual(
    [without, bad, good].map(a => a.status),
    [401, 401, 200],
  )
  assert.deepEqual(JSON.parse(without.body), { error: 'mfa' })
})

test('every answer forbids foreign script, frames and guessing of types', async () => {
  for (const path of ['/', '/ec2/instances', '/none.js', '/_console/session']) {
    const { headers } = await ask(path)
    assert.match(String(headers['content-security-policy']), /default-src 'none'; script-src 'self';.*frame-ancestors 'none'/)
    assert.deepEqual([headers['x-frame-options'], headers['x-content-type-options']], ['DENY', 'nosniff'])
  }
})

test('nothing outside the built files is served', async () => {
  for (const path of ['/../package.json', '/%2e%2e/package.json', '/assets/../../package.json', '/..%2fpackage.json']) {
    assert.ok(!(await ask(path)).body.includes('"enclume"'), path)
  }
})

test('malformed sign-ins are refused', async () => {
  const post = (body: object) => ask('/_console/sign-in', { method: 'POST', headers: own, body })
  const bad = [
    {},
    { kind: 'other', account: '', password: 'x' },
    { kind: 'root', account: '', password: 7 },
    { kind: 'root', account: '', password: 'x'.repeat(300) },
    { kind: 'root', account: '', password: 'x'.repeat(20_000) },
  ]
  assert.deepEqual(await Promise.all(bad.map(async body => (await post(body)).status)), [400, 400, 400, 400, 400])
})
