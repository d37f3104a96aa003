/**
 * The storage helper's process (storage.py): what lets root inside a machine mount, grow and trim its own disks.
 *
 * Invariant: one for each home, known by its command line; it holds nothing of the host, so it may end and be started anew at any
 * time. While it is away, mounts in machines fail (ENOSYS) and nothing else does: what is mounted stays so.
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { lasting } from '#base/scope'
import { run } from '#engine/disk/run'
import { commandLine, processes, until } from '#engine/incus/process'
import { viewsDir } from '#engine/incus/view'

/** The distribution's, whatever else comes first in PATH. */
const PYTHON = '/usr/bin/python3'
const SCRIPT = join(import.meta.dirname, 'storage.py')
const PARTITIONS = join(import.meta.dirname, 'partitions.py')
const READY_MS = 30_000
const END_MS = 5000

/** Where machines' monitors find it. */
export const storageSocket = (home: Home): string => join(home.run, 'storage.sock')
const lock = (home: Home): string => join(home.run, 'storage.lock')

/** Those that belong to this home, whichever copy of the sources they run: the one that listens, and one for each machine. */
const all = (home: Home): number[] => processes('storage.py').filter(pid => commandLine(pid)?.endsWith(` ${lock(home)}`))

/** The number of the one that listens, as it wrote it down. Those that serve a machine each go on without it. */
export function storageHelper(home: Home): number | undefined {
  if (!existsSync(storageSocket(home)) || !existsSync(lock(home))) return undefined
  const pid = Number(readFileSync(lock(home), 'utf8'))
  return commandLine(pid)?.endsWith(` ${lock(home)}`) ? pid : undefined
}

/** Starts it unless it runs. Returns when it listens. */
export async function startStorageHelper(home: Home, log: Log): Promise<void> {
  if (storageHelper(home) !== undefined) return
  rmSync(storageSocket(home), { force: true })
  for (const dir of [home.run, join(home.dir, 'log')]) mkdirSync(dir, { recursive: true, mode: 0o700 })
  mkdirSync(viewsDir(home), { recursive: true })
  const output = openSync(join(home.dir, 'log', 'storage.log'), 'a')
  const [program, ...words] = lasting([PYTHON, '-IS', SCRIPT, storageSocket(home), viewsDir(home), lock(home)])
  const child = spawn(program!, words, {
    cwd: '/', detached: true, stdio: ['ignore', output, output], env: { PATH: process.env['PATH'], LANG: 'C.UTF-8' },
  })
  closeSync(output)
  let ended: string | undefined
  child.on('error', error => { ended = error.message })
  child.on('exit', (code, signal) => { ended = `it ended with ${signal ?? `code ${code}`}` })
  await until(() => ended !== undefined || existsSync(storageSocket(home)), READY_MS, 5)
  if (ended !== undefined || !existsSync(storageSocket(home))) {
    child.kill('SIGKILL')
    throw new Error(`the storage helper did not start: ${ended ?? 'it does not listen'}; see ${home.dir}/log/storage.log`)
  }
  child.removeAllListeners().unref()
  log.info('storage helper started', { pid: child.pid })
}

/** For when no machine runs any more. */
export async function stopStorageHelper(home: Home, log: Log): Promise<void> {
  const pids = all(home)
  for (const pid of pids) process.kill(pid, 'SIGTERM')
  if (!await until(() => all(home).length === 0, END_MS)) for (const pid of all(home)) process.kill(pid, 'SIGKILL')
  rmSync(storageSocket(home), { force: true })
  if (pids.length > 0) log.info('storage helper stopped', { pids })
}

/**
 * Makes the partitions of a disk that came to a machine, by its table, or takes away all that there are. `number`: the disk's loop device;
 * `init`: the machine's, or 0 while it is off. One that the guest still uses goes when the guest lets it go.
 */
export async function partition(home: Home, what: 'add' | 'drop', { machine, number, init }: { machine: string; number: number; init: number }) {
  await run(PYTHON, ['-IS', PARTITIONS, viewsDir(home), what, machine, String(number), String(init)])
}
