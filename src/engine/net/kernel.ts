/**
 * What a namespace has, read from the kernel in the same words as what it shall have, and the way from one to the other.
 *
 * Invariant: things that are as they shall be are not touched, so that a router under load can be converged at any time.
 */
import type { PortTraffic } from '#engine/port'
import { attempt, run } from '#engine/net/run'
import type { Item } from '#engine/net/item'
import { hasIpv6 } from '#engine/net/space'

export type Found = { key: string; state: string; drop: string }

type LinkJson = { ifname: string; flags: string[]; group?: string; ifalias?: string }
type AddressJson = { ifname: string; addr_info: { family?: string; local?: string; prefixlen?: number }[] }
/** Those of IPv6 have a `pref`. */
type RouteJson = { type?: string; dst: string; gateway?: string; dev?: string; table?: string; metric?: number; protocol?: string; pref?: string }
type RuleJson = { priority: number; fwmark?: string; table: string }
type NeighbourJson = { dst: string; dev: string; lladdr?: string }

/** Devices of ours; the kernel may put others of its own into every namespace. */
const ours = /^(lo|fab|sn\d+|e\d+-\d+|i\d+|x\d+|n\d+)$/

/** All devices in a namespace; in the host's without one. */
export async function readLinks(space?: string): Promise<{ name: string; alias: string; group: string }[]> {
  const links = JSON.parse(await run(['ip', ...(space ? ['-n', space] : []), '-j', 'link', 'show'])) as LinkJson[]
  return links.map(link => ({ name: link.ifname, alias: link.ifalias ?? '', group: link.group ?? 'default' }))
}

type Counters = { bytes: number; packets: number }

/** What went over the ports' devices, by the ports' ids: the router receives what the machine sends. */
export async function readTraffic(space: string): Promise<Record<string, PortTraffic>> {
  const links = JSON.parse(await run(['ip', '-n', space, '-s', '-j', 'link', 'show'])) as (LinkJson & { stats64: { rx: Counters; tx: Counters } })[]
  return Object.fromEntries(links.filter(link => /^e\d+-\d+$/.test(link.ifname) && link.ifalias).map(({ ifalias, stats64: { rx, tx } }) =>
    [ifalias!, { bytesIn: tx.bytes, bytesOut: rx.bytes, packetsIn: tx.packets, packetsOut: rx.packets }]))
}

/**
 * Deletes devices that may be going by themselves just now, as those of a machine do that ends. Throws if one stays. Without a
 * namespace, the host's.
 */
export async function removeLinks(names: string[], space?: string): Promise<void> {
  if (names.length === 0) return
  const left = async () => (await readLinks(space)).map(link => link.name).filter(name => names.includes(name))
  const there = await left()
  const ip = ['ip', ...(space ? ['-n', space] : [])]
  const { err } = await attempt([...ip, '-force', '-batch', '-'], there.map(name => `link del ${name}\n`).join(''))
  const stay = await left()
  if (stay.length > 0) throw new Error(`cannot delete ${stay.join(', ')}: ${err.trim()}`)
}

/** Everything of ours in a namespace. Throws when it cannot be read, also when the namespace is not there. */
export async function readSpace(space: string): Promise<Found[]> {
  const asked = 'link show\naddress show\nroute show table all\nrule show\nneigh show nud permanent\n'
  const lines = (await run(['ip', '-n', space, '-j', '-batch', '-'], asked)).trim().split('\n')
  if (lines.length !== 5) throw new Error(`ip answered ${lines.length} lists for 5 questions`)
  const [links, addresses, routes, rules, neighbours] = lines.map(line => JSON.parse(line)) as
    [LinkJson[], AddressJson[], RouteJson[], RuleJson[], NeighbourJson[]]
  const six = hasIpv6() ? await readIpv6(space) : []
  return [
    ...six,
    ...links.filter(l => ours.test(l.ifname)).map(linkFound),
    ...addresses.filter(a => ours.test(a.ifname)).flatMap(addressesFound),
    ...routes.filter(r => r.table !== 'local' && r.protocol !== 'kernel' && r.pref === undefined && (!r.dev || ours.test(r.dev)))
      .map(routeFound),
    ...rules.filter(r => r.priority > 0 && r.priority < 32766).map(ruleFound),
    ...neighbours.filter(n => ours.test(n.dev)).map(n =>
      ({ key: `neighbour ${n.dev} ${n.dst}`, state: n.lladdr ?? '', drop: `neigh del ${n.dst} dev ${n.dev}` })),
  ]
}

/** Of IPv6 what `ip` tells only when it is asked for it. */
async function readIpv6(space: string): Promise<Found[]> {
  const lines = (await run(['ip', '-6', '-n', space, '-j', '-batch', '-'], 'route show table all\nrule show\n')).trim().split('\n')
  if (lines.length !== 2) throw new Error(`ip answered ${lines.length} lists for 2 questions`)
  const [routes, rules] = lines.map(line => JSON.parse(line)) as [RouteJson[], RuleJson[]]
  const own = routes.filter(r => r.table !== 'local' && !['kernel', 'ra'].includes(r.protocol ?? '') && (!r.dev || ours.test(r.dev)))
  return [
    ...own.map(r => routeFound({ ...r, dst: r.dst === 'default' ? '::/0' : r.dst, metric: r.metric === USUAL_METRIC ? undefined : r.metric })),
    ...rules.filter(r => r.priority > 0 && r.priority < 32766).map(ruleFound)
      .map(({ key, state, drop }) => ({ key: key.replace(/^rule/, 'rule6'), state, drop: `-6 ${drop}` })),
  ]
}
/** Of IPv6 routes that were made without one. */
const USUAL_METRIC = 1024

function linkFound(l: LinkJson): Found {
  const up = l.flags.includes('UP') ? '' : 'down '
  const group = l.group === undefined || l.group === 'default' ? '0' : l.group
  return { key: `link ${l.ifname}`, state: `${up}${group} ${l.ifalias ?? ''}`, drop: `link del ${l.ifname}` }
}

const addressesFound = ({ ifname, addr_info }: AddressJson): Found[] =>
  addr_info.filter(a => (a.family === 'inet' && !a.local!.startsWith('127.')) || (a.family === 'inet6' && a.local !== '::1')).map(a => {
    const block = `${a.local}/${a.prefixlen}`
    return { key: `address ${ifname} ${block}`, state: '', drop: `address del ${block} dev ${ifname}` }
  })

function routeFound(r: RouteJson): Found {
  const table = r.table ?? 'main'
  const more = r.metric === undefined ? '' : ` metric ${r.metric}`
  const special = r.type === 'blackhole' || r.type === 'throw' ? r.type : undefined
  const state = special ?? (r.gateway ? `via ${r.gateway} dev ${r.dev}` : `dev ${r.dev}`)
  return { key: `route ${table} ${r.dst}${more}`, state, drop: `route del ${special ? `${special} ` : ''}${r.dst} table ${table}${more}` }
}

function ruleFound(r: RuleJson): Found {
  const words = `pref ${r.priority}${r.fwmark === undefined ? '' : ` fwmark ${r.fwmark}`} lookup ${r.table}`
  return { key: `rule ${words}`, state: '', drop: `rule del ${words}` }
}

/** The `ip` commands that lead from what is there to what shall be. Links go after all that hangs on them, and come before it. */
export function changes(found: Iterable<Found>, items: Item[]): { drops: string[]; puts: string[] } {
  const there = new Map<string, Found>()
  for (const item of found) there.set(item.key, item)
  const wanted = new Set(items.map(item => item.key))
  const gone = [...there.values()].filter(item => !wanted.has(item.key) && item.key !== 'link lo')
  const drops = [...gone.filter(item => !item.key.startsWith('link ')), ...gone.filter(item => item.key.startsWith('link '))]
  const puts = items.flatMap(item => {
    const now = there.get(item.key)
    if (now?.state === item.state) return []
    return !now && item.create !== undefined ? [...item.create, item.put] : [item.put]
  })
  return { drops: drops.map(item => item.drop), puts }
}
