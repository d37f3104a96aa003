/**
 * File systems inside raw files, mounted on the host.
 *
 * Invariant: a loop device lives as long as its mount and no longer (the kernel gives it up when nobody uses it), so a process
 * that dies leaves at most a mount, and mounts are found again by their path. Mounts are `nodev`, each below a directory that
 * only its owner may enter: set-uid files of guests are nobody else's.
 */
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { until } from '#engine/incus/process'
import { readSuperblock } from '#engine/disk/ext4'
import { run, ToolError } from '#engine/disk/run'

const BUSY_MS = 30_000
const SOON_MS = 5
/** The numbers of mknodat(2) and mount(2). */
const CALLS = process.arch === 'arm64' ? ['33', '40'] : ['259', '165']
/**
 * Finds a free loop device (LOOP_CTL_GET_FREE), gives it the file (LOOP_CONFIGURE; EBUSY, 16, when another was faster), and mounts
 * it, in one process. A disk's first partition is /dev/xvda1 on EC2, and the kernel shows guests the name that it was given: they see
 * it in `df`, and no path of the host. The node of that name exists for a moment, in a root of its own. The device is gone with its
 * last user (4, LO_FLAGS_AUTOCLEAR) and bypasses the page cache (16, LO_FLAGS_DIRECT_IO). The mount is MS_NODEV (4).
 */
const MOUNT = `my ($mknodat, $mount, $file, $root, $point) = @ARGV;
open my $image, "+<", $file or die "$file: $!";
open my $control, "+<", "/dev/loop-control" or die "/dev/loop-control: $!";
my $device;
for (my $tries = 0; ; $tries++) {
  my $free = ioctl($control, 0x4C82, 0) or die "no loop device: $!";
  my $number = int $free;
  unlink "$root/dev/xvda1";
  syscall($mknodat + 0, -100, my $node = "$root/dev/xvda1", 060600, 7 << 8 | $number & 0xff | ($number & 0xfff00) << 12) == 0 or die "mknod: $!";
  open $device, "+<", "$root/dev/xvda1" or die "loop$number: $!";
  my $config = pack "L L x52 L x244", fileno $image, 0, 4 | 16;
  last if ioctl $device, 0x4C0A, $config;
  die "loop$number: $!" unless $! == 16 && $tries < 100;
}
chroot $root and chdir "/" or die "chroot: $!";
my ($name, $type, $options) = ("/dev/xvda1", "ext4", "discard,noinit_itable");
syscall($mount + 0, $name, $point, $type, 4, $options) == 0 or die "mount: $!"`

/** Mount points at or below a path, innermost first, as a process sees them. */
export function mountsBelow(path: string, process = 'self'): string[] {
  const points = readFileSync(`/proc/${process}/mountinfo`, 'utf8').split('\n').flatMap(line => line.split(' ')[4] ?? [])
    .map(point => point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))))
  return points.filter(point => point === path || point.startsWith(`${path}/`)).reverse()
}

export const isMounted = (point: string): boolean => mountsBelow(point).includes(point)

/** The loop devices on files at or below a path. */
export function loopsBelow(path: string): { device: string; file: string }[] {
  return readdirSync('/sys/block').filter(name => /^loop\d+$/.test(name)).flatMap(name => {
    const file = backingFile(name)
    return file !== undefined && (file === path || file.startsWith(`${path}/`)) ? [{ device: `/dev/${name}`, file }] : []
  })
}

function backingFile(loop: string): string | undefined {
  try {
    return readFileSync(`/sys/block/${loop}/loop/backing_file`, 'utf8').replace(/\n$/, '').replace(/ \(deleted\)$/, '')
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

export const inUse = (file: string): boolean => loopsBelow(file).length > 0

/**
 * Mounts the ext4 file system of a raw file, repaired first where a crash of the host damaged it. Idempotent.
 * `owner`: the user, besides root, who may enter the directory above. `noinit_itable` keeps the kernel from writing empty
 * inode tables into every copy.
 */
export async function mountFile(file: string, point: string, { owner = 0 } = {}): Promise<void> {
  const root = dirname(point)
  await shareMounts(dirname(root))
  mkdirSync(root, { recursive: true, mode: 0o500 })
  chownSync(root, owner, owner)
  if (isMounted(point)) return
  mkdirSync(point, { recursive: true })
  if (inUse(file)) throw new Error(`${file} is in use`)
  if (readSuperblock(file)?.isClean !== true) await run('e2fsck', ['-p', file], { ok: [0, 1] })
  const nodes = join(root, 'dev')
  rmSync(nodes, { recursive: true, force: true })
  mkdirSync(nodes)
  try {
    await run('perl', ['-e', MOUNT, ...CALLS, file, root, `/${basename(point)}`])
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
  for (const dir of [point, dirname(point)]) if (existsSync(dir)) rmdirSync(dir)
}
