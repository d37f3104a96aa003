/**
 * What can be tagged: anything with an id prefix and a place to keep tags.
 *
 * Invariant: `read` and `write` answer an id that the caller does not have with the resource's own error.
 */
import type { Place } from '#kit/action'
import type { AnyResource } from '#kit/resource'
import { limit, type Tags } from '#kit/tags'
import { getImages, image } from '#service/ec2/image/image'
import { unsupported } from '#service/ec2/errors'
import type { Reader, Tx } from '#store/store'

export type Taggable = {
  /** AWS's ResourceType. */
  kind: string
  /** What ids begin with, without the hyphen. */
  prefix: string
  /** The tags of one, or the resource's error. */
  read(reader: Reader, place: Place, id: string): Promise<Tags>
  /** Replaces all tags of one. */
  write(tx: Tx, place: Place, id: string, tags: Tags): Promise<unknown>
  /** Every one of the caller's, with its tags; where ids are given it need read no others. */
  list(reader: Reader, place: Place, ids?: readonly string[]): Promise<{ id: string; tags: Tags }[]>
}

/** A resource with records of its own as something to be tagged. */
export function taggable(resource: AnyResource): Taggable {
  return {
    kind: resource.kind, prefix: resource.prefix,
    read: async (reader, place, id) => (await resource.get(reader, place, id)).tags,
    write: async (tx, place, id, tags) => resource.update(tx, await resource.get(tx, place, id), { tags }, 'tagged'),
    async list(reader, { account, region }, ids) {
      if (!ids) return resource.list(reader, { account, region })
      const rows = await Promise.all(ids.filter(id => id.startsWith(`${resource.prefix}-`)).map(id => resource.find(reader, id)))
      return rows.filter(row => row !== undefined).filter(row => row.account === account && row.region === region && !resource.gone?.(row))
    },
  }
}

/** Images: others' can be seen, but tags on them would be the caller's alone on AWS, and are refused here. */
export const taggableImage: Taggable = {
  ...taggable(image),
  async read(reader, place, id) {
    const [row] = await getImages(reader, place, [id])
    if (row!.account !== place.account) throw unsupported('tags on an image of another account')
    return row!.tags
  },
}

/** Tags with some added or replaced; AWS's error when there are too many. */
export const added = (tags: Tags, more: Tags): Tags => limit({ ...tags, ...more })

/**
 * Tags with some removed: without a list all but AWS's own; a key with a value only where it has that value; a key alone
 * whatever its value (API Reference, DeleteTags).
 */
export function removed(tags: Tags, keys: readonly { Key?: string; Value?: string }[] | undefined): Tags {
  const goes = ([key, value]: [string, string]): boolean =>
    keys === undefined ? !key.startsWith('aws:') : keys.some(k => k.Key === key && (k.Value === undefined || k.Value === value))
  return Object.fromEntries(Object.entries(tags).filter(entry => !goes(entry)))
}
