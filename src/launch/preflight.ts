/**
 * Whether this host can carry an Enclume: asked before anything is made, answered with what to do.
 *
 * The kernel is asked by trying: each feature is used in a network namespace that ends with the process that made it.
 */
import { existsSync, readFileSync, readdirSync, readlinkSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { Failure } from '#launch/failure'
import { run } from '#launch/run'

const LEAST_FREE_GIB = 8

/** Room in GiB where `dir` is or will be. */
export function freeGiB(dir: string): number {
  let at = dir
  while (!existsSync(at)) at = dirname(at)
  const { bavail, bsize } = statfsSync(at)
  return Math.floor((bavail * bsize) / 2 ** 30)
}

export function checkDisk(dir: string): void {
  const free = freeGiB(dir)
  if (free >= LEAST_FREE_GIB) return
  throw new Failure(`${dir} has ${free} GiB free and needs ${LEAST_FREE_GIB}: free some, or choose another place with --home DIR`)
}

/** The room for volumes when none was chosen: four fifths of what is free, so that the host's own disk is never filled; at most 200 GiB. */
export const defaultDiskGiB = (dir: string): number => Math.max(LEAST_FREE_GIB, Math.min(200, Math.floor(freeGiB(dir) * 0.8)))

/** Throws when something listens on the port of 127.0.0.1 already, and says what. */
export async function checkPort(port: number, option: string): Promise<void> {
  const taken = await new Promise<boolean>((resolve, reject) => {
    const probe = createServer().once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(true)
      else reject(new Failure(`port ${port} cannot be used: ${error.message}. Choose another with --${option} N.`))
    })
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)))
  })
  if (!taken) return
  throw new Failure(`port ${port} is in use by ${listener(port) ?? 'another program'}: stop it, or choose another with --${option} N`)
}

/** Program that listens on a TCP port, by the kernel's tables. */
export function listener(port: number): string | undefined {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].filter(existsSync).map(file => readFileSync(file, 'utf8'))
  const rows = tables.flatMap(table => table.split('\n').slice(1)).map(row => row.trim().split(/\s+/))
  const LISTEN = '0A'
  const row = rows.find(fields => fields[3] === LISTEN && Number.parseInt(fields[1]!.split(':')[1]!, 16) === port)
  if (!row) return undefined
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    if (openFiles(pid).includes(`socket:[${row[9]}]`)) return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`
  }
  return undefined
}

/** What a process has open, as far as it can be seen: files close and processes end while one looks. */
function openFiles(pid: string): string[] {
  const dir = `/proc/${pid}/fd`
  return seen(() => readdirSync(dir), []).map(fd => seen(() => readlinkSync(`${dir}/${fd}`), ''))
}

function seen<T>(look: () => T, nothing: T): T {
  try {
    return look()
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return nothing
    throw error
  }
}

type Probe = { what: string; command: string; advice: string }

const nat = 'add table inet probe; add chain inet probe c { type nat hook postrouting priority srcnat; }; ' +
  'add rule inet probe c ct state new masquerade'
const limit = 'add table inet probe; add chain inet probe c; add set inet probe s { type ifname; size 8; flags dynamic; }; ' +
  'add rule inet probe c update @s { iifname limit rate over 1/second } drop'
const probes: Probe[] = [
  { what: 'btrfs', command: 'modprobe -q btrfs; grep -qw btrfs /proc/filesystems', advice: 'use a kernel with btrfs (CONFIG_BTRFS_FS)' },
  { what: 'FUSE', command: 'modprobe -q fuse; grep -qw fuse /proc/filesystems', advice: 'use a kernel with FUSE (CONFIG_FUSE_FS)' },
  {
    what: 'loop devices', command: 'modprobe -q loop; test -c /dev/loop-control',
    advice: 'load the module loop; in a container, pass /dev/loop-control through',
  },
  { what: 'user namespaces', command: 'unshare --user true', advice: 'sysctl -w user.max_user_namespaces=15000' },
  {
    what: 'network namespaces and veth', command: 'unshare --net ip link add probe0 type veth peer name probe1',
    advice: 'use a kernel with veth; in a container, run it privileged',
  },
  { what: 'nftables with NAT', command: `unshare --net nft '${nat}'`, advice: 'use a kernel with nf_tables, nft_nat, nft_masq and nft_ct' },
  { what: 'nftables with limits', command: `unshare --net nft '${limit}'`, advice: 'use a kernel with nft_limit' },
]

/** Tries what the engine needs of the kernel; needs the packages. Throws naming all that is missing. */
export async function checkKernel(): Promise<void> {
  const failed: string[] = []
  for (const { what, command, advice } of probes) {
    const { code, stderr } = await run('sh', ['-c', command])
    if (code !== 0) failed.push(`  ${what}: ${advice}${stderr.trim() && `\n    (${stderr.trim().split('\n').at(-1)})`}`)
  }
  if (failed.length) throw new Failure(`this kernel lacks what instances need:\n${failed.join('\n')}`)
}
