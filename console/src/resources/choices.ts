/** Fields that many forms have. */
import { instances, isIn, snapshots } from '../../../src/service/ec2/states'
import type { Input } from '../api/call'
import { t, type Key } from '../i18n/text'
import { nameOf, type Action, type Around, type Field, type Form, type Item } from './kinds'

export const vpc: Field = {
  name: 'vpc',
  label: 'f.VpcId',
  kind: 'select',
  from: {
    operation: 'DescribeVpcs',
    member: 'Vpcs',
    // The default one first, which is meant where nothing else is chosen.
    rows: items => [...items].sort((a, b) => Number(b.IsDefault) - Number(a.IsDefault)),
    value: item => item.VpcId,
    label: item => `${labelOf(item.VpcId, item)} · ${item.CidrBlock}${item.IsDefault ? ` (${t('templates.isDefault')})` : ''}`,
  },
}
export const subnet: Field = {
  name: 'subnet',
  label: 'f.SubnetId',
  kind: 'select',
  from: {
    operation: 'DescribeSubnets',
    member: 'Subnets',
    value: item => item.SubnetId,
    label: item => `${labelOf(item.SubnetId, item)} · ${item.VpcId} · ${item.AvailabilityZone} · ${item.CidrBlock}`,
  },
}
export const networkInterface: Field = {
  name: 'interface',
  label: 'f.InterfaceId',
  kind: 'select',
  from: {
    operation: 'DescribeNetworkInterfaces',
    member: 'NetworkInterfaces',
    value: item => item.NetworkInterfaceId,
    label: item => `${item.NetworkInterfaceId} · ${item.PrivateIpAddress}`,
  },
}
export const securityGroup: Field = {
  name: 'group',
  label: 'f.groups',
  kind: 'select',
  from: {
    operation: 'DescribeSecurityGroups',
    member: 'SecurityGroups',
    value: item => item.GroupId,
    label: item => `${item.GroupName} (${item.GroupId}) · ${item.VpcId}`,
  },
}
export const securityGroups: Field = { ...securityGroup, name: 'groups', kind: 'many' }
export const routeTable: Field = {
  name: 'table',
  label: 'f.RouteTableId',
  kind: 'select',
  from: {
    operation: 'DescribeRouteTables',
    member: 'RouteTables',
    value: item => item.RouteTableId,
    label: item => `${labelOf(item.RouteTableId, item)} · ${item.VpcId}`,
  },
}
export const routeTables: Field = { ...routeTable, name: 'tables', label: 'menu.routes', kind: 'many' }
export const subnets: Field = { ...subnet, name: 'subnets', label: 'menu.subnets', kind: 'many' }
/** Those alone that are in a VPC: that of the thing that the form is about, or of what is chosen beside it. */
export const within = (field: Field, vpcOf: (around: Around) => string | undefined): Field => {
  const from = field.from!
  return { ...field, from: { ...from, keep: (item, around) => (from.keep?.(item, around) ?? true) && item.VpcId === vpcOf(around) } }
}
export const ofVpc = ({ chosen }: Around): string | undefined => chosen.vpc?.VpcId
export const dhcpOptions: Field = {
  name: 'options',
  label: 'f.DhcpId',
  kind: 'select',
  from: {
    operation: 'DescribeDhcpOptions',
    member: 'DhcpOptions',
    value: item => item.DhcpOptionsId,
    label: item => labelOf(item.DhcpOptionsId, item),
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
/** Volumes and interfaces are attached within one Availability Zone. */
export const instanceInZone: Field = {
  ...instance,
  from: {
    ...instance.from!,
    keep: (item, { of }) => isIn(instances.attach, item.State.Name) && item.Placement.AvailabilityZone === of?.AvailabilityZone,
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
/** Those of IAM's things that have a name, one to be chosen. */
const named = (name: string, label: Key, kind: 'User' | 'Group' | 'Role'): Field => ({
  name,
  label,
  kind: 'select',
  from: { service: 'iam', operation: `List${kind}s`, member: `${kind}s`, value: item => item[`${kind}Name`] },
})
export const user = named('user', 'f.user', 'User')
export const group = named('group', 'iam.group', 'Group')
export const role = named('role', 'f.roleName', 'Role')

export const profile: Field = {
  name: 'profile',
  label: 'f.role',
  kind: 'select',
  from: { service: 'iam', operation: 'ListInstanceProfiles', member: 'InstanceProfiles', value: item => item.InstanceProfileName },
}

/** Attaches a policy to one that may have some. */
export const attach = (kind: 'User' | 'Group' | 'Role'): Action => ({
  id: 'policy',
  label: 'users.attach',
  form: {
    operation: `Attach${kind}Policy`,
    fields: [
      {
        name: 'policy',
        label: 'f.policy',
        kind: 'select',
        from: { operation: 'ListPolicies', member: 'Policies', service: 'iam', value: item => item.Arn, label: item => item.PolicyName },
      },
    ],
    input: (values, item) => ({ [`${kind}Name`]: item?.[`${kind}Name`], PolicyArn: values.policy }),
  },
})

/** A policy that is its owner's alone. */
export const inlinePolicy = (kind: 'User' | 'Group' | 'Role'): Action => ({
  id: 'inline',
  label: 'iam.putInline',
  form: {
    operation: `Put${kind}Policy`,
    fields: [
      { name: 'name', label: 'f.policy' },
      { name: 'document', label: 'policies.document', kind: 'json', value: READ_INSTANCES },
    ],
    input: (values, item) => ({ [`${kind}Name`]: item?.[`${kind}Name`], PolicyName: values.name, PolicyDocument: values.document }),
  },
})
export const READ_INSTANCES = JSON.stringify(
  { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'ec2:Describe*', Resource: '*' }] },
  null,
  2,
)

/** What was written, a line each. */
export const lines = (given: string): string[] =>
  given
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)
/** A moment that was typed, in UTC; what is not whole yet is none. */
export const moment = (value: string): Date | undefined =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(value) ? new Date(`${value}:00Z`) : undefined
/** As a field for moments begins with it. */
export const momentText = (at: Date | string): string => new Date(at).toISOString().slice(0, 16)
/** A text that was left empty is a parameter that was not given. */
export const text = (value: string): string | undefined => (value === '' ? undefined : value)
/** An action whose input is the thing's id alone. */
export const simple = (operation: string, member: string) => ({ operation, each: (item: Item) => ({ [member]: item[member] }) })
/** What takes some away from a table inside a page. */
export const taking = (label: Key, operation: string, each: (item: Item) => Input, confirm: Action['confirm'] = 'plain'): Action => ({
  id: 'remove', label, operation, each, confirm,
})
/** A form that asks for a name and nothing else. */
export const nameForm = (kind: 'User' | 'Group' | 'InstanceProfile', label: Key): Form => ({
  operation: `Create${kind}`,
  id: answer => answer[kind][`${kind}Name`],
  fields: [{ name: 'name', label }],
  input: values => ({ [`${kind}Name`]: values.name }),
})
/** A form that asks for a VPC and nothing else. */
export const vpcForm = (operation: string, kind: string): Form => ({
  operation,
  id: answer => answer[kind][`${kind}Id`],
  fields: [vpc],
  input: values => ({ VpcId: values.vpc }),
})
