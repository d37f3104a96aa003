/**
 * File systems inside raw files, mounted on the host.
 *
 * Invariant: a loop device lives as long as its mount and no longer (it is given up right after mounting and the kernel keeps
 * it while it is used), so a process that dies leaves at most a mount, and mounts are found again by their path. Mounts are
 * `nodev`, each below a directory that only its owner may enter: set-uid files of guests are nobody else's.
 */
import { chownSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { until } from '#engine/incus/process'
import { run, ToolError } from '#engine/disk/run'

const BUSY_MS = 30_000
const NAME = 'xvda1'
const LOOP_MAJOR = '7'
/** The number of mount(2). */
const MOUNT_CALL = process.arch === 'arm64' ? '40' : '165'
/** 4 is MS_NODEV. */
const MOUNT = `my ($call, $root, $device, $point) = @ARGV; my ($type, $options) = ("ext4", "discard,noinit_itable");
chroot $root and chdir "/" or die "chroot: $!"; syscall($call + 0, $device, $point, $type, 4, $options) == 0 or die "mount: $!"`

/** Mount points at or below a path, innermost first, as a process sees them. */
export function mountsBelow(path: string, process = 'self'): string[] {
  const points = readFileSync(`/proc/${process}/mountinfo`, 'utf8').split('\n').flatMap(line => line.split(' ')[4] ?? [])
    .map(point => point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))))
  return points.filter(point => point === path || point.startsWith(`${path}/`)).reverse()
}

export const isMounted = (point: string): boolean => mountsBelow(point).includes(point)

/** The loop devices on files at or below a path. */
export async function loopsBelow(path: string): Promise<{ device: string; file: string }[]> {
  const output = await run('losetup', ['--list', '--json', '--output', 'NAME,BACK-FILE'])
  const { loopdevices } = output.trim() === '' ? { loopdevices: [] } : (JSON.parse(output) as { loopdevices: Record<string, string>[] })
  return loopdevices.map(row => ({ device: row['name']!, file: row['back-file']!.replace(/ \(deleted\)$/, '') }))
    .filter(({ file }) => file === path || file.startsWith(`${path}/`))
}

export const inUse = async (file: string): Promise<boolean> => (await loopsBelow(file)).length > 0

/**
 * Mounts the ext4 file system of a raw file, repaired first where a crash of the host damaged it. Idempotent.
 * `owner`: the user, besides root, who may enter the directory above. `noinit_itable` keeps the kernel from writing empty
 * inode tables into every copy.
 */
export async function mountFile(file: string, point: string, { owner = 0 } = {}): Promise<void> {
  await shareMounts(dirname(dirname(point)))
  mkdirSync(dirname(point), { recursive: true, mode: 0o500 })
  chownSync(dirname(point), owner, owner)
  if (isMounted(point)) return
  mkdirSync(point, { recursive: true })
  // A loop device without a mount is a dead process's: it is safe to go on with it, as one file has one user.
  const device = (await loopsBelow(file))[0]?.device ?? (await run('losetup', ['--find', '--show', '--direct-io=on', file])).trim()
  try {
    await run('e2fsck', ['-p', device], { ok: [0, 1] })
    await mountAs(device, point)
  } finally {
    await run('losetup', ['--detach', device])
  }
}

/**
 * Mounts with the name that a disk's first partition has on EC2, as the kernel shows guests the name that it was given: they
 * see /dev/xvda1 in `df`, and no path of the host. The node of that name exists for a moment, in a root of its own.
 */
async function mountAs(device: string, point: string): Promise<void> {
  const root = dirname(point)
  const nodes = join(root, 'dev')
  rmSync(nodes, { recursive: true, force: true })
  mkdirSync(nodes)
  try {
    await run('mknod', [join(nodes, NAME), 'b', LOOP_MAJOR, device.replace('/dev/loop', '')])
    await run('perl', ['-e', MOUNT, MOUNT_CALL, root, `/dev/${NAME}`, `/${basename(point)}`])
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
      return !await inUse(file)
    } catch (error) {
      if (!(error instanceof ToolError) || !/busy/.test(error.output)) throw error
      busy = error
      return false
    }
  }, BUSY_MS)
  if (!freed) throw new Error(`${file} is still in use`, { cause: busy })
  for (const dir of [point, dirname(point)]) if (existsSync(dir)) rmdirSync(dir)
}
