/**
 * Network namespaces and the devices in them.
 *
 * Invariant: a namespace made here routes IPv4, speaks no IPv6 unless it is told to, and takes no route or redirect from anybody.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { inside, run } from '#engine/net/run'
import { spacePath } from '#engine/net/names'

export const spaceExists = (space: string): boolean => existsSync(spacePath(space))

/** Which namespace has this name now: one made anew under an old name has another number. */
export const spaceNumber = async (space: string): Promise<number> => (await stat(spacePath(space))).ino

/** Names of namespaces on the host; none where nobody ever made one. */
export async function spaceNames(): Promise<string[]> {
  return existsSync(spacePath('')) ? readdir(spacePath('')) : []
}

const router: Record<string, string | number> = {
  'net.ipv4.ip_forward': 1,
  'net.ipv4.conf.all.rp_filter': 0,
  'net.ipv4.conf.all.send_redirects': 0,
  'net.ipv4.conf.default.send_redirects': 0,
  'net.ipv4.conf.all.accept_redirects': 0,
  'net.ipv4.conf.default.accept_redirects': 0,
}
/** No address by itself: the devices of a router have those that they are given. */
const ipv6 = {
  'net.ipv6.conf.all.addr_gen_mode': 1, 'net.ipv6.conf.default.addr_gen_mode': 1,
  'net.ipv6.conf.all.accept_ra': 0, 'net.ipv6.conf.default.accept_ra': 0,
  'net.ipv6.conf.all.accept_redirects': 0, 'net.ipv6.conf.default.accept_redirects': 0,
  'net.ipv6.conf.all.forwarding': 1,
  'net.ipv6.conf.default.disable_ipv6': 0, 'net.ipv6.conf.all.disable_ipv6': 0,
}
/** Whether this host's kernel has IPv6 at all. */
export const hasIpv6 = (): boolean => existsSync('/proc/sys/net/ipv6')
const noIpv6 = { 'net.ipv6.conf.all.disable_ipv6': 1, 'net.ipv6.conf.default.disable_ipv6': 1 }

const set = (space: string, settings: Record<string, string | number>): Promise<string> =>
  run(inside(space, 'sysctl', '-qw', ...Object.entries(settings).map(([key, value]) => `${key}=${value}`)))

/** Has a namespace route IPv6. */
export const speakIpv6 = (space: string): Promise<string> => set(space, ipv6)

type Settings = { more: Record<string, string | number>; speaks6?: boolean }

/** Makes it if it is not there, and sets what a router needs and `more`. What is set for `default` holds for devices made later. */
export async function makeSpace(space: string, { more, speaks6 = false }: Settings): Promise<void> {
  if (!spaceExists(space)) await run(['ip', 'netns', 'add', space])
  await set(space, { ...router, ...(hasIpv6() && (speaks6 ? ipv6 : noIpv6)), ...more })
}

/** Names of the devices in the namespace of a process; of this process's own, without one. Throws when the process is gone. */
export async function deviceNames(pid: number | 'self' = 'self'): Promise<Set<string>> {
  const lines = (await readFile(`/proc/${pid}/net/dev`, 'utf8')).split('\n').slice(2)
  return new Set(lines.map(line => line.split(':')[0]!.trim()).filter(Boolean))
}
