/** Forms of snapshots: taken, shared, locked, made an AMI of. */
import { instances, isIn, volumes } from '../../../src/service/ec2/states'
import { listAll } from '../api/call'
import { t } from '../i18n/text'
import { instance, labelOf, moment, text, zone } from './choices'
import type { Field, Form, Item, Values } from './kinds'

export const description: Field = { name: 'description', label: 'f.description', optional: true }

const of = (kind: string) => (values: Values): boolean => values.of === kind
const volume: Field = {
  name: 'volume',
  label: 'f.VolumeId',
  kind: 'select',
  when: of('volume'),
  from: {
    operation: 'DescribeVolumes',
    member: 'Volumes',
    value: item => item.VolumeId,
    label: item => `${labelOf(item.VolumeId, item)} · ${item.Size} ${t('unit.gib')}`,
    keep: item => isIn(volumes.snapshot, item.State),
  },
}

/** Of one volume, or of all that an instance has, at one moment. */
export const createSnapshot: Form = {
  fields: [
    { name: 'of', label: 'snapshots.of', kind: 'select', options: ['volume', 'instance'] },
    volume,
    { ...instance, when: of('instance'), from: { ...instance.from!, keep: item => isIn(instances.image, item.State.Name) } },
    { name: 'noRoot', label: 'snapshots.noRoot', kind: 'bool', when: of('instance') },
    description,
  ],
  id: answer => answer.SnapshotId ?? answer.Snapshots?.map((one: Item) => one.SnapshotId).join(', '),
  calls: values => {
    const Description = text(values.description)
    if (values.of === 'volume') return [{ operation: 'CreateSnapshot', input: { VolumeId: values.volume, Description } }]
    const InstanceSpecification = { InstanceId: values.instance, ExcludeBootVolume: values.noRoot }
    return [{ operation: 'CreateSnapshots', input: { InstanceSpecification, Description } }]
  },
}

/** Whom something is shown to, or no more: an account, or everybody. */
export const sharing: Field[] = [
  { name: 'way', label: 'share.way', kind: 'select', options: ['add', 'remove'] },
  { name: 'with', label: 'share.with', kind: 'select', options: ['account', 'everybody'] },
  { name: 'account', label: 'share.account', when: values => values.with === 'account' },
]
export const sharedWith = (values: Values): object => ({
  [values.way === 'add' ? 'Add' : 'Remove']: [values.with === 'account' ? { UserId: values.account } : { Group: 'all' }],
})
export const share: Form = {
  operation: 'ModifySnapshotAttribute',
  fields: sharing,
  input: (values, item) => ({ SnapshotId: item?.SnapshotId, Attribute: 'createVolumePermission', CreateVolumePermission: sharedWith(values) }),
}

/** EBS User Guide, "Amazon EBS snapshot lock": a lock of compliance is only made longer once its time to cool off is over. */
export const lock: Form = {
  fields: [
    { name: 'mode', label: 'snapshots.lockMode', hint: 'snapshots.lockHint', kind: 'select', options: ['governance', 'compliance', 'unlock'] },
    { name: 'cool', label: 'snapshots.coolOff', kind: 'number', optional: true, when: values => values.mode === 'compliance' },
    { name: 'days', label: 'snapshots.lockDays', kind: 'number', optional: true, value: '1', when: values => values.mode !== 'unlock' },
    { name: 'until', label: 'snapshots.lockUntil', kind: 'moment', optional: true, when: values => values.mode !== 'unlock' && !values.days },
  ],
  calls: ({ mode, cool, days, until }, { SnapshotId }) => {
    if (mode === 'unlock') return [{ operation: 'UnlockSnapshot', input: { SnapshotId } }]
    const CoolOffPeriod = mode === 'compliance' && cool ? Number(cool) : undefined
    const time = days ? { LockDuration: Number(days) } : { ExpirationDate: moment(until) }
    return [{ operation: 'LockSnapshot', input: { SnapshotId, LockMode: mode, CoolOffPeriod, ...time } }]
  },
}

/** The zones in which volumes of it are at full speed from the start; those of all where none is named. */
const fastOf = (id?: string): Promise<Item[]> =>
  listAll('ec2', 'DescribeFastSnapshotRestores', 'FastSnapshotRestores', id ? { Filters: [{ Name: 'snapshot-id', Values: [id] }] } : {})

export const fastRestore: Form = {
  fields: [{ ...zone, name: 'zones', hint: 'snapshots.fastHint', kind: 'many', optional: true }],
  start: async ({ SnapshotId }) => {
    const zones = (await fastOf(SnapshotId)).map(one => one.AvailabilityZone as string)
    return { zones, held: zones }
  },
  calls({ zones, held = [] }, { SnapshotId }) {
    const on = zones.filter((one: string) => !held.includes(one))
    const off = held.filter((one: string) => !zones.includes(one))
    const change = (operation: string, AvailabilityZones: string[]) =>
      AvailabilityZones.length > 0 ? [{ operation, input: { AvailabilityZones, SourceSnapshotIds: [SnapshotId] } }] : []
    return [...change('EnableFastSnapshotRestores', on), ...change('DisableFastSnapshotRestores', off)]
  },
  problem({ Unsuccessful: [one] = [] }) {
    const error = one?.FastSnapshotRestoreStateErrors[0].Error
    return error && `${error.Code}: ${error.Message}`
  },
}

/** What is said of snapshots elsewhere: which are locked, how and until when, and where they restore fast. */
export async function notes(): Promise<Map<string, Item>> {
  const found = new Map<string, Item>()
  const [locked, fast] = await Promise.all([listAll('ec2', 'DescribeLockedSnapshots', 'Snapshots'), fastOf()])
  for (const { SnapshotId, LockState, LockExpiresOn } of locked) found.set(SnapshotId, { LockState, LockExpiresOn })
  for (const { SnapshotId: id, AvailabilityZone: zone } of fast) {
    const { FastZones: zones = [], ...rest } = found.get(id) ?? {}
    found.set(id, { ...rest, FastZones: [...zones, zone] })
  }
  return found
}

export const imageOf: Form = {
  operation: 'RegisterImage',
  fields: [
    { name: 'name', label: 'images.name' },
    description,
    { name: 'architecture', label: 'f.architecture', kind: 'select', options: ['x86_64', 'arm64'] },
    { name: 'device', label: 'f.rootDevice', value: '/dev/xvda' },
  ],
  input: (values, item) => ({
    Name: values.name,
    Description: text(values.description),
    Architecture: values.architecture,
    RootDeviceName: values.device,
    VirtualizationType: 'hvm',
    EnaSupport: true,
    BlockDeviceMappings: [{ DeviceName: values.device, Ebs: { SnapshotId: item?.SnapshotId } }],
  }),
}
