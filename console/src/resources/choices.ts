/** Fields that many forms have. */
import type { Field, Item } from './kinds'

export const vpc: Field = {
  name: 'vpc',
  label: 'f.VpcId',
  kind: 'select',
  from: { operation: 'DescribeVpcs', member: 'Vpcs', value: item => item.VpcId, label: item => `${item.VpcId} (${item.CidrBlock})` },
}
export const subnet: Field = {
  name: 'subnet',
  label: 'f.SubnetId',
  kind: 'select',
  from: {
    operation: 'DescribeSubnets',
    member: 'Subnets',
    value: item => item.SubnetId,
    label: item => `${item.SubnetId} (${item.AvailabilityZone}, ${item.CidrBlock})`,
  },
}
export const zone: Field = {
  name: 'zone',
  label: 'f.zone',
  kind: 'select',
  from: { operation: 'DescribeAvailabilityZones', member: 'AvailabilityZones', value: item => item.ZoneName },
}
/** A text that was left empty is a parameter that was not given. */
export const text = (value: string): string | undefined => (value === '' ? undefined : value)
/** An action whose input is the thing's id alone. */
export const simple = (operation: string, member: string) => ({ operation, each: (item: Item) => ({ [member]: item[member] }) })
