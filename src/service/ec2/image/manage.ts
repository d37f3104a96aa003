/**
 * What an owner may do with an image that is there: give it away, deprecate, disable, deregister.
 *
 * Invariant: only its owner changes an image, and Amazon's are nobody's here.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions, Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { blockingOf, isBlocked, setBlocking } from '#service/ec2/account/public-access'
import { shared } from '#service/ec2/account/sharing'
import { incorrectState, invalidCombination, invalidValue, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { getOwnImage, image, mappingsOf, type ImageRow } from '#service/ec2/image/image'
import { imagesOf } from '#service/ec2/snapshot/actions'
import { isLocked } from '#service/ec2/snapshot/lock'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import { images, isIn } from '#service/ec2/states'

const own = (call: Call<object>, id: string | undefined): Promise<ImageRow> => getOwnImage(call.tx, call, id!)

async function share(call: Call<sdk.ModifyImageAttributeRequest>, row: ImageRow): Promise<void> {
  const { OperationType, UserIds, UserGroups: groups, LaunchPermission: change } = call.input
  for (const { OrganizationArn, OrganizationalUnitArn } of [...change?.Add ?? [], ...change?.Remove ?? []]) {
    if (OrganizationArn !== undefined || OrganizationalUnitArn !== undefined) throw unsupported('sharing images with organizations')
  }
  const shares = shared(row.spec, call.account, { OperationType, UserIds, groups, change })
  if (shares.public && !row.spec.public && await isBlocked(call.tx, call, 'image', 'new')) {
    throw new ApiError('OperationNotPermitted',
      'You can\'t publicly share this image because block public access for AMIs is enabled for this account in this Region.')
  }
  await image.update(call.tx, row, { spec: shares }, 'shared')
}

/** One attribute a call, in the newer form or as a name and a value. */
async function modifyImage(call: Call<sdk.ModifyImageAttributeRequest>): Promise<void> {
  const { input, tx } = call
  const row = await own(call, input.ImageId)
  refuseMembers('ModifyImageAttribute', input, ['ProductCodes', 'OrganizationArns', 'OrganizationalUnitArns'])
  const { Attribute: name, Value: value } = input
  if (name !== undefined && !['launchPermission', 'description', 'imdsSupport'].includes(name)) throw invalidValue('attribute', name)
  const sharing = name === 'launchPermission' || input.LaunchPermission !== undefined || input.OperationType !== undefined
  const description = input.Description?.Value ?? (name === 'description' ? value ?? '' : undefined)
  const imdsSupport = input.ImdsSupport?.Value ?? (name === 'imdsSupport' ? value ?? '' : undefined)
  const given = [sharing, description !== undefined, imdsSupport !== undefined].filter(Boolean).length
  if (given !== 1) throw invalidCombination(given === 0 ? 'No attributes specified.' : 'Fields for multiple attribute types specified.')
  if (sharing) await share(call, row)
  if (description !== undefined) await image.update(tx, row, { spec: { description } }, 'modified')
  if (imdsSupport === undefined) return
  // EC2 User Guide, "Configure the AMI": once v2.0 it stays so.
  if (imdsSupport !== 'v2.0') throw invalidValue('imdsSupport', imdsSupport)
  await image.update(tx, row, { spec: { imdsSupport } }, 'modified')
}

/** As long as a terminated instance. AWS says no more than that it is not listed and not launched any more. */
const VISIBLE_MS = 3_600_000

async function deregister(call: Call<sdk.DeregisterImageRequest>): Promise<sdk.DeregisterImageResult> {
  const { tx, input } = call
  const row = await own(call, input.ImageId)
  if (row.spec.deregistrationProtection) {
    throw new ApiError('OperationNotPermitted', `The image '${row.id}' may not be deregistered. Disable its deregistration protection and try again.`)
  }
  const snapshots = mappingsOf(row.spec).flatMap(({ ebs }) => ebs?.snapshot ?? [])
  const forgetAt = new Date(call.now.getTime() + VISIBLE_MS).toISOString()
  await image.update(tx, row, { spec: { public: false, users: [] }, status: { state: 'deregistered', forgetAt } }, 'deregistered')
  if (!input.DeleteAssociatedSnapshots) return { Return: true }
  const results: sdk.DeleteSnapshotReturnCode[] = []
  for (const id of snapshots) {
    const found = await snapshot.find(tx, id)
    const mine = found && found.account === call.account && found.spec.desired !== 'absent'
    const free = mine && !isLocked(found, call.now) && (await imagesOf(tx, found)).length === 0
    if (free) await snapshot.update(tx, found, { spec: { desired: 'absent' } }, 'deleting')
    results.push({ SnapshotId: id, ReturnCode: free ? 'success' : mine ? 'skipped' : 'missing-permissions' })
  }
  return { Return: true, DeleteSnapshotResults: results }
}

/** To the minute (API Reference, EnableImageDeprecation); within ten years. */
function deprecationOf(at: Date, now: Date): string {
  const rounded = new Date(Math.floor(at.getTime() / 60_000) * 60_000)
  const last = new Date(now)
  last.setUTCFullYear(last.getUTCFullYear() + 10)
  if (Number.isNaN(at.getTime()) || at <= now || at > last) {
    throw invalidValue('deprecateAt', Number.isNaN(at.getTime()) ? at : at.toISOString(), 'It must lie in the future, within ten years.')
  }
  return rounded.toISOString()
}

export const managing: Actions<typeof sdk> = {
  async ModifyImageAttribute(call) {
    await modifyImage(call)
    return {}
  },

  async ResetImageAttribute(call) {
    const row = await own(call, call.input.ImageId)
    if (call.input.Attribute !== 'launchPermission') throw invalidValue('attribute', call.input.Attribute)
    await image.update(call.tx, row, { spec: { public: false, users: [] } }, 'shared')
    return {}
  },

  DeregisterImage: deregister,

  async EnableImageDeprecation(call) {
    const row = await own(call, call.input.ImageId)
    if (!call.input.DeprecateAt) throw missingParameter('deprecateAt')
    await image.update(call.tx, row, { spec: { deprecateAt: deprecationOf(call.input.DeprecateAt, call.now) } }, 'deprecated')
    return { Return: true }
  },

  async DisableImageDeprecation(call) {
    const row = await own(call, call.input.ImageId)
    await image.update(call.tx, row, { spec: { deprecateAt: undefined } }, 'undeprecated')
    return { Return: true }
  },

  /** It can't be launched, and nobody else has it any more (API Reference, DisableImage). */
  async DisableImage(call) {
    const row = await own(call, call.input.ImageId)
    if (!isIn(images.switch, row.status.state)) throw incorrectState(`Image '${row.id}' is ${row.status.state}.`)
    await image.update(call.tx, row, { spec: { public: false, users: [] }, status: { state: 'disabled' } }, 'disabled')
    return { Return: true }
  },

  async EnableImage(call) {
    const row = await own(call, call.input.ImageId)
    if (!isIn(images.switch, row.status.state)) throw incorrectState(`Image '${row.id}' is ${row.status.state}.`)
    await image.update(call.tx, row, { status: { state: 'available' } }, 'enabled')
    return { Return: true }
  },

  async EnableImageDeregistrationProtection(call) {
    const row = await own(call, call.input.ImageId)
    refuseMembers('EnableImageDeregistrationProtection', call.input, ['WithCooldown'])
    await image.update(call.tx, row, { spec: { deregistrationProtection: true } }, 'protected')
    return { Return: 'true' }
  },

  async DisableImageDeregistrationProtection(call) {
    const row = await own(call, call.input.ImageId)
    await image.update(call.tx, row, { spec: { deregistrationProtection: false } }, 'unprotected')
    return { Return: 'true' }
  },

  async GetImageBlockPublicAccessState(call) {
    const blocking = await blockingOf(call.tx, call, 'image')
    return { ImageBlockPublicAccessState: blocking === 'none' ? 'unblocked' : 'block-new-sharing', ManagedBy: 'account' }
  },

  async EnableImageBlockPublicAccess(call) {
    const asked = call.input.ImageBlockPublicAccessState
    if (asked !== 'block-new-sharing') throw invalidValue('imageBlockPublicAccessState', asked)
    await setBlocking(call.tx, call, 'image', 'new')
    return { ImageBlockPublicAccessState: asked }
  },

  async DisableImageBlockPublicAccess(call) {
    await setBlocking(call.tx, call, 'image', 'none')
    return { ImageBlockPublicAccessState: 'unblocked' }
  },
}
