/** VPCs and what is in them. */
import { ResourceMap } from '../parts/ResourceMap'
import { egress } from './egress'
import { gateways } from './gateways'
import { flowLogsOf, RoutesTab } from '../parts/VpcTabs'
import { simple, subnet, text, vpc, zone } from './choices'
import { traffic } from './traffic'
import { column, nameColumn, type Item, type Resource } from './kinds'

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

export const resources: Resource[] = [
  {
    path: '/vpc/vpcs',
    service: 'ec2',
    title: 'menu.vpcs',
    empty: ['vpc.empty', 'vpc.emptyHint'],
    operation: 'DescribeVpcs',
    member: 'Vpcs',
    id: item => item.VpcId,
    kinds: ['vpc'],
    tagged: true,
    columns: [
      nameColumn,
      column('VpcId', 'f.VpcId'),
      column('State', 'f.state', { kind: 'state' }),
      column('CidrBlock', 'f.cidr'),
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
    actions: [{ id: 'delete', label: 'vpc.delete', ...simple('DeleteVpc', 'VpcId'), confirm: 'typed' }],
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
    tagged: true,
    columns: [
      nameColumn,
      column('SubnetId', 'f.SubnetId'),
      column('State', 'f.state', { kind: 'state' }),
      column('VpcId', 'f.VpcId', { link: '/vpc/vpcs' }),
      column('CidrBlock', 'f.cidr'),
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
      { id: 'delete', label: 'subnets.delete', ...simple('DeleteSubnet', 'SubnetId'), confirm: 'plain' },
    ],
    tabs: [flowLogsOf(item => item.SubnetId)],
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
    tagged: true,
    columns: [
      nameColumn,
      column('RouteTableId', 'f.RouteTableId'),
      { id: 'associations', label: 'f.associations', value: item => item.Associations?.filter((a: Item) => a.SubnetId).length },
      { id: 'main', label: 'f.main', value: item => item.Associations?.some((a: Item) => a.Main) === true },
      column('VpcId', 'f.VpcId', { link: '/vpc/vpcs' }),
    ],
    create: {
      label: 'routes.create',
      form: { operation: 'CreateRouteTable', id: answer => answer.RouteTable.RouteTableId, fields: [vpc], input: values => ({ VpcId: values.vpc }) },
    },
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
]
