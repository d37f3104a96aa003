/**
 * File systems inside raw files, mounted on the host.
 *
 * Invariant: a loop device lives as long as its mount and no longer (the kernel gives it up when nobody uses it), so a process
 * that dies leaves at most a mount, and mounts are found again by their path. Mounts are `nodev`, each below a directory that
 * only its owner may enter: set-uid files of guests are nobody else's.
 */
import { chownSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { until } from '#engine/incus/process'
import { readSuperblock } from '#engine/disk/ext4'
import { inUse, loopTool, type Loop } from '#engine/disk/loop'
import { run, ToolError } from '#engine/disk/run'

const BUSY_MS = 30_000
const SOON_MS = 5
/** The numbers of mknodat(2) and mount(2). */
const CALLS = process.arch === 'arm64' ? ['33', '40'] : ['259', '165']

/** Mount points at or below a path, innermost first, as a process sees them. */
export function mountsBelow(path: string, process = 'self'): string[] {
  const points = readFileSync(`/proc/${process}/mountinfo`, 'utf8').split('\n').flatMap(line => line.split(' ')[4] ?? [])
    .map(point => point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))))
  return points.filter(point => point === path || point.startsWith(`${path}/`)).reverse()
}

export const isMounted = (point: string): boolean => mountsBelow(point).includes(point)

/** Where the device's node is for the moment of mounting. A process that died over it leaves it. */
const nodesOf = (root: string): string => join(root, 'dev')

/**
 * Mounts the ext4 file system of a raw file, repaired first where a crash of the host damaged it. Idempotent.
 * `owner`: the user, besides root, who may enter the directory above. `loop`: the device to use, and its tag. `noinit_itable` keeps the
 * kernel from writing empty inode tables into every copy.
 */
export async function mountFile(file: string, point: string, { owner = 0, loop }: { owner?: number; loop?: Loop } = {}): Promise<void> {
  const root = dirname(point)
  await shareMounts(dirname(root))
  mkdirSync(root, { recursive: true, mode: 0o500 })
  chownSync(root, owner, owner)
  if (isMounted(point)) return rmSync(nodesOf(root), { recursive: true, force: true })
  mkdirSync(point, { recursive: true })
  if (inUse(file)) throw new Error(`${file} is in use`)
  const superblock = readSuperblock(file)
  if (superblock?.outside) throw new Error(`the file system of ${file} has its journal on another device`)
  if (!superblock?.isClean) await run('e2fsck', ['-p', file], { ok: [0, 1] })
  const nodes = nodesOf(root)
  rmSync(nodes, { recursive: true, force: true })
  mkdirSync(nodes)
  try {
    await loopTool('mount', loop?.number ?? 'any', file, loop?.tag ?? 'enclume', root, `/${basename(point)}`, ...CALLS)
  } finally {
    rmSync(nodes, { recursive: true })
  }
}

/**
 * Makes mounts below a directory come and go in every mount namespace that was copied from the host's. Without it, each
 * process that began in a namespace of its own (`ip netns exec` does) while a file system was mounted would keep it busy.
 */
async function shareMounts(base: string): Promise<void> {
  mkdirSync(base, { recursive: true, mode: 0o711 })
  // A process may have died between the steps: only what is shared and takes nodes is done.
  const line = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').find(mount => mount.split(' ')[4] === base)
  if (line?.includes(' shared:') && !line.split(' ')[5]!.split(',').includes('nodev')) return
  if (!line) await run('mount', ['--bind', base, base])
  // /run is nodev on most hosts; here a node must work for the moment of mounting.
  await run('mount', ['--options', 'remount,bind,dev', base])
  await run('mount', ['--make-shared', base])
}

/** Unmounts, and returns when the file is free. Idempotent. */
export async function unmountFile(file: string, point: string): Promise<void> {
  let busy: unknown
  const freed = await until(async () => {
    try {
      if (isMounted(point)) await run('umount', [point])
      return !inUse(file)
    } catch (error) {
      if (!(error instanceof ToolError) || !/busy/.test(error.output)) throw error
      busy = error
      return false
    }
  }, BUSY_MS, SOON_MS)
  if (!freed) throw new Error(`${file} is still in use`, { cause: busy })
  rmSync(nodesOf(dirname(point)), { recursive: true, force: true })
  for (const dir of [point, dirname(point)]) if (existsSync(dir)) rmdirSync(dir)
}
