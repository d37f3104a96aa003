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
import type { FlowsSeen, NetworkSpec, PortSpec } from '#engine/port'
import { coreLink, coreSpace, gatewaySpace, peerDevice, portDevice, routerDevice, routerDir, routerSpace } from '#engine/net/names'
import { ipBatch, ipDrop } from '#engine/net/run'
import { cutAddresses, cutUntracked, type Place } from '#engine/net/connections'
import { changes, readSpace, removeLinks, type Found } from '#engine/net/kernel'
import { housed, keepGateways, makeGateways, readGateways, type Gateway } from '#engine/net/gateway'
import { coreItems, routerItems } from '#engine/net/route'
import { isIp6, speaks6 } from '#engine/net/route6'
import { frame, isFramedAlike, render, type Frame } from '#engine/net/render'
import { delta, text, type Table } from '#engine/net/ruleset'
import { openFlows, type Flows } from '#engine/net/flows'
import { openNft, type Nft } from '#engine/net/nft'
import { readShapes, shape, unshape, type Shapes } from '#engine/net/shaping'
import { deviceNames, makeSpace, spaceExists, spaceNumber, speakIpv6 } from '#engine/net/space'
import { keepDaemon } from '#engine/dns/daemon'
import { networkFiles } from '#engine/dns/dnsmasq'

export type Router = {
  /** Whether it is still what was last applied, as far as its namespaces and devices go, and this network's. */
  isIntact(id: string): Promise<boolean>
  /** Ids of the ports that have their devices, as was last applied; only true of a router that is intact. */
  ports(): string[]
  /** What its watched ports sent and got since the last time. */
  flows(): Promise<FlowsSeen>
  /** `relinked`: the peers to which it has got a new link. */
  apply(spec: NetworkSpec, relinked: number[]): Promise<void>
  /**
   * Loads the rules of a spec that differs from the last one in nothing else, in a fraction of the time of `apply`; false where more differs,
   * or nothing, or the router is not there any more. Whether its devices are there, this leaves to whoever asks for `isIntact`.
   */
  applyRules(spec: NetworkSpec): Promise<boolean>
  close(): Promise<void>
}

/** What a router was last known to have. */
type Known = {
  router: Found[]
  core: Found[]
  gateways: Map<string, Gateway>
  shapes: Shapes
  tables?: [Table, Table]
  frame?: Frame
  owners: Map<string, string>
  /** Whether its namespace has been told to route IPv6. */
  speaks6?: boolean
  spec?: NetworkSpec
}

/** Makes the namespace if it is not there, and reads what is in it. */
export async function openRouter(home: Home, spec: NetworkSpec): Promise<Router> {
  const { id, index } = spec
  const [space, core, dir] = [routerSpace(home, index), coreSpace(home), routerDir(home, index)]
  if (!spaceExists(core)) throw new Error(`namespace ${core} is not there: up() makes it`)
  await makeSpace(space, { speaks6: speaks6(spec), more: {
    'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.default.rp_filter': 0,
    // Who sends is seen to by the filter: the kernel need not look up each packet's sender too, nor a socket of the router's own for it.
    'net.ipv4.conf.all.accept_local': 1, 'net.ipv4.ip_early_demux': 0,
    // Gateways of the subnets, and the ports of one subnet to each other, answer by the router.
    'net.ipv4.conf.default.proxy_arp': 1,
    // A connection may be taken up in the middle, as far as the filter lets its packets pass; one that is known need not be in its window.
    'net.netfilter.nf_conntrack_tcp_loose': 1, 'net.netfilter.nf_conntrack_tcp_be_liberal': 1,
  } })
  await mkdir(dir, { recursive: true, mode: 0o755 })
  const numbers = await Promise.all([space, core].map(spaceNumber))
  const nft = openNft(space, join(dir, 'rules.nft'))
  const flows = openFlows(space, nft)
  const isSame = async () => nft.alive() && [space, core].every(spaceExists)
    && !(await Promise.all([space, core].map(spaceNumber))).some((number, i) => number !== numbers[i])
  try {
    await removeLinks(strayPorts(home, spec), space)
    const [router, all] = await Promise.all([space, core].map(readSpace)) as [Found[], Found[]]
    const mine = new RegExp(`^(link|address) ${coreLink(index)}( |$)`)
    const known: Known = {
      router, core: all.filter(item => mine.test(item.key) || item.state.endsWith(`dev ${coreLink(index)}`)),
      gateways: await readGateways(home, index),
      shapes: await readShapes(space),
      owners: await readOwners(router, nft),
    }
    return {
      isIntact: async wanted => {
        if (wanted !== id || !await isSame()) return false
        for (const { space: name, number } of known.gateways.values()) {
          if (!spaceExists(name) || await spaceNumber(name) !== number) return false
        }
        const devices = await deviceNames(nft.pid)
        // A link to a peer may be removed by the other side.
        return known.router.every(({ key }) => !/^link (?!x)/.test(key) || devices.has(key.slice('link '.length)))
      },
      apply(next, relinked) {
        forgetLinks(known, name => relinked.some(peer => peerDevice(peer) === name))
        return converge(home, next, known, nft).then(() => watchPorts(flows, next))
      },
      applyRules: async next => await isSame() && changeRules(home, next, known, nft),
      ports: () => known.router.flatMap(({ key, state }) => (/^link e\d/.test(key) ? [aliasOf(state)] : [])).sort(),
      flows: () => readFlows(flows, known.router),
      close: () => nft.close(),
    }
  } catch (error) {
    await nft.close()
    throw error
  }
}

/** A link's state is whether it is down, its group and its alias. */
const aliasOf = (state: string): string => state.replace(/^(down )?\d+ /, '')

function watchPorts(flows: Flows, spec: NetworkSpec): Promise<void> {
  const subnets = new Map(spec.subnets.map(subnet => [subnet.id, subnet.index]))
  return flows.watch(spec.ports.filter(port => port.watched).map(port => routerDevice(subnets.get(port.subnet)!, port.index)).sort())
}

/** Of ports that are gone meanwhile nobody knows whose they were. */
async function readFlows(flows: Flows, router: Found[]): Promise<FlowsSeen> {
  const owners = new Map(router.flatMap(({ key, state }) => (/^link e\d/.test(key) ? [[key.slice('link '.length), aliasOf(state)]] : [])))
  const { counts, isFull } = await flows.read()
  return {
    flows: counts.flatMap(({ device, ...count }) => (owners.has(device) ? [{ ...count, port: owners.get(device)! }] : [])), isPartial: isFull,
  }
}

/** The whole way of a rule: what it takes is told in docs/decisions/0034-rules-in-milliseconds.md. */
async function changeRules(home: Home, spec: NetworkSpec, known: Known, nft: Nft): Promise<boolean> {
  const was = known.spec
  if (!was || !known.tables || !known.frame || !isFramedAlike(known.frame.of, spec)) return false
  const tables = render(home, spec, known.frame)
  const transaction = tables.map((table, i) => delta(known.tables![i]!, table) ?? text(table)).join('')
  if (!transaction) return false
  await nft.load(transaction)
  known.tables = tables
  await cutUntracked(placeOf(home, spec, nft), was, spec)
  known.spec = spec
  return true
}

const placeOf = (home: Home, { index }: NetworkSpec, { pid }: Nft): Place =>
  ({ space: routerSpace(home, index), pid, file: join(routerDir(home, index), 'ended') })

async function converge(home: Home, spec: NetworkSpec, known: Known, nft: Nft): Promise<void> {
  const [space, core, dir] = [routerSpace(home, spec.index), coreSpace(home), routerDir(home, spec.index)]
  const around = frame(home, spec, known.frame)
  const tables = render(home, spec, around)
  const transaction = tables.map((table, i) => (known.tables && delta(known.tables[i]!, table)) ?? text(table)).join('')
  if (transaction) await nft.load(transaction)
  known.tables = tables
  known.frame = around

  if (speaks6(spec) && !known.speaks6) await speakIpv6(space)
  known.speaks6 = speaks6(spec)

  const linked = await keepLinks(known, spec, { space, pid: nft.pid })
  const router = routerItems(home, spec, { hostPid: process.pid, isLinked: peer => linked.has(peerDevice(peer)) })
  const { drops, puts } = changes(known.router, router)
  const beside = coreItems(home, spec)
  const files = networkFiles(home, spec)
  const inRouter = async () => {
    await unshape(space, known.shapes, spec)
    await ipDrop(drops, space)
    await clearStaleEnds(home, known, spec, puts)
    await ipBatch(puts, space)
    await shape(space, known.shapes, spec, new Set(puts.flatMap(line => /^link add (e\d+-\d+) /.exec(line)?.[1] ?? [])))
    known.router = router
    await keepGateways(home, spec, known.gateways)
  }
  const atCore = async () => {
    const put = changes(known.core, beside)
    await ipDrop(put.drops, core)
    await ipBatch(put.puts, core)
    known.core = beside
  }
  const owners = ownersOf(spec)
  const lost = [...known.owners].filter(([address, owner]) => owners.get(address) !== owner)
  // Of IPv6 a lease says nothing of whose it is.
  const isLost = new Set(lost.map(([address]) => address).filter(isIp6))
  const resolver = () => keepDaemon({ dir, space }, files.configuration, { names: files.names, ports: files.ports }, lease =>
    isLost.has(lease.address) || spec.ports.some(port => port.addresses[0]!.private === lease.address && port.mac !== lease.mac))
  // The core's link comes with the router's, and a resolver starts only where its addresses are.
  if (known.spec) await together(inRouter(), atCore(), resolver())
  else {
    await inRouter()
    await together(atCore(), resolver())
  }

  const at = placeOf(home, spec, nft)
  // A public address is owned by a private one, which has dots; a private one by a port's index.
  await cutAddresses(at, lost.map(([address, owner]) => ({ address, isPublic: owner.includes('.') })))
  known.owners = owners
  if (known.spec && transaction) await cutUntracked(at, known.spec, spec)
  known.spec = spec
}

/** Devices of ports whose own namespace is not there, and may never come back: they are made anew with it. */
const strayPorts = (home: Home, spec: NetworkSpec): string[] =>
  housed(spec).filter(port => !spaceExists(gatewaySpace(home, spec.index, port.index)))
    .map(port => routerDevice(spec.subnets.find(subnet => subnet.id === port.subnet)!.index, port.index))

/** Removes links to those that are peers no more, and forgets what went with links that the other side removed. Answers which are there. */
async function keepLinks(known: Known, spec: NetworkSpec, { space, pid }: { space: string; pid: number }): Promise<Set<string>> {
  const wanted = new Set(spec.peers.map(peer => peerDevice(peer.index)))
  const there = [...await deviceNames(pid)].filter(name => /^x\d+$/.test(name))
  await removeLinks(there.filter(name => !wanted.has(name)), space)
  const linked = new Set(there.filter(name => wanted.has(name)))
  forgetLinks(known, name => !linked.has(name))
  return linked
}

/** The link to a peer on which something hangs, if it does. */
const linkOf = ({ key, state }: Found): string | undefined => (/^(?:link|address) (x\d+)/.exec(key) ?? /dev (x\d+)$/.exec(state))?.[1]

/** What hangs on a link went with it. */
function forgetLinks(known: Known, isGone: (name: string) => boolean): void {
  known.router = known.router.filter(item => {
    const name = linkOf(item)
    return name === undefined || !isGone(name)
  })
}

/**
 * The other ends of links that are made anew may still be there, from a router that was lost: a namespace outlives its name as long as
 * a process is in it.
 */
async function clearStaleEnds(home: Home, known: Known, spec: NetworkSpec, puts: string[]): Promise<void> {
  const { index } = spec
  const isNew = (port: PortSpec) => puts.some(line => line.includes(` peer name ${portDevice(home, port.index)} `))
  await makeGateways(home, spec, known.gateways, housed(spec).filter(isNew))
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
    [[a.private, String(port.index)] as const, ...(a.public ? [[a.public, a.private] as const] : [])])
    .concat((port.addresses6 ?? []).map(address => [address, String(port.index)] as const))))
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
