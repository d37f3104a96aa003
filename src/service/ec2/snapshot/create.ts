/**
 * New snapshots: of a volume, of all volumes of an instance, of another snapshot. The disks follow by the loop.
 *
 * Invariant: what a snapshot is taken of is there, whole, when it is asked for; its disk is kept until the snapshot has been taken
 * (copies.ts).
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Call, Place } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Tags } from '#kit/tags'
import { isRegion } from '#base/region'
import type { Context } from '#service/ec2/context'
import { incorrectState, invalidValue, refuseMembers } from '#service/ec2/errors'
import { dataVolumes, ownVolumes } from '#service/ec2/instance/belongings'
import { instance } from '#service/ec2/instance/instance'
import { getCompleted, NO_VOLUME, snapshot, sourceOf, type SnapshotRow, type Spec } from '#service/ec2/snapshot/snapshot'
import { checkSpace } from '#service/ec2/volume/create'
import { volume, type VolumeRow } from '#service/ec2/volume/volume'
import type { Tx } from '#store/store'
import { isIn, volumes } from '#service/ec2/states'

type Taking = { place: Place; now: Date; description: string; tags: Tags; held?: boolean }

/** The record of a snapshot of a volume. */
export function takeSnapshot(tx: Tx, row: VolumeRow, { place: { account, region }, now, description, tags, held }: Taking): Promise<SnapshotRow> {
  const { state } = row.status
  if (!isIn(volumes.snapshot, state)) throw incorrectState(`The volume '${row.id}' is '${state}': no snapshot can be taken of it.`)
  const spec: Spec = {
    sizeGiB: row.spec.sizeGiB, description, volume: row.id, owner: 'self', public: false, from: { disk: row.id }, desired: 'present',
    ...(held && { held }),
  }
  return tx.put(snapshot.make({ account, region, now, tags, spec, status: { state: 'pending' } }), 'pending')
}

/** Snapshots that were just recorded are to be of one moment (EBS User Guide, "multi-volume snapshots"). */
export async function ofOneMoment(tx: Tx, ids: string[]): Promise<void> {
  if (ids.length < 2) return
  for (const id of ids) await snapshot.update(tx, (await snapshot.find(tx, id))!, { spec: { together: ids } }, 'together')
}

/** API Reference, CreateSnapshot: 255 characters. */
function descriptionOf({ Description: text = '' }: { Description?: string }): string {
  if (text.length > 255) throw invalidValue('description', text, 'It may have up to 255 characters.')
  return text
}

export async function createSnapshot(context: Context, call: Call<sdk.CreateSnapshotRequest>): Promise<SnapshotRow> {
  const { input, tx, account, region, now } = call
  const row = await volume.get(tx, call, input.VolumeId!)
  refuseMembers('CreateSnapshot', input, ['OutpostArn'])
  if (input.Location !== undefined && input.Location !== 'regional') throw invalidValue('location', input.Location)
  checkSpace(context)
  return takeSnapshot(tx, row, { place: { account, region }, now, description: descriptionOf(input), tags: call.tags('snapshot') })
}

export async function createSnapshots(context: Context, call: Call<sdk.CreateSnapshotsRequest>): Promise<SnapshotRow[]> {
  const { input, tx, account, region, now } = call
  const { InstanceId: id, ExcludeBootVolume: withoutRoot, ExcludeDataVolumeIds: without = [] } = input.InstanceSpecification!
  if (id === undefined) throw new ApiError('MissingParameter', 'The request must contain the parameter InstanceId')
  const holder = await instance.get(tx, call, id)
  refuseMembers('CreateSnapshots', input, ['OutpostArn'])
  if (input.Location !== undefined && input.Location !== 'regional') throw invalidValue('location', input.Location)
  if (input.CopyTagsFromSource !== undefined && input.CopyTagsFromSource !== 'volume') {
    throw invalidValue('copyTagsFromSource', input.CopyTagsFromSource)
  }
  const data = await dataVolumes(tx, holder)
  const odd = without.find(excluded => !data.some(row => row.id === excluded))
  if (odd !== undefined) throw invalidValue('excludeDataVolumeId', odd, `It is no data volume of instance '${id}'.`)
  const rows = (await ownVolumes(tx, holder)).filter(row => !without.includes(row.id) && !(withoutRoot && row.id === holder.spec.rootVolume))
  if (rows.length === 0) throw invalidValue('instanceSpecification', id, 'It leaves no volume to take a snapshot of.')
  checkSpace(context)
  const tags = call.tags('snapshot')
  const taken: SnapshotRow[] = []
  for (const row of rows) {
    const own = input.CopyTagsFromSource === 'volume' ? { ...row.tags, ...tags } : tags
    taken.push(await takeSnapshot(tx, row, { place: { account, region }, now, description: descriptionOf(input), tags: own }))
  }
  await ofOneMoment(tx, taken.map(({ id: one }) => one))
  return taken
}

type Copying = { from: Place; id: string; to: Place; now: Date; description: string; tags: Tags }

/** The record of a copy of a snapshot that is visible in its place. */
export async function copySnapshot(tx: Tx, { from, id, to: { account, region }, now, description, tags }: Copying): Promise<SnapshotRow> {
  const source = await getCompleted(tx, from, id)
  const spec: Spec = {
    sizeGiB: source.spec.sizeGiB, description, volume: NO_VOLUME, owner: 'self', public: false, from: sourceOf(source), copied: true,
    desired: 'present',
  }
  return tx.put(snapshot.make({ account, region, now, tags, spec, status: { state: 'pending' } }), 'pending')
}

/** A Region that something is to be copied from. */
export function sourceRegion(name: string | undefined): string {
  if (name === undefined || !isRegion(name)) throw invalidValue('sourceRegion', name)
  return name
}

/** Asked in the Region that the copy is to be in. */
export function copySnapshotAsked(context: Context, call: Call<sdk.CopySnapshotRequest>): Promise<SnapshotRow> {
  const { input, tx, account, region, now } = call
  refuseMembers('CopySnapshot', input, ['DestinationOutpostArn', 'Encrypted', 'KmsKeyId', 'CompletionDurationMinutes', 'DestinationAvailabilityZone'])
  const from = { account, region: sourceRegion(input.SourceRegion) }
  // The Region of the request says it already (API Reference, CopySnapshot: "The snapshot copy is sent to the endpoint's Region").
  if (input.DestinationRegion !== undefined && input.DestinationRegion !== region) throw invalidValue('destinationRegion', input.DestinationRegion)
  checkSpace(context)
  const id = input.SourceSnapshotId!
  return copySnapshot(tx, {
    from, id, to: { account, region }, now, tags: call.tags('snapshot'), description: input.Description ?? `[Copied ${id} from ${from.region}]`,
  })
}
