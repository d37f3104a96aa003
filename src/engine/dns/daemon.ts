/**
 * Keeps a dnsmasq running that belongs to a configuration file, in a namespace or on the host.
 *
 * Invariant: it is nobody's child, so it outlives the control plane; it is found again by its command line, and judged by the
 * namespace that it really is in. At most one runs for a configuration file.
 */
import { mkdir, readdir, readFile, readlink, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inside, run } from '#engine/net/run'
import { spacePath } from '#engine/net/names'

/** A directory with dnsmasq's configuration in it. */
export type Daemon = { dir: string; space?: string }

const configurationFile = (dir: string) => join(dir, 'dnsmasq.conf')
const argument = (dir: string) => `--conf-file=${configurationFile(dir)}`

/** What a file says, or undefined when there is none. */
async function content(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

const isIts = async (pid: number, dir: string): Promise<boolean> =>
  ((await content(`/proc/${pid}/cmdline`)) ?? '').split('\0').includes(argument(dir))

/** Its process, if the pid file is right. */
async function noted(dir: string): Promise<number | undefined> {
  const pid = Number(await content(join(dir, 'dnsmasq.pid')))
  return pid > 0 && await isIts(pid, dir) ? pid : undefined
}

/** By the pid file, or else by looking at every process: a lost pid file must not leave two of them. */
async function find(dir: string): Promise<number | undefined> {
  const pid = await noted(dir)
  if (pid !== undefined) return pid
  for (const name of await readdir('/proc')) if (/^\d+$/.test(name) && await isIts(Number(name), dir)) return Number(name)
  return undefined
}

/** Whether it runs. */
export const runs = async (dir: string): Promise<boolean> => await find(dir) !== undefined

/** Whether the process is in the namespace that now has this name (a namespace made anew has the old name). */
async function isInside(pid: number, space: string | undefined): Promise<boolean> {
  const mine = space ? `net:[${(await stat(spacePath(space))).ino}]` : await readlink('/proc/self/ns/net')
  return (await readlink(`/proc/${pid}/ns/net`)) === mine
}

/** Whether a process holds nothing any more: it loses its command line before its sockets. */
async function isOver(pid: number): Promise<boolean> {
  const state = /\) (\S)/.exec((await content(`/proc/${pid}/stat`)) ?? '')?.[1]
  return state === undefined || 'ZX'.includes(state)
}

/** Ends it and returns when it is gone. */
export async function stopDaemon(dir: string): Promise<void> {
  const pid = await find(dir)
  if (pid === undefined) return
  signal(pid, 'SIGTERM')
  for (const deadline = Date.now() + 5000; !await isOver(pid);) {
    if (Date.now() > deadline) signal(pid, 'SIGKILL')
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

/** A process that has just ended needs no signal. */
function signal(pid: number, name: 'SIGTERM' | 'SIGKILL' | 'SIGHUP') {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Replaces a file at once. */
async function put(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o644 })
  await rename(`${file}.new`, file)
}

/** Directories whose daemon this process knows to have read what lies there now. */
const read = new Set<string>()

/**
 * Makes it run with this configuration and these files beside it, which it reads again when they change. A dead one is started; one
 * with another configuration, in a namespace that is gone, or that holds a lease against `isStale` is replaced. Returns when it answers.
 */
export async function keepDaemon(
  { dir, space }: Daemon, configuration: string, files: Record<string, string> = {}, isStale: (lease: Lease) => boolean = () => false,
): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o755 })
  let pid = await find(dir)
  const stale = pid === undefined || await content(configurationFile(dir)) !== configuration || !await isInside(pid, space)
    || (await leases(dir)).some(isStale)
  if (stale) {
    await stopDaemon(dir)
    pid = undefined
    await forget(dir, isStale)
    await put(configurationFile(dir), configuration)
  }
  let changed = !read.has(dir)
  for (const [name, text] of Object.entries(files)) {
    if (await content(join(dir, name)) === text) continue
    read.delete(dir)
    changed = true
    await put(join(dir, name), text)
  }
  // It goes to the background by itself, once it listens.
  if (pid === undefined) await run(space ? inside(space, 'dnsmasq', argument(dir)) : ['dnsmasq', argument(dir)])
  else if (changed) signal(pid, 'SIGHUP')
  read.add(dir)
}

export type Lease = { mac: string; address: string }

/** A lease that it has given, as it notes them: end, MAC (of IPv6 the client's own number), address, name, client. */
function leaseOf(line: string): Lease | undefined {
  const [, mac, address] = line.split(' ')
  return mac && address ? { mac, address } : undefined
}

const leaseLines = async (dir: string): Promise<string[]> => ((await content(join(dir, 'leases'))) ?? '').split('\n')
const leases = async (dir: string): Promise<Lease[]> => (await leaseLines(dir)).flatMap(line => leaseOf(line) ?? [])

/** The others are kept: who renews a lease of IPv6 that is not known loses its address for a moment. */
async function forget(dir: string, isStale: (lease: Lease) => boolean): Promise<void> {
  const lines = await leaseLines(dir)
  const kept = lines.filter(line => {
    const lease = leaseOf(line)
    return !lease || !isStale(lease)
  })
  if (kept.length < lines.length) await put(join(dir, 'leases'), kept.join('\n'))
}
