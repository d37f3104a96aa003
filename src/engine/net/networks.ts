/**
 * The host's networks: the port's `Networks` for real.
 *
 * Invariant: after `apply` the host has the network exactly as the spec says, whatever it had before. What this process remembers of a
 * router is only a shortcut: it is believed while the router's namespace and devices are still those, and read from the kernel otherwise.
 * A network is found again by its id, which is the alias of its link in the core; a port's id is the alias of its device.
 */
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { turns } from '#base/turns'
import type { Absent, FlowsSeen, Networks, NetworkSeen, NetworkSpec, PortTraffic, Served, Unknown } from '#engine/port'
import { coreLink, coreSpace, portDevice, resolverDir, routerDir, routerSpace } from '#engine/net/names'
import { attempt, run } from '#engine/net/run'
import { check, checkRules, isName } from '#engine/net/check'
import { readLinks, readTraffic, removeLinks } from '#engine/net/kernel'
import { openDoors } from '#engine/net/doors'
import { gatewaySpaces } from '#engine/net/gateway'
import { makeLinks } from '#engine/net/peering'
import { cannotShape, unlimited } from '#engine/net/shaping'
import { speaks6, without6 } from '#engine/net/route6'
import { hasIpv6, spaceExists, spaceNames } from '#engine/net/space'
import { bringUp, keepResolver, takeDown } from '#engine/net/core'
import { openLookout } from '#engine/net/lookout'
import { openRouter, type Router } from '#engine/net/router'
import { runs, stopDaemon } from '#engine/dns/daemon'
import { readdir, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'

/** `close` ends this process's side; networks go on. */
export function openNetworks(home: Home, log: Log): Networks & { close(): Promise<void> } {
  const routers = new Map<number, Router>()
  /** What was last applied, and by network the peers to which it was given a link that it has not seen to yet. */
  const specs = new Map<number, NetworkSpec>()
  const untold = new Map<number, Set<number>>()
  const inTurn = turns<unknown>()
  const doors = openDoors(home, log)
  const watchers = new Set<(id: string) => void>()
  let isDown = false
  let warned = false
  const resolver = (served?: Served) => inTurn('resolver', () => keepResolver(home, served))

  const up = () => inTurn('core', async () => {
    isDown = false
    await bringUp(home)
    await resolver()
  })

  /** Forgets what is known of a router. */
  async function forget(index: number): Promise<void> {
    const router = routers.get(index)
    routers.delete(index)
    await router?.close()
  }

  /** Answers the ports that had no device before. */
  async function apply(spec: NetworkSpec): Promise<string[]> {
    check(spec)
    let router = routers.get(spec.index)
    if (router && !await router.isIntact(spec.id)) {
      log.warn('network.changed-underneath', { network: spec.id })
      await forget(spec.index)
      router = undefined
    }
    if (!router) {
      for (const [id, index] of await indexes(home)) if ((id === spec.id) !== (index === spec.index)) await erase(index)
      router = await openRouter(home, spec)
      routers.set(spec.index, router)
    }
    const had = new Set(router.ports())
    const given = untold.get(spec.index) ?? []
    untold.delete(spec.index)
    try {
      const made = await inTurn('peers', () => makeLinks(home, spec.index, spec.peers.map(peer => peer.index).filter(agrees(spec.index))))
      for (const peer of made) tell(peer, [spec.index])
      await router.apply(await withinMeans(spec), [...made, ...given])
      await doors.keep(spec)
      specs.set(spec.index, spec)
      return spec.ports.map(port => port.id).filter(id => !had.has(id))
    } catch (error) {
      // It may have been done in part: look again next time.
      await forget(spec.index)
      tell(spec.index, given)
      throw error
    }
  }

  /** Only rules have changed: nothing else is looked at. */
  async function applyRules(spec: NetworkSpec): Promise<boolean> {
    const router = routers.get(spec.index)
    if (specs.get(spec.index)?.id !== spec.id || !router || untold.has(spec.index)) return false
    checkRules(spec)
    try {
      if (!await router.applyRules(await withinMeans(spec))) return false
    } catch (error) {
      await forget(spec.index)
      throw error
    }
    specs.set(spec.index, spec)
    return true
  }

  /** A kernel that can't hold limits, or has no IPv6, runs without them, and the log says so: better than no machines. */
  async function withinMeans(asked: NetworkSpec): Promise<NetworkSpec> {
    const spec = speaks6(asked) && !hasIpv6() ? without6(asked) : asked
    if (spec !== asked) log.warn('network.no-ipv6', { network: spec.id })
    if (!spec.ports.some(port => port.bitsPerSecond !== undefined)) return spec
    const reason = await cannotShape(routerSpace(home, spec.index))
    if (reason === undefined) return spec
    if (!warned) log.warn('network.unlimited', { reason })
    warned = true
    return unlimited(spec)
  }

  /** Whether a network, as far as it was applied here, is a peer of this one too. */
  const agrees = (index: number) => (peer: number) => specs.get(peer)?.peers.some(other => other.index === index) ?? true

  const tell = (index: number, peers: Iterable<number>) => {
    const all = [...untold.get(index) ?? [], ...peers]
    if (all.length > 0) untold.set(index, new Set(all))
  }

  /** Has the peers to which this network got a link see to their ends. One that was never applied here will be. */
  async function tellPeers({ peers }: NetworkSpec): Promise<void> {
    for (const { index } of peers) {
      const applied = await inTurn(index, async () => {
        const other = untold.has(index) ? specs.get(index) : undefined
        if (other) await apply(other)
        return other
      })
      if (applied) await tellPeers(applied)
    }
  }

  async function erase(index: number): Promise<void> {
    await forget(index)
    specs.delete(index)
    untold.delete(index)
    doors.drop(index)
    await eraseRouter(home, index)
  }

  /** Whether names and leases are served there: by the router's own resolver, and the host's, which that asks. */
  const isServed = async (index: number): Promise<boolean> => await runs(routerDir(home, index)) && runs(resolverDir(home))

  /** Of the networks that this process applied, when nobody is about to change them. */
  async function well(): Promise<Map<string, boolean>> {
    const seen = new Map<string, boolean>()
    const isWell = async (index: number) => [coreSpace(home), routerSpace(home, index)].every(spaceExists) && isServed(index)
    for (const index of isDown ? [] : [...specs.keys()]) {
      await inTurn(index, async () => {
        const id = specs.get(index)?.id
        if (id !== undefined) seen.set(id, await isWell(index))
      })
    }
    return seen
  }

  const lookout = openLookout(well, id => {
    log.warn('network.lost', { network: id })
    for (const watcher of watchers) watcher(id)
  }, log)

  /** What cannot be seen is unknown, and the log says why. */
  async function look<T>(what: () => Promise<T>): Promise<T | Unknown> {
    try {
      return await what()
    } catch (error) {
      log.warn('network.unseen', { error })
      return 'unknown'
    }
  }

  return {
    up,
    apply: spec => inTurn(spec.index, async () => {
      // Somebody deleted the core under us.
      if (!isDown && !spaceExists(coreSpace(home))) await up()
      if (await applyRules(spec)) return []
      const made = await apply(spec)
      await resolver()
      lookout.isWell(spec.id)
      return made
    }).then(made => tellPeers(spec).then(() => made)),
    answering: doors.answering,
    serve: domains => {
      for (const domain of Object.values(domains).flat()) if (!isName(domain)) throw new Error(`not a name: ${JSON.stringify(domain)}`)
      return resolver(domains)
    },
    observe: id => look<NetworkSeen | Absent>(async () => {
      for (const [index, router] of routers) {
        if (await router.isIntact(id)) return { ports: router.ports(), ...(!await isServed(index) && { unserved: true }) }
      }
      const index = (await indexes(home)).get(id)
      if (index === undefined || !spaceExists(routerSpace(home, index))) return 'absent'
      const links = await readLinks(routerSpace(home, index))
      return { ports: links.filter(link => /^e\d/.test(link.name)).map(link => link.alias).sort() }
    }),
    traffic: id => look<Record<string, PortTraffic> | Absent>(async () => {
      const index = (await indexes(home)).get(id)
      return index !== undefined && spaceExists(routerSpace(home, index)) ? readTraffic(routerSpace(home, index)) : 'absent'
    }),
    flows: id => look<FlowsSeen | Absent | Unknown>(async () => {
      const index = (await indexes(home)).get(id)
      if (index === undefined || !spaceExists(routerSpace(home, index))) return 'absent'
      return inTurn(index, async () => {
        const router = routers.get(index)
        // One that this process has not applied yet will be, and keeps its counts until then.
        return router && await router.isIntact(id) ? router.flows() : 'unknown'
      })
    }),
    list: () => look(async () => [...(await indexes(home)).keys()]),
    async delete(id) {
      const index = (await indexes(home)).get(id)
      if (index !== undefined) await inTurn(index, () => erase(index))
    },
    watch(callback) { watchers.add(callback); return () => watchers.delete(callback) },
    portDevice: index => portDevice(home, index),
    down: () => inTurn('core', async () => {
      isDown = true
      const made = new RegExp(`^${home.prefix}-(?:n|g(?=\\d+-))(\\d+)`)
      const found = new Set((await spaceNames()).flatMap(name => made.exec(name)?.[1] ?? []))
      const dirs = dirname(routerDir(home, 0))
      for (const name of existsSync(dirs) ? await readdir(dirs) : []) if (/^\d+$/.test(name)) found.add(name)
      for (const index of found) await inTurn(Number(index), () => erase(Number(index)))
      await takeDown(home)
    }),
    close: async () => {
      await lookout.close()
      await doors.close()
      for (const index of routers.keys()) await inTurn(index, () => forget(index))
    },
  }
}

/** Removes a router's resolver, devices, namespace and files, as far as they are there. */
async function eraseRouter(home: Home, index: number): Promise<void> {
  await stopDaemon(routerDir(home, index))
  const [space, core] = [routerSpace(home, index), coreSpace(home)]
  // Devices first, by name: those of a deleted namespace go only some time later.
  if (spaceExists(space)) {
    const links = (await readLinks(space)).filter(link => /^(fab|e\d+-\d+|i\d+|x\d+)$/.test(link.name))
    // A whole group costs the kernel as much as a single device. What is left over, or just going, is seen to one by one.
    for (const group of new Set(links.map(link => link.group))) await attempt(['ip', '-n', space, 'link', 'del', 'group', group])
    await removeLinks(links.map(link => link.name), space)
    await run(['ip', 'netns', 'del', space])
  }
  for (const gateway of await gatewaySpaces(home, index)) await run(['ip', 'netns', 'del', gateway])
  if (spaceExists(core) && (await readLinks(core)).some(link => link.name === coreLink(index))) await removeLinks([coreLink(index)], core)
  await rm(routerDir(home, index), { recursive: true, force: true })
}

/** Which networks the host has: id -> index. None before `up`. */
async function indexes(home: Home): Promise<Map<string, number>> {
  if (!spaceExists(coreSpace(home))) return new Map()
  const links = (await readLinks(coreSpace(home))).filter(link => /^n\d+$/.test(link.name) && link.alias !== '')
  return new Map(links.map(link => [link.alias, Number(link.name.slice(1))]))
}
