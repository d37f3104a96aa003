/**
 * Snapshots as EBS direct needs them: their disks to read, and new ones that are written from outside until they are completed.
 *
 * Invariant: an open snapshot is pending and its owner's alone; once completed nobody writes it any more.
 */
import type { Place } from '#kit/action'
import type { Tags } from '#kit/tags'
import type { Context } from '#service/ec2/context'
import { getVisible, NO_VOLUME, snapshot, type SnapshotRow } from '#service/ec2/snapshot/snapshot'
import { checkSpace } from '#service/ec2/volume/create'
import type { Reader, Tx } from '#store/store'

/** A snapshot, by the id of its disk. */
export type Direct = { id: string; account: string; sizeGiB: number; description: string; created: string; open: boolean; completed: boolean }

const directOf = ({ id, account, created, spec, status }: SnapshotRow): Direct => ({
  id, account, sizeGiB: spec.sizeGiB, description: spec.description, created, open: spec.open === true, completed: status.state === 'completed',
})

export const snapshotsFor = (context: Pick<Context, 'capacity'>) => ({
  /** One that the account may read, that has a disk of its own: those behind Amazon's images have none. */
  async find(reader: Reader, place: Place, id: string): Promise<Direct | undefined> {
    const row = await snapshot.find(reader, id)
    if (!row) return undefined
    return getVisible(reader, place, [id]).then(([found]) => directOf(found!), () => undefined)
  },

  async start(tx: Tx, { account, region, now, parent, ...asked }: Place & {
    now: Date; sizeGiB: number; description: string; tags: Tags; parent?: string
  }): Promise<Direct> {
    checkSpace(context)
    return directOf(await tx.put(snapshot.make({
      account, region, now, tags: asked.tags, status: { state: 'pending' },
      spec: {
        sizeGiB: asked.sizeGiB, description: asked.description, volume: NO_VOLUME, owner: 'self', public: false, open: true, desired: 'present',
        ...(parent !== undefined && { from: { disk: parent } }),
      },
    }), 'started'))
  },

  async complete(tx: Tx, id: string): Promise<void> {
    const row = await snapshot.find(tx, id)
    if (row) await snapshot.update(tx, row, { spec: { open: false } }, 'written')
  },
})
export type Snapshots = ReturnType<typeof snapshotsFor>
