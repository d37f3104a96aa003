/**
 * One network's router on the host, as this process knows it.
 *
 * Invariant: filters come before the devices that they filter, and an address that a port loses takes its connections with it, so
 * that the next owner inherits none.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Home } from '#base/home'
import { together } from '#base/together'
import type { NetworkSpec } from '#engine/port'
import { coreLink, coreSpace, portDevice, routerDir, routerSpace } from '#engine/net/names'
import { ipBatch, ipDrop } from '#engine/net/run'
import { cutAddresses, cutUntracked } from '#engine/net/connections'
import { changes, readSpace, removeLinks, type Found } from '#engine/net/kernel'
import { coreItems, routerItems } from '#engine/net/route'
import { render } from '#engine/net/render'
import { delta, text, type Table } from '#engine/net/ruleset'
import { openNft, type Nft } from '#engine/net/nft'
import { deviceNames, makeSpace, spaceExists, spaceNumber } from '#engine/net/space'
import { keepDaemon } from '#engine/dns/daemon'
import { networkFiles } from '#engine/dns/dnsmasq'

export type Router = {
  /** Whether it is still what was last applied, as far as its namespaces and devices go, and this network's. */
  isIntact(id: string): Promise<boolean>
  /** Ids of the ports that have their devices, as was last applied; only true of a router that is intact. */
  ports(): string[]
  apply(spec: NetworkSpec): Promise<void>
  close(): Promise<void>
}

/** What a router was last known to have. */
type Known = { router: Found[]; core: Found[]; tables?: [Table, Table]; owners: Map<string, string>; spec?: NetworkSpec }

/** Makes the namespace if it is not there, and reads what is in it. */
export async function openRouter(home: Home, { id, index }: NetworkSpec): Promise<Router> {
  const [space, core, dir] = [routerSpace(home, index), coreSpace(home), routerDir(home, index)]
  if (!spaceExists(core)) throw new Error(`namespace ${core} is not there: up() makes it`)
  await makeSpace(space, {
    'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.default.rp_filter': 0,
    // Gateways of the subnets, and the ports of one subnet to each other, answer by the router.
    'net.ipv4.conf.default.proxy_arp': 1,
    // A connection that was cut off may not be taken up in the middle; one that is known need not be in its window.
    'net.netfilter.nf_conntrack_tcp_loose': 0, 'net.netfilter.nf_conntrack_tcp_be_liberal': 1,
  })
  await mkdir(dir, { recursive: true, mode: 0o755 })
  const numbers = await Promise.all([space, core].map(spaceNumber))
  const nft = openNft(space, join(dir, 'rules.nft'))
  try {
    const [router, all] = await Promise.all([space, core].map(readSpace)) as [Found[], Found[]]
    const mine = new RegExp(`^(link|address) ${coreLink(index)}( |$)`)
    const known: Known = {
      router, core: all.filter(item => mine.test(item.key) || item.state.endsWith(`dev ${coreLink(index)}`)),
      owners: await readOwners(router, nft),
    }
    return {
      isIntact: async wanted => {
        if (wanted !== id || !nft.alive() || ![space, core].every(spaceExists)) return false
        const now = await Promise.all([space, core].map(spaceNumber))
        if (now.some((number, i) => number !== numbers[i])) return false
        const devices = await deviceNames(nft.pid)
        return known.router.every(({ key }) => !key.startsWith('link ') || devices.has(key.slice('link '.length)))
      },
      ports: () => known.router.flatMap(({ key, state }) => (/^link e\d/.test(key) ? [aliasOf(state)] : [])).sort(),
      apply: spec => converge(home, spec, known, nft),
      close: () => nft.close(),
    }
  } catch (error) {
    await nft.close()
    throw error
  }
}

/** A link's state is whether it is down, its group and its alias. */
const aliasOf = (state: string): string => state.replace(/^(down )?\d+ /, '')

async function converge(home: Home, spec: NetworkSpec, known: Known, nft: Nft): Promise<void> {
  const [space, core, dir] = [routerSpace(home, spec.index), coreSpace(home), routerDir(home, spec.index)]
  const tables = render(home, spec)
  const [router, beside] = [routerItems(home, spec, process.pid), coreItems(home, spec)]
  const files = networkFiles(home, spec)

  const transaction = tables.map((table, i) => (known.tables && delta(known.tables[i]!, table)) ?? text(table)).join('')
  if (transaction) await nft.load(transaction)
  known.tables = tables

  const { drops, puts } = changes(known.router, router)
  const inRouter = async () => {
    await ipDrop(drops, space)
    await clearStaleEnds(home, known, spec, puts)
    await ipBatch(puts, space)
    known.router = router
  }
  const atCore = async () => {
    const put = changes(known.core, beside)
    await ipDrop(put.drops, core)
    await ipBatch(put.puts, core)
    known.core = beside
  }
  const resolver = () => keepDaemon({ dir, space }, files.configuration, { names: files.names, ports: files.ports }, lease =>
    spec.ports.some(port => port.addresses[0]!.private === lease.address && port.mac !== lease.mac))
  // The core's link comes with the router's, and a resolver starts only where its addresses are.
  if (known.spec) await together(inRouter(), atCore(), resolver())
  else {
    await inRouter()
    await together(atCore(), resolver())
  }

  const owners = ownersOf(spec)
  const at = { space, file: join(dir, 'ended') }
  const lost = [...known.owners].filter(([address, owner]) => owners.get(address) !== owner)
  // A public address is owned by a private one, which has dots; a private one by a port's index.
  await cutAddresses(at, lost.map(([address, owner]) => ({ address, isPublic: owner.includes('.') })))
  known.owners = owners
  if (known.spec && transaction) await cutUntracked(at, known.spec, spec)
  known.spec = spec
}

/**
 * The other ends of links that are made anew may still be there, from a router that was lost: a namespace outlives its name as long as
 * a process is in it.
 */
async function clearStaleEnds(home: Home, known: Known, { index }: NetworkSpec, puts: string[]): Promise<void> {
  const ends = puts.flatMap(line => / peer name (\S+)/.exec(line)?.[1] ?? [])
  if (ends.length === 0) return
  const host = await deviceNames()
  const port = portDevice(home, 0).slice(0, -1)
  await removeLinks(ends.filter(name => name.startsWith(port) && host.has(name)))
  if (!ends.includes(coreLink(index)) || known.core.length === 0) return
  await removeLinks([coreLink(index)], coreSpace(home))
  known.core = []
}

/** Private address -> the port's device; public address -> private address. */
function ownersOf(spec: NetworkSpec): Map<string, string> {
  return new Map(spec.ports.flatMap(port => port.addresses.flatMap(a =>
    [[a.private, String(port.index)] as const, ...(a.public ? [[a.public, a.private] as const] : [])])))
}

/** The same, from what a router has that another process made. */
async function readOwners(router: Found[], nft: Nft): Promise<Map<string, string>> {
  const owners = new Map<string, string>()
  for (const { key, state } of router) {
    const [, address] = /^route 900 (\S+)$/.exec(key) ?? []
    const [, port] = /^dev e\d+-(\d+)$/.exec(state) ?? []
    if (address && port) owners.set(address, port)
  }
  const tables = await nft.load('list tables')
  if (!/^table inet router$/m.test(tables)) return owners
  const map = await nft.load('list map inet router public_in')
  for (const [, address, owner] of map.matchAll(/([\d.]+) : ([\d.]+)/g)) owners.set(address!, owner!)
  return owners
}
