/** What may be asked about snapshots. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { SnapshotInfo } from '@aws-sdk/client-ec2'
import type { Actions } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { tagList } from '#kit/resource'
import type { Context } from '#service/ec2/context'
import { invalidCombination } from '#service/ec2/errors'
import { AMAZON, image, mappingsOf } from '#service/ec2/image/image'
import { copySnapshotAsked, createSnapshot, createSnapshots } from '#service/ec2/snapshot/create'
import { fastRestores } from '#service/ec2/snapshot/fast'
import { locking, refuseLocked } from '#service/ec2/snapshot/lock'
import { getVisible, snapshot, visibleSnapshots, type SnapshotRow } from '#service/ec2/snapshot/snapshot'
import { getOwnSnapshot, sharing } from '#service/ec2/snapshot/sharing'
import type { Reader } from '#store/store'

const infoView = ({ id, account, created, spec, status, tags }: SnapshotRow): SnapshotInfo => ({
  SnapshotId: id, VolumeId: spec.volume, VolumeSize: spec.sizeGiB, Description: spec.description, OwnerId: account, State: status.state,
  Progress: status.state === 'completed' ? '100%' : '', StartTime: new Date(created), Encrypted: false, Tags: tagList(tags),
})

/** The images of the snapshot's owner that are made of it. */
export async function imagesOf(reader: Reader, row: SnapshotRow): Promise<string[]> {
  const own = (await image.list(reader, row)).filter(({ status }) => status.state !== 'deregistered')
  return own.filter(({ spec }) => mappingsOf(spec).some(({ ebs }) => ebs?.snapshot === row.id)).map(({ id }) => id)
}

export const actions = (context: Context): Actions<typeof sdk> => ({
  ...sharing,
  ...locking,
  ...fastRestores,

  async DescribeSnapshots(call) {
    const { input: { SnapshotIds: ids = [], OwnerIds: owners = [], RestorableByUserIds: users = [], MaxResults: most }, tx, account } = call
    if (ids.length > 0 && most !== undefined) {
      throw invalidCombination('The parameter snapshotIds cannot be used with the parameter maxResults')
    }
    const all = ids.length > 0 ? await getVisible(tx, call, ids) : await visibleSnapshots(tx, call)
    const accounts = owners.map(owner => (owner === 'self' ? account : owner === 'amazon' ? AMAZON : owner))
    const restorable = (row: SnapshotRow, user: string): boolean => {
      if (user === 'all') return row.spec.public
      const who = user === 'self' ? account : user
      return row.account === who || (row.spec.users ?? []).includes(who)
    }
    const rows = all.filter(row => owners.length === 0 || accounts.includes(row.account))
      .filter(row => users.length === 0 || users.some(user => restorable(row, user)))
    const { hits, next } = await select(call, snapshot, { ids: undefined, rows })
    // Tags are their owner's alone.
    return { Snapshots: hits.map(({ row, view }) => (row.account === account ? view : { ...view, Tags: [] })), NextToken: next }
  },

  async CreateSnapshot(call) {
    return snapshot.view(await createSnapshot(context, call), undefined)
  },

  async CreateSnapshots(call) {
    return { Snapshots: (await createSnapshots(context, call)).map(infoView) }
  },

  async CopySnapshot(call) {
    const row = await copySnapshotAsked(context, call)
    return { SnapshotId: row.id, Tags: tagList(row.tags) }
  },

  async DeleteSnapshot(call) {
    const row = await getOwnSnapshot(call, call.input.SnapshotId!)
    const [user] = await imagesOf(call.tx, row)
    // Text seen on AWS in packer issue 3451.
    if (user !== undefined) throw new ApiError('InvalidSnapshot.InUse', `The snapshot ${row.id} is currently in use by ${user}`)
    refuseLocked(row, call.now)
    await snapshot.update(call.tx, row, { spec: { desired: 'absent' } }, 'deleting')
    return {}
  },
})
