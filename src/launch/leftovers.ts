/**
 * Finds and removes what a killed Enclume left on the host: processes, namespaces, packet filter tables, links, mounts, loop devices.
 *
 * Invariant: a thing is removed only when it is this home's beyond doubt: its path lies below the home's directories, or its name
 * begins with the slot's prefix and it is of a kind that Enclume makes.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Home } from '#base/home'
import { othersRun } from '#engine/incus/host'
import { incusDir, poolOf } from '#engine/incus/place'
import { endProcesses, findProcess, findProcesses, type Process } from '#launch/processes'
import { must, run } from '#launch/run'
import type { Say } from '#launch/ui'

const below = (path: string, dirs: string[]): boolean => dirs.some(dir => path === dir || path.startsWith(`${dir}/`))
/** Whether a word of a command line names a path below: alone, or after `=` or a space (lxc's monitor has its path inside its title). */
const names = (word: string, dirs: string[]): boolean => word.split(/[\s=:,]/).some(part => below(part, dirs))

/** Programs that Enclume starts. Another one that names our paths (an editor, tail) is somebody's own. */
const ours = /^(incusd|dnsmasq|nft|node|python3(\.\d+)?|sh|\[lxc|lxc-\w+|qemu-\S+|mmdebstrap|mksquashfs|rsync|fusermount3?)$/

/** Mount points below these directories, the newest first: one that another covers can't be unmounted before it. */
export function mountsBelow(dirs: string[], mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): string[] {
  const plain = (escaped: string) => escaped.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  const points = mountinfo.trim().split('\n').map(line => plain(line.split(' ')[4]!))
  return points.filter(point => below(point, dirs)).reverse()
}

function processesOf(home: Home): Process[] {
  const dirs = [home.dir, home.run]
  return findProcesses(args => ours.test(basename(args[0]?.split(' ')[0] ?? '')) && args.some(word => names(word, dirs)))
}

/**
 * It serves every container of the host: it outlives the home that started it while others need it, and goes with the last of them. One is
 * known by where its pid file is (engine/incus/lxcfs.ts).
 */
function lxcfsLeft(home: Home): Process[] {
  if (othersRun()) return []
  const isLeft = (file: string) => file.endsWith('/log/lxcfs.log.pid') && (below(file, [home.dir]) || !existsSync(dirname(dirname(file))))
  return findProcesses(args => basename(args[0] ?? '') === 'lxcfs' && args.some(isLeft))
}

async function end(found: Process[], say: Say): Promise<void> {
  for (const one of found) say(`ending ${one.args[0]} (pid ${one.pid})`)
  await endProcesses(found, { timeoutMs: 10_000 })
}

/** Loop devices on files below the home or its pool in another's Incus, also files that are deleted already. */
function loopsOf(home: Home): string[] {
  const file = (loop: string) => `/sys/block/${loop}/loop/backing_file`
  const bound = readdirSync('/sys/block').filter(name => name.startsWith('loop') && existsSync(file(name)))
  const dirs = [home.dir, join(incusDir(home), 'storage-pools', poolOf(home))]
  const onHome = bound.filter(loop => below(readFileSync(file(loop), 'utf8').trim().replace(/ \(deleted\)$/, ''), dirs))
  return onHome.map(loop => `/dev/${loop}`)
}

const namespacesOf = (home: Home): string[] =>
  (existsSync('/run/netns') ? readdirSync('/run/netns').filter(name => hasPrefix(home, name)) : [])
/** `en1` and `en1-x`, `en1x`; not `en12`. */
const hasPrefix = (home: Home, name: string): boolean => name.startsWith(home.prefix) && !/^\d/.test(name.slice(home.prefix.length))

async function tablesOf(home: Home): Promise<[family: string, name: string][]> {
  const { code, stdout } = await run('nft', ['list', 'tables'])
  if (code !== 0) return [] // Without nft there is no table of ours.
  const tables = [...stdout.matchAll(/^table (\S+) (\S+)$/gm)].map((match): [string, string] => [match[1]!, match[2]!])
  return tables.filter(([, name]) => hasPrefix(home, name))
}

/** Virtual links alone: a network card may be called en0 too. */
async function linksOf(home: Home): Promise<string[]> {
  type Link = { ifname: string; linkinfo?: { info_kind?: string } }
  const links = JSON.parse((await must('ip', ['-json', '-details', 'link', 'show'])) || '[]') as Link[]
  const virtual = (link: Link) => /^(veth|bridge|dummy|vrf|vxlan|ifb)$/.test(link.linkinfo?.info_kind ?? '')
  return links.filter(link => hasPrefix(home, link.ifname) && virtual(link)).map(link => link.ifname)
}

/** Removes all of it, in the order in which one holds the other. Running it again finishes what could not be removed yet. */
export async function sweepLeftovers(home: Home, say: Say): Promise<void> {
  await end(processesOf(home), say)
  await end(lxcfsLeft(home), say)
  for (const name of namespacesOf(home)) {
    say(`removing namespace ${name}`)
    const pids = (await must('ip', ['netns', 'pids', name])).split('\n').filter(Boolean).map(Number)
    await endProcesses(pids.flatMap(pid => findProcess(pid) ?? []), { timeoutMs: 5000 })
    await must('ip', ['netns', 'delete', name])
  }
  for (const [family, name] of await tablesOf(home)) {
    say(`removing table ${family} ${name}`)
    await must('nft', ['delete', 'table', family, name])
  }
  for (const name of await linksOf(home)) {
    say(`removing link ${name}`)
    // Its peer's end may have taken it along meanwhile.
    if (existsSync(`/sys/class/net/${name}`)) await run('ip', ['link', 'delete', name])
  }
  for (const point of mountsBelow([home.dir, home.run])) {
    say(`unmounting ${point}`)
    const { code } = await run('umount', [point])
    if (code !== 0 && mountsBelow([point]).includes(point)) await must('umount', ['--lazy', point])
  }
  for (const loop of loopsOf(home)) {
    say(`detaching ${loop}`)
    await must('losetup', ['--detach', loop])
  }
}
