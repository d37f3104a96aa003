/**
 * Volumes out of the pool into plain files, and back.
 *
 * Invariants: what goes out is a copy of one moment, made before any of the slow copying; what comes in is ready in one last step, so that
 * one half in is made anew by the next try.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { rootPoint } from '#engine/disk/disks'
import { frozen } from '#engine/disk/freeze'
import { IMAGES } from '#engine/disk/image'
import {
  copyVolume, deleteVolume, isReady, listVolumes, makeVolume, markReady, sizeGiB, volumeFile, volumePath, type Volume }
  from '#engine/disk/layout'
import { isMounted } from '#engine/disk/mount'
import { run } from '#engine/disk/run'
import type { Client } from '#engine/incus/client'

/** A volume as it is kept outside; its bytes stand in a file of its name. `facts`: what its configuration says of it. */
export type Archived = { name: string; sizeGiB: number; facts: Record<string, string> }

const COPY = 'backup-'

/** Disks, and the images that can't be built again from a recipe. */
const wanted = (volume: Volume): boolean => isReady(volume)
  && (volume.name.startsWith('disk-') || (volume.name.startsWith('image-') && !IMAGES.includes(volume.config['user.image'] ?? '')))

const facts = ({ config }: Volume): Record<string, string> =>
  Object.fromEntries(Object.entries(config).filter(([key]) => key.startsWith('user.') && key !== 'user.ready'))

/** Writes every volume below `folder`, sparse. `copied` is called when all are copied within the pool: what is read now belongs to them. */
export async function exportVolumes(
  home: Home, client: Client, { folder, copied, log }: { folder: string; copied: () => Promise<void>; log: Log },
): Promise<Archived[]> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await forgetCopies(client)
  const volumes = (await listVolumes(client)).filter(wanted)
  try {
    for (const volume of volumes) {
      const copying = () => copyVolume(client, { from: volume.name, to: COPY + volume.name, sizeGiB: sizeGiB(volume) })
      const point = rootPoint(home, volume.name.replace(/^disk-/, ''))
      await (isMounted(point) ? frozen(point, copying) : copying())
    }
    await copied()
    for (const { name } of volumes) {
      log.info('volume kept', { name })
      await run('cp', ['--sparse=always', volumeFile(home, COPY + name), join(folder, `${name}.img`)])
    }
  } finally {
    await forgetCopies(client)
  }
  return volumes.map(volume => ({ name: volume.name, sizeGiB: sizeGiB(volume), facts: facts(volume) }))
}

/** Also those of a run that was killed. */
async function forgetCopies(client: Client): Promise<void> {
  for (const { name } of await listVolumes(client)) if (name.startsWith(COPY)) await deleteVolume(client, name)
}

/** Makes a volume from its file, unless it is there. */
export async function importVolume(home: Home, client: Client, { name, sizeGiB, facts }: Archived, folder: string): Promise<void> {
  const file = join(folder, `${name}.img`)
  if (!existsSync(file)) throw new Error(`${file} is missing`)
  const there = await client.find<Volume>(volumePath(client, name))
  if (there && isReady(there)) return
  if (there) await deleteVolume(client, name)
  await makeVolume(client, name, { sizeGiB })
  // Into the file that there is: its own attributes (no copy on write) stay.
  await run('dd', [`if=${file}`, `of=${volumeFile(home, name)}`, 'bs=1M', 'conv=sparse,notrunc,fsync', 'status=none'])
  await markReady(client, name, facts)
}
