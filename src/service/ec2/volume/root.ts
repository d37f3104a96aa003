/**
 * The root volumes of instances: made with them, and given up when they are terminated. Called inside a request's or a
 * driver's transaction; the disk follows by the loop.
 *
 * Invariant: a root volume is at least as large as the snapshot it is made of.
 */
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import type { ImageRow } from '#service/ec2/image/image'
import { LIMITS, provision, volumeType } from '#service/ec2/volume/limits'
import { volume, volumesOf, type VolumeRow } from '#service/ec2/volume/volume'
import type { Tx } from '#store/store'

export type RootVolume = {
  place: Place
  now: Date
  /** The zone's name. */
  zone: string
  image: ImageRow
  /** By default the snapshot's. */
  sizeGiB?: number
  /** As the request wrote it; by default gp3. */
  type?: string
  iops?: number
  throughput?: number
  device: string
  /** The instance's id. */
  instance: string
  deleteOnTermination: boolean
  tags: Record<string, string>
}

const badMapping = (message: string) => new ApiError('InvalidBlockDeviceMapping', message)

/**
 * The record of a new root volume, `creating`, attached to its instance. Refuses what the type does not allow, and a size
 * below the snapshot's (InvalidBlockDeviceMapping, text seen on AWS in scylladb issue 6999).
 */
export async function createRootVolume(tx: Tx, asked: RootVolume): Promise<VolumeRow> {
  const { place: { account, region }, now, zone, image, instance, device, deleteOnTermination, tags } = asked
  const least = image.spec.rootSizeGiB
  const sizeGiB = asked.sizeGiB ?? least
  const type = volumeType(asked.type ?? 'gp3')
  // CreateVolume, VolumeType: st1 and sc1 can't be used as boot volumes.
  if (!LIMITS[type].bootable) throw badMapping(`Volume type ${type} is not supported for the root device ${device}.`)
  if (asked.throughput !== undefined && !LIMITS[type].throughput) {
    // Text seen on AWS in gardener/machine-controller-manager-provider-aws pull request 95.
    throw badMapping(`throughput cannot be specified with the volumeType of device '${device}'`)
  }
  if (sizeGiB < least) {
    throw badMapping(`Volume of size ${sizeGiB}GB is smaller than snapshot '${image.spec.snapshot}', expect size >= ${least}GB`)
  }
  const rates = provision({ type, sizeGiB, iops: asked.iops, throughput: asked.throughput })
  return tx.put(volume.make({
    account, region, now, tags,
    spec: {
      zone, sizeGiB, type, ...rates, snapshot: image.spec.snapshot, from: { image: image.spec.image }, desired: 'present',
      attachment: { instance, device, deleteOnTermination, time: now.toISOString(), root: true },
    },
    status: { state: 'creating' },
  }), 'creating')
}

/**
 * Gives up the volumes of an instance that is terminated and whose machine is gone: those that go with it are to be
 * deleted, the others are free again.
 */
export async function releaseVolumes(tx: Tx, place: Place, instance: string): Promise<void> {
  for (const row of await volumesOf(tx, place, instance)) {
    const goes = row.spec.attachment!.deleteOnTermination
    await volume.update(tx, row, goes
      ? { spec: { attachment: undefined, desired: 'absent' }, status: { state: 'deleting' } }
      : { spec: { attachment: undefined } }, goes ? 'deleting' : 'detached')
  }
}
