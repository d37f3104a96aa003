/**
 * An EBS volume: what it is and how it looks. Its disk has the volume's id in the engine (plan.ts, drive.ts).
 *
 * Invariants: a volume's zone, snapshot and origin never change; `desired` goes from present to absent and never back; a volume that is not
 * multi-attach has one attachment at most.
 */
import type { Volume, VolumeAttachment, VolumeStatusItem } from '@aws-sdk/client-ec2'
import type { Absent, DiskLimits, DiskSeen } from '#engine/port'
import { resource, tagList } from '#kit/resource'
import { zoneId } from '#service/ec2/region/region'
import type { Credits } from '#service/ec2/volume/credits'
import { gp2Iops } from '#service/ec2/volume/limits'
import type { Modification } from '#service/ec2/volume/modification'
import type { Row } from '#store/store'

export type Attachment = {
  instance: string
  device: string
  deleteOnTermination: boolean
  time: string
  /** It is the instance's root volume. */
  root: boolean
  /** On its way, as asked; the instance's loop ends it. */
  moving?: 'attaching' | 'detaching'
  /** Taken from the instance, whose guest still has it mounted. */
  busy?: boolean
  /** Detached whatever the guest does with it. */
  force?: boolean
}
/** What a volume has of its type; also what a modification changes. */
export type Shape = {
  sizeGiB: number
  type: 'gp2' | 'gp3' | 'io1' | 'io2' | 'st1' | 'sc1' | 'standard'
  iops?: number
  /** MiB/s, gp3 only. */
  throughput?: number
  multiAttach?: boolean
}
export type Spec = Shape & {
  zone: string
  snapshot?: string
  /** What it is a copy of: an image or a disk of the engine's. */
  from?: { image: string } | { disk: string }
  /** A root disk made of another machine's gets an identity of its own. */
  identity?: 'fresh'
  desired: 'present' | 'absent'
  attachments?: Attachment[]
  /** The one attachment as records had it before volumes could have several: read by attachmentsOf alone. */
  attachment?: Attachment
  autoEnableIO?: boolean
}
export type Status = {
  state: 'creating' | 'available' | 'in-use' | 'deleting' | 'error'
  /** Its disk was there once: it is never made again, as that would be another, empty one. */
  made?: true
  /** Why it is in error. */
  reason?: string
  /** What the engine was told last to hold it to. */
  limits?: DiskLimits
  /** Of types that burst; absent: never used. */
  credits?: Credits
  modification?: Modification
}
export type VolumeRow = Row<Spec, Status>
/**
 * What the engine says of its disk, and what it should be held to. Of one that is to go: whether a machine has it, and whether something is
 * still being copied from it.
 */
export type Seen = { disk: DiskSeen | Absent; limits?: DiskLimits; used?: boolean; copied?: boolean }

/** The attachments of a volume, those that are ending too. */
export const attachmentsOf = ({ spec }: Pick<VolumeRow, 'spec'>): Attachment[] =>
  spec.attachments ?? (spec.attachment ? [spec.attachment] : [])
export const attachmentTo = (row: Pick<VolumeRow, 'spec'>, instance: string): Attachment | undefined =>
  attachmentsOf(row).find(one => one.instance === instance)
/** A change of the attachments: the one to an instance becomes another, or none. */
export function attaching(row: Pick<VolumeRow, 'spec'>, instance: string, to: Attachment | undefined): Pick<Spec, 'attachments' | 'attachment'> {
  const others = attachmentsOf(row).filter(one => one.instance !== instance)
  return { attachments: to ? [...others, to] : others, attachment: undefined }
}

/** An attachment's state in EC2's words. */
type AttachmentState = 'attaching' | 'attached' | 'detaching' | 'busy'
export const attachmentState = ({ status }: Pick<VolumeRow, 'status'>, { moving, busy }: Attachment): AttachmentState =>
  busy ? 'busy' : moving ?? (status.state === 'creating' ? 'attaching' : 'attached')

export const attachmentView = (row: VolumeRow, attachment: Attachment): VolumeAttachment => ({
  VolumeId: row.id, InstanceId: attachment.instance, Device: attachment.device, AttachTime: new Date(attachment.time),
  DeleteOnTermination: attachment.deleteOnTermination, State: attachmentState(row, attachment),
})

function view(row: VolumeRow): Volume {
  const { id, account, region, created, spec, status, tags } = row
  const iops = spec.type === 'gp2' ? gp2Iops(spec.sizeGiB) : spec.iops
  return {
    VolumeId: id, VolumeArn: `arn:aws:ec2:${region}:${account}:volume/${id}`, OwnerId: account, State: status.state,
    AvailabilityZone: spec.zone, AvailabilityZoneId: zoneId(spec.zone), CreateTime: new Date(created), Size: spec.sizeGiB,
    VolumeType: spec.type, Iops: iops, Throughput: spec.throughput, SnapshotId: spec.snapshot ?? '', Encrypted: false,
    MultiAttachEnabled: spec.multiAttach ?? false, Operator: { Managed: false }, Tags: tagList(tags),
    Attachments: attachmentsOf(row).map(attachment => attachmentView(row, attachment)),
  }
}

const identity = {
  kind: 'volume', prefix: 'vol', label: 'volume', missing: 'InvalidVolume.NotFound', malformed: 'InvalidVolumeID.Malformed',
}

export const volume = resource<Spec, Status, Volume>({
  ...identity, view,
  filters: {
    'attachment.attach-time': 'Attachments.AttachTime', 'attachment.delete-on-termination': 'Attachments.DeleteOnTermination',
    'attachment.device': 'Attachments.Device', 'attachment.instance-id': 'Attachments.InstanceId', 'attachment.status': 'Attachments.State',
    'availability-zone': 'AvailabilityZone', 'availability-zone-id': 'AvailabilityZoneId', 'create-time': 'CreateTime',
    encrypted: 'Encrypted', 'fast-restored': 'FastRestored', 'multi-attach-enabled': 'MultiAttachEnabled',
    'operator.managed': 'Operator.Managed', 'operator.principal': 'Operator.Principal', size: 'Size', 'snapshot-id': 'SnapshotId',
    status: 'State', 'volume-id': 'VolumeId', 'volume-type': 'VolumeType',
  },
})

/** The check of a volume: 'ok' while its disk is there, 'impaired' when it was lost. Its speed is not judged. */
function statusView(row: VolumeRow): VolumeStatusItem {
  const { id, spec, status } = row
  const impaired = status.state === 'error'
  const pending = status.state === 'creating'
  return {
    VolumeId: id, AvailabilityZone: spec.zone, AvailabilityZoneId: zoneId(spec.zone), Actions: [], Events: [],
    VolumeStatus: {
      Status: impaired ? 'impaired' : pending ? 'insufficient-data' : 'ok',
      Details: [
        { Name: 'io-enabled', Status: impaired ? 'failed' : pending ? 'insufficient-data' : 'passed' },
        { Name: 'io-performance', Status: 'not-applicable' },
      ],
    },
    AttachmentStatuses: attachmentsOf(row).map(({ instance }) => ({ InstanceId: instance, IoPerformance: 'not-applicable' })),
  }
}

/** The same volumes as DescribeVolumeStatus sees them. */
export const volumeStatus = resource<Spec, Status, VolumeStatusItem>({
  ...identity, view: statusView,
  filters: {
    'action.code': 'Actions.Code', 'action.description': 'Actions.Description', 'action.event-id': 'Actions.EventId',
    'attachment-status.instance-id': 'AttachmentStatuses.InstanceId',
    'attachment-status.io-performance': 'AttachmentStatuses.IoPerformance',
    'availability-zone': 'AvailabilityZone', 'event.description': 'Events.Description', 'event.event-id': 'Events.EventId',
    'event.event-type': 'Events.EventType', 'event.not-after': 'Events.NotAfter', 'event.not-before': 'Events.NotBefore',
    'volume-status.details-name': 'VolumeStatus.Details.Name', 'volume-status.details-status': 'VolumeStatus.Details.Status',
    'volume-status.status': 'VolumeStatus.Status',
  },
})
