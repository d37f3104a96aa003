/**
 * Disks as volumes of the private Incus daemon's pool.
 *
 * Invariant: a disk becomes ready in one last step; a half-made one is made anew by the next `create` and never used.
 * A copy shares its blocks with its source, and either may be deleted first.
 */
import { dirname, join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { DiskLimits, Disks, DiskSeen, DiskSpec, DiskWork, ImageSeen } from '#engine/port'
import { IncusError, Unreachable, type Client } from '#engine/incus/client'
import { blocksOf, changedBlocks, contentsOf, fillBlocks, readBlockOf, usageOf, writeBlockOf } from '#engine/disk/blocks'
import { readSuperblock } from '#engine/disk/ext4'
import { frozen } from '#engine/disk/freeze'
import { clearIdentity } from '#engine/disk/identity'
import { newestImage, seenImages } from '#engine/disk/image'
import {
  copyVolume, deleteVolume, diskVolume, findVolumes, imagePrefix, isReady, isWhole, listVolumes, makeVolume, markReady, newPoint, sizeGiB,
  volumeFile, volumePath, type Volume,
} from '#engine/disk/layout'
import { growLoop, inUse, loopsBelow, sectorsOf, workOf } from '#engine/disk/loop'
import { isMounted, mountFile, unmountFile } from '#engine/disk/mount'
import { run } from '#engine/disk/run'
import { makeSystem } from '#engine/disk/system'
import { together } from '#engine/disk/together'
import { openLimits } from '#engine/incus/limits'
import { haversOf, openMachineDisks, type Instance } from '#engine/incus/machine-disks'
import { volumeDir } from '#engine/incus/place'
import { LIMITS } from '#engine/incus/throttle'

/** Where the root file system of a disk is mounted while a machine runs on it. */
export const rootPoint = (home: Home, disk: string): string => join(home.run, 'root', disk, 'fs')

export function openDisks(home: Home, client: Client, log: Log): Disks {
  const find = (id: string) => client.find<Volume>(volumePath(client, diskVolume(id)))
  const file = (id: string) => volumeFile(home, diskVolume(id))
  const limits = openLimits(home, client)
  const images = openImages(client)

  async function owners(id: string): Promise<Instance[]> {
    return haversOf(home, await client.get<Instance[]>('/1.0/instances?recursion=1'), id)
  }
  async function get(id: string): Promise<Volume> {
    const volume = await find(id)
    if (!volume || !isWhole(home, volume)) throw new Error(`there is no disk ${id}`)
    return volume
  }

  const seen = ({ sizeGiB: size, limits: held = {} }: DiskSeen): DiskSeen =>
    ({ sizeGiB: size, ...(Object.keys(held).length > 0 && { limits: held }) })

  async function refuseUsed(id: string): Promise<void> {
    const machines = await owners(id)
    if (machines.length > 0) throw new Error(`disk ${id} belongs to machine ${machines.map(({ name }) => name)}`)
  }

  return {
    observe: id => unknownIfUnreachable(async () => {
      const volume = await find(id)
      if (!volume || !isWhole(home, volume)) return 'absent'
      return seen({ sizeGiB: sizeGiB(volume), limits: JSON.parse(volume.config[LIMITS] ?? '{}') as DiskLimits })
    }),
    users: id => unknownIfUnreachable(async () => (await owners(id)).map(({ name }) => name)),
    list: () => unknownIfUnreachable(async () =>
      (await listVolumes(client)).filter(({ name }) => name.startsWith('disk-')).map(({ name }) => name.slice('disk-'.length))),
    async create(spec) {
      const name = diskVolume(spec.id)
      const started = performance.now()
      const facts: Record<string, string> = spec.limits ? { [LIMITS]: JSON.stringify(spec.limits) } : {}
      const make = async () => {
        const { from } = spec
        if (from === undefined) await makeVolume(client, name, spec)
        else if ('system' in from) await makeSystem(home, client, spec, from.system)
        else if (await copy(home, client, spec, { from, imageNamed: images.named, facts }) === 'ready') return
        await markReady(client, name, facts)
      }
      try {
        await make()
      } catch (error) {
        images.forget()
        // Only who made it before, whole or half, keeps Incus from making it: so nobody looks until then.
        const there = error instanceof IncusError ? await find(spec.id) : undefined
        if (!there) throw error
        if (isWhole(home, there)) return undefined
        await discard(home, client, name)
        await make()
      }
      log.info('disk made', { disk: spec.id, sizeGiB: spec.sizeGiB, ms: Math.round(performance.now() - started) })
      return seen(spec)
    },
    createTogether: specs => together({ home, client, log }, specs, async spec => {
      await copy(home, client, spec, { from: spec.from as Copied, imageNamed: images.named })
    }),
    async delete(id) {
      if (!await find(id)) return
      await refuseUsed(id)
      await discard(home, client, diskVolume(id))
    },
    async grow(id, toGiB) {
      const now = sizeGiB(await get(id))
      if (toGiB < now) throw new Error(`disk ${id} can't shrink`)
      if (toGiB > now) await client.act('PATCH', volumePath(client, diskVolume(id)), { config: { size: `${toGiB}GiB` } })
      // Also when the size is there already: who died before it told the devices does it now.
      for (const { number } of loopsBelow(file(id))) if (sectorsOf(number) > 0) await growLoop(number)
      const machines = openMachineDisks(home, client, log)
      for (const machine of await owners(id)) if (machine.status !== 'Stopped') machines.show(machine)
    },
    async limit(id, wanted) {
      await get(id)
      await client.act('PATCH', volumePath(client, diskVolume(id)), { config: { [LIMITS]: JSON.stringify(wanted ?? {}) } })
      for (const machine of await owners(id)) if (machine.status !== 'Stopped') await limits.give(machine, id)
    },
    work: async () => {
      const found: Record<string, DiskWork> = {}
      for (const { number, file: path } of loopsBelow(dirname(volumeDir(home, '')))) {
        const [, id] = /_disk-([^/]+)\/root\.img$/.exec(path) ?? []
        const work = workOf(number)
        if (id === undefined || !work) continue
        // A disk that several machines have is one.
        const { operations = 0, bytes = 0, reads = 0, bytesRead = 0 } = found[id] ?? {}
        found[id] = {
          operations: operations + work.operations, bytes: bytes + work.bytes, reads: reads + work.reads, bytesRead: bytesRead + work.bytesRead,
        }
      }
      return found
    },
    usage: id => unknownIfUnreachable(async () => {
      const volume = await find(id)
      return volume && isWhole(home, volume) ? { bytes: await usageOf(file(id)) } : 'absent'
    }),
    blocks: async (id, part) => { await get(id); return blocksOf(file(id), part) },
    async changed(id, base, part) {
      await Promise.all([get(id), get(base)])
      return changedBlocks(file(id), file(base), part)
    },
    readBlock: async (id, index) => { await get(id); return readBlockOf(file(id), index) },
    async writeBlock(id, index, data) {
      await get(id)
      await refuseUsed(id)
      await writeBlockOf(file(id), index, data)
    },
    async* contents(id) {
      await get(id)
      yield* contentsOf(file(id))
    },
    async fill(id, given) {
      await get(id)
      await refuseUsed(id)
      await fillBlocks(file(id), given)
    },
    images: () => unknownIfUnreachable<ImageSeen[]>(async () => seenImages(await listVolumes(client))),
  }
}

type ImageNamed = (name: string) => Promise<Volume | undefined>

/** The newest volume of an image. One that was found before is believed to be there: who copies from it finds out. */
function openImages(client: Client): { named: ImageNamed; forget(): void } {
  const known = new Map<string, Volume>()
  return {
    async named(name) {
      const found = known.get(name) ?? newestImage(await findVolumes(client, imagePrefix(name)), name)
      if (found) known.set(name, found)
      return found
    },
    forget: () => known.clear(),
  }
}

type Copied = Exclude<NonNullable<DiskSpec['from']>, { system: string }>
type Source = { from: Copied; imageNamed: ImageNamed; facts?: Record<string, string> }

/** Makes a copy; one of an image as large as the image is 'ready' then, if it may have its facts at once. */
async function copy(home: Home, client: Client, spec: DiskSpec, { from, imageNamed, facts }: Source): Promise<'ready' | undefined> {
  const image = 'image' in from
  const source = image ? await imageNamed(from.image) : await client.find<Volume>(volumePath(client, diskVolume(from.disk)))
  if (!source || !isReady(source)) throw new Error(image ? `there is no image ${from.image}` : `there is no disk ${from.disk}`)
  if (spec.sizeGiB < sizeGiB(source)) throw new Error(`disk ${spec.id} is smaller than what it is copied from`)
  const to = diskVolume(spec.id)
  const asItIs = image && facts !== undefined && spec.sizeGiB === sizeGiB(source)
  const copying = () => copyVolume(client, { from: source.name, to, sizeGiB: spec.sizeGiB, ...(asItIs && { facts }) })
  const mounted = !image && isMounted(rootPoint(home, from.disk))
  await (mounted ? frozen(rootPoint(home, from.disk), copying) : copying())
  if (asItIs) return 'ready'
  const file = volumeFile(home, to)
  const fresh = (spec.identity ?? (image ? 'fresh' : 'kept')) === 'fresh'
  if (!fresh || !readSuperblock(file)) return
  // A file system copied while it was mounted has its journal to replay, and resize2fs takes only one that was just checked.
  if (spec.sizeGiB > sizeGiB(source)) {
    await run('e2fsck', ['-f', '-p', file], { ok: [0, 1] })
    await run('resize2fs', [file])
  }
  if (image) return
  const point = newPoint(home, to)
  await mountFile(file, point)
  try {
    clearIdentity(point)
  } finally {
    await unmountFile(file, point)
  }
}

/** Deletes a volume that no machine has. A mount of an interrupted `create` is undone first. */
export async function discard(home: Home, client: Client, name: string): Promise<void> {
  const file = volumeFile(home, name)
  await unmountFile(file, newPoint(home, name))
  if (inUse(file)) throw new Error(`${name} is in use`)
  await deleteVolume(client, name)
}

export async function unknownIfUnreachable<T>(look: () => Promise<T>): Promise<T | 'unknown'> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof Unreachable) return 'unknown'
    throw error
  }
}
