/**
 * The server's process and its supervisor: start, health, drain, stop.
 *
 * Invariant: at most one supervisor for each home, found by command line and environment; the caller holds the home's lock.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Home } from '#base/home'
import { lasting } from '#base/scope'
import { writeWhole } from '#launch/config'
import { Failure } from '#launch/failure'
import { endProcesses, environmentOf, findProcesses, lives, type Process } from '#launch/processes'

const SUPERVISOR = fileURLToPath(new URL('supervise.sh', import.meta.url))
const SERVER = fileURLToPath(new URL('../main.ts', import.meta.url))
const ROTATE_BYTES = 10 * 2 ** 20
const START_MS = 60_000
/** Every instance gets the time that a guest has to shut down, many at once. */
const DRAIN_MS = 180_000

/** What GET /_enclume/health answers. */
export type Health = {
  status: 'ok'
  version: string
  /** Which code it runs (build.ts). */
  build: string
  engine: string
  region: string
  capacity: { cpus: number; memoryMiB: number; diskGiB: number; diskFreeGiB: number }
  /** How many instances there are in each state. */
  instances: Record<string, number>
}

export const endpoint = (home: Home): string => `http://127.0.0.1:${home.port}`
export const serverLog = (home: Home): string => join(home.dir, 'log', 'server.log')

const belongs = (home: Home, pid: number): boolean => environmentOf(pid)?.get('ENCLUME_HOME') === home.dir
/** Whichever copy of the repository it was started from. */
const runs = (script: string) => (home: Home): Process | undefined =>
  findProcesses((args, pid) => Boolean(args[1]?.endsWith(script)) && belongs(home, pid))[0]
export const findSupervisor = runs('/src/launch/supervise.sh')
export const findServer = runs('/src/main.ts')

/** The server's answer, or undefined while there is none. */
export async function findHealth(home: Home): Promise<Health | undefined> {
  try {
    const reply = await fetch(`${endpoint(home)}/_enclume/health`, { signal: AbortSignal.timeout(2000) })
    const health = (await reply.json()) as Health
    return reply.ok && health.status === 'ok' ? health : undefined
  } catch {
    return undefined // Not listening, or not answering yet, or another program: in each case there is no health.
  }
}

/** What proves to the server that it is the launcher who asks. Made once for each home. */
export function adminToken(home: Home): string {
  const file = join(home.dir, 'admin.token')
  if (!existsSync(file)) writeWhole(file, `${randomBytes(32).toString('hex')}\n`)
  return readFileSync(file, 'utf8').trim()
}

/** Starts the supervisor with the server and returns when the server answers. */
export async function startServer(home: Home): Promise<Health> {
  adminToken(home)
  mkdirSync(join(home.dir, 'log'), { recursive: true, mode: 0o750 })
  mkdirSync(home.run, { recursive: true, mode: 0o755 })
  const log = serverLog(home)
  if (existsSync(log) && statSync(log).size > ROTATE_BYTES) renameSync(log, `${log}.1`)
  const from = existsSync(log) ? statSync(log).size : 0
  const out = openSync(log, 'a', 0o640)
  const [program, ...words] = lasting(['/bin/sh', SUPERVISOR, process.execPath, SERVER])
  const child = spawn(program!, words, {
    cwd: '/', detached: true, stdio: ['ignore', out, out], env: { ...process.env, ENCLUME_HOME: home.dir },
  })
  closeSync(out)
  child.unref()
  return untilHealthy(home, from)
}

async function untilHealthy(home: Home, logFrom: number): Promise<Health> {
  const deadline = Date.now() + START_MS
  const printed = () => readFileSync(serverLog(home)).subarray(logFrom).toString()
  for (;;) {
    const health = await findHealth(home)
    if (health && findServer(home)) return health
    const died = printed().includes('"event":"server ended"')
    if (died || Date.now() > deadline) {
      await stopServer(home)
      const end = printed().trim().split('\n').slice(-15).map(line => `    ${line}`).join('\n')
      const what = died ? 'ended while starting' : `did not answer within ${START_MS / 1000} s`
      throw new Failure(`the server ${what}. The end of ${serverLog(home)}:\n${end}`)
    }
    await pause(50)
  }
}

/** Stops supervisor and server; instances are not touched. Also a server whose supervisor was killed. */
export async function stopServer(home: Home): Promise<boolean> {
  const supervisor = findSupervisor(home)
  const server = findServer(home)
  // The supervisor waits for the server; should the server hang, it is ended first, for the supervisor would start no other by then.
  if (supervisor) await endProcesses([supervisor, ...(server ? [server] : [])], { timeoutMs: 20_000 })
  const left = findServer(home)
  if (left && lives(left)) await endProcesses([left], { timeoutMs: 20_000 })
  return Boolean(supervisor ?? server)
}

/** Has the server stop all instances and start none any more; what should run is remembered. Returns how many it stopped. */
export async function drain(home: Home): Promise<number> {
  const reply = await fetch(`${endpoint(home)}/_enclume/drain`, {
    method: 'POST', headers: { authorization: `Bearer ${adminToken(home)}` }, signal: AbortSignal.timeout(DRAIN_MS),
  })
  if (!reply.ok) throw new Failure(`the server refused to stop the instances: ${reply.status} ${await reply.text()}`)
  return ((await reply.json()) as { stopped: number }).stopped
}
