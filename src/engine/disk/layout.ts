/**
 * Where disks are: each is a custom volume of Incus's pool, and on the host one raw file.
 *
 * Invariant: the first word of a volume's name says what it is, and a volume without `user.ready` is half made: nobody uses it.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Home } from '#base/home'
import type { Client } from '#engine/incus/client'
import { volumeDir } from '#engine/incus/place'

const volumesOf = ({ pool }: Client): string => `/1.0/storage-pools/${pool}/volumes/custom`

export type Volume = { name: string; config: Record<string, string> }

export const diskVolume = (id: string): string => `disk-${id}`
export const volumePath = (client: Client, name: string): string => `${volumesOf(client)}/${encodeURIComponent(name)}`
export const volumeFile = (home: Home, name: string): string => join(volumeDir(home, name), 'root.img')

/** Where a volume is mounted while it is being made. */
export const newPoint = (home: Home, volume: string): string => join(home.run, 'new', volume, 'fs')

export const isReady = (volume: Volume): boolean => volume.config['user.ready'] === 'true'
/** Ready, and its file is there. Where none can be, as the pool is not mounted, nothing is known against it: unknown is not absent. */
export const isWhole = (home: Home, volume: Volume): boolean =>
  isReady(volume) && (existsSync(volumeFile(home, volume.name)) || !existsSync(dirname(volumeDir(home, volume.name))))

/** In GiB, rounded up. Incus writes a size as it was given: bytes, or with a unit. */
export function sizeGiB(volume: Volume): number {
  const match = /^(\d+)(GiB|MiB|B)?$/.exec(volume.config['size'] ?? '')
  if (!match) throw new Error(`volume ${volume.name} has the size ${JSON.stringify(volume.config['size'])}`)
  const unit = { GiB: 2 ** 30, MiB: 2 ** 20, B: 1 }[match[2] ?? 'B']!
  return Math.ceil((Number(match[1]) * unit) / 2 ** 30)
}

/** Each with its configuration: Incus then looks at every one of them. */
export const listVolumes = (client: Client): Promise<Volume[]> => client.get<Volume[]>(`${volumesOf(client)}?recursion=1`)

/** What the names of an image's volumes begin with; a digest follows. Imported images have names such as `debian/12`. */
export const imagePrefix = (image: string): string => `image-${image.replace('/', '.')}-`

/** Those whose name begins so, looked at alone. */
export async function findVolumes(client: Client, prefix: string): Promise<Volume[]> {
  const urls = await client.get<string[]>(volumesOf(client))
  const names = urls.map(url => decodeURIComponent(new URL(url, 'http://incus').pathname.split('/').pop()!))
  const found = await Promise.all(names.filter(name => name.startsWith(prefix)).map(name => client.find<Volume>(volumePath(client, name))))
  return found.flatMap(volume => volume ?? [])
}

/** A new, empty volume, sparse. */
export const makeVolume = (client: Client, name: string, options: { sizeGiB: number }): Promise<void> =>
  client.act('POST', volumesOf(client), { name, content_type: 'block', config: { size: `${options.sizeGiB}GiB` } })

const READY = { 'user.ready': 'true' }

type Copy = { from: string; to: string; sizeGiB: number; facts?: Record<string, string> }
/**
 * A writable copy that shares its blocks with the source until either is written. With `facts` it is ready as it is. Its file comes whole or not
 * at all; who finds such a volume without one (isWhole) has one whose making was cut off.
 */
export const copyVolume = (client: Client, { from, to, sizeGiB, facts }: Copy): Promise<void> =>
  client.act('POST', volumesOf(client), {
    name: to, content_type: 'block', config: { size: `${sizeGiB}GiB`, ...(facts && { ...facts, ...READY }) },
    source: { type: 'copy', pool: client.pool, name: from, volume_only: true },
  })

/** Says that the volume is whole, with what else is to be known of it. */
export const markReady = (client: Client, name: string, facts: Record<string, string> = {}): Promise<void> =>
  client.act('PATCH', volumePath(client, name), { config: { ...facts, ...READY } })

export const deleteVolume = (client: Client, name: string): Promise<void> => client.act('DELETE', volumePath(client, name))
