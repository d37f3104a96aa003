/** VPCs and what is in them. */
import { ResourceMap } from '../parts/ResourceMap'
import { call } from '../api/call'
import type { Key } from '../i18n/text'
import { egress } from './egress'
import { gateways } from './gateways'
import { flowLogsOf, Reservations, RoutesTab } from '../parts/VpcTabs'
import { dhcpOptions, simple, subnet, text, vpc, vpcForm, zone } from './choices'
import { traffic } from './traffic'
import { column, nameColumn, stateColumn, vpcColumn, withNames, type Action, type Item, type Resource } from './kinds'

const target = (id: string): object => {
  const kind: Record<string, string> = {
    igw: 'GatewayId',
    nat: 'NatGatewayId',
    pcx: 'VpcPeeringConnectionId',
    eni: 'NetworkInterfaceId',
    eigw: 'EgressOnlyInternetGatewayId',
    i: 'InstanceId',
  }
  return { [kind[id.split('-')[0]!] ?? 'GatewayId']: id }
}

/** The IPv6 blocks of a VPC or a subnet. */
const blocks = (item: Item): string =>
  (item.Ipv6CidrBlockAssociationSet ?? [])
    .filter((one: Item) => one.Ipv6CidrBlockState?.State === 'associated')
    .map((one: Item) => one.Ipv6CidrBlock)
    .join(', ')

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

export const resources: Resource[] = withNames([
  {
    path: '/vpc/vpcs',
    service: 'ec2',
    title: 'menu.vpcs',
    empty: ['vpc.empty', 'vpc.emptyHint'],
    operation: 'DescribeVpcs',
    member: 'Vpcs',
    id: item => item.VpcId,
    kinds: ['vpc'],
    tagged: 'vpc',
    columns: [
      nameColumn,
      column('VpcId', 'f.VpcId'),
      stateColumn,
      column('CidrBlock', 'f.cidr'),
      { id: 'ipv6', label: 'f.ipv6', value: blocks },
      column('DhcpOptionsId', 'f.DhcpId', { link: '/vpc/dhcp-options' }),
      column('InstanceTenancy', 'f.tenancy', { kind: 'word', hidden: true }),
      column('IsDefault', 'f.default'),
      column('OwnerId', 'f.OwnerId', { hidden: true }),
    ],
    create: {
      label: 'vpc.create',
      form: {
        operation: 'CreateVpc',
        id: answer => answer.Vpc.VpcId,
        fields: [{ name: 'cidr', label: 'f.cidr', value: '10.0.0.0/16' }],
        input: values => ({ CidrBlock: values.cidr }),
      },
    },
    actions: [
      vpcNames('EnableDnsHostnames', 'vpc.dnsHostnames'),
      vpcNames('EnableDnsSupport', 'vpc.dnsSupport'),
      {
        id: 'options',
        label: 'vpc.dhcp',
        form: {
          operation: 'AssociateDhcpOptions',
          fields: [dhcpOptions],
          start: item => ({ options: item.DhcpOptionsId }),
          input: (values, item) => ({ VpcId: item?.VpcId, DhcpOptionsId: values.options }),
        },
      },
      {
        id: 'block',
        label: 'vpc.addBlock',
        form: {
          operation: 'AssociateVpcCidrBlock',
          fields: [
            { name: 'family', label: 'f.family', kind: 'select', options: ['IPv6', 'IPv4'] },
            { name: 'cidr', label: 'f.cidr', value: '10.1.0.0/16', when: values => values.family === 'IPv4' },
          ],
          input: (values, item) => ({
            VpcId: item?.VpcId,
            ...(values.family === 'IPv4' ? { CidrBlock: values.cidr } : { AmazonProvidedIpv6CidrBlock: true }),
          }),
        },
      },
      { id: 'delete', label: 'vpc.delete', ...simple('DeleteVpc', 'VpcId'), confirm: 'typed' },
    ],
    tabs: [{ id: 'map', label: 'vpc.map', content: item => <ResourceMap vpc={item.VpcId} /> }, flowLogsOf(item => item.VpcId)],
  },
  {
    path: '/vpc/subnets',
    service: 'ec2',
    title: 'menu.subnets',
    empty: ['subnets.empty', 'subnets.emptyHint'],
    operation: 'DescribeSubnets',
    member: 'Subnets',
    id: item => item.SubnetId,
    kinds: ['subnet', 'network-interface'],
    tagged: 'subnet',
    columns: [
      nameColumn,
      column('SubnetId', 'f.SubnetId'),
      stateColumn,
      vpcColumn,
      column('CidrBlock', 'f.cidr'),
      { id: 'ipv6', label: 'f.ipv6', value: blocks },
      column('AvailabilityZone', 'f.zone'),
      column('AvailableIpAddressCount', 'f.free'),
      column('MapPublicIpOnLaunch', 'f.autoPublic'),
      column('DefaultForAz', 'f.default'),
    ],
    create: {
      label: 'subnets.create',
      form: {
        operation: 'CreateSubnet',
        id: answer => answer.Subnet.SubnetId,
        fields: [vpc, { ...zone, optional: true }, { name: 'cidr', label: 'f.cidr', value: '10.0.1.0/24' }],
        input: values => ({ VpcId: values.vpc, AvailabilityZone: text(values.zone), CidrBlock: values.cidr }),
      },
    },
    actions: [
      {
        id: 'public',
        label: 'subnets.autoPublic',
        form: {
          operation: 'ModifySubnetAttribute',
          fields: [{ name: 'on', label: 'f.autoPublic', kind: 'bool' }],
          input: (values, item) => ({ SubnetId: item?.SubnetId, MapPublicIpOnLaunch: { Value: values.on } }),
        },
      },
      {
        id: 'ipv6',
        label: 'subnets.addIpv6',
        form: {
          operation: 'AssociateSubnetCidrBlock',
          fields: [{ name: 'block', label: 'f.ipv6', hint: 'subnets.ipv6Hint' }],
          input: (values, item) => ({ SubnetId: item?.SubnetId, Ipv6CidrBlock: values.block }),
        },
      },
      {
        id: 'reserve',
        label: 'subnets.reserve',
        form: {
          operation: 'CreateSubnetCidrReservation',
          fields: [
            { name: 'cidr', label: 'f.cidr' },
            { name: 'kind', label: 'f.type', kind: 'select', options: ['explicit', 'prefix'] },
          ],
          input: (values, item) => ({ SubnetId: item?.SubnetId, Cidr: values.cidr, ReservationType: values.kind }),
        },
      },
      { id: 'delete', label: 'subnets.delete', ...simple('DeleteSubnet', 'SubnetId'), confirm: 'plain' },
    ],
    tabs: [
      { id: 'reservations', label: 'subnets.reservations', content: item => <Reservations id={item.SubnetId} /> },
      flowLogsOf(item => item.SubnetId),
    ],
  },
  {
    path: '/vpc/route-tables',
    service: 'ec2',
    title: 'menu.routes',
    empty: ['routes.empty', 'routes.emptyHint'],
    operation: 'DescribeRouteTables',
    member: 'RouteTables',
    id: item => item.RouteTableId,
    kinds: ['route-table', 'subnet', 'internet-gateway'],
    tagged: 'route-table',
    columns: [
      nameColumn,
      column('RouteTableId', 'f.RouteTableId'),
      { id: 'associations', label: 'f.associations', value: item => item.Associations?.filter((a: Item) => a.SubnetId).length },
      { id: 'main', label: 'f.main', value: item => item.Associations?.some((a: Item) => a.Main) === true },
      vpcColumn,
    ],
    create: { label: 'routes.create', form: vpcForm('RouteTable') },
    actions: [
      {
        id: 'add',
        label: 'routes.add',
        form: {
          operation: 'CreateRoute',
          fields: [
            { name: 'cidr', label: 'f.destination', value: '0.0.0.0/0' },
            { name: 'target', label: 'f.target' },
          ],
          input: (values, item) => ({ RouteTableId: item?.RouteTableId, DestinationCidrBlock: values.cidr, ...target(values.target) }),
        },
      },
      {
        id: 'remove',
        label: 'routes.remove',
        form: {
          operation: 'DeleteRoute',
          fields: [{ name: 'cidr', label: 'f.destination' }],
          input: (values, item) => ({ RouteTableId: item?.RouteTableId, DestinationCidrBlock: values.cidr }),
        },
      },
      {
        id: 'associate',
        label: 'routes.associate',
        form: {
          operation: 'AssociateRouteTable',
          fields: [subnet],
          input: (values, item) => ({ RouteTableId: item?.RouteTableId, SubnetId: values.subnet }),
        },
      },
      { id: 'delete', label: 'routes.delete', ...simple('DeleteRouteTable', 'RouteTableId'), confirm: 'plain' },
    ],
    tabs: [{ id: 'routes', label: 'routes.title', content: item => <RoutesTab table={item} /> }],
  },
  egress,
  ...gateways,
  ...traffic,
])
