/**
 * An EBS volume: what it is and how it looks. Its disk has the volume's id in the engine (plan.ts, drive.ts).
 *
 * Invariant: a volume's zone, snapshot and origin never change; `desired` goes from present to absent and never back.
 */
import type { Volume, VolumeStatusItem } from '@aws-sdk/client-ec2'
import type { Absent, DiskSeen } from '#engine/port'
import type { Place } from '#kit/action'
import { resource, tagList } from '#kit/resource'
import { zoneId } from '#service/ec2/region/region'
import { gp2Iops } from '#service/ec2/volume/limits'
import type { Reader, Row } from '#store/store'

export type Attachment = { instance: string; device: string; deleteOnTermination: boolean; time: string; root: boolean }
export type Spec = {
  zone: string
  sizeGiB: number
  type: 'gp2' | 'gp3' | 'io1' | 'io2' | 'st1' | 'sc1' | 'standard'
  iops?: number
  /** MiB/s, gp3 only. */
  throughput?: number
  snapshot?: string
  /** What it is a copy of: an image or a disk of the engine's. */
  from?: { image: string } | { disk: string }
  desired: 'present' | 'absent'
  attachment?: Attachment
}
export type Status = {
  state: 'creating' | 'available' | 'in-use' | 'deleting' | 'error'
  /** Its disk was there once: it is never made again, as that would be another, empty one. */
  made?: true
  /** Why it is in error. */
  reason?: string
}
export type VolumeRow = Row<Spec, Status>
/** What the engine says of its disk. */
export type Seen = DiskSeen | Absent

function view({ id, account, region, created, spec, status, tags }: VolumeRow): Volume {
  const iops = spec.type === 'gp2' ? gp2Iops(spec.sizeGiB) : spec.iops
  const { attachment } = spec
  return {
    VolumeId: id, VolumeArn: `arn:aws:ec2:${region}:${account}:volume/${id}`, OwnerId: account, State: status.state,
    AvailabilityZone: spec.zone, AvailabilityZoneId: zoneId(spec.zone), CreateTime: new Date(created), Size: spec.sizeGiB,
    VolumeType: spec.type, Iops: iops, Throughput: spec.throughput, SnapshotId: spec.snapshot ?? '', Encrypted: false,
    MultiAttachEnabled: false, Operator: { Managed: false }, Tags: tagList(tags),
    Attachments: attachment ? [{
      VolumeId: id, InstanceId: attachment.instance, Device: attachment.device, AttachTime: new Date(attachment.time),
      DeleteOnTermination: attachment.deleteOnTermination, State: status.state === 'creating' ? 'attaching' : 'attached',
    }] : [],
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
function statusView({ id, spec, status }: VolumeRow): VolumeStatusItem {
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
    AttachmentStatuses: spec.attachment ? [{ InstanceId: spec.attachment.instance, IoPerformance: 'not-applicable' }] : [],
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

/** The volumes attached to an instance, in the order of devices. */
export async function volumesOf(reader: Reader, place: Place, instance: string): Promise<VolumeRow[]> {
  const rows = (await volume.list(reader, place)).filter(row => row.spec.attachment?.instance === instance)
  return rows.sort((a, b) => (a.spec.attachment!.device < b.spec.attachment!.device ? -1 : 1))
}
