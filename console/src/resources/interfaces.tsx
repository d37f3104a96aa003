/** Network interfaces. Those that a service has made for itself are not their account's to change. */
import { interfaces, isIn } from '../../../src/service/ec2/states'
import { flowLogsOf } from '../parts/VpcTabs'
import { instanceInZone, lines, securityGroups, subnet, text, within } from './choices'
import { column, nameColumn, subnetColumn, vpcColumn, type Action, type Call, type Field, type Form, type Item, type Resource } from './kinds'

const id = (item: Item | undefined): object => ({ NetworkInterfaceId: item?.NetworkInterfaceId })
const isOwn = (item: Item): boolean => item.RequesterManaged !== true

/** A form of one attribute. */
const attribute = (field: Field, input: (value: any, item: Item) => object, now: (item: Item) => unknown): Form => ({
  operation: 'ModifyNetworkInterfaceAttribute',
  fields: [field],
  start: item => ({ [field.name]: now(item) }),
  input: (values, item) => ({ ...id(item), ...input(values[field.name], item) }),
})

const describe = attribute(
  { name: 'description', label: 'f.description', optional: true },
  Value => ({ Description: { Value } }),
  item => item.Description ?? '',
)
const groups = attribute(
  within(securityGroups, ({ of }) => of?.VpcId),
  Groups => ({ Groups }),
  item => item.Groups?.map((one: Item) => one.GroupId) ?? [],
)
const sourceCheck = attribute(
  { name: 'on', label: 'f.sourceCheck', kind: 'bool' },
  Value => ({ SourceDestCheck: { Value } }),
  item => item.SourceDestCheck,
)
const termination = attribute(
  { name: 'on', label: 'f.deleteOnTermination', kind: 'bool' },
  (DeleteOnTermination, item) => ({ Attachment: { AttachmentId: item?.Attachment?.AttachmentId, DeleteOnTermination } }),
  item => item.Attachment?.DeleteOnTermination,
)

const secondary = (item: Item): Item[] => (item.PrivateIpAddresses ?? []).filter((one: Item) => !one.Primary)
const addresses6 = (item: Item): string[] => (item.Ipv6Addresses ?? []).map((one: Item) => one.Ipv6Address)
const addresses4 = (item: Item): string[] => (item.PrivateIpAddresses ?? []).map((one: Item) => one.PrivateIpAddress)
const called = (operation: string, item: Item, input: object, wanted: boolean): Call[] =>
  wanted ? [{ operation, input: { ...id(item), ...input } }] : []

/** What goes, what comes by name, and how many more: those that go make room first. */
const manageAddresses: Form = {
  fields: [
    {
      name: 'gone4',
      label: 'nics.gone4',
      kind: 'many',
      optional: true,
      own: item => secondary(item).map(one => ({ value: one.PrivateIpAddress, label: one.PrivateIpAddress })),
    },
    { name: 'named4', label: 'nics.named4', kind: 'area', optional: true },
    { name: 'more4', label: 'nics.more4', kind: 'number', optional: true },
    { name: 'again', label: 'nics.reassign', kind: 'bool' },
    { name: 'gone6', label: 'nics.gone6', kind: 'many', optional: true, own: item => addresses6(item).map(value => ({ value, label: value })) },
    { name: 'named6', label: 'nics.named6', kind: 'area', optional: true },
    { name: 'more6', label: 'nics.more6', kind: 'number', optional: true },
  ],
  calls(values, item) {
    const { gone4, gone6, more4, more6 } = values
    const [named4, named6] = [lines(values.named4), lines(values.named6)]
    const AllowReassignment = values.again || undefined
    const by4 = { PrivateIpAddresses: named4, AllowReassignment }
    return [
      ...called('UnassignPrivateIpAddresses', item, { PrivateIpAddresses: gone4 }, gone4.length > 0),
      ...called('AssignPrivateIpAddresses', item, by4, named4.length > 0),
      ...called('AssignPrivateIpAddresses', item, { SecondaryPrivateIpAddressCount: Number(more4) }, Number(more4) > 0),
      ...called('UnassignIpv6Addresses', item, { Ipv6Addresses: gone6 }, gone6.length > 0),
      ...called('AssignIpv6Addresses', item, { Ipv6Addresses: named6 }, named6.length > 0),
      ...called('AssignIpv6Addresses', item, { Ipv6AddressCount: Number(more6) }, Number(more6) > 0),
    ]
  },
}

const create: Form = {
  operation: 'CreateNetworkInterface',
  id: answer => answer.NetworkInterface.NetworkInterfaceId,
  fields: [
    subnet,
    { name: 'description', label: 'f.description', optional: true },
    { name: 'address', label: 'f.privateIp', hint: 'nics.addressHint', optional: true },
    { ...within(securityGroups, ({ chosen }) => chosen.subnet?.VpcId), hint: 'nics.groupsHint', optional: true },
  ],
  input: values => ({
    SubnetId: values.subnet,
    Description: text(values.description),
    PrivateIpAddress: text(values.address),
    Groups: values.groups.length > 0 ? values.groups : undefined,
  }),
}

const attach: Form = {
  operation: 'AttachNetworkInterface',
  fields: [instanceInZone, { name: 'index', label: 'nics.index', kind: 'number', value: '1' }],
  input: (values, item) => ({ ...id(item), InstanceId: values.instance, DeviceIndex: Number(values.index) }),
}

const actions: Action[] = [
  { id: 'attach', label: 'nics.attach', enabled: item => isIn(interfaces.attach, item.Status), form: attach },
  {
    id: 'detach',
    label: 'nics.detach',
    operation: 'DetachNetworkInterface',
    each: item => ({ AttachmentId: item.Attachment.AttachmentId }),
    enabled: item => isIn(interfaces.detach, item.Status) && item.Attachment?.DeviceIndex > 0,
    confirm: 'plain',
  },
  { id: 'addresses', label: 'nics.manageAddresses', enabled: isOwn, form: manageAddresses },
  { id: 'groups', label: 'instances.changeGroups', enabled: isOwn, form: groups },
  { id: 'sourceCheck', label: 'instances.sourceCheck', enabled: isOwn, form: sourceCheck },
  {
    id: 'termination',
    label: 'nics.termination',
    enabled: item => isOwn(item) && isIn(interfaces.detach, item.Status) && item.Attachment?.AttachmentId !== undefined,
    form: termination,
  },
  { id: 'describe', label: 'nics.describe', enabled: isOwn, form: describe },
  {
    id: 'delete',
    label: 'nics.delete',
    operation: 'DeleteNetworkInterface',
    each: id as (item: Item) => Record<string, unknown>,
    enabled: item => isOwn(item) && isIn(interfaces.delete, item.Status),
    confirm: 'plain',
  },
]

export const networkInterfaces: Resource = {
  path: '/ec2/network-interfaces',
  service: 'ec2',
  title: 'menu.interfaces',
  empty: ['nics.empty', 'nics.emptyHint'],
  operation: 'DescribeNetworkInterfaces',
  member: 'NetworkInterfaces',
  id: item => item.NetworkInterfaceId,
  kinds: ['network-interface', 'instance', 'elastic-ip'],
  rows: items => items.map(item => ({ ...item, Tags: item.TagSet })),
  tagged: 'network-interface',
  columns: [
    nameColumn,
    column('NetworkInterfaceId', 'f.InterfaceId'),
    subnetColumn,
    { ...vpcColumn, hidden: true },
    column('AvailabilityZone', 'f.zone', { hidden: true }),
    { id: 'groups', label: 'f.groups', value: item => item.Groups?.map((one: Item) => one.GroupName).join(', '), hidden: true },
    column('InterfaceType', 'f.interfaceType', { kind: 'word', hidden: true }),
    column('Attachment.InstanceId', 'f.InstanceId', { link: '/ec2/instances' }),
    column('Status', 'f.state', { kind: 'state', width: 136 }),
    { id: 'PrivateIpAddress', label: 'f.privateIp', value: item => addresses4(item).join(', ') },
    { id: 'ipv6', label: 'f.ipv6Addresses', value: item => addresses6(item).join(', '), hidden: true },
    column('Association.PublicIp', 'f.publicIp', { hidden: true }),
    column('Description', 'f.description', { hidden: true }),
    column('Attachment.DeleteOnTermination', 'f.deleteOnTermination', { hidden: true }),
    column('MacAddress', 'f.mac', { hidden: true }),
    column('SourceDestCheck', 'f.sourceCheck', { hidden: true }),
  ],
  create: { label: 'nics.create', form: create },
  actions,
  tabs: [flowLogsOf(item => item.NetworkInterfaceId)],
}
