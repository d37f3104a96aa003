/**
 * The private Incus daemon of one home: its own directory, socket and storage pool, started without any service manager.
 *
 * Invariant: it is told from others by its socket alone (`incus/unix.socket` in the home), and asked for its process number
 * there. Containers belong to the kernel, not to the daemon: stopping or killing it leaves them running, and the next one
 * finds them again.
 */
import { spawn } from 'node:child_process'
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { lasting } from '#base/scope'
import { IncusError, Unreachable, type Client } from '#engine/incus/client'
import { prepareHost } from '#engine/incus/host'
import { daemonClient, incusDir, makeProject, poolOf, socketOf } from '#engine/incus/place'
import { runs, until } from '#engine/incus/process'
import { startStorageHelper } from '#engine/storage/helper'

/** Debian and Ubuntu; Zabbly's packages; Fedora; Arch; a plain `make install`. */
const BINARIES = ['/usr/libexec/incus/incusd', '/opt/incus/bin/incusd', '/usr/libexec/incusd', '/usr/lib/incus/incusd', '/usr/bin/incusd',
  '/usr/local/bin/incusd']
const READY_MS = 60_000
const STOP_MS = 30_000

export type DaemonStatus = { running: boolean; pid?: number; version?: string; socket: string }

const pidFile = (home: Home): string => join(home.run, 'incusd.pid')

type Server = { environment: { server_pid: number; server_version: string } }

/** Whether it answers, and who it is. */
export async function daemonStatus(home: Home): Promise<DaemonStatus> {
  const socket = socketOf(home)
  try {
    const { environment } = await daemonClient(home).get<Server>('/1.0')
    return { running: true, pid: environment.server_pid, version: environment.server_version, socket }
  } catch (error) {
    if (error instanceof Unreachable) return { running: false, socket }
    throw error
  }
}

/**
 * Prepares the host, starts the daemon and the storage helper unless they run already, and makes the storage pool unless it is there.
 * Idempotent.
 * `poolGiB` is the greatest size of the pool's sparse file, for a pool that has yet to be made.
 */
export async function startDaemon(home: Home, log: Log, { poolGiB }: { poolGiB?: number } = {}): Promise<Client> {
  const own = home.incus ? [] : [incusDir(home)]
  for (const dir of [join(home.dir, 'log'), ...own, home.run]) mkdirSync(dir, { recursive: true, mode: 0o700 })
  openWay(home)
  await prepareHost(home, log)
  if (!(await daemonStatus(home)).running) {
    if (home.incus) throw new Error(`the Incus at ${socketOf(home)} does not answer: start it, or look at its own log`)
    await launch(home, log)
  }
  await makeProject(home)
  const client = daemonClient(home)
  await makePool(home, client, log, poolGiB)
  await startStorageHelper(home, log)
  return client
}

/** Containers' own users must be able to pass through, not to read, all that lies above their files. */
function openWay(home: Home): void {
  for (const dir of [home.dir, home.run]) chmodSync(dir, statSync(dir).mode | 0o011)
  for (let dir = dirname(home.dir); dir !== '/'; dir = dirname(dir)) {
    if ((statSync(dir).mode & 0o001) !== 0) continue
    throw new Error(`${dir} is closed to other users, so containers can't live below it: choose another home`)
  }
}

const NO_FETCHING = { HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9' }

async function launch(home: Home, log: Log): Promise<void> {
  const binary = BINARIES.find(path => existsSync(path))
  if (!binary) throw new Error('incusd is not installed: install the package incus-base (Debian) or incus')
  const started = Date.now()
  const output = openSync(join(home.dir, 'log', 'incusd.out'), 'a')
  // A session of its own: the daemon goes on when the terminal or the server that started it ends.
  const [program, ...words] = lasting([binary, '--logfile', join(home.dir, 'log', 'incusd.log')])
  const child = spawn(program!, words, {
    cwd: '/', detached: true, stdio: ['ignore', output, output],
    // Unasked, incusd fetches a list of instance types from its makers' server at every start: the discard port has none.
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, INCUS_DIR: incusDir(home), ...NO_FETCHING },
  })
  closeSync(output)
  let ended: string | undefined
  child.on('error', error => { ended = error.message })
  child.on('exit', (code, signal) => { ended = `it ended with ${signal ?? `code ${code}`}` })
  const up = await until(async () => ended !== undefined || await ready(home), READY_MS)
  if (ended !== undefined || !up) {
    child.kill('SIGKILL')
    throw new Error(`Incus did not start: ${ended ?? `no answer for ${READY_MS / 1000} s`}; see ${home.dir}/log/incusd.log`)
  }
  child.removeAllListeners().unref()
  writeFileSync(pidFile(home), `${child.pid}\n`)
  log.info('incus started', { pid: child.pid, ms: Date.now() - started })
}

/** It answers before it has looked after its pools and instances: this waits for those. */
async function ready(home: Home): Promise<boolean> {
  try {
    await daemonClient(home).get('/internal/ready')
    return true
  } catch (error) {
    if (error instanceof Unreachable || (error instanceof IncusError && error.status === 503)) return false
    throw error
  }
}

type Pool = { status: string }

async function makePool(home: Home, client: Client, log: Log, poolGiB?: number): Promise<void> {
  const pool = await client.find<Pool>(`/1.0/storage-pools/${poolOf(home)}`)
  if (pool && pool.status !== 'Created') throw new Error(`the storage pool is ${pool.status}; see ${home.dir}/log/incusd.log`)
  if (pool) return
  const { bavail, bsize } = statfsSync(home.dir)
  const sizeGiB = poolGiB ?? Math.min(200, Math.floor((bavail * bsize * 0.8) / 2 ** 30))
  if (sizeGiB < 10) throw new Error(`the pool would have ${sizeGiB} GiB: at least 10 GiB of free disk are needed below ${home.dir}`)
  const config = { 'size': `${sizeGiB}GiB`, 'btrfs.mount_options': 'user_subvol_rm_allowed,noatime,discard=async' }
  await client.act('POST', '/1.0/storage-pools', { name: poolOf(home), driver: 'btrfs', config })
  if (!home.incus) await client.act('PATCH', '/1.0', { config: { 'images.auto_update_interval': '0' } })
  log.info('storage pool made', { sizeGiB })
}

/** Ends the home's own daemon. Containers go on, and so do the mounts they need. One that was there before is left as it is. */
export async function stopDaemon(home: Home, log: Log): Promise<void> {
  if (home.incus) return
  const pid = (await daemonStatus(home)).pid ?? hungPid(home)
  if (pid !== undefined) {
    // SIGTERM leaves containers running; SIGPWR would shut them down.
    process.kill(pid, 'SIGTERM')
    if (!await until(() => !runs(pid, 'incusd'), STOP_MS)) {
      log.warn('incus did not end by itself; killed', { pid })
      process.kill(pid, 'SIGKILL')
      await until(() => !runs(pid, 'incusd'), STOP_MS)
    }
    log.info('incus stopped', { pid })
  }
  rmSync(pidFile(home), { force: true })
}

/** A daemon that runs and does not answer is known by the number that was written when it started. */
function hungPid(home: Home): number | undefined {
  if (!existsSync(pidFile(home))) return undefined
  const pid = Number(readFileSync(pidFile(home), 'utf8'))
  return runs(pid, 'incusd') && runs(pid, home.dir) ? pid : undefined
}
