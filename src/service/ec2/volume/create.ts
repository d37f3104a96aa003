/**
 * New volumes: what a request asks for, checked, and their records. The disks follow by the loop.
 *
 * Invariant: a volume is at least as large as the snapshot that it is made of.
 */
import type { CreateVolumeRequest } from '@aws-sdk/client-ec2'
import type { Call, Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { zonesOf, type Context } from '#service/ec2/context'
import { invalidCombination, invalidValue, missingParameter, refuseMembers } from '#service/ec2/errors'
import { zoneId } from '#service/ec2/region/region'
import { getCompleted, sourceOf, type SnapshotRow } from '#service/ec2/snapshot/snapshot'
import { provision, volumeType } from '#service/ec2/volume/limits'
import { volume, type Attachment, type Shape, type VolumeRow } from '#service/ec2/volume/volume'
import type { Tx } from '#store/store'

export type NewVolume = {
  place: Place
  now: Date
  zone: string
  shape: Shape
  snapshot?: SnapshotRow
  /** It becomes the root of a new machine. */
  fresh?: boolean
  attachment?: Attachment
  tags: Record<string, string>
}

export function putVolume(tx: Tx, asked: NewVolume): Promise<VolumeRow> {
  const { place: { account, region }, now, zone, shape, snapshot, fresh, attachment, tags } = asked
  const from = snapshot && sourceOf(snapshot)
  return tx.put(volume.make({
    account, region, now, tags,
    spec: {
      ...shape, zone, snapshot: snapshot?.id, from, desired: 'present',
      ...(fresh && from && 'disk' in from && { identity: 'fresh' as const }), ...(attachment && { attachments: [attachment] }),
    },
    status: { state: 'creating' },
  }), 'creating')
}

/** The pool always keeps this much for what is written to the disks that are there: a tenth of it, at most this many GiB. */
const KEPT_GIB = 5

/** Throws EC2's error of a full zone (API Reference, "Error codes") while data that is there already may need what is left. */
export function checkSpace(context: Pick<Context, 'capacity'>): void {
  const { diskGiB, diskFreeGiB } = context.capacity()
  const keptGiB = Math.min(KEPT_GIB, diskGiB / 10)
  if (diskFreeGiB >= keptGiB) return
  throw new ApiError('InsufficientVolumeCapacity', `There is not enough capacity for new volumes and snapshots: ${diskFreeGiB.toFixed(1)} GiB of `
    + `the pool's ${diskGiB} are free, and ${keptGiB.toFixed(1)} are kept for the volumes that are there. `
    + 'Delete some, or give Enclume a larger pool.', 500)
}

/** The zone that a request names, by name or id. */
export function zoneAsked(region: string, { AvailabilityZone: name, AvailabilityZoneId: id }: CreateVolumeRequest): string {
  if (name !== undefined && id !== undefined) {
    throw invalidCombination('The parameters availabilityZone and availabilityZoneId cannot be used together.')
  }
  const asked = name ?? id
  if (asked === undefined) throw missingParameter('availabilityZone')
  const found = zonesOf(region).find(zone => (id === undefined ? zone : zoneId(zone)) === asked)
  if (!found) throw new ApiError('InvalidZone.NotFound', `The zone '${asked}' does not exist.`)
  return found
}

export async function createVolume(context: Context, call: Call<CreateVolumeRequest>): Promise<VolumeRow> {
  const { tx, input, account, region, now } = call
  const snapshot = input.SnapshotId === undefined ? undefined : await getCompleted(tx, call, input.SnapshotId)
  const zone = zoneAsked(region, input)
  refuseMembers('CreateVolume', input, ['Encrypted', 'KmsKeyId', 'OutpostArn', 'VolumeInitializationRate', 'Operator'])
  const sizeGiB = input.Size ?? snapshot?.spec.sizeGiB
  if (sizeGiB === undefined) throw missingParameter('size/snapshot')
  // API Reference, CreateVolume, VolumeType: "Default: gp2".
  const type = volumeType(input.VolumeType ?? 'gp2')
  const shape: Shape = { type, sizeGiB, ...provision({ type, sizeGiB, iops: input.Iops, throughput: input.Throughput }), ...multiAttach(type, input) }
  if (snapshot && sizeGiB < snapshot.spec.sizeGiB) {
    throw invalidValue('size', sizeGiB, `The volume is smaller than snapshot '${snapshot.id}', expect size >= ${snapshot.spec.sizeGiB}GB.`)
  }
  checkSpace(context)
  return putVolume(tx, { place: { account, region }, now, zone, shape, snapshot, tags: call.tags('volume') })
}

/** EBS User Guide, "Multi-Attach": Provisioned IOPS SSD volumes alone. */
function multiAttach(type: Shape['type'], { MultiAttachEnabled: asked }: { MultiAttachEnabled?: boolean }): { multiAttach?: true } {
  if (!asked) return {}
  if (type !== 'io1' && type !== 'io2') throw unsupportedMultiAttach(type)
  return { multiAttach: true }
}
export const unsupportedMultiAttach = (type: string): ApiError =>
  invalidCombination(`The parameter multiAttachEnabled is not supported for ${type} volumes.`)
