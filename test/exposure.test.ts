/** The server's own process, on the fake engine: where it listens, what it leaves on the disk for others to read, and what it tells whom. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, globSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get, request } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { Sha256 } from '@smithy/core/checksum'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import { writeConfig } from '#launch/config'
import { writeTrust } from '#launch/outside'

const OUTSIDE = '127.0.0.2'
const dir = mkdtempSync(join(tmpdir(), 'enclume-exposure-'))
let server: ChildProcess
let [port, consolePort] = [0, 0]
let printed = ''
let trust = ''

const free = (): Promise<number> => new Promise(resolve => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address() as AddressInfo
    probe.close(() => resolve(port))
  })
})

before(async () => {
  chmodSync(dir, 0o711)
  ;[port, consolePort] = [await free(), await free()]
  const outside = { address: OUTSIDE }
  writeConfig(dir, { slot: 7, port, consolePort, region: 'us-east-1', diskGiB: 8, outside })
  trust = writeTrust({ dir }, outside, new Date())!
  // A database that an earlier version left open to others is closed.
  writeFileSync(join(dir, 'history.db'), '', { mode: 0o644 })
  server = spawn(process.execPath, ['src/main.ts'], {
    env: { ...process.env, ENCLUME_HOME: dir, ENCLUME_ENGINE: 'fake' }, stdio: ['ignore', 'pipe', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    const hear = (part: Buffer) => { printed += part.toString(); if (printed.includes('"server.ready"')) resolve() }
    server.stdout!.on('data', hear)
    server.stderr!.on('data', hear)
    server.once('exit', () => reject(new Error(printed)))
  })
}, { timeout: 60_000 })

after(async () => {
  const gone = new Promise(resolve => { server.once('exit', resolve) })
  server.kill('SIGTERM')
  await gone
  rmSync(dir, { recursive: true })
})

type Answer = { status: number; body: string }
type Ask = { service?: string; body: string; secret?: string }
const credentials = () => JSON.parse(readFileSync(join(dir, 'root-credentials.json'), 'utf8')) as { accessKeyId: string; secretAccessKey: string }

/** Signed as the account's root user, to the outer address. */
async function signed({ service = 'sts', body, secret }: Ask): Promise<Answer> {
  const keys = credentials()
  const signer = new SignatureV4({
    service, region: 'us-east-1', credentials: { ...keys, secretAccessKey: secret ?? keys.secretAccessKey }, sha256: Sha256,
  })
  const headers = { host: `${OUTSIDE}:${port}`, 'content-type': 'application/x-www-form-urlencoded' }
  const made = await signer.sign(new HttpRequest({ method: 'POST', protocol: 'https:', hostname: OUTSIDE, port, path: '/', body, headers }))
  return new Promise((resolve, reject) => {
    const to = { host: OUTSIDE, port, method: 'POST', path: '/', headers: made.headers, ca: readFileSync(trust), agent: false }
    const call = request(to, response => {
      let text = ''
      response.on('data', (part: Buffer) => { text += part.toString() }).on('end', () => resolve({ status: response.statusCode!, body: text }))
    })
    call.on('error', reject)
    call.end(body)
  })
}

/** What the process listens at, by the kernel's tables. */
function listens(): string[] {
  const links = readdirSync(`/proc/${server.pid}/fd`).map(fd => { try { return readlinkSync(`/proc/${server.pid}/fd/${fd}`) } catch { return '' } })
  const LISTEN = '0A'
  return ['tcp', 'tcp6'].flatMap(name => readFileSync(`/proc/${server.pid}/net/${name}`, 'utf8').split('\n').slice(1)
    .map(line => line.trim().split(/\s+/)).filter(row => row[3] === LISTEN && links.includes(`socket:[${row[9]}]`))
    .map(row => {
      const [host, at] = row[1]!.split(':') as [string, string]
      return `${Buffer.from(host, 'hex').reverse().join('.')}:${Number.parseInt(at, 16)}`
    })).sort()
}

test('the server listens at loopback, at the address that was asked for, and nowhere else', () => {
  assert.deepEqual(listens(), [`127.0.0.1:${port}`, `127.0.0.1:${consolePort}`, `${OUTSIDE}:${port}`].sort())
})

test('the outer address speaks TLS alone, and is believed by whoever trusts the file that `up` names', async () => {
  const failure = (ca?: Buffer) => new Promise<string>(resolve => {
    get({ host: OUTSIDE, port, path: '/', ca, agent: false }, answer => { answer.resume(); resolve(`answered ${answer.statusCode}`) })
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code!))
  })
  assert.equal(await failure(), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  assert.match(await failure(readFileSync(trust)), /^answered/)
  await assert.rejects(fetch(`http://${OUTSIDE}:${port}/_enclume/health`))
})

test('at the outer address the signed API is served, and a wrong key, the health page and the launcher\'s page are not', async () => {
  const body = 'Action=GetCallerIdentity&Version=2011-06-15'
  const right = await signed({ body })
  assert.deepEqual([right.status, /<Arn>arn:aws:iam::\d+:root</.test(right.body)], [200, true])
  assert.equal((await signed({ body, secret: 'wrong' })).status, 403)
  for (const path of ['/_enclume/health', '/_enclume/drain']) {
    const answer = await new Promise<Answer>((resolve, reject) => {
      get({ host: OUTSIDE, port, path, ca: readFileSync(trust), agent: false }, response => {
        let text = ''
        response.on('data', (part: Buffer) => { text += part.toString() }).on('end', () => resolve({ status: response.statusCode!, body: text }))
      }).on('error', reject)
    })
    assert.ok(answer.status >= 400 && !answer.body.includes('capacity'), `${path}: ${answer.status} ${answer.body}`)
  }
})

test('on loopback health is told to anybody, and stopping asks for the launcher\'s token', async () => {
  const health = await (await fetch(`http://127.0.0.1:${port}/_enclume/health`)).text()
  const { secretAccessKey, accessKeyId } = credentials()
  assert.match(health, /"status":"ok"/)
  assert.ok(!health.includes(secretAccessKey) && !health.includes(accessKeyId))
  const drain = (headers: Record<string, string>) => fetch(`http://127.0.0.1:${port}/_enclume/drain`, { method: 'POST', headers })
  assert.deepEqual([(await drain({})).status, (await drain({ authorization: 'Bearer ' })).status], [403, 403])
})

test('nothing that the server writes into its home can be read by another user', async () => {
  await signed({ service: 's3', body: '' })
  const mode = (name: string) => statSync(join(dir, name)).mode
  const passable = (name: string): boolean => dirname(name) === '.' || ((mode(dirname(name)) & 0o011) > 0 && passable(dirname(name)))
  const open = globSync('**/*', { cwd: dir }).filter(name => mode(name) & 0o044 && passable(name))
  assert.equal(mode('s3') & 0o777, 0o700)
  assert.deepEqual(open.sort(), ['config.json', 'endpoint-ca.pem'])
  const files = readdirSync(dir)
  for (const name of ['enclume.db', 'history.db', 'metrics.db', 'root-credentials.json', 'identity.key', 'authority.json'])
    assert.ok(files.includes(name), `${name} is among ${files.join()}`)
})

test('the databases and the log hold neither the root user\'s secret nor the home\'s key', () => {
  const { secretAccessKey } = credentials()
  const secrets = [secretAccessKey, readFileSync(join(dir, 'identity.key'), 'utf8').trim()]
  const kept = [printed, ...globSync('*.db*', { cwd: dir }).map(name => readFileSync(join(dir, name), 'latin1'))]
  assert.ok(kept.length > 2)
  for (const text of kept) for (const secret of secrets) assert.ok(!text.includes(secret))
})
