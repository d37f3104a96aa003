/**
 * An EBS snapshot: a disk of its own in the engine, with the snapshot's id, that shares its blocks with what it was taken of and depends on
 * nothing. The snapshots behind Amazon's images are no records: they are made up of the images' records, and their disks are the images.
 *
 * Invariants: what a snapshot was taken of, and its size, never change; who may make volumes from it is its owner's to say.
 */
import type { Snapshot } from '@aws-sdk/client-ec2'
import { isResourceId } from '#base/id'
import type { Absent, DiskSeen } from '#engine/port'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { isBlocked } from '#service/ec2/account/public-access'
import { visibleImages, type ImageRow } from '#service/ec2/image/image'
import { incorrectState } from '#service/ec2/errors'
import type { Reader, Row } from '#store/store'
import { isIn, snapshots } from '#service/ec2/states'

export type Spec = {
  sizeGiB: number
  description: string
  volume: string
  owner: 'amazon' | 'self'
  /** Everybody may make volumes from it, and so may the accounts in `users`. */
  public: boolean
  users?: string[]
  /** What it is a copy of. Absent: it is written from outside (EBS direct APIs). `system`: of the root file system on that disk. */
  from?: { image: string } | { disk: string } | { system: string }
  /** Not to be taken yet: an instance is being stopped for it. */
  held?: boolean
  /** Those that are of the same moment, itself among them; of several disks that are copied together. */
  together?: string[]
  /** Still being written from outside. */
  open?: boolean
  /** Until when nobody may delete it (lock.ts). */
  lock?: Lock
  /** Zones in which its fast restore is asked for, and since when (fast.ts). */
  fast?: Record<string, string>
  /** Made by a copy between places, and therefore shown with the time that took. */
  copied?: boolean
  desired?: 'present' | 'absent'
}
/** For so many days, or until then. ISO 8601. */
export type Lock = {
  mode: 'governance' | 'compliance'
  createdOn: string
  days?: number
  until?: string
  coolHours?: number
  coolsUntil?: string
}
export type Status = { state: 'pending' | 'completed' | 'error'; completed?: string; bytes?: number; reason?: string }
export type SnapshotRow = Row<Spec, Status>

/** What the engine says of its disk. `copied`: something is still being copied from it. `bytes`: what it holds. */
export type Seen = { disk: DiskSeen | Absent; copied?: boolean; bytes?: number }

/** What AWS shows as the volume of a snapshot that was copied and not made of a volume of the account. */
export const NO_VOLUME = 'vol-ffffffff'

function view({ id, account, created, spec, status, tags }: SnapshotRow): Snapshot {
  const completed = status.state === 'completed'
  return {
    SnapshotId: id, VolumeId: spec.volume, VolumeSize: spec.sizeGiB, Description: spec.description, State: status.state,
    StateMessage: status.state === 'error' ? status.reason : undefined, Progress: completed ? '100%' : '0%',
    StartTime: new Date(created), CompletionTime: completed ? new Date(status.completed ?? created) : undefined,
    FullSnapshotSizeInBytes: status.bytes, ...(spec.copied && { TransferType: 'standard' as const }),
    OwnerId: account, Encrypted: false, StorageTier: 'standard',
    ...(spec.owner === 'amazon' && { OwnerAlias: 'amazon' }), Tags: tagList(tags),
  }
}

export const snapshot = resource<Spec, Status, Snapshot>({
  kind: 'snapshot', prefix: 'snap', label: 'snapshot', missing: 'InvalidSnapshot.NotFound', malformed: 'InvalidSnapshotID.Malformed', view,
  gone: row => row.spec.desired === 'absent',
  filters: {
    description: 'Description', encrypted: 'Encrypted', 'owner-alias': 'OwnerAlias', 'owner-id': 'OwnerId', progress: 'Progress',
    'snapshot-id': 'SnapshotId', 'start-time': 'StartTime', status: 'State', 'storage-tier': 'StorageTier',
    'transfer-type': 'TransferType', 'volume-id': 'VolumeId', 'volume-size': 'VolumeSize',
  },
})

const behind = (row: ImageRow): SnapshotRow => ({
  kind: snapshot.kind, id: row.spec.snapshot!, account: row.account, region: row.region, created: row.created, generation: row.generation,
  spec: {
    sizeGiB: row.spec.rootSizeGiB, description: `Root volume of ${row.id}`, volume: NO_VOLUME,
    owner: row.spec.owner, public: row.spec.public, from: { image: row.spec.image! },
  },
  status: { state: 'completed' }, tags: {},
})

/** Every snapshot of the region that the account may make volumes from. */
export async function visibleSnapshots(reader: Reader, place: Place): Promise<SnapshotRow[]> {
  const images = (await visibleImages(reader, place)).filter(row => row.status.state === 'available' && row.spec.image !== undefined)
  const rows = (await reader.list<SnapshotRow>({ kind: snapshot.kind, region: place.region })).filter(row => !snapshot.gone!(row))
  const visible: SnapshotRow[] = []
  for (const row of rows) if (await isVisible(reader, row, place.account)) visible.push(row)
  return [...images.map(behind), ...visible]
}

/** A block of all public sharing hides what was shared with everybody before, too (EBS User Guide, "Block public access"). */
async function isVisible(reader: Reader, row: SnapshotRow, account: string): Promise<boolean> {
  if (row.account === account || (row.spec.users ?? []).includes(account)) return true
  return row.spec.public && !await isBlocked(reader, row, 'snapshot', 'all')
}

/** Those of the ids that the account may make volumes from, or AWS's error. */
export async function getVisible(reader: Reader, place: Place, ids: readonly string[]): Promise<SnapshotRow[]> {
  for (const id of ids) {
    if (!isResourceId(snapshot.prefix, id)) throw new ApiError(snapshot.malformed, `Invalid id: "${id}" (expecting "snap-...")`)
  }
  const found: SnapshotRow[] = []
  for (const id of new Set(ids)) {
    const own = await snapshot.find(reader, id)
    const usable = own && own.region === place.region && !snapshot.gone!(own) && await isVisible(reader, own, place.account)
    const row = usable ? own : (await visibleImages(reader, place)).filter(image => image.spec.snapshot === id && image.spec.image).map(behind)[0]
    if (!row) throw new ApiError(snapshot.missing, `The snapshot '${id}' does not exist.`)
    found.push(row)
  }
  return found
}

/** A snapshot that a volume can be made from now. */
export async function getCompleted(reader: Reader, place: Place, id: string): Promise<SnapshotRow> {
  const [row] = await getVisible(reader, place, [id])
  if (!isIn(snapshots.use, row!.status.state)) throw incorrectState(`Snapshot is in invalid state - ${row!.status.state}`)
  return row!
}

/** What a copy of a snapshot is copied from: its disk, or the image that it stands for. */
export const sourceOf = ({ id, spec }: SnapshotRow): { image: string } | { disk: string } =>
  (spec.from && 'image' in spec.from && spec.owner === 'amazon' ? spec.from : { disk: id })
