/** What may be asked about volumes. Making, attaching and modifying them is not implemented yet: those actions are absent. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions } from '#kit/action'
import { describe, pageOf } from '#kit/describe'
import { ApiError } from '#kit/error'
import { matcher } from '#kit/filter'
import { incorrectState, invalidValue } from '#service/ec2/errors'
import { volume, volumeStatus } from '#service/ec2/volume/volume'

const modificationFilters = {
  'modification-state': 'ModificationState', 'original-iops': 'OriginalIops', 'original-size': 'OriginalSize',
  'original-volume-type': 'OriginalVolumeType', 'start-time': 'StartTime', 'target-iops': 'TargetIops', 'target-size': 'TargetSize',
  'target-volume-type': 'TargetVolumeType', 'volume-id': 'VolumeId',
}

export const actions: Actions<typeof sdk> = {
  DescribeVolumes: describe(volume, 'VolumeIds', 'Volumes'),
  DescribeVolumeStatus: describe(volumeStatus, 'VolumeIds', 'VolumeStatuses'),

  async DescribeVolumeAttribute({ input: { VolumeId: id = '', Attribute: name = '' }, tx, account, region }) {
    await volume.get(tx, { account, region }, id)
    if (name === 'autoEnableIO') return { VolumeId: id, AutoEnableIO: { Value: false } }
    if (name === 'productCodes') return { VolumeId: id, ProductCodes: [] }
    throw invalidValue('attribute', name)
  },

  /** No volume was ever modified, as ModifyVolume is not implemented yet. */
  async DescribeVolumesModifications({ input, tx, account, region }) {
    const { VolumeIds: ids = [], Filters: filters } = input
    matcher(modificationFilters, filters)
    pageOf([], String, input, 'VolumesModifications')
    const [first] = await volume.getAll(tx, { account, region }, ids)
    // AWS answers so for a volume that was never modified (seen in aws-sdk-rust issue 1346).
    if (first) throw new ApiError('InvalidVolumeModification.NotFound', `Modification for volume '${first.id}' does not exist.`)
    return { VolumesModifications: [] }
  },

  async DeleteVolume({ input: { VolumeId: id = '' }, tx, account, region }) {
    const row = await volume.get(tx, { account, region }, id)
    const { attachment } = row.spec
    // Text seen on AWS in nixops-aws issue 104.
    if (attachment) throw new ApiError('VolumeInUse', `Volume ${id} is currently attached to ${attachment.instance}`)
    if (row.status.state === 'creating') throw incorrectState(`The volume '${id}' is not in a state in which it can be deleted: creating`)
    if (row.status.state !== 'deleting') {
      await volume.update(tx, row, { spec: { desired: 'absent' }, status: { state: 'deleting' } }, 'deleting')
    }
    return {}
  },
}
