/** What is done with VPCs and subnets: their blocks of addresses and their settings. */
import { call } from '../api/call'
import type { Key } from '../i18n/text'
import { dhcpOptions, simple } from './choices'
import type { Action, Call, Choice, Field, Form, Item, Values } from './kinds'

const blocks6 = (item: Item): Item[] =>
  (item.Ipv6CidrBlockAssociationSet ?? []).filter((one: Item) => one.Ipv6CidrBlockState?.State === 'associated')
/** The IPv6 blocks of a VPC or a subnet, in words. */
export const ipv6Of = (item: Item): string => blocks6(item).map(one => one.Ipv6CidrBlock).join(', ')

/** The first IPv4 block of a VPC stays as long as the VPC. */
const removable = (item: Item): Choice[] => [
  ...blocks6(item).map(one => ({ value: one.AssociationId, label: one.Ipv6CidrBlock })),
  ...(item.CidrBlockAssociationSet ?? [])
    .filter((one: Item) => one.CidrBlock !== item.CidrBlock && one.CidrBlockState?.State === 'associated')
    .map((one: Item) => ({ value: one.AssociationId, label: one.CidrBlock })),
]
const removing = (id: string, label: Key, operation: string): Action => ({
  id,
  label,
  enabled: item => removable(item).length > 0,
  form: {
    operation,
    fields: [{ name: 'block', label: 'vpc.block', kind: 'select', own: removable }],
    input: values => ({ AssociationId: values.block }),
  },
})

/** One of the two attributes of a VPC that say who gets names, as it is now. */
const vpcNames = (member: 'EnableDnsHostnames' | 'EnableDnsSupport', label: Key): Action => ({
  id: member,
  label,
  form: {
    operation: 'ModifyVpcAttribute',
    fields: [{ name: 'on', label: 'instances.enable', kind: 'bool' }],
    start: async item => {
      const Attribute = member[0]!.toLowerCase() + member.slice(1)
      return { on: (await call('ec2', 'DescribeVpcAttribute', { VpcId: item.VpcId, Attribute }))[member].Value }
    },
    input: (values, item) => ({ VpcId: item?.VpcId, [member]: { Value: values.on } }),
  },
})

const options: Form = {
  operation: 'AssociateDhcpOptions',
  fields: [dhcpOptions],
  start: item => ({ options: item.DhcpOptionsId }),
  input: (values, item) => ({ VpcId: item?.VpcId, DhcpOptionsId: values.options }),
}
const addBlock: Form = {
  operation: 'AssociateVpcCidrBlock',
  fields: [
    { name: 'family', label: 'f.family', kind: 'select', options: ['IPv6', 'IPv4'] },
    { name: 'cidr', label: 'f.cidr', value: '10.1.0.0/16', when: values => values.family === 'IPv4' },
  ],
  input: (values, item) => ({
    VpcId: item?.VpcId,
    ...(values.family === 'IPv4' ? { CidrBlock: values.cidr } : { AmazonProvidedIpv6CidrBlock: true }),
  }),
}

export const vpcActions: Action[] = [
  vpcNames('EnableDnsHostnames', 'vpc.dnsHostnames'),
  vpcNames('EnableDnsSupport', 'vpc.dnsSupport'),
  { id: 'options', label: 'vpc.dhcp', form: options },
  { id: 'block', label: 'vpc.addBlock', form: addBlock },
  removing('noBlock', 'vpc.removeBlock', 'DisassociateVpcCidrBlock'),
  {
    id: 'default',
    label: 'vpc.createDefault',
    least: 0,
    where: all => !all.some(one => one.IsDefault),
    form: { operation: 'CreateDefaultVpc', id: answer => answer.Vpc.VpcId, fields: [], input: () => ({}) },
  },
  { id: 'delete', label: 'vpc.delete', ...simple('DeleteVpc', 'VpcId'), confirm: 'typed' },
]

/** What a subnet gives to instances that are launched in it. */
const SETTINGS = {
  MapPublicIpOnLaunch: { label: 'f.autoPublic', now: item => item.MapPublicIpOnLaunch === true },
  AssignIpv6AddressOnCreation: { label: 'subnets.autoIpv6', now: item => item.AssignIpv6AddressOnCreation === true },
  EnableResourceNameDnsARecordOnLaunch: {
    label: 'subnets.resourceName',
    now: item => item.PrivateDnsNameOptionsOnLaunch?.EnableResourceNameDnsARecord === true,
  },
} as const satisfies Record<string, { label: Key; now(item: Item): boolean }>
const hostnameNow = (item: Item): string => item.PrivateDnsNameOptionsOnLaunch?.HostnameType ?? 'ip-name'
const hostname: Field = { name: 'hostname', label: 'f.hostnameType', kind: 'select', options: ['ip-name', 'resource-name'] }

/** One attribute a call: those that differ. API Reference, ModifySubnetAttribute. */
const settings: Form = {
  fields: [...Object.entries(SETTINGS).map(([name, { label }]): Field => ({ name, label, kind: 'bool' })), hostname],
  start: item => ({ ...Object.fromEntries(Object.entries(SETTINGS).map(([name, { now }]) => [name, now(item)])), hostname: hostnameNow(item) }),
  calls(values: Values, item): Call[] {
    const changed = Object.entries(SETTINGS).filter(([name, { now }]) => values[name] !== now(item))
    const given = changed.map(([name]) => ({ [name]: { Value: values[name] } }))
    const named = values.hostname === hostnameNow(item) ? [] : [{ PrivateDnsHostnameTypeOnLaunch: values.hostname }]
    return [...given, ...named].map(one => ({ operation: 'ModifySubnetAttribute', input: { SubnetId: item.SubnetId, ...one } }))
  },
}
const addIpv6: Form = {
  operation: 'AssociateSubnetCidrBlock',
  fields: [{ name: 'block', label: 'f.ipv6', hint: 'subnets.ipv6Hint' }],
  input: (values, item) => ({ SubnetId: item?.SubnetId, Ipv6CidrBlock: values.block }),
}
const reserve: Form = {
  operation: 'CreateSubnetCidrReservation',
  fields: [
    { name: 'cidr', label: 'f.cidr' },
    { name: 'kind', label: 'f.type', kind: 'select', options: ['explicit', 'prefix'] },
  ],
  input: (values, item) => ({ SubnetId: item?.SubnetId, Cidr: values.cidr, ReservationType: values.kind }),
}

export const subnetActions: Action[] = [
  { id: 'settings', label: 'subnets.settings', form: settings },
  { id: 'ipv6', label: 'subnets.addIpv6', enabled: item => blocks6(item).length === 0, form: addIpv6 },
  removing('noIpv6', 'subnets.removeIpv6', 'DisassociateSubnetCidrBlock'),
  { id: 'reserve', label: 'subnets.reserve', form: reserve },
  { id: 'delete', label: 'subnets.delete', ...simple('DeleteSubnet', 'SubnetId'), confirm: 'plain' },
]
