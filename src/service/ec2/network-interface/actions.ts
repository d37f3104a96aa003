/** What may be asked of network interfaces. */
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { invalidCombination, missingParameter, unsupported } from '#service/ec2/errors'
import { attach, detach } from '#service/ec2/network-interface/attach'
import { checkDescription, create, remove } from '#service/ec2/network-interface/create'
import { assign6, unassign6 } from '#service/ec2/network-interface/ipv6'
import { assign, unassign } from '#service/ec2/network-interface/private-addresses'
import { checkGroups } from '#service/ec2/network-interface/allocate'
import { attachmentView, networkInterface, refuseManaged, type InterfaceRow, type Spec } from '#service/ec2/network-interface/network-interface'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** What one attribute of a request changes. */
async function change(
  tx: Tx, { account, region, spec }: InterfaceRow, input: sdk.ModifyNetworkInterfaceAttributeRequest,
): Promise<Partial<Spec>> {
  const { NetworkInterfaceId: _id, DryRun: _dry, ...given } = input
  const names = Object.entries(given).filter(([, value]) => value !== undefined).map(([name]) => name)
  if (names.length === 0) throw new ApiError('MissingParameter', 'The request must contain an attribute to modify')
  // API Reference, ModifyNetworkInterfaceAttribute: "You can specify only one attribute at a time."
  if (names.length > 1) throw new ApiError('InvalidParameterCombination', `Only one attribute at a time, not ${names.join(', ')}`)
  if (given.Description) return { description: checkDescription(given.Description.Value ?? '') }
  if (given.SourceDestCheck) return { sourceDestCheck: given.SourceDestCheck.Value ?? true }
  if (given.Groups) return { groups: await checkGroups(tx, { place: { account, region }, vpc: spec.vpc, groups: given.Groups }) }
  if (given.Attachment) return { attachment: changedAttachment(spec, given.Attachment) }
  throw unsupported(`${names[0]} of ModifyNetworkInterfaceAttribute`)
}

function changedAttachment({ attachment }: Spec, given: sdk.NetworkInterfaceAttachmentChanges): Spec['attachment'] {
  if (given.AttachmentId === undefined) throw missingParameter('attachmentId')
  if (!attachment || attachment.id !== given.AttachmentId) {
    throw new ApiError('InvalidAttachmentID.NotFound', `The attachment ID '${given.AttachmentId}' does not exist`)
  }
  if (given.EnaQueueCount !== undefined || given.DefaultEnaQueueCount !== undefined) {
    throw unsupported('EnaQueueCount of ModifyNetworkInterfaceAttribute')
  }
  return { ...attachment, deleteOnTermination: given.DeleteOnTermination ?? attachment.deleteOnTermination }
}

export const actions = ({ home }: Pick<Context, 'home'>): Actions<typeof sdk> => ({
  async CreateNetworkInterface(call) {
    const row = await create(call, home)
    return { NetworkInterface: await networkInterface.viewOne(call.tx, row), ClientToken: call.input.ClientToken }
  },

  async DeleteNetworkInterface(call) {
    await remove(call)
    return {}
  },

  async AttachNetworkInterface(call) { return { AttachmentId: (await attach(call)).id, NetworkCardIndex: 0 } },

  async DetachNetworkInterface(call) {
    await detach(call)
    return {}
  },

  AssignIpv6Addresses: assign6,
  UnassignIpv6Addresses: unassign6,
  AssignPrivateIpAddresses: assign,

  async UnassignPrivateIpAddresses(call) {
    await unassign(call)
    return {}
  },

  DescribeNetworkInterfaces: describe(networkInterface, 'NetworkInterfaceIds', 'NetworkInterfaces'),

  async DescribeNetworkInterfaceAttribute({ input, account, region, tx }) {
    const row = await networkInterface.get(tx, { account, region }, input.NetworkInterfaceId!)
    const NetworkInterfaceId = row.id
    switch (input.Attribute) {
      case 'description': return { NetworkInterfaceId, Description: { Value: row.spec.description } }
      case 'groupSet': return { NetworkInterfaceId, Groups: (await networkInterface.viewOne(tx, row)).Groups }
      case 'sourceDestCheck': return { NetworkInterfaceId, SourceDestCheck: { Value: row.spec.sourceDestCheck } }
      case 'attachment': return { NetworkInterfaceId, Attachment: attachmentView(row) }
      case 'associatePublicIpAddress': {
        const [primary] = row.spec.addresses
        return { NetworkInterfaceId, AssociatePublicIpAddress: primary!.public !== undefined && primary!.public.allocation === undefined }
      }
      case undefined: throw new ApiError('InvalidParameterCombination', 'No attributes specified.')
      default:
        throw new ApiError('InvalidParameterValue', `Value (${input.Attribute}) for parameter attribute is invalid. Unknown attribute.`)
    }
  },

  async ModifyNetworkInterfaceAttribute({ input, account, region, tx }) {
    const row = await networkInterface.get(tx, { account, region }, input.NetworkInterfaceId!)
    refuseManaged(row)
    await networkInterface.update(tx, row, { spec: await change(tx, row, input) }, 'modified')
    return {}
  },

  async ResetNetworkInterfaceAttribute({ input, account, region, tx }) {
    const row = await networkInterface.get(tx, { account, region }, input.NetworkInterfaceId!)
    refuseManaged(row)
    if (input.SourceDestCheck === undefined) throw invalidCombination('No attributes specified.')
    await networkInterface.update(tx, row, { spec: { sourceDestCheck: true } }, 'modified')
    return {}
  },
})
