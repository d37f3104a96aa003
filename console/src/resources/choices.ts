/** Fields that many forms have. */
import { instances, isIn, snapshots } from '../../../src/service/ec2/states'
import { nameOf, type Field, type Item } from './kinds'

export const vpc: Field = {
  name: 'vpc',
  label: 'f.VpcId',
  kind: 'select',
  from: { operation: 'DescribeVpcs', member: 'Vpcs', value: item => item.VpcId, label: item => `${labelOf(item.VpcId, item)} · ${item.CidrBlock}` },
}
export const subnet: Field = {
  name: 'subnet',
  label: 'f.SubnetId',
  kind: 'select',
  from: {
    operation: 'DescribeSubnets',
    member: 'Subnets',
    value: item => item.SubnetId,
    label: item => `${labelOf(item.SubnetId, item)} · ${item.AvailabilityZone} · ${item.CidrBlock}`,
  },
}
export const zone: Field = {
  name: 'zone',
  label: 'f.zone',
  kind: 'select',
  from: { operation: 'DescribeAvailabilityZones', member: 'AvailabilityZones', value: item => item.ZoneName },
}
/** Instances, out of their reservations. */
export const instancesOf = (reservations: Item[]): Item[] =>
  reservations.flatMap(r => r.Instances.map((i: Item) => ({ ...i, ReservationId: r.ReservationId, OwnerId: r.OwnerId })))
export const labelOf = (id: string, item: Item): string => (nameOf(item) ? `${nameOf(item)} (${id})` : id)
export const instance: Field = {
  name: 'instance',
  label: 'f.InstanceId',
  kind: 'select',
  from: {
    operation: 'DescribeInstances',
    member: 'Reservations',
    rows: instancesOf,
    value: item => item.InstanceId,
    label: item => labelOf(item.InstanceId, item),
    keep: item => isIn(instances.attach, item.State.Name),
  },
}
export const snapshot: Field = {
  name: 'snapshot',
  label: 'f.SnapshotId',
  kind: 'select',
  optional: true,
  from: {
    operation: 'DescribeSnapshots',
    member: 'Snapshots',
    input: { OwnerIds: ['self'] },
    value: item => item.SnapshotId,
    label: item => `${labelOf(item.SnapshotId, item)}${item.Description ? `: ${item.Description}` : ''}`,
    keep: item => isIn(snapshots.use, item.State),
  },
}
/** A text that was left empty is a parameter that was not given. */
export const text = (value: string): string | undefined => (value === '' ? undefined : value)
/** An action whose input is the thing's id alone. */
export const simple = (operation: string, member: string) => ({ operation, each: (item: Item) => ({ [member]: item[member] }) })
