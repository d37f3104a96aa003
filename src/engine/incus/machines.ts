/**
 * Machines as unprivileged Incus containers whose root file system is a disk mounted by us.
 *
 * Invariant: an instance of the private daemon has its machine's id as its name and says in its configuration which disk is
 * its root, so that everything is found again after a crash. Its root is mounted from before `start` until after it is
 * known to be off.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { turns } from '#base/turns'
import type { Machines } from '#engine/port'
import { rootPoint, unknownIfUnreachable } from '#engine/disk/disks'
import { diskVolume, volumeFile } from '#engine/disk/layout'
import { clearLoop } from '#engine/disk/loop'
import { mountFile, unmountFile } from '#engine/disk/mount'
import { IncusError, type Client } from '#engine/incus/client'
import { stopForking } from '#engine/incus/fork'
import { clearConsole, consoleFile, readConsole } from '#engine/incus/console'
import { incusDir, lxcName, poolOf, projectOf, socketOf } from '#engine/incus/place'
import { watchMachines } from '#engine/incus/events'
import { onTerminal } from '#engine/incus/exec'
import { answers } from '#engine/incus/reach'
import { until } from '#engine/incus/process'
import { restoreName } from '#engine/incus/rename'
import { holding, loopOf, PLACE, placeOf, rangeOf, ROOT_DISK, rootNode, rootOf, type Config } from '#engine/incus/attachment'
import { unifiedCgroups } from '#engine/incus/host'
import { openMachineDisks, type Instance } from '#engine/incus/machine-disks'
import { openIds } from '#engine/incus/ids'
import { hasLost, hostRoot, isOnHost, seen } from '#engine/incus/machine-seen'
import { openPlaces } from '#engine/incus/places'
import { configOf, devicesOf, limitsOf, portsAmong, rawConfig, type Paths } from '#engine/incus/spec'
import { openGuard, type Guard } from '#engine/incus/guard'
import { openLimits } from '#engine/incus/limits'
import { viewDir } from '#engine/incus/view'
import { storageSocket } from '#engine/storage/helper'
import { seccompProfile } from '#engine/storage/seccomp'

type State = { pid: number }

const path = (id: string, rest = ''): string => `/1.0/instances/${encodeURIComponent(id)}${rest}`

export function openMachines(home: Home, client: Client, log: Log, guard: Guard = openGuard(home, client, log)): Machines {
  const find = (id: string) => client.find<Instance>(path(id))
  const places = openPlaces(client)
  const disks = openMachineDisks(home, client, log)
  const limits = openLimits(home, client)
  const ids = openIds(client, log)
  /** Machines as they were made, until they are started or anything changes them. */
  const fresh = new Map<string, Instance>()
  /** What changes a machine's configuration as a whole must not meet another that does. */
  const oneAtATime = turns<string>()
  const change = <T>(id: string, act: () => Promise<T>): Promise<T> => {
    fresh.delete(id)
    return oneAtATime(id, act)
  }
  const setState = (id: string, state: object) => client.act('PUT', path(id, '/state'), state)
  const isOn = async (id: string) => ((await find(id))?.status ?? 'Stopped') !== 'Stopped'

  async function get(id: string): Promise<Instance> {
    const instance = await find(id)
    if (!instance) throw new Error(`there is no machine ${id}`)
    return instance
  }

  const pathsOf = (id: string, rootDisk: string): Paths => (
    { root: rootPoint(home, rootDisk), console: consoleFile(home, id), view: viewDir(home, id), storage: storageSocket(home) })

  /** A machine that was made by an earlier Enclume, or has another root disk than when it was made, is told so before it starts. */
  async function renew(found: Instance): Promise<Instance> {
    const instance = await ids.separate(found) ? await get(found.name) : found
    const { name, config } = instance
    const place = await places.take(name)
    const range = rangeOf(home.slot, place)
    const raw = rawConfig(name, pathsOf(name, rootOf(config)!), { range, unified: unifiedCgroups() })
    if (config['raw.lxc'] === raw && config['raw.seccomp'] === seccompProfile && placeOf(config) === place) return instance
    await client.act('PATCH', path(name), {
      config: { 'raw.lxc': raw, 'raw.seccomp': seccompProfile, [PLACE]: String(place) }, devices: rootNode(range.first),
    })
    return get(name)
  }

  const rootLoop = ({ name, config }: Instance, disk: string) =>
    loopOf(name, { disk, number: rangeOf(home.slot, placeOf(config)!).first })

  async function mountRoot(instance: Instance): Promise<void> {
    const disk = rootOf(instance.config)
    if (disk === undefined) throw new Error(`machine ${instance.name} has no root disk`)
    await mountFile(volumeFile(home, diskVolume(disk)), rootPoint(home, disk), { owner: hostRoot(instance), loop: rootLoop(instance, disk) })
  }

  /** Frees the disks of a machine that is off. */
  async function release(instance: Instance): Promise<void> {
    const disk = rootOf(instance.config)
    if (disk !== undefined) {
      await unmountFile(volumeFile(home, diskVolume(disk)), rootPoint(home, disk))
      if (placeOf(instance.config) !== undefined) await clearLoop(rootLoop(instance, disk))
    }
    await disks.release(instance)
  }

  /** Does what may find its end reached already, or in a moment: by a guest that goes by itself, or by another process of ours. */
  async function unless(done: () => Promise<boolean>, act: () => Promise<void>, momentMs = 0): Promise<void> {
    if (await done()) return
    try {
      await act()
    } catch (error) {
      if (!(error instanceof IncusError) || !await until(done, momentMs)) throw error
    }
  }

  const powerOff = (id: string) => unless(async () => !await isOn(id), async () => {
    stopForking((await client.get<State>(path(id, '/state'))).pid)
    await setState(id, { action: 'stop', force: true })
  }, GOING_MS)

  /** In order if the guest does it within the time, else by force. */
  async function inOrder(id: string, { action, timeoutMs }: { action: 'stop' | 'restart'; timeoutMs: number }): Promise<void> {
    try {
      await setState(id, { action, timeout: Math.max(1, Math.ceil(timeoutMs / 1000)) })
    } catch (error) {
      if (!(error instanceof IncusError)) throw error
      log.info('guest did not go in time', { machine: id, action, error })
      if (action === 'stop' || !await isOn(id)) return
      await setState(id, { action, force: true })
    }
  }

  /** Incus says that a start failed; why, only the container's own log tells. */
  function withReason(error: unknown, id: string): unknown {
    const file = join(incusDir(home), 'logs', lxcName(home, id), 'lxc.log')
    if (!(error instanceof IncusError) || !existsSync(file)) return error
    const lines = readFileSync(file, 'utf8').split('\n').filter(line => line.includes(' ERROR ')).slice(-5)
    return new IncusError(error.status, [error.message, ...lines].join('\n'))
  }

  async function detach(id: string, device: string): Promise<void> {
    const { devices, config: known, status } = await get(id)
    const found = Object.keys(devices).find(name => devices[name]!.parent === device)
    if (found === undefined) return
    const mac = known[`volatile.${found}.last_state.hwaddr`]
    if (status !== 'Stopped' && mac) {
      await restoreName({ pid: (await client.get<State>(path(id, '/state'))).pid, mac, name: devices[found]!.name! })
    }
    // Incus has no word for taking one away: the whole is given, as it is now. Nothing but us writes it.
    const { architecture, config, description, ephemeral, profiles } = await client.get<Record<string, unknown>>(path(id))
    const left = Object.fromEntries(Object.entries(devices).filter(([name]) => name !== found))
    await client.act('PUT', path(id), { architecture, config, description, ephemeral, profiles, devices: left })
  }

  return {
    observe: id => unknownIfUnreachable(async () => {
      const instance = await find(id)
      if (!instance) return 'absent'
      if (disks.leaving(instance).length > 0) await oneAtATime(id, async () => disks.tidy(await get(id)))
      return seen(instance, disks.seen(instance))
    }),
    list: () => unknownIfUnreachable(async () =>
      (await client.get<string[]>('/1.0/instances')).map(url => decodeURIComponent(new URL(url, 'http://incus').pathname.split('/').pop()!))),
    async create(spec) {
      const started = performance.now()
      const place = await places.take(spec.id)
      const range = rangeOf(home.slot, place)
      const held = disks.numbered(place, spec.disks).map(one => holding(one))
      const make = () => client.act('POST', '/1.0/instances', {
        name: spec.id, type: 'container', source: { type: 'none' }, profiles: [],
        config: Object.assign(configOf(spec, { place, range }, pathsOf(spec.id, spec.rootDisk)), ...held.map(({ config }) => config)) as Config,
        devices: Object.assign({ ...devicesOf(spec), root: { type: 'disk', path: '/', pool: poolOf(home) }, ...rootNode(range.first) },
          ...held.map(({ devices }) => devices)) as Instance['devices'],
      })
      // Only who made it before keeps Incus from making it: so nobody looks until then.
      const isNew = await ids.making(make).then(() => true, async (error: unknown) => {
        if (!(error instanceof IncusError) || !await find(spec.id)) throw error
        return false
      })
      log.info('machine made', { machine: spec.id, ms: Math.round(performance.now() - started) })
      // Its volumes take longer: what its start asks of it is asked meanwhile.
      if (isNew) fresh.set(spec.id, await get(spec.id))
      return isNew
    },
    prepare: async id => mountRoot(fresh.get(id) ?? await renew(await get(id))),
    start: id => oneAtATime(id, async () => {
      const made = fresh.get(id)
      fresh.delete(id)
      guard.back(id)
      const found = made ?? await get(id)
      if (found.status !== 'Stopped') return
      const started = performance.now()
      if (rootOf(found.config) === undefined) throw new Error(`machine ${id} has no root disk`)
      const instance = made ?? await renew(found)
      await mountRoot(instance)
      await disks.bindAll(instance)
      clearConsole(consoleFile(home, id))
      await setState(id, { action: 'start' }).catch(async (error: unknown) => {
        if (!(error instanceof IncusError) || !await isOn(id)) throw withReason(error, id)
      })
      log.info('machine started', { machine: id, ms: Math.round(performance.now() - started) })
      void limits.again(id, log)
    }),
    async stop(id, { timeoutMs }) {
      const instance = await get(id)
      await guard.leaving(id)
      if (await isOn(id)) await inOrder(id, { action: 'stop', timeoutMs })
      await powerOff(id)
      await release(instance)
    },
    async kill(id) {
      const instance = await get(id)
      await guard.leaving(id)
      await powerOff(id)
      await release(instance)
    },
    async reboot(id, { timeoutMs }) {
      if (!await isOn(id)) throw new Error(`machine ${id} is off`)
      await guard.leaving(id)
      try {
        await inOrder(id, { action: 'restart', timeoutMs })
      } finally {
        guard.back(id)
      }
    },
    async delete(id) {
      fresh.delete(id)
      const instance = await find(id)
      if (!instance) return
      await guard.leaving(id)
      await powerOff(id)
      await release(instance)
      await unless(async () => await find(id) === undefined, () => client.act('DELETE', path(id)))
      places.free(id)
      guard.back(id)
      clearConsole(consoleFile(home, id))
    },
    attach: (id, port) => change(id, async () => {
      const has = async () => portsAmong((await get(id)).devices).includes(port.device)
      // A guest that comes up or goes just now has its device on the way.
      const isLost = async () => hasLost(await get(id), port.device) && !await until(() => !isOnHost(port.device), ON_THE_WAY_MS)
      if (await has() && await isLost()) await detach(id, port.device)
      await unless(has, () => client.act('PATCH', path(id), { devices: devicesOf({ ports: [port] }) }))
    }),
    detach: (id, device) => change(id, () => detach(id, device)),
    attachDisk: (id, disk) => change(id, async () => {
      await disks.attach(await get(id), disk)
      await limits.again(id, log)
    }),
    detachDisk: (id, disk, options) => change(id, async () => {
      const instance = await find(id)
      if (instance) await disks.detach(instance, disk, options)
    }),
    setRoot: (id, disk) => change(id, async () => {
      const instance = await get(id)
      if (rootOf(instance.config) === disk) return
      if (instance.status !== 'Stopped') throw new Error(`machine ${id} is on`)
      if (disk !== undefined) await disks.claim(id, disk)
      await release(instance)
      await client.act('PATCH', path(id), { config: { [ROOT_DISK]: disk ?? '' } })
    }),
    resize: (id, wanted) => change(id, () => client.act('PATCH', path(id), { config: limitsOf(wanted) })),
    async console(id) {
      await get(id)
      return readConsole(consoleFile(home, id))
    },
    async terminal(id, what) {
      await get(id)
      const env = { INCUS_SOCKET: socketOf(home), HOME: home.run }
      const project = ['--project', projectOf(home)]
      if (what === 'console') return { file: 'incus', args: ['console', '--force-local', ...project, id], env }
      const options = ['--force-local', ...project, '--force-interactive', '--env', 'TERM=xterm-256color']
      return { ...onTerminal(['exec', ...options, id, '--', ...what.command]), env }
    },
    reachable: id => unknownIfUnreachable(async () => {
      if (!await isOn(id)) return false
      return answers((await client.get<State>(path(id, '/state'))).pid)
    }),
    watch: callback => watchMachines(client, event => {
      // A guest that boots anew by itself has a new control group.
      if (event.event === 'restarted') void limits.again(event.id, log)
      callback(event)
    }, log),
  }
}

const ON_THE_WAY_MS = 1000
/** Incus may say of a guest that just went that it is stopped, or has no process, and for a moment still that it is on. */
const GOING_MS = 5000
