/**
 * The newest modification of a volume: what it was, what it becomes, how far it is. It is part of the volume's record.
 *
 * Invariant: it is complete only after the engine has done all of it.
 */
import type { VolumeModification } from '@aws-sdk/client-ec2'
import { resource } from '#kit/resource'
import { gp2Iops } from '#service/ec2/volume/limits'
import type { Shape, Spec, Status, VolumeRow } from '#service/ec2/volume/volume'

export type Modification = { from: Shape; to: Shape; start: string; end?: string; state: 'modifying' | 'completed' }

/** IOPS as EC2 shows them, also where the type alone decides them. */
const iopsOf = ({ type, sizeGiB, iops }: Shape): number | undefined => (type === 'gp2' ? gp2Iops(sizeGiB) : iops)

export function modificationView({ id, status }: Pick<VolumeRow, 'id' | 'status'>): VolumeModification {
  const { from, to, start, end, state } = status.modification!
  return {
    VolumeId: id, ModificationState: state, Progress: state === 'completed' ? 100 : 0, StartTime: new Date(start),
    EndTime: end ? new Date(end) : undefined,
    OriginalSize: from.sizeGiB, OriginalVolumeType: from.type, OriginalIops: iopsOf(from), OriginalThroughput: from.throughput,
    OriginalMultiAttachEnabled: from.multiAttach ?? false,
    TargetSize: to.sizeGiB, TargetVolumeType: to.type, TargetIops: iopsOf(to), TargetThroughput: to.throughput,
    TargetMultiAttachEnabled: to.multiAttach ?? false,
  }
}

/** Volumes as DescribeVolumesModifications sees them. */
export const modification = resource<Spec, Status, VolumeModification>({
  kind: 'volume', prefix: 'vol', label: 'volume', missing: 'InvalidVolume.NotFound', malformed: 'InvalidVolumeID.Malformed',
  view: modificationView,
  filters: {
    'modification-state': 'ModificationState', 'original-iops': 'OriginalIops', 'original-size': 'OriginalSize',
    'original-volume-type': 'OriginalVolumeType', 'start-time': 'StartTime', 'target-iops': 'TargetIops', 'target-size': 'TargetSize',
    'target-volume-type': 'TargetVolumeType', 'volume-id': 'VolumeId', 'multi-attach-enabled': 'TargetMultiAttachEnabled',
  },
})
