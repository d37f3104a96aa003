/**
 * The real engine under kill -9: of the server at moments of a launch, a stop and a termination, of Incus, and of everything at once.
 *
 * Meanwhile one instance serves: a connection to it stays open through all of that, what it writes goes on, and no request to it fails.
 */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { processes } from '#engine/incus/process'
import { hostTable } from '#engine/net/names'
import { storageHelper } from '#engine/storage/helper'
import { sweepLeftovers } from '#launch/leftovers'
import { claims } from '../fault/audit.ts'
import { Enclume, eventually, launcher, must, run, ssh, sshArgs, sshReady, traces, type Login } from './enclume.ts'
import { furnish, type Furniture } from './reboot.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
type Status = { running: boolean; pid?: number; engine: { running: boolean; pid?: number } }

let enclume: Enclume
let image: string
let server: any
let login: Login
let group: string
let serving: { failures: string[]; longestMs: number; answers: number; connected: () => boolean; end(): Promise<void> }
let instances: string[] = []
let furniture: Furniture | undefined
/** Claims whose owners are gone. */
const lost = () => claims(join(enclume.home.dir, 'enclume.db'))
let lostBefore: string[] = []
/** A boot takes seconds, and minutes where others have the processors. */
const LOADED_MS = 180_000
/** Tokens of an earlier run of this file in the same home are not this one's. */
const round = Date.now()

const status = async (): Promise<Status> => JSON.parse((await run(join(ROOT, 'enclume'), ['status', '--json'])).stdout)
const up = () => launcher('up')

before(async () => {
  enclume = await Enclume.up()
  lostBefore = lost()
  image = await enclume.image('debian-12')
  const key = await enclume.keyPair('faults')
  group = (await enclume.ec2('create-security-group', '--group-name', 'faults', '--description', 'faults')).GroupId
  for (const port of ['22', '8080']) {
    await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', port, '--cidr', '0.0.0.0/0')
  }
  const { Instances } = await enclume.ec2('run-instances', '--image-id', image, '--instance-type', 't3.nano', '--key-name', 'faults',
    '--security-group-ids', group, '--instance-initiated-shutdown-behavior', 'terminate')
  server = await enclume.state(Instances[0].InstanceId, 'running')
  login = { key, user: 'admin', address: server.PublicIpAddress }
  await sshReady(login, LOADED_MS)
  serving = await serve()
}, { timeout: 900_000 })

after(async () => {
  await serving?.end()
  await up()
  const all = [...instances, server?.InstanceId].filter(Boolean)
  if (all.length > 0) await enclume.aws('ec2', 'terminate-instances', '--instance-ids', ...all)
  await Promise.all(all.map(id => enclume.state(id, 'terminated')))
  await furniture?.remove()
  await enclume.aws('ec2', 'delete-security-group', '--group-id', group)
  await enclume.aws('ec2', 'delete-key-pair', '--key-name', 'faults')
  enclume?.close()
}, { timeout: 300_000 })

/** A web server in the instance, asked again and again, and an ssh session that goes on: each of its words is on the disk before it is said. */
async function serve(): Promise<typeof serving> {
  await ssh(login, 'nohup python3 -m http.server 8080 >/dev/null 2>&1 & sleep 0')
  await eventually(async () => (await fetch(`http://${login.address}:8080/`)).ok, { what: 'the server inside', timeoutMs: LOADED_MS })
  const talk = sshArgs(login, 'while echo tick >> ticks && sync ticks && echo tick; do sleep 0.1; done')
  const session: ChildProcess = spawn('ssh', talk, { stdio: ['ignore', 'pipe', 'inherit'] })
  let ticked = performance.now()
  let ended = false
  const seen = { failures: [] as string[], longestMs: 0, answers: 0 }
  session.stdout!.on('data', () => {
    seen.longestMs = Math.max(seen.longestMs, performance.now() - ticked)
    ticked = performance.now()
  })
  const asking = (async () => {
    while (!ended) {
      await fetch(`http://${login.address}:8080/`, { signal: AbortSignal.timeout(3000) }).then(reply => reply.text()).then(() => { seen.answers++ })
        .catch((error: Error) => { if (!ended) seen.failures.push(`${new Date().toISOString()} ${error.message} ${String(error.cause)}`) })
      await pause(50)
    }
  })()
  return Object.assign(seen, {
    connected: () => session.exitCode === null && performance.now() - ticked < 10_000,
    async end() { ended = true; session.kill(); await asking },
  })
}

/**
 * Kills the server when its log says so, `afterMs` later; brings it back.
 *
 * The log may say so of what was asked before, so that the action itself is cut short and the client gives up before the server is back.
 * It is then asked again, as its user would: each of them may be.
 */
async function killWhen(said: RegExp, afterMs: number, action: () => Promise<unknown>): Promise<void> {
  const { pid } = await status()
  const log = join(enclume.home.dir, 'log', 'server.log')
  const from = statSync(log).size
  const acted = action().then(() => true, () => false)
  const told = () => said.test(readFileSync(log).subarray(from).toString())
  for (const deadline = Date.now() + 20_000; !told();) {
    assert.ok(Date.now() < deadline, `the log never says ${said}`)
    await pause(1)
  }
  await pause(afterMs)
  process.kill(pid!, 'SIGKILL')
  const answered = await acted
  await up()
  if (!answered) await action()
}

let launches = 0
/** Launches one more instance, or the last one again, by its token. */
const launch = async ({ again = false } = {}): Promise<string> => {
  if (!again) launches++
  const { Instances } = await enclume.ec2('run-instances', '--image-id', image, '--instance-type', 't3.nano',
    '--client-token', `faults-${round}-${launches}`)
  return Instances[0].InstanceId
}

/** The instances that this file launched, but the one that serves. */
async function others(): Promise<any[]> {
  const alive = 'Name=instance-state-name,Values=pending,running,stopping,stopped'
  const { Reservations } = await enclume.ec2('describe-instances', '--filters', alive, 'Name=client-token,Values=faults-*')
  return Reservations.flatMap((r: any) => r.Instances)
}

const moments: [said: RegExp, afterMs: number][] = [
  [/"operation":"RunInstances"/, 0], [/"operation":"RunInstances"/, 40], [/"event":"disk made"/, 0], [/"event":"machine made"/, 10],
  [/"event":"machine started"/, 0],
]

for (const [n, [said, afterMs]] of moments.entries()) {
  test(`a launch whose server is killed ${afterMs} ms after ${said.source} ends in one running instance`, { timeout: 120_000 }, async () => {
    await killWhen(said, afterMs, () => launch())
    const id = await launch({ again: true }) // The instance that was launched before, if it was.
    instances.push(id)
    await enclume.state(id, 'running', 20_000)
    assert.deepEqual((await others()).map(i => i.InstanceId).sort(), [...instances].sort(), `after ${n + 1} launches`)
  })
}

test('stops whose server is killed end in stopped instances that have given back their public addresses', { timeout: 120_000 }, async () => {
  const stop = (id: string) => () => enclume.ec2('stop-instances', '--instance-ids', id)
  await killWhen(/"operation":"StopInstances"/, 0, stop(instances[0]!))
  await killWhen(/"operation":"StopInstances"/, 700, stop(instances[1]!))
  for (const id of instances.slice(0, 2)) assert.equal((await enclume.state(id, 'stopped', 20_000)).PublicIpAddress, undefined)
})

test('an instance whose server is killed during its reboot has rebooted and runs', { timeout: 120_000 }, async () => {
  const id = instances[2]!
  await killWhen(/"operation":"RebootInstances"/, 1000, () => enclume.ec2('reboot-instances', '--instance-ids', id))
  await pause(8000) // Longer than a machine may be off before it passes for shut down.
  assert.equal((await enclume.instance(id)).State.Name, 'running')
})

test('the supervisor brings a killed server back by itself', { timeout: 120_000 }, async () => {
  const { pid } = await status()
  process.kill(pid!, 'SIGKILL')
  await eventually(async () => { const now = await status(); return now.running && now.pid !== pid }, { what: 'a new server', timeoutMs: 40_000 })
})

test('Incus killed is brought back, machines go on, and what is asked next is done', { timeout: 120_000 }, async () => {
  const { engine: { pid } } = await status()
  process.kill(pid!, 'SIGKILL')
  await enclume.ec2('start-instances', '--instance-ids', instances[0]!)
  await enclume.state(instances[0]!, 'running', 30_000)
  assert.notEqual((await status()).engine.pid, pid)
})

test('the storage helper and every dnsmasq killed are brought back', { timeout: 120_000 }, async () => {
  const helper = () => storageHelper(enclume.home)
  const killed = [...daemons(), helper()!]
  assert.ok(killed.length >= 3, 'the helper, the host\'s dnsmasq and a router\'s')
  for (const pid of killed) process.kill(pid, 'SIGKILL')
  const back = async () => [...daemons(), helper() ?? killed[0]!].filter(pid => !killed.includes(pid)).length === killed.length
  await eventually(back, { what: 'as many as before', timeoutMs: 60_000 })
})

test('terminations whose server is killed leave nothing on the host', { timeout: 180_000 }, async () => {
  const end = (...ids: string[]) => () => enclume.ec2('terminate-instances', '--instance-ids', ...ids)
  await killWhen(/"operation":"TerminateInstances"/, 0, end(instances[0]!))
  await killWhen(/"act":"kill"/, 0, end(instances[1]!, instances[2]!))
  await killWhen(/"act":"delete"/, 5, end(...instances.slice(3)))
  await Promise.all(instances.map(id => enclume.state(id, 'terminated', 30_000)))
  instances = []
  await nothingLeft()
})

test('`down --keep-running` and `up` leave instances alone', { timeout: 400_000 }, async () => {
  const began = await bootOf()
  await launcher('down', '--keep-running')
  await pause(500)
  await up()
  assert.equal(await bootOf(), began)
  assert.equal((await enclume.instance(server.InstanceId)).State.Name, 'running')
})

test('through all of that the instance has served, and its connection was never broken', async t => {
  t.diagnostic(`${serving.answers} answers, longest silence of the connection ${Math.round(serving.longestMs)} ms`)
  assert.ok(serving.answers > 100)
  assert.deepEqual(serving.failures, [])
  assert.ok(serving.connected(), 'the connection broke')
  assert.ok(serving.longestMs < 10_000, `silent for ${serving.longestMs} ms`)
  await serving.end()
})

test('`down` and `up` bring back what ran, with the same addresses, and nothing else', { timeout: 400_000 }, async () => {
  const idle = await launch()
  instances.push(idle)
  await enclume.state(idle, 'running')
  await enclume.ec2('stop-instances', '--instance-ids', idle)
  await enclume.state(idle, 'stopped')
  const began = await bootOf()
  await launcher('down')
  assert.deepEqual((await traces(enclume.home)).mounts, [])
  await up()
  await sameAsBefore()
  assert.notEqual(await bootOf(), began)
  assert.equal((await enclume.instance(idle)).State.Name, 'stopped')
})

const AFTER = '`up` brings back what ran: addresses and Elastic IPs, mounted volumes, IPv6, and a private subnet\'s way out by NAT'
test(`after the host went down under it, ${AFTER}`, { timeout: 400_000 }, async () => {
  furniture = await furnish(enclume, { instance: server, login, image })
  server.PublicIpAddress = login.address = furniture.address
  await furniture.check()
  // All processes die, Incus first, so that nobody tells it how machines ended; then all that a reboot would take goes too.
  const { pid, engine } = await status()
  const supervisor = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
  for (const one of [supervisor, pid!, engine.pid!]) process.kill(one, 'SIGKILL')
  await sweepLeftovers(enclume.home, () => {})
  assert.equal((await status()).running, false)
  await up()
  await sameAsBefore()
  await furniture.check()
})

async function sameAsBefore(): Promise<void> {
  const now = await enclume.state(server.InstanceId, 'running', 30_000)
  assert.deepEqual([now.PrivateIpAddress, now.PublicIpAddress], [server.PrivateIpAddress, server.PublicIpAddress])
  await sshReady(login, LOADED_MS)
}

/** When the instance's init began: another number after each boot. */
const bootOf = async (): Promise<string> => {
  await sshReady(login, LOADED_MS)
  return (await ssh(login, 'cut -d" " -f22 /proc/1/stat')).stdout.trim()
}

/** Every dnsmasq of this home. */
const daemons = () => processes(`--conf-file=${enclume.home.run}/net/`)

/** On the host there is what the serving instance has, and no more; and no name or number is held for what is gone. */
async function nothingLeft(): Promise<void> {
  const { home } = enclume
  const custom = join(home.dir, 'incus', 'storage-pools', 'pool', 'custom')
  const look = async () => {
    const { loops, mounts } = await traces(home)
    const { Volumes } = await enclume.ec2('describe-volumes')
    const disks = existsSync(custom) ? readdirSync(custom).filter(name => name.includes('disk-vol-')) : []
    const containers = readdirSync(join(home.dir, 'incus', 'containers'))
    const spaces = (await must('ip', ['netns', 'list'])).match(new RegExp(`^${home.prefix}-\\S+`, 'gm')) ?? []
    const links = (await Promise.all(spaces.map(name => must('ip', ['-n', name, '-brief', 'link'])))).join('')
    const ports = [...links.matchAll(/^e\d+-\d+@/gm)]
    const tables = (await must('nft', ['list', 'tables'])).split('\n').filter(line => line === `table inet ${hostTable(home)}`)
    const counts = [ports, loops, mounts, Volumes, disks, containers, tables, spaces, daemons()].map(found => found.length)
    return [...counts, ...lost().filter(claim => !lostBefore.includes(claim))].join(' ')
  }
  let last = ''
  const clean = async () => { last = await look(); return last === '1 1 1 1 1 1 1 2 2' }
  const what = 'one each of ports, loops, mounts, volumes, disks, containers and tables of the host, two spaces, two dnsmasq, no lost claim'
  await eventually(clean, { what, timeoutMs: 75_000 })
    .catch((error: Error) => assert.fail(`${error.message}: ${last}`))
}
