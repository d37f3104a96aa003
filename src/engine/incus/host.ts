/**
 * What the whole host must have before system containers can run in number: kernel limits, uid ranges, lxcfs.
 *
 * Invariant: a value is written down in `host.json` before it is changed, and only the first time, so `restoreHost` can
 * always put back what was there before this home. Values are only ever raised.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { lxcfsPath, startLxcfs, type Lxcfs } from '#engine/incus/lxcfs'
import { isMounted } from '#engine/disk/mount'
import { processes, runs, until } from '#engine/incus/process'

/** Each is shared by every container of a host; the kernel's defaults are spent at about 25 of them. */
const LIMITS: Record<string, number> = {
  'fs.inotify.max_user_instances': 8192,
  'fs.inotify.max_user_watches': 1_048_576,
  'fs.inotify.max_queued_events': 1_048_576,
  'fs.aio-max-nr': 524_288,
  'kernel.keys.maxkeys': 20_000,
  'kernel.keys.maxbytes': 2_000_000,
  'net.ipv4.neigh.default.gc_thresh1': 8192,
  'net.ipv4.neigh.default.gc_thresh2': 16_384,
  'net.ipv4.neigh.default.gc_thresh3': 32_768,
}
/** Ids that unprivileged containers of root may be given: 65,536 for each, from here on. */
const ID_MAP = 'root:1000000:1000000000'
const ID_FILES = ['/etc/subuid', '/etc/subgid']

/** What this home changed: limits with their former values, files that got our line, the lxcfs that we started. */
type Changed = { limits: Record<string, { before: number; after: number }>; idFiles: string[]; lxcfs?: Lxcfs }

const file = (home: Home) => join(home.dir, 'host.json')
const sysctl = (name: string) => join('/proc/sys', name.replaceAll('.', '/'))
const readChanged = (home: Home): Changed =>
  existsSync(file(home)) ? (JSON.parse(readFileSync(file(home), 'utf8')) as Changed) : { limits: {}, idFiles: [] }
const writeChanged = (home: Home, changed: Changed) => writeFileSync(file(home), JSON.stringify(changed, null, 2))

/** Idempotent. Must come before the daemon's start, which reads the uid ranges, and before instances, which bind lxcfs in. */
export async function prepareHost(home: Home, log: Log): Promise<void> {
  const changed = readChanged(home)
  const raise = Object.entries(LIMITS).filter(([name, least]) => existsSync(sysctl(name)) && current(name) < least)
  for (const [name, after] of raise) changed.limits[name] ??= { before: current(name), after }
  const idFiles = ID_FILES.filter(path => !existsSync(path) || !/^root:/m.test(readFileSync(path, 'utf8')))
  changed.idFiles = [...new Set([...changed.idFiles, ...idFiles])]
  writeChanged(home, changed)
  for (const [name, least] of raise) writeFileSync(sysctl(name), String(least))
  for (const path of idFiles) appendFileSync(path, `${ID_MAP}\n`)
  if (raise.length > 0) log.info('host limits raised', { limits: raise.map(([name]) => name) })
  const lxcfs = await startLxcfs(lxcfsPath(), { output: join(home.dir, 'log', 'lxcfs.log'), log })
  if (lxcfs) writeChanged(home, { ...changed, lxcfs })
}

const current = (name: string): number => Number(readFileSync(sysctl(name), 'utf8').trim())

/**
 * Puts back what `prepareHost` changed, where nobody has changed it since. For when no container of this home is left; while
 * another daemon or its containers run, all stays, as they found it raised and need it so.
 */
export async function restoreHost(home: Home, log: Log): Promise<void> {
  if (!existsSync(file(home))) return // It changed nothing: it never was up.
  if (othersRun()) {
    log.info('host limits kept for other containers')
    return
  }
  const { limits, idFiles, lxcfs } = readChanged(home)
  for (const [name, { before, after }] of Object.entries(limits)) if (current(name) === after) writeFileSync(sysctl(name), String(before))
  for (const path of idFiles) writeFileSync(path, readFileSync(path, 'utf8').replace(`${ID_MAP}\n`, ''))
  if (lxcfs && runs(lxcfs.pid, 'lxcfs')) {
    process.kill(lxcfs.pid, 'SIGTERM')
    await until(() => !isMounted(lxcfs.path), 5000)
    log.info('lxcfs stopped', { pid: lxcfs.pid })
  }
  writeChanged(home, { limits: {}, idFiles: [] })
}

/** Whether an Incus, or a container, is on this host. */
export const othersRun = (): boolean => processes('[lxc monitor]').length + processes('/incusd').length > 0

/** Whether this host has one cgroup tree (v2), or the older one for each controller. */
export const unifiedCgroups = (): boolean => existsSync('/sys/fs/cgroup/cgroup.controllers')
