/**
 * Brings a region's records of Amazon's images in line with what the engine has built.
 *
 * Invariant: an image's id is made from region, name and time of building, so that it stays over restarts and resets, differs
 * between regions, and a rebuilt image is a new one; the old one is then deregistered, as on AWS.
 */
import { createHash } from 'node:crypto'
import type { ImageSeen, Unknown } from '#engine/port'
import type { Place } from '#kit/action'
import { AMAZON, image, type ImageRow, type Spec } from '#service/ec2/image/image'
import type { Tx } from '#store/store'

const derivedId = (prefix: string, region: string, { name, created }: ImageSeen): string =>
  `${prefix}-${createHash('sha256').update(JSON.stringify([prefix, region, name, created])).digest('hex').slice(0, 17)}`

/** The AMI id of a built image in a region. */
export const imageId = (region: string, seen: ImageSeen): string => derivedId('ami', region, seen)

const specOf = (region: string, seen: ImageSeen): Spec => ({
  name: seen.name, description: `${seen.description} (log in as ${seen.user})`, architecture: seen.architecture,
  image: seen.name, snapshot: derivedId('snap', region, seen), rootSizeGiB: seen.sizeGiB, rootDevice: '/dev/xvda',
  owner: 'amazon', public: true, imdsSupport: 'v2.0', user: seen.user,
})

/**
 * Makes, changes and deregisters the region's records of built images; writes nothing where all is so already.
 * An engine that cannot be seen ('unknown') changes nothing.
 */
export async function prepareImages(tx: Tx, place: Place, images: readonly ImageSeen[] | Unknown): Promise<void> {
  if (images === 'unknown') return
  const { region } = place
  const known = new Map((await tx.list<ImageRow>({ kind: image.kind, account: AMAZON, region })).map(row => [row.id, row]))
  for (const seen of images) {
    const id = imageId(region, seen)
    const row = known.get(id)
    known.delete(id)
    const spec = specOf(region, seen)
    if (!row) {
      const made = { id, account: AMAZON, region, now: new Date(seen.created), spec, status: { state: 'available' as const } }
      await tx.put(image.make(made), 'registered')
    } else if (row.status.state !== 'available' || JSON.stringify(row.spec) !== JSON.stringify(spec)) {
      await image.update(tx, row, { spec, status: { state: 'available' } }, 'registered')
    }
  }
  for (const row of known.values()) {
    if (row.status.state === 'available') await image.update(tx, row, { status: { state: 'deregistered' } }, 'deregistered')
  }
}
