/**
 * A task that gives a running instance another root volume (EC2 User Guide, "Replace the root volume"). The instance's loop does it: its machine is
 * stopped once the new volume is there, given it, and started again.
 *
 * Invariant: until the new volume is whole the instance runs on the old one, and keeps it if the new one can't be made.
 */
import type { ReplaceRootVolumeTask } from '@aws-sdk/client-ec2'
import { resource, tagList } from '#kit/resource'
import type { Row } from '#store/store'

export type Spec = {
  instance: string
  /** The volume that comes, and the one that goes. */
  volume: string
  replaced: string
  image?: string
  snapshot?: string
  deleteReplaced: boolean
}
export type Status = { state: 'pending' | 'in-progress' | 'succeeded' | 'failed'; completed?: string }
export type TaskRow = Row<Spec, Status>

export const task = resource<Spec, Status, ReplaceRootVolumeTask>({
  kind: 'replace-root-volume-task', prefix: 'replacevol', label: 'replace root volume task', missing: 'InvalidReplaceRootVolumeTaskId.NotFound',
  malformed: 'InvalidReplaceRootVolumeTaskId.Malformed',
  view: ({ id, created, spec, status, tags }) => ({
    ReplaceRootVolumeTaskId: id, InstanceId: spec.instance, TaskState: status.state, StartTime: created, CompleteTime: status.completed,
    ImageId: spec.image, SnapshotId: spec.snapshot, DeleteReplacedRootVolume: spec.deleteReplaced, Tags: tagList(tags),
  }),
  filters: { 'instance-id': 'InstanceId' },
})
