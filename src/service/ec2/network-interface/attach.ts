/**
 * Attaching and detaching: writes what is wanted; the instance's loop moves the port and says when it is done.
 *
 * Invariant: an instance's interfaces stand in its record in the order of their device indices, those that are being detached too.
 */
import { resourceId } from '#base/id'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { invalidValue, unsupported } from '#service/ec2/errors'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import { ownInterfaces } from '#service/ec2/instance/ports'
import { find, limits, type Limits } from '#service/ec2/instance-type/instance-type'
import { networkInterface, refuseManaged, type Attachment, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { instances, isIn } from '#service/ec2/states'
import type * as sdk from '@aws-sdk/client-ec2'

export const limitsOf = ({ spec }: InstanceRow): Limits => limits(find(spec.type)!)

export const inUse = (id: string): ApiError => new ApiError('InvalidNetworkInterface.InUse', `Interface: [${id}] in use.`)
export const tooManyAddresses = (): ApiError =>
  new ApiError('PrivateIpAddressLimitExceeded', 'Number of private addresses will exceed limit.')

function checkState({ id, status: { state } }: InstanceRow): void {
  if (isIn(instances.attach, state)) return
  throw new ApiError('IncorrectInstanceState', `Instance '${id}' is ${state}: it must be running or stopped.`)
}

/** A bound of Enclume's own, far above what a type may have: AWS's is not documented. */
const MAX_DEVICE_INDEX = 31
export function checkDeviceIndex(n: number): void {
  if (!Number.isInteger(n) || n < 0 || n > MAX_DEVICE_INDEX) throw invalidValue('deviceIndex', n, `It must be from 0 to ${MAX_DEVICE_INDEX}.`)
}

/** Limits of the instance's type (EC2 User Guide, "Maximum IP addresses per network interface"); texts as in cilium#15877 and #36428. */
function checkLimits(holder: InstanceRow, row: InterfaceRow, others: InterfaceRow[], deviceIndex: number): void {
  const { maxInterfaces, addressesPerInterface } = limitsOf(holder)
  checkDeviceIndex(deviceIndex)
  if (others.some(own => own.spec.attachment!.deviceIndex === deviceIndex)) { // Text seen on AWS in k8s-vpcnet#71.
    throw new ApiError('InvalidParameterValue', `Instance '${holder.id}' already has an interface attached at device index '${deviceIndex}'.`)
  }
  if (others.length + 1 > maxInterfaces) {
    throw new ApiError('AttachmentLimitExceeded', `Interface count ${others.length + 1} exceeds the limit for ${holder.spec.type}`)
  }
  if (Math.max(row.spec.addresses.length, row.spec.addresses6?.length ?? 0) > addressesPerInterface) throw tooManyAddresses()
}

export async function attach(call: Call<sdk.AttachNetworkInterfaceRequest>): Promise<Attachment> {
  const { tx, input, now } = call
  const row = await networkInterface.get(tx, call, input.NetworkInterfaceId!)
  refuseManaged(row)
  const holder = await instance.get(tx, call, input.InstanceId!)
  if (input.EnaSrdSpecification?.EnaSrdEnabled || input.EnaQueueCount !== undefined) {
    throw unsupported('ENA Express and queue counts of AttachNetworkInterface')
  }
  if (input.NetworkCardIndex) throw invalidValue('networkCardIndex', input.NetworkCardIndex, 'The instance type has one network card.')
  if (row.spec.attachment) throw inUse(row.id)
  checkState(holder)
  // Another VPC's interface may be attached, another zone's not (EC2 User Guide, "Attach elastic network interfaces").
  if (row.spec.zone !== holder.spec.zone) {
    throw new ApiError('InvalidParameterCombination',
      'You may not attach a network interface to an instance if they are not in the same availability zone')
  }
  const others = await ownInterfaces(tx, holder)
  checkLimits(holder, row, others, input.DeviceIndex!)
  const attachment: Attachment = {
    id: resourceId('eni-attach'), instance: holder.id, deviceIndex: input.DeviceIndex!, deleteOnTermination: false,
    time: now.toISOString(), moving: 'attaching', bandwidthGbps: limitsOf(holder).networkPeakGbps,
  }
  const attached = await networkInterface.update(tx, row, {
    spec: { attachment, metadataHopLimit: holder.spec.metadata.hopLimit }, status: { state: 'in-use' },
  }, 'attaching')
  const order = [...others, attached].sort((a, b) => a.spec.attachment!.deviceIndex - b.spec.attachment!.deviceIndex)
  await instance.update(tx, holder, { spec: { interfaces: order.map(own => own.id) } }, 'interface-attaching')
  return attachment
}

/** What Force asks for is always so: the port is taken whatever the guest makes of it. */
export async function detach(call: Call<sdk.DetachNetworkInterfaceRequest>): Promise<void> {
  const id = call.input.AttachmentId!
  const row = (await networkInterface.list(call.tx, call)).find(own => own.spec.attachment?.id === id)
  const attachment = row?.spec.attachment
  if (!row || !attachment) throw new ApiError('InvalidAttachmentID.NotFound', `The attachment ID '${id}' does not exist`)
  if (attachment.deviceIndex === 0) {
    throw new ApiError('OperationNotPermitted', 'The network interface at device index 0 and networkCard index 0 cannot be detached.')
  }
  const holder = await instance.get(call.tx, call, attachment.instance)
  if (attachment.moving === 'detaching') return
  checkState(holder)
  await networkInterface.update(call.tx, row, { spec: { attachment: { ...attachment, moving: 'detaching' } } }, 'detaching')
  // The instance's own event wakes its loop.
  await instance.update(call.tx, holder, {}, 'interface-detaching')
}
