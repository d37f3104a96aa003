/**
 * Data disks of machines: given, taken away, and found again.
 *
 * Invariant: a loop device is bound before the guest can open it, and the guest has lost its node and the right to it before the device
 * is given up. Killed in between, the next look finds a device that nobody wants, and gives it up.
 */
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { MachineDisk, MachineSeen } from '#engine/port'
import { diskVolume, isReady, volumeFile, volumePath, type Volume } from '#engine/disk/layout'
import { backingFile, bindLoop, clearLoop, cutLoop, loopNumbers, partLoop, sectorsOf, type Loop, type PartLoop } from '#engine/disk/loop'
import { hasTable } from '#engine/disk/table'
import type { Client } from '#engine/incus/client'
import { projectOf } from '#engine/incus/place'
import { until } from '#engine/incus/process'
import {
  freeNumber, heldIn, holding, loopOf, placeOf, rangeOf, rootOf, without, type Config, type Devices, type Held,
} from '#engine/incus/attachment'
import { permitBelow } from '#engine/incus/device-group'
import { unifiedCgroups } from '#engine/incus/host'
import { CGROUPS, payloadGroup } from '#engine/incus/throttle'
import { clearView, viewDir, writeView, type Shown } from '#engine/incus/view'
import { partition } from '#engine/storage/helper'

export type Instance = { name: string; status: string; last_used_at: string; config: Config; devices: Devices }
type Whole = Instance & Record<string, unknown>

export type MachineDisks = ReturnType<typeof openMachineDisks>

const path = (id: string): string => `/1.0/instances/${encodeURIComponent(id)}`
const END_MS = 20_000
const MODEL = 'Amazon Elastic Block Store'

/** File systems of a guest end a moment after it; a device that is on its way out must not be taken for one that stays. */
async function freeLoop(loop: Loop): Promise<void> {
  if (!await until(async () => (await clearLoop(loop)) === 'free', END_MS, 20)) throw new Error(`loop device ${loop.number} is still in use`)
}

/** The partitions that are there, each with the number of its disk's device. */
const partitionsOf = ({ first, last }: { first: number; last: number }, there: number[]): PartLoop[] =>
  there.filter(number => number > first && number <= last).flatMap(number => partLoop(number) ?? [])

type Leaving = { number: number; disk?: string; isPartition: boolean }

/**
 * The devices in a machine's range that its configuration does not want: on their way out. A partition is wanted as its disk is; one that
 * goes keeps its disk busy.
 */
function leavingOf(home: Home, { config }: Pick<Instance, 'config'>, there = loopNumbers()): Leaving[] {
  const place = placeOf(config)
  if (place === undefined) return []
  const { first, last } = rangeOf(home.slot, place)
  const wanted = new Set([first, ...heldIn(config).map(({ number }) => number)])
  const prefix = `${projectOf(home)}_${diskVolume('')}`
  return there.filter(number => number >= first && number <= last && !wanted.has(partLoop(number)?.disk ?? number)).map(number => {
    const part = partLoop(number)
    const file = backingFile(part?.disk ?? number)
    const volume = file === undefined || sectorsOf(number) === 0 ? '' : basename(dirname(file))
    return { number, isPartition: part !== undefined, ...(volume.startsWith(prefix) && { disk: volume.slice(prefix.length) }) }
  }).sort((a, b) => Number(b.isPartition) - Number(a.isPartition))
}

/** Machines that have the disk: wanted, or not yet rid of. */
export function haversOf<T extends Pick<Instance, 'config'>>(home: Home, instances: T[], disk: string): T[] {
  const loops = loopNumbers()
  return instances.filter(instance => rootOf(instance.config) === disk || heldIn(instance.config).some(held => held.disk === disk)
    || leavingOf(home, instance, loops).some(left => left.disk === disk))
}

export function openMachineDisks(home: Home, client: Client, log: Log) {
  const fileOf = (disk: string) => volumeFile(home, diskVolume(disk))
  const leaving = (instance: Instance) => leavingOf(home, instance)
  const isOn = ({ status }: Instance) => status !== 'Stopped'

  /** Gives up what is left; a device that the guest still uses goes with its last user. */
  async function tidy(instance: Instance): Promise<void> {
    for (const { number, disk } of leaving(instance)) if (disk !== undefined || backingFile(number) === undefined) {
      await clearLoop(loopOf(instance.name, { number, disk: disk ?? '' }))
    }
  }

  /** Throws where the machine may not have the disk. */
  async function claim(id: string, wanted: Pick<MachineDisk, 'disk' | 'shared'>): Promise<void> {
    const volume = await client.find<Volume>(volumePath(client, diskVolume(wanted.disk)))
    if (!volume || !isReady(volume)) throw new Error(`there is no disk ${wanted.disk}`)
    const instances = await client.get<Instance[]>('/1.0/instances?recursion=1')
    for (const other of haversOf(home, instances, wanted.disk)) {
      const shares = heldIn(other.config).find(held => held.disk === wanted.disk)?.shared
      if (other.name !== id && !(shares && wanted.shared)) throw new Error(`disk ${wanted.disk} belongs to machine ${other.name}`)
      if (other.name === id && rootOf(other.config) === wanted.disk) throw new Error(`disk ${wanted.disk} is the machine's root`)
      if (other.name === id && leaving(other).some(left => left.disk === wanted.disk)) await tidy(other)
      if (other.name === id && leaving(other).some(left => left.disk === wanted.disk)) throw new Error(`disk ${wanted.disk} is still busy`)
    }
  }

  /**
   * Whoever keeps a way to a node that was taken away must not open it again. Newer control groups hold this as a program that is made at the
   * start: there it is only that nothing else is ever bound to this number.
   */
  async function permit(id: string, number: number, allowed: boolean): Promise<void> {
    if (unifiedCgroups()) return
    const group = payloadGroup(await initOf(id), 'devices')
    if (group === undefined) return
    permitBelow(join(CGROUPS, 'devices', group), number, allowed)
  }

  const bind = (id: string, held: Held) => bindLoop(loopOf(id, held), fileOf(held.disk), { readOnly: held.readOnly })

  const initOf = async (id: string) => (await client.get<{ pid: number }>(`${path(id)}/state`)).pid
  /** Of a disk that is bound and shown. */
  async function addPartitions(id: string, { disk, number }: Held, init: number): Promise<void> {
    if (hasTable(fileOf(disk))) await partition(home, 'add', { machine: id, number, init })
  }
  const partitionsOn = (number: number) => loopNumbers().flatMap(other => partLoop(other) ?? []).filter(part => part.disk === number)

  function shown({ config }: Instance): Shown[] {
    const range = rangeOf(home.slot, placeOf(config)!)
    const { first } = range
    const root = rootOf(config)
    const parts = partitionsOf(range, loopNumbers())
    const device = (number: number) => ({ major: 7, minor: number })
    const sectors = sectorsOf(first)
    const rootShown: Shown[] = root === undefined || sectors === 0 ? [] : [{
      name: 'xvda', number: { major: 202, minor: 0 }, sectors, model: MODEL, serial: root.replace('-', ''),
      partitions: [{ index: 1, number: device(first), start: 0, sectors }],
    }]
    const data = heldIn(config).filter(({ number }) => backingFile(number) !== undefined).map((held): Shown => ({
      name: held.device, number: device(held.number), sectors: sectorsOf(held.number), model: held.model, serial: held.serial,
      ...(held.readOnly && { readOnly: true }),
      partitions: parts.filter(({ disk }) => disk === held.number).sort((a, b) => a.index - b.index)
        .map(({ number, index, start, sectors: size }) => ({ index, number: device(number), start, sectors: size })),
    }))
    return [...rootShown, ...data]
  }
  const show = (instance: Instance) => writeView(viewDir(home, instance.name), shown(instance))

  return {
    show, leaving,
    claim: (id: string, disk: string) => claim(id, { disk }),
    /** What the machine has, as far as it is there. */
    seen(instance: Instance): MachineSeen['disks'] {
      const on = isOn(instance)
      const there = heldIn(instance.config).filter(({ number }) => !on || backingFile(number) !== undefined).map(({ disk }) => ({ disk }))
      const going = new Set(leaving(instance).flatMap(({ disk }) => disk ?? []))
      return [...there, ...[...going].map(disk => ({ disk, busy: true as const }))]
    },
    /** Numbers for the disks of a machine to be made. */
    numbered: (place: number, disks: MachineDisk[] = []): Held[] =>
      disks.map((disk, i) => ({ ...disk, number: rangeOf(home.slot, place).first + 1 + i })),
    tidy,
    async attach(instance: Instance, wanted: MachineDisk): Promise<void> {
      const { name, config } = instance
      const place = placeOf(config)
      if (place === undefined) throw new Error(`machine ${name} was made before machines had disks: it takes them after its next start`)
      const there = heldIn(config).find(held => held.disk === wanted.disk)
      if (!there) await claim(name, wanted)
      else if (there.device !== wanted.device) throw new Error(`disk ${wanted.disk} is ${there.device} already`)
      const taken = new Set([...heldIn(config).map(({ number }) => number), ...loopNumbers()])
      const held = there ?? { ...wanted, number: freeNumber(rangeOf(home.slot, place), taken) }
      if (isOn(instance)) await bind(name, held)
      if (isOn(instance)) await permit(name, held.number, true)
      if (!there) await client.act('PATCH', path(name), holding(held))
      if (!isOn(instance)) return
      show(await client.get<Instance>(path(name)))
      await addPartitions(name, held, await initOf(name))
    },
    async detach(instance: Instance, disk: string, { force }: { force: boolean }): Promise<void> {
      const held = heldIn(instance.config).find(other => other.disk === disk)
      if (held) {
        const { architecture, description, ephemeral, profiles, ...whole } = await client.get<Whole>(path(instance.name))
        await client.act('PUT', path(instance.name), { architecture, description, ephemeral, profiles, ...without(whole, held) })
      }
      const after = await client.get<Instance>(path(instance.name))
      const going = leaving(after).filter(one => one.disk === disk)
      const init = isOn(after) ? await initOf(after.name) : 0
      for (const { number } of going) if (partitionsOn(number).length > 0) await partition(home, 'drop', { machine: after.name, number, init })
      for (const left of going) {
        // A partition's number may be another's of this machine next, which the helper makes without asking here.
        if (isOn(after) && !left.isPartition) await permit(after.name, left.number, false)
        if (force && sectorsOf(left.number) > 0) await cutLoop(left.number)
        const state = await clearLoop(loopOf(after.name, { number: left.number, disk }))
        log.info('disk taken away', { machine: after.name, disk, state, force })
      }
      if (isOn(after)) show(after)
    },
    /** Before the start: every disk's device is there, and what the guest sees of them. */
    async bindAll(instance: Instance): Promise<void> {
      await tidy(instance)
      for (const held of heldIn(instance.config)) {
        if (!existsSync(fileOf(held.disk))) throw new Error(`there is no disk ${held.disk}`)
        await bind(instance.name, held)
      }
      show(instance)
      for (const held of heldIn(instance.config)) await addPartitions(instance.name, held, 0)
    },
    /** Of a machine that is off. */
    async release(instance: Instance): Promise<void> {
      for (const held of heldIn(instance.config)) {
        for (const { number } of partitionsOn(held.number)) await freeLoop(loopOf(instance.name, { ...held, number }))
        await freeLoop(loopOf(instance.name, held))
      }
      const gone = async () => { await tidy(instance); return leaving(instance).length === 0 }
      if (!await until(gone, END_MS, 20)) throw new Error(`disks of machine ${instance.name} are still in use`)
      clearView(viewDir(home, instance.name))
    },
  }
}
