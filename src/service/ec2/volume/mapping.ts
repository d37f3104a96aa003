/**
 * Block device mappings of a launch: what the image says, what the request says over it, and the volumes that come of both.
 *
 * Invariants: every device of a launch has another name; there is exactly one root volume, made of the image's root snapshot.
 */
import type { BlockDeviceMapping, EbsBlockDevice } from '@aws-sdk/client-ec2'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { unsupported } from '#service/ec2/errors'
import { image, mappingsOf, type ImageRow, type Mapping } from '#service/ec2/image/image'
import { getCompleted, snapshot, visibleSnapshots, type SnapshotRow } from '#service/ec2/snapshot/snapshot'
import { putVolume } from '#service/ec2/volume/create'
import { checkDevice, sameDevice } from '#service/ec2/volume/device'
import { LIMITS, provision, volumeType } from '#service/ec2/volume/limits'
import type { Shape, VolumeRow } from '#service/ec2/volume/volume'
import type { Reader, Tx } from '#store/store'

/** A volume that every instance of a launch gets. */
export type Planned = { device: string; root: boolean; shape: Shape; snapshot?: SnapshotRow; deleteOnTermination: boolean }

export const badMapping = (message: string): ApiError => new ApiError('InvalidBlockDeviceMapping', message)

/** Instance store disks come with the types that have them, whatever a mapping says (EC2 User Guide, "Instance store volume mapping"). */
const EPHEMERAL = /^ephemeral\d{1,2}$/

/** Members of a volume's mapping that ask for what Enclume has not. */
export function refuseOddEbs(ebs: EbsBlockDevice | undefined): void {
  const names = ['OutpostArn', 'VolumeInitializationRate', 'EbsCardIndex', 'AvailabilityZone', 'AvailabilityZoneId'] as const
  const odd = names.find(name => ebs?.[name])
  if (odd) throw unsupported(`${odd} of block device mappings`)
  if (ebs?.Encrypted || ebs?.KmsKeyId) throw unsupported('encrypted volumes')
}

/** The volumes of a launch from an image, as a request's mappings change and add to the image's. */
export async function plannedVolumes(reader: Reader, place: Place, from: ImageRow, asked: readonly BlockDeviceMapping[] = []): Promise<Planned[]> {
  const { rootDevice } = from.spec
  const own = mappingsOf(from.spec)
  const seen = new Set<string>()
  for (const { DeviceName: device = '' } of asked) {
    if (device === '') throw badMapping('A block device mapping has no device name.')
    if (!own.some(mapping => mapping.device === device)) checkDevice(device)
    if (seen.has(sameDevice(device))) throw badMapping(`The device '${device}' is used in more than one block-device mapping`)
    seen.add(sameDevice(device))
  }
  const planned: Planned[] = []
  for (const mapping of own) {
    const change = asked.find(one => one.DeviceName === mapping.device)
    const root = mapping.device === rootDevice
    if (root) refuseOddRoot(change, mapping)
    if (change?.NoDevice !== undefined || change?.VirtualName !== undefined || !mapping.ebs) continue
    planned.push(await overImage(reader, place, { from, mapping, root, ebs: change?.Ebs }))
  }
  for (const one of asked.filter(({ DeviceName: device }) => !own.some(mapping => mapping.device === device))) {
    const added = await addedVolume(reader, place, one)
    if (added) planned.push(added)
  }
  return planned
}

function refuseOddRoot(change: BlockDeviceMapping | undefined, { device, ebs }: Mapping): void {
  if (change?.VirtualName !== undefined) throw badMapping(`The root device ${device} can't be an instance store volume.`)
  if (change?.NoDevice !== undefined) throw badMapping(`The root device ${device} can't be suppressed.`)
  if (change?.Ebs?.SnapshotId !== undefined && change.Ebs.SnapshotId !== ebs?.snapshot) {
    throw badMapping('snapshotId cannot be modified on root device')
  }
}

type OverImage = { from: ImageRow; mapping: Mapping; root: boolean; ebs?: EbsBlockDevice }

async function overImage(reader: Reader, place: Place, { from, mapping, root, ebs = {} }: OverImage): Promise<Planned> {
  refuseOddEbs(ebs)
  const before = mapping.ebs!
  // Whoever may launch an image may so use its snapshots.
  const source = ebs.SnapshotId !== undefined && ebs.SnapshotId !== before.snapshot ? await getCompleted(reader, place, ebs.SnapshotId)
    : before.snapshot === undefined ? undefined : await snapshotOf(reader, from, before.snapshot)
  // Rates belong to a type: another type begins with its own.
  const kept = ebs.VolumeType === undefined || ebs.VolumeType === before.type
  const shape = shapeOf(mapping.device, {
    root, source, sizeGiB: ebs.VolumeSize ?? before.sizeGiB, type: ebs.VolumeType ?? before.type,
    iops: ebs.Iops ?? (kept ? before.iops : undefined), throughput: ebs.Throughput ?? (kept ? before.throughput : undefined),
  })
  return { device: mapping.device, root, shape, snapshot: source, deleteOnTermination: ebs.DeleteOnTermination ?? before.deleteOnTermination }
}

/** A snapshot in an image's mapping, as the image's owner sees it. */
async function snapshotOf(reader: Reader, from: ImageRow, id: string): Promise<SnapshotRow> {
  if (from.spec.image === undefined) return getCompleted(reader, from, id)
  const found = (await visibleSnapshots(reader, from)).find(row => row.id === id)
  if (!found) throw new ApiError(snapshot.missing, `The snapshot '${id}' of ${image.label} ${from.id} does not exist.`)
  return found
}

async function addedVolume(reader: Reader, place: Place, asked: BlockDeviceMapping): Promise<Planned | undefined> {
  const { DeviceName: device = '', VirtualName, NoDevice, Ebs: ebs } = asked
  if (NoDevice !== undefined) return undefined
  if (VirtualName !== undefined) {
    if (!EPHEMERAL.test(VirtualName)) throw badMapping(`The virtual name '${VirtualName}' of device '${device}' is none of an instance store volume.`)
    return undefined
  }
  if (!ebs) throw badMapping(`The mapping of device '${device}' says neither a volume nor an instance store volume.`)
  refuseOddEbs(ebs)
  const source = ebs.SnapshotId === undefined ? undefined : await getCompleted(reader, place, ebs.SnapshotId)
  const sizeGiB = ebs.VolumeSize ?? source?.spec.sizeGiB
  if (sizeGiB === undefined) throw new ApiError('MissingParameter', 'The request must contain the parameter size or snapshotId')
  const shape = shapeOf(device, { root: false, source, sizeGiB, type: ebs.VolumeType ?? 'gp2', iops: ebs.Iops, throughput: ebs.Throughput })
  // EC2 User Guide, "Preserve data when an instance is terminated": a data volume that a launch by the API brings is deleted with its instance.
  return { device, root: false, shape, snapshot: source, deleteOnTermination: ebs.DeleteOnTermination ?? true }
}

type Asked = { root: boolean; source?: { id: string; spec: { sizeGiB: number } }; sizeGiB: number; type: string; iops?: number; throughput?: number }

/** Refuses what the type does not allow, and a size below the snapshot's (text seen on AWS in scylladb issue 6999). */
export function shapeOf(device: string, { root, source, sizeGiB, type: name, iops, throughput }: Asked): Shape {
  const type = volumeType(name)
  // CreateVolume, VolumeType: st1 and sc1 can't be used as boot volumes.
  if (root && !LIMITS[type].bootable) throw badMapping(`Volume type ${type} is not supported for the root device ${device}.`)
  if (throughput !== undefined && !LIMITS[type].throughput) {
    // Text seen on AWS in gardener/machine-controller-manager-provider-aws pull request 95.
    throw badMapping(`throughput cannot be specified with the volumeType of device '${device}'`)
  }
  if (source && sizeGiB < source.spec.sizeGiB) {
    throw badMapping(`Volume of size ${sizeGiB}GB is smaller than snapshot '${source.id}', expect size >= ${source.spec.sizeGiB}GB`)
  }
  return { type, sizeGiB, ...provision({ type, sizeGiB, iops, throughput }) }
}

type For = { place: Place; now: Date; zone: string; instance: string; tags: Record<string, string> }

/** The record of a planned volume of one instance, `creating`, attached to it. */
export function createPlanned(tx: Tx, planned: Planned, { instance, now, ...at }: For): Promise<VolumeRow> {
  const { device, root, shape, snapshot: source, deleteOnTermination } = planned
  return putVolume(tx, {
    ...at, now, shape, snapshot: source, fresh: root, attachment: { instance, device, deleteOnTermination, time: now.toISOString(), root },
  })
}
