/**
 * What Data Lifecycle Manager may do with volumes and snapshots: find volumes by tags, take snapshots of them, delete its own.
 *
 * Invariant: it deletes only snapshots that bear the policy's own tags, and none that is locked or that an image is made of.
 */
import type { Place } from '#kit/action'
import type { Tags } from '#kit/tags'
import { ownVolumes } from '#service/ec2/instance/belongings'
import { instance } from '#service/ec2/instance/instance'
import { imagesOf } from '#service/ec2/snapshot/actions'
import { ofOneMoment, takeSnapshot } from '#service/ec2/snapshot/create'
import { isLocked } from '#service/ec2/snapshot/lock'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import { volume, type VolumeRow } from '#service/ec2/volume/volume'
import type { Tx } from '#store/store'

const bears = (own: Tags, wanted: Tags): boolean => Object.entries(wanted).some(([key, value]) => own[key] === value)

type Taking = Place & {
  now: Date; of: 'VOLUME' | 'INSTANCE'; targets: Tags; description: string; tags: Tags; copyTags: boolean
}

export const lifecycleOf = {
  /** Takes a snapshot of each volume that bears one of the tags, or whose instance does. Answers how many. */
  async take(tx: Tx, asked: Taking): Promise<number> {
    const { account, region, now, of, targets, description, tags, copyTags } = asked
    const place = { account, region }
    // Those of one instance are of one moment (EBS User Guide, "Automate multi-volume snapshots").
    const sets: VolumeRow[][] = of === 'VOLUME' ? (await volume.list(tx, place)).filter(row => bears(row.tags, targets)).map(row => [row])
      : await Promise.all((await instance.list(tx, place)).filter(row => bears(row.tags, targets)).map(row => ownVolumes(tx, row)))
    let count = 0
    for (const set of sets) {
      const ids: string[] = []
      for (const row of set.filter(({ status }) => status.state === 'available' || status.state === 'in-use')) {
        ids.push((await takeSnapshot(tx, row, { place, now, description, tags: { ...copyTags ? row.tags : {}, ...tags } })).id)
      }
      await ofOneMoment(tx, ids)
      count += ids.length
    }
    return count
  },

  /** Deletes those that bear all the tags and are too many for their volume, or too old. */
  async expire(tx: Tx, { account, region, now, tags, keep,
    olderMs }: Place & { now: Date; tags: Tags; keep?: number; olderMs?: number }): Promise<void> {
    const own = (await snapshot.list(tx, { account, region })).filter(row => Object.entries(tags).every(([key, value]) => row.tags[key] === value))
    const newest = own.toSorted((a, b) => (a.created < b.created ? 1 : -1))
    const seen = new Map<string, number>()
    for (const row of newest) {
      const rank = (seen.get(row.spec.volume) ?? 0) + 1
      seen.set(row.spec.volume, rank)
      const over = keep !== undefined ? rank > keep : now.getTime() - Date.parse(row.created) > olderMs!
      if (!over || isLocked(row, now) || (await imagesOf(tx, row)).length > 0) continue
      await snapshot.update(tx, row, { spec: { desired: 'absent' } }, 'deleting')
    }
  },
}
export type Lifecycle = typeof lifecycleOf
