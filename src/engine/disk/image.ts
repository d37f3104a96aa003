/**
 * Images: built from the recipes in `images/`, kept as volumes that nobody writes to.
 *
 * Invariant: an image is listed only when it is whole, and carries a digest of all that went into it (recipe, mirror, the
 * host's certificates), so the same recipe is never built twice and a changed one always is. One base volume is shared.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { ImageSeen } from '#engine/port'
import type { Client } from '#engine/incus/client'
import { baseName, buildBase } from '#engine/disk/base'
import {
  copyVolume, deleteVolume, imagePrefix, isReady, listVolumes, markReady, newPoint, sizeGiB, volumeFile, volumePath, type Volume,
} from '#engine/disk/layout'
import { mountFile, unmountFile } from '#engine/disk/mount'
import { contents, digest, RECIPES } from '#engine/disk/recipe'
import { run } from '#engine/disk/run'

export const IMAGES = ['debian-12-ec2', 'debian-12']

type Facts = { description: string; user: string; sizeGiB: number }

/** Builds an image unless it is there already. About a minute for the first one, seconds for those on the same base. */
export async function buildImage(home: Home, client: Client, name: string, log: Log): Promise<void> {
  const recipe = join(RECIPES, name)
  const facts = JSON.parse(readFileSync(join(recipe, 'image.json'), 'utf8')) as Facts
  const base = baseName(home)
  const volume = imagePrefix(name) + digest([base, contents(recipe)])
  const there = await client.find<Volume>(volumePath(client, volume))
  if (!there || !isReady(there)) {
    const started = Date.now()
    await buildBase(home, client, base, log)
    if (there) await discard(home, client, volume)
    await copyVolume(client, { from: base, to: volume, sizeGiB: facts.sizeGiB })
    await withMounted(home, volume, point => run('cp', ['-dR', '--preserve=mode', `${recipe}/files/.`, point]))
    await markReady(client, volume, {
      'user.image': name, 'user.description': facts.description, 'user.user': facts.user, 'user.created': new Date().toISOString(),
    })
    log.info('image built', { image: name, ms: Date.now() - started })
  }
  await discardElders(home, client, { prefix: imagePrefix(name), keep: volume })
  await discardElders(home, client, { prefix: 'base-', keep: base })
}

/** Deletes the volumes whose name is the prefix and a digest, all but one. */
export async function discardElders(home: Home, client: Client, { prefix, keep }: { prefix: string; keep: string }): Promise<void> {
  const named = (await listVolumes(client)).map(({ name }) => name).filter(name => name.startsWith(prefix) && name !== keep)
  for (const name of named) if (/^[0-9a-f]{16}$/.test(name.slice(prefix.length))) await discard(home, client, name)
}

/** The whole ones, one of each name. */
export const seenImages = (volumes: Volume[]): ImageSeen[] => [...new Set(volumes.flatMap(({ config }) => config['user.image'] ?? []))]
  .flatMap(name => newestImage(volumes, name) ?? []).map(volume => ({
    name: volume.config['user.image']!, description: volume.config['user.description']!, user: volume.config['user.user']!,
    created: volume.config['user.created']!, sizeGiB: sizeGiB(volume), architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
  }))

/** Between the end of a new build and the removal of the old one there are two of a name: the newer one counts. */
export const newestImage = (volumes: Volume[], name: string): Volume | undefined =>
  volumes.filter(volume => volume.name.startsWith('image-') && volume.config['user.image'] === name && isReady(volume))
    .sort((a, b) => (a.config['user.created']! < b.config['user.created']! ? 1 : -1))[0]

async function withMounted(home: Home, volume: string, act: (point: string) => Promise<unknown>): Promise<void> {
  const point = newPoint(home, volume)
  await mountFile(volumeFile(home, volume), point)
  try {
    await act(point)
  } finally {
    await unmountFile(volumeFile(home, volume), point)
  }
}

export async function discard(home: Home, client: Client, volume: string): Promise<void> {
  await unmountFile(volumeFile(home, volume), newPoint(home, volume))
  await deleteVolume(client, volume)
}
