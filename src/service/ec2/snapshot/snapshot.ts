/**
 * An EBS snapshot: what it is and how it looks. So far only those behind Amazon's images exist; they are no records of
 * their own but read from the images.
 *
 * Invariant: the snapshot of an image lives exactly as long as the image is registered.
 */
import type { Snapshot } from '@aws-sdk/client-ec2'
import type { Place } from '#kit/action'
import { resource, tagList } from '#kit/resource'
import { visibleImages, type ImageRow } from '#service/ec2/image/image'
import type { Reader, Row } from '#store/store'

export type Spec = { sizeGiB: number; description: string; volume: string; owner: 'amazon' | 'self'; public: boolean }
export type Status = { state: 'completed' }
export type SnapshotRow = Row<Spec, Status>

/** What AWS shows as the volume of a snapshot that was copied and not made of a volume of the account. */
const NO_VOLUME = 'vol-ffffffff'

function view({ id, account, created, spec, status, tags }: SnapshotRow): Snapshot {
  return {
    SnapshotId: id, VolumeId: spec.volume, VolumeSize: spec.sizeGiB, Description: spec.description, State: status.state, Progress: '100%',
    StartTime: new Date(created), CompletionTime: new Date(created), OwnerId: account, Encrypted: false, StorageTier: 'standard',
    ...(spec.owner === 'amazon' && { OwnerAlias: 'amazon' }), Tags: tagList(tags),
  }
}

export const snapshot = resource<Spec, Status, Snapshot>({
  kind: 'snapshot', prefix: 'snap', label: 'snapshot', missing: 'InvalidSnapshot.NotFound', malformed: 'InvalidSnapshotID.Malformed', view,
  filters: {
    description: 'Description', encrypted: 'Encrypted', 'owner-alias': 'OwnerAlias', 'owner-id': 'OwnerId', progress: 'Progress',
    'snapshot-id': 'SnapshotId', 'start-time': 'StartTime', status: 'State', 'storage-tier': 'StorageTier',
    'transfer-type': 'TransferType', 'volume-id': 'VolumeId', 'volume-size': 'VolumeSize',
  },
})

const behind = (row: ImageRow): SnapshotRow => ({
  kind: snapshot.kind, id: row.spec.snapshot, account: row.account, region: row.region, created: row.created, generation: row.generation,
  spec: {
    sizeGiB: row.spec.rootSizeGiB, description: `Root volume of ${row.id}`, volume: NO_VOLUME,
    owner: row.spec.owner, public: row.spec.public,
  },
  status: { state: 'completed' }, tags: {},
})

/** Every snapshot of the region that the account may make volumes from. */
export async function visibleSnapshots(reader: Reader, place: Place): Promise<SnapshotRow[]> {
  return (await visibleImages(reader, place)).filter(row => row.status.state === 'available').map(behind)
}
