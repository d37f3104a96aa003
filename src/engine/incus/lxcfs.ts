/**
 * lxcfs, which shows every container its own memory and processors in place of the host's.
 *
 * Invariant: a mount counts only while it answers. A server that was killed leaves its mount behind, at which every look fails, and
 * containers started then would in silence be shown the host's sizes.
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Log } from '#base/log'
import { lasting } from '#base/scope'
import { isMounted } from '#engine/disk/mount'
import { run } from '#engine/disk/run'
import { until } from '#engine/incus/process'

/** Our own lxcfs: where it is mounted, and its process. */
export type Lxcfs = { pid: number; path: string }

const READY_MS = 30_000

/** The distribution's own hook, which every container runs, says where it expects lxcfs. Throws where it is not installed. */
export function lxcfsPath(): string {
  const hook = ['/usr/share/lxcfs/lxc.mount.hook', '/opt/incus/share/lxcfs/lxc.mount.hook'].find(path => existsSync(path))
  const path = hook && /\/var\/lib\/[a-z-]*lxcfs/.exec(readFileSync(hook, 'utf8'))?.[0]
  if (!path) throw new Error('lxcfs is not installed: instances could not see their own size. Install the package lxcfs.')
  return path
}

/** Whether the file system there is served. */
export function lxcfsAnswers(path: string): boolean {
  try {
    return readdirSync(join(path, 'proc')).includes('meminfo')
  } catch (error) {
    // ENOTCONN: mounted, and its server is gone. ENOENT: not mounted.
    if (['ENOTCONN', 'ECONNABORTED', 'ENOENT', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}

/** Starts lxcfs at `path`, its output going to the file `output`. Undefined if one answers there already: then it is not ours. */
export async function startLxcfs(path: string, { output, log }: { output: string; log: Log }): Promise<Lxcfs | undefined> {
  if (lxcfsAnswers(path)) return undefined
  while (isMounted(path)) {
    log.warn('dead lxcfs unmounted', { path })
    await run('umount', ['--lazy', path])
  }
  for (const dir of [path, dirname(output)]) mkdirSync(dir, { recursive: true })
  const out = openSync(output, 'a')
  // A pid file of its own: the default one, which it locks, may be another's.
  const [program, ...words] = lasting(['lxcfs', '--pidfile', `${output}.pid`, path])
  const child = spawn(program!, words, { detached: true, stdio: ['ignore', out, out] })
  closeSync(out)
  const failed = new Promise<never>((_, reject) => {
    child.on('error', cause => reject(new Error('lxcfs can\'t be started', { cause })))
    child.on('exit', code => reject(new Error(`lxcfs ended with code ${code}; see ${output}`)))
  })
  const ready = async () => {
    if (!await until(() => lxcfsAnswers(path), READY_MS)) throw new Error(`lxcfs does not answer at ${path} within ${READY_MS / 1000} s`)
  }
  await Promise.race([ready(), failed])
  child.removeAllListeners('exit').unref()
  log.info('lxcfs started', { path, pid: child.pid })
  return { pid: child.pid!, path }
}
