/** What may be asked about volumes. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions } from '#kit/action'
import { describe, select } from '#kit/describe'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { incorrectState, invalidValue, missingParameter } from '#service/ec2/errors'
import { attachVolume, detachVolume } from '#service/ec2/volume/attach'
import { createVolume } from '#service/ec2/volume/create'
import { modification, modificationView } from '#service/ec2/volume/modification'
import { modifyVolume } from '#service/ec2/volume/modify'
import { attachmentsOf, attachmentView, volume, volumeStatus } from '#service/ec2/volume/volume'
import { isIn, volumes } from '#service/ec2/states'

export const actions = (context: Context): Actions<typeof sdk> => ({
  DescribeVolumes: describe(volume, 'VolumeIds', 'Volumes'),
  DescribeVolumeStatus: describe(volumeStatus, 'VolumeIds', 'VolumeStatuses'),

  async CreateVolume(call) {
    return volume.view(await createVolume(context, call), undefined)
  },

  async AttachVolume(call) {
    const { row, attachment } = await attachVolume(call)
    return attachmentView(row, attachment)
  },

  async DetachVolume(call) {
    const { row, attachment } = await detachVolume(call)
    return attachmentView(row, attachment)
  },

  async ModifyVolume(call) {
    return { VolumeModification: modificationView(await modifyVolume(context, call)) }
  },

  async DescribeVolumesModifications(call) {
    const { VolumeIds: ids = [] } = call.input
    const rows = ids.length > 0 ? await volume.getAll(call.tx, call, ids) : await volume.list(call.tx, call)
    const never = ids.length > 0 && rows.find(row => !row.status.modification)
    // AWS answers so for a volume that was never modified (seen in aws-sdk-rust issue 1346).
    if (never) throw new ApiError('InvalidVolumeModification.NotFound', `Modification for volume '${never.id}' does not exist.`)
    const { hits, next } = await select(call, modification, { ids: undefined, rows: rows.filter(row => row.status.modification) })
    return { VolumesModifications: hits.map(hit => hit.view), NextToken: next }
  },

  async DescribeVolumeAttribute({ input: { VolumeId: id = '', Attribute: name = '' }, tx, account, region }) {
    const row = await volume.get(tx, { account, region }, id)
    if (name === 'autoEnableIO') return { VolumeId: id, AutoEnableIO: { Value: row.spec.autoEnableIO ?? false } }
    if (name === 'productCodes') return { VolumeId: id, ProductCodes: [] }
    throw invalidValue('attribute', name)
  },

  async ModifyVolumeAttribute(call) {
    const row = await volume.get(call.tx, call, call.input.VolumeId!)
    const autoEnableIO = call.input.AutoEnableIO?.Value
    if (autoEnableIO === undefined) throw missingParameter('autoEnableIO')
    await volume.update(call.tx, row, { spec: { autoEnableIO } }, 'modified')
    return {}
  },

  /** I/O of a volume is never suspended here: what is to be enabled is so. */
  async EnableVolumeIO(call) {
    await volume.get(call.tx, call, call.input.VolumeId!)
    return {}
  },

  async DeleteVolume({ input: { VolumeId: id = '' }, tx, account, region }) {
    const row = await volume.get(tx, { account, region }, id)
    const [attachment] = attachmentsOf(row)
    // Text seen on AWS in nixops-aws issue 104.
    if (attachment) throw new ApiError('VolumeInUse', `Volume ${id} is currently attached to ${attachment.instance}`)
    const { state } = row.status
    if (state === 'deleting') return {}
    if (!isIn(volumes.delete, state)) throw incorrectState(`The volume '${id}' is not in a state in which it can be deleted: ${state}`)
    await volume.update(tx, row, { spec: { desired: 'absent' }, status: { state: 'deleting' } }, 'deleting')
    return {}
  },
})
