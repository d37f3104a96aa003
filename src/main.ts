/**
 * The server process: opens the store, the engine, the cloud over them, and the doors. The sole file that knows all.
 *
 * kill -9 at any moment is a supported way to stop it: everything it knows is in the store or on the host.
 */
import { timingSafeEqual } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { systemClock } from '#base/clock'
import { openLog, type Level } from '#base/log'
import { openCloud } from '#cloud'
import { openInside } from '#inside'
import { openPage } from '#page'
import { drainer } from '#drain'
import { admitRestored } from '#restored'
import { openFake } from '#engine/fake'
import { thawLeft } from '#engine/disk/together'
import { openReal } from '#engine/real'
import { readBuild } from '#launch/build'
import { findConfig, getHome } from '#launch/config'
import { findConsole } from '#launch/console'
import { outsideCertificate, type Outside } from '#launch/outside'
import { isRootPassword } from '#launch/password'
import { wireServices } from '#service/index'
import { openRootKeys } from '#identity/root-keys'
import { openKey } from '#identity/seal'
import { openImdsDoor } from '#service/ec2/imds/door'
import { openSqlite } from '#store/sqlite'
import { openObjects } from '#wire/objects'
import { putObject } from '#wire/put'
import { openWire, type WireOptions } from '#wire/server'
import { readVersion } from '#launch/help'
import { openKeeper } from '#launch/keep'
import { host } from '#launch/real-host'

const OUTSIDE_AGAIN_MS = 10_000

const dir = process.env.ENCLUME_HOME
if (!dir) throw new Error('ENCLUME_HOME must name the home that this server is for')
const home = getHome(dir)
const log = openLog(line => process.stdout.write(line), (process.env.ENCLUME_LOG as Level | undefined) ?? 'info')
process.on('unhandledRejection', error => { log.error('unhandled', { error }); process.exit(1) })

mkdirSync(home.dir, { recursive: true })
const keys = openRootKeys(home.dir)
const store = openSqlite(join(home.dir, 'enclume.db'))
const build = readBuild()
const restored = await admitRestored(home.dir, store)
if (restored > 0) log.info('server.restored', { instances: restored })
const fake = process.env.ENCLUME_ENGINE === 'fake'
// An Incus that was there before is its administrator's to start.
const keeper = fake || home.incus ? undefined : openKeeper(home, host, log)
await keeper?.look()
if (!fake) await thawLeft(home)
const engine = fake ? openFake() : openReal(home, log)
const cloud = await openCloud({
  home, engine, store, log, clock: systemClock, history: join(home.dir, 'history.db'), metrics: join(home.dir, 'metrics.db'),
  root: keys, key: openKey(home.dir), deliver, objects: openObjects(() => `http://127.0.0.1:${home.port}`, keys),
})
const drain = drainer(cloud)
const imds = fake ? undefined : await openImdsDoor(cloud.context)

const api: WireOptions = {
  services: wireServices(cloud.services),
  credentials: cloud.identity.credentials,
  dispatch: cloud.dispatch, log, clock: systemClock,
}
const wire = openWire({ ...api, health, routes: { '/_enclume/drain': onDrain } })
await wire.listen(home.port, '127.0.0.1')
const { outside } = findConfig(dir)!
const beyond = outside && await openOutside(outside)
const inside = fake ? undefined : await openInside({ home, cloud, networks: engine.networks, api })
const door = openPage({
  cloud, root: keys, wire: wire.server, dir: findConsole(), version: readVersion(), endpoint: `http://127.0.0.1:${home.port}`,
  isRootPassword: password => isRootPassword(home, password), runDir: home.run,
})
await door.listen(home.consolePort, '127.0.0.1')
cloud.start()
log.info('server.ready', { port: home.port, engine: engine.name, region: home.region, home: home.dir, node: process.version })

/** By the front door, as the account itself. */
function deliver({ account, ...object }: { account: string; region: string; bucket: string; key: string; body: Buffer }): Promise<void> {
  if (account !== keys.account) return Promise.reject(new Error(`there are no keys of the account ${account}`))
  return putObject({ ...object, origin: `http://127.0.0.1:${home.port}`, keys, now: systemClock() })
}

/**
 * The API for other machines, where `up --bind` asked for it: over TLS, and nothing else of this process. An address that this host has not
 * now (a cable that is out) must not keep its own users from the API; it is tried until it is there.
 */
async function openOutside({ address, ...files }: Outside): Promise<{ close(): Promise<void> }> {
  const door = openWire({ ...api, secure: outsideCertificate(home, { address, ...files }, systemClock()) })
  let timer: NodeJS.Timeout | undefined
  const open = (): Promise<void> => door.listen(home.port, address).then(
    () => log.info('outside.open', { address, port: home.port }),
    (cause: Error) => {
      log.error('outside.closed', { address, port: home.port, cause })
      timer = setTimeout(() => void open(), OUTSIDE_AGAIN_MS)
    })
  await open()
  return { close: async () => { clearTimeout(timer); if (door.server.listening) await door.close() } }
}

async function health(): Promise<object> {
  const states: Record<string, number> = {}
  for (const row of await store.list<{ status: { state: string } } & any>({ kind: 'instance' })) {
    states[row.status.state] = (states[row.status.state] ?? 0) + 1
  }
  const images = cloud.context.images().map(image => image.name)
  return {
    status: 'ok', version: readVersion(), build, engine: engine.name, region: home.region, capacity: cloud.context.capacity(), images,
      instances: states,
  }
}

/** The launcher's `down`: stops every machine, remembering what ran. Proved by the home's own token. */
async function onDrain(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = join(home.dir, 'admin.token')
  const token = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  if (request.method !== 'POST' || token === '' || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    response.writeHead(403).end()
    return
  }
  const stopped = await drain()
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ stopped }))
}

let closing = false
async function close(signal: string): Promise<void> {
  if (closing) return
  closing = true
  log.info('server.closing', { signal })
  await keeper?.close()
  await door.close()
  await wire.close()
  await beyond?.close()
  await inside?.close()
  await imds?.close()
  await cloud.close()
  await engine.close()
  await store.close()
  process.exit(0)
}
process.on('SIGTERM', close)
process.on('SIGINT', close)
