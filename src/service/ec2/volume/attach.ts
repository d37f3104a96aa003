/**
 * Attaching and detaching: writes what is wanted; the instance's loop moves the disk and says when it is done.
 *
 * Invariant: an instance's record names its root volume and its other volumes, those that are being detached too, in the order of attaching.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { incorrectState, invalidCombination, invalidValue, unsupported } from '#service/ec2/errors'
import { dataVolumes } from '#service/ec2/instance/belongings'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import { checkDevice, sameDevice } from '#service/ec2/volume/device'
import { attaching, attachmentsOf, attachmentTo, volume, type Attachment, type VolumeRow } from '#service/ec2/volume/volume'
import { instances, isIn, volumes } from '#service/ec2/states'

/** EC2 User Guide, "Amazon EBS volume limits": 28 on most Nitro types, the root and the interface among them. */
const MOST_VOLUMES = 27
/** EBS User Guide, "Multi-Attach": up to 16 instances. */
const MOST_INSTANCES = 16

/** Texts: amazon.aws pull request 497, build-debian-cloud pull request 85. */
function checkVolume(row: VolumeRow, holder: InstanceRow): void {
  const { state } = row.status
  const others = attachmentsOf(row)
  if (!isIn(volumes.attach, state)) throw incorrectState(`${row.id} is not 'available'.`)
  if (others.some(one => one.instance === holder.id) || (others.length > 0 && !row.spec.multiAttach)) {
    throw new ApiError('VolumeInUse', `${row.id} is already attached to an instance`)
  }
  if (others.length >= MOST_INSTANCES) throw new ApiError('AttachmentLimitExceeded', `${row.id} is attached to ${MOST_INSTANCES} instances already.`)
  if (row.spec.zone !== holder.spec.zone) {
    throw new ApiError('InvalidVolume.ZoneMismatch', `The volume '${row.id}' is not in the same availability zone as instance '${holder.id}'`)
  }
}

async function checkPlace({ tx }: Call<object>, holder: InstanceRow, device: string): Promise<void> {
  const { state } = holder.status
  if (!isIn(instances.attach, state)) throw incorrectState(`Instance '${holder.id}' is not 'running'.`)
  const data = await dataVolumes(tx, holder)
  const taken = [
    ...data.map(row => attachmentTo(row, holder.id)!.device), ...(holder.spec.rootVolume === undefined ? [] : [holder.spec.rootDevice]),
  ]
  if (taken.some(name => sameDevice(name) === sameDevice(device))) {
    throw new ApiError('InvalidParameterValue', `Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`)
  }
  if (data.length >= MOST_VOLUMES) {
    throw new ApiError('AttachmentLimitExceeded', `Instance '${holder.id}' has ${data.length} volumes besides its root: that is the limit.`)
  }
}

export async function attachVolume(call: Call<sdk.AttachVolumeRequest>): Promise<{ row: VolumeRow; attachment: Attachment }> {
  const { tx, input, now } = call
  const device = input.Device!
  const row = await volume.get(tx, call, input.VolumeId!)
  const holder = await instance.get(tx, call, input.InstanceId!)
  if (input.EbsCardIndex) throw unsupported('EbsCardIndex of AttachVolume')
  checkDevice(device)
  checkVolume(row, holder)
  await checkPlace(call, holder, device)
  const root = sameDevice(device) === sameDevice(holder.spec.rootDevice)
  if (root && holder.status.state !== 'stopped') throw incorrectState(`Instance '${holder.id}' is not 'stopped'.`)
  if (root && row.spec.multiAttach) throw invalidValue('device', device, 'A Multi-Attach volume can\'t be a root volume.')
  // What is attached after the launch is preserved, a root volume that was put back too (EC2 User Guide, "Preserve data when an instance is
  // terminated").
  const attachment: Attachment = { instance: holder.id, device, deleteOnTermination: false, time: now.toISOString(), root, moving: 'attaching' }
  const after = await volume.update(tx, row, { spec: attaching(row, holder.id, attachment), status: { state: 'in-use' } }, 'attaching')
  const { volumes = [] } = holder.spec
  await instance.update(tx, holder, { spec: root ? { rootVolume: row.id } : { volumes: [...volumes, row.id] } }, 'volume-attaching')
  return { row: after, attachment }
}

/** The attachment that a request means. */
function attachmentMeant(row: VolumeRow, { InstanceId: id, Device: device }: sdk.DetachVolumeRequest): Attachment {
  const all = attachmentsOf(row)
  if (all.length === 0) throw incorrectState(`Volume '${row.id}' is in the '${row.status.state}' state.`)
  if (id === undefined && all.length > 1) throw invalidCombination(`Volume '${row.id}' is attached to several instances: InstanceId must be given.`)
  const found = all.find(one => (id === undefined || one.instance === id) && (device === undefined || sameDevice(one.device) === sameDevice(device)))
  if (found) return found
  throw new ApiError('InvalidAttachment.NotFound', `The volume '${row.id}' is not attached to instance '${id ?? all[0]!.instance}'`
    + `${device === undefined ? '' : ` as device '${device}'`}.`)
}

export async function detachVolume(call: Call<sdk.DetachVolumeRequest>): Promise<{ row: VolumeRow; attachment: Attachment }> {
  const { tx, input } = call
  const row = await volume.get(tx, call, input.VolumeId!)
  if (input.InstanceId !== undefined) await instance.get(tx, call, input.InstanceId)
  const attachment = attachmentMeant(row, input)
  const holder = await instance.get(tx, call, attachment.instance)
  if (attachment.root && holder.status.state !== 'stopped') {
    throw new ApiError('OperationNotPermitted', `Unable to detach root volume '${row.id}' from instance '${holder.id}'`)
  }
  if (!isIn(volumes.detach, row.status.state)) throw incorrectState(`${row.id} is not 'in-use'.`)
  const force = attachment.force || input.Force === true
  if (attachment.moving === 'detaching' && force === (attachment.force ?? false)) return { row, attachment }
  const leaving: Attachment = { ...attachment, moving: 'detaching', ...(force && { force }) }
  const after = await volume.update(tx, row, { spec: attaching(row, holder.id, leaving) }, 'detaching')
  // The instance's own event wakes its loop.
  await instance.update(tx, holder, {}, 'volume-detaching')
  return { row: after, attachment: leaving }
}
