/** Volumes, snapshots, images. */
import { isIn, snapshots, volumes } from '../../../src/service/ec2/states'
import { imageActions } from './images'
import { createSnapshot, description, fastRestore, imageOf, lock, notes, share } from './snapshots'
import { importSnapshot, tasks } from './transfers'
import { t, type Key } from '../i18n/text'
import { instanceInZone, snapshot, text, zone } from './choices'
import { call, currentRegion } from '../api/call'
import { hasIops, hasThroughput } from '../pages/launch-state'
import { column, nameColumn, stateColumn, withNames, type Field, type Values, type Resource } from './kinds'

const VOLUME_TYPES = ['gp3', 'gp2', 'io1', 'io2', 'st1', 'sc1', 'standard']
const number = (text: string): number | undefined => (text === '' ? undefined : Number(text))
const volumeType: Field = {
  name: 'type', label: 'launch.volumeType', kind: 'select', options: VOLUME_TYPES, named: type => t(`volumeType.${type}` as Key),
}
const volumeFields: Field[] = [
  volumeType,
  { name: 'size', label: 'launch.size', kind: 'number', value: '8' },
  { name: 'iops', label: 'f.iops', kind: 'number', optional: true, when: values => hasIops(values.type) },
  { name: 'throughput', label: 'f.throughput', kind: 'number', optional: true, when: values => hasThroughput(values.type) },
]
/** EBS User Guide, "Multi-Attach": volumes with provisioned IOPS alone. */
const canBeShared = ({ type }: Values): boolean => type === 'io1' || type === 'io2'
const performance = (values: Record<string, any>) => ({
  VolumeType: values.type,
  Size: number(values.size),
  Iops: hasIops(values.type) ? number(values.iops) : undefined,
  Throughput: hasThroughput(values.type) ? number(values.throughput) : undefined,
})

export const resources: Resource[] = withNames([
  {
    path: '/ec2/volumes',
    service: 'ec2',
    title: 'menu.volumes',
    empty: ['volumes.empty', 'volumes.emptyHint'],
    operation: 'DescribeVolumes',
    member: 'Volumes',
    id: item => item.VolumeId,
    kinds: ['volume', 'instance'],
    tagged: 'volume',
    columns: [
      nameColumn,
      column('VolumeId', 'f.VolumeId'),
      column('VolumeType', 'f.type', { width: 110 }),
      column('Size', 'f.size', { kind: 'gib', width: 110 }),
      column('Iops', 'f.iops', { width: 110 }),
      stateColumn,
      { id: 'attached', label: 'f.attached', value: item => item.Attachments?.map((a: any) => a.InstanceId).join(', '), link: '/ec2/instances' },
      column('Throughput', 'f.throughput', { hidden: true }),
      column('SnapshotId', 'f.SnapshotId', { link: '/ec2/snapshots', hidden: true }),
      column('CreateTime', 'f.created', { kind: 'date', hidden: true }),
      column('AvailabilityZone', 'f.zone', { hidden: true }),
      column('Encrypted', 'f.encrypted', { hidden: true }),
    ],
    create: {
      label: 'volumes.create',
      form: {
        operation: 'CreateVolume',
        id: answer => answer.VolumeId,
        fields: [...volumeFields, zone, snapshot, { name: 'multi', label: 'volumes.multi', kind: 'bool', when: canBeShared }],
        input: values => ({
          ...performance(values),
          AvailabilityZone: values.zone,
          SnapshotId: text(values.snapshot),
          MultiAttachEnabled: (canBeShared(values) && values.multi) || undefined,
        }),
      },
    },
    actions: [
      {
        id: 'attach',
        label: 'volumes.attach',
        enabled: item => isIn(volumes.attach, item.State) && (item.Attachments?.length === 0 || item.MultiAttachEnabled === true),
        form: {
          operation: 'AttachVolume',
          input: (values, item) => ({ VolumeId: item?.VolumeId, InstanceId: values.instance, Device: values.device }),
          fields: [instanceInZone, { name: 'device', label: 'f.device', value: '/dev/sdf' }],
        },
      },
      {
        id: 'detach',
        label: 'volumes.detach',
        operation: 'DetachVolume',
        each: item => ({ VolumeId: item.VolumeId }),
        enabled: item => isIn(volumes.detach, item.State),
        confirm: 'plain',
      },
      {
        id: 'force',
        label: 'volumes.force',
        operation: 'DetachVolume',
        each: item => ({ VolumeId: item.VolumeId, Force: true }),
        enabled: item => isIn(volumes.detach, item.State),
        confirm: 'typed',
      },
      {
        id: 'modify',
        label: 'volumes.modify',
        enabled: item => isIn(volumes.modify, item.State),
        form: {
          operation: 'ModifyVolume',
          fields: volumeFields,
          start: ({ VolumeType: type, Size, Iops, Throughput }) => ({
            type,
            size: String(Size),
            iops: String(Iops ?? ''),
            throughput: String(Throughput ?? ''),
          }),
          input: (values, item) => ({ VolumeId: item?.VolumeId, ...performance(values) }),
        },
      },
      {
        id: 'autoEnable',
        label: 'volumes.autoEnable',
        form: {
          operation: 'ModifyVolumeAttribute',
          fields: [{ name: 'on', label: 'volumes.autoEnabled', hint: 'volumes.autoEnableHint', kind: 'bool' }],
          start: async ({ VolumeId }) => {
            const { AutoEnableIO } = await call('ec2', 'DescribeVolumeAttribute', { VolumeId, Attribute: 'autoEnableIO' })
            return { on: AutoEnableIO.Value }
          },
          input: (values, item) => ({ VolumeId: item?.VolumeId, AutoEnableIO: { Value: values.on } }),
        },
      },
      {
        id: 'snapshot',
        label: 'volumes.snapshot',
        enabled: item => isIn(volumes.snapshot, item.State),
        form: {
          operation: 'CreateSnapshot',
          fields: [description],
          input: (values, item) => ({ VolumeId: item?.VolumeId, Description: text(values.description) }),
        },
      },
      {
        id: 'delete',
        label: 'volumes.delete',
        operation: 'DeleteVolume',
        each: item => ({ VolumeId: item.VolumeId }),
        enabled: item => isIn(volumes.delete, item.State),
        confirm: 'typed',
      },
    ],
  },
  {
    path: '/ec2/snapshots',
    service: 'ec2',
    title: 'menu.snapshots',
    empty: ['snapshots.empty', 'snapshots.emptyHint'],
    operation: 'DescribeSnapshots',
    member: 'Snapshots',
    input: { OwnerIds: ['self'] },
    id: item => item.SnapshotId,
    also: notes,
    kinds: ['snapshot'],
    tagged: 'snapshot',
    columns: [
      nameColumn,
      column('SnapshotId', 'f.SnapshotId'),
      column('VolumeSize', 'f.size', { kind: 'gib', width: 110 }),
      column('Description', 'f.description', { width: 190 }),
      stateColumn,
      column('StartTime', 'f.created', { kind: 'date' }),
      column('Progress', 'f.progress', { hidden: true }),
      column('VolumeId', 'f.VolumeId', { link: '/ec2/volumes', hidden: true }),
      column('LockState', 'snapshots.lockState', { kind: 'word', hidden: true }),
      column('LockExpiresOn', 'snapshots.lockExpires', { kind: 'date', hidden: true }),
      { id: 'fast', label: 'snapshots.fast', value: item => item.FastZones?.join(', '), hidden: true },
    ],
    create: { label: 'volumes.snapshot', form: createSnapshot },
    actions: [
      {
        id: 'volume',
        label: 'snapshots.volume',
        enabled: item => isIn(snapshots.use, item.State),
        form: {
          operation: 'CreateVolume',
          fields: [zone, volumeType],
          input: (values, item) => ({ SnapshotId: item?.SnapshotId, AvailabilityZone: values.zone, VolumeType: values.type }),
        },
      },
      {
        id: 'copy',
        label: 'snapshots.copy',
        enabled: item => isIn(snapshots.use, item.State),
        form: {
          operation: 'CopySnapshot',
          fields: [description],
          input: (values, item) => ({ SourceSnapshotId: item?.SnapshotId, SourceRegion: currentRegion(), Description: text(values.description) }),
        },
      },
      {
        id: 'share',
        label: 'snapshots.share',
        form: share,
      },
      { id: 'image', label: 'snapshots.image', enabled: item => isIn(snapshots.use, item.State), form: imageOf },
      { id: 'import', label: 'transfers.importSnapshot', least: 0, form: importSnapshot },
      { id: 'lock', label: 'snapshots.lock', enabled: item => isIn(snapshots.lock, item.State), form: lock },
      { id: 'fast', label: 'snapshots.manageFast', enabled: item => isIn(snapshots.use, item.State), form: fastRestore },
      { id: 'delete', label: 'snapshots.delete', operation: 'DeleteSnapshot', each: item => ({ SnapshotId: item.SnapshotId }), confirm: 'typed' },
    ],
  },
  {
    path: '/ec2/images',
    service: 'ec2',
    title: 'menu.amis',
    empty: ['images.empty', 'images.emptyHint'],
    operation: 'DescribeImages',
    member: 'Images',
    input: { Owners: ['self', 'amazon'] },
    id: item => item.ImageId,
    name: item => item.Name,
    kinds: ['image'],
    tagged: 'image',
    columns: [
      column('Name', 'f.ImageName', { width: 200 }),
      column('ImageId', 'f.ImageId'),
      column('Description', 'f.description', { width: 355 }),
      stateColumn,
      column('Architecture', 'f.architecture', { hidden: true }),
      column('DeprecationTime', 'images.deprecated', { kind: 'date', hidden: true }),
      column('DeregistrationProtection', 'images.protected', { kind: 'word', hidden: true }),
      { id: 'owner', label: 'f.OwnerId', value: item => item.ImageOwnerAlias ?? item.OwnerId },
      column('Public', 'f.public', { hidden: true }),
      column('CreationDate', 'f.created', { kind: 'date', hidden: true }),
      column('RootDeviceName', 'f.rootDevice', { hidden: true }),
    ],
    actions: imageActions,
  },
  tasks,
])
