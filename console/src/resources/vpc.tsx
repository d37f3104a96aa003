/** VPCs and what is in them. */
import { ResourceMap } from '../parts/ResourceMap'
import { ipv6Of, subnetActions, vpcActions } from './blocks'
import { egress } from './egress'
import { gateways } from './gateways'
import { flowLogsOf, Reservations, RoutesTab } from '../parts/VpcTabs'
import { text, vpc, vpcForm, zone } from './choices'
import { routeTableActions } from './routes'
import { traffic } from './traffic'
import { column, nameColumn, stateColumn, vpcColumn, withNames, type Item, type Resource } from './kinds'

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
      { id: 'ipv6', label: 'f.ipv6', value: ipv6Of, width: 200 },
      column('DhcpOptionsId', 'f.DhcpId', { link: '/vpc/dhcp-options', hidden: true }),
      column('InstanceTenancy', 'f.tenancy', { kind: 'word', hidden: true }),
      column('IsDefault', 'f.default'),
      column('OwnerId', 'f.OwnerId', { hidden: true }),
    ],
    create: {
      label: 'vpc.create',
      form: {
        operation: 'CreateVpc',
        id: answer => answer.Vpc.VpcId,
        fields: [
          { name: 'cidr', label: 'f.cidr', value: '10.0.0.0/16' },
          { name: 'ipv6', label: 'vpc.ipv6', kind: 'bool' },
        ],
        input: values => ({ CidrBlock: values.cidr, AmazonProvidedIpv6CidrBlock: values.ipv6 || undefined }),
      },
    },
    actions: vpcActions,
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
      { id: 'ipv6', label: 'f.ipv6', value: ipv6Of, hidden: true, width: 200 },
      column('AvailabilityZone', 'f.zone'),
      column('AvailableIpAddressCount', 'f.free', { hidden: true }),
      column('MapPublicIpOnLaunch', 'f.autoPublic', { hidden: true }),
      column('DefaultForAz', 'f.default', { hidden: true }),
    ],
    create: {
      label: 'subnets.create',
      form: {
        operation: 'CreateSubnet',
        id: answer => answer.Subnet.SubnetId,
        fields: [
          vpc,
          { ...zone, optional: true },
          { name: 'cidr', label: 'f.cidr', value: '10.0.1.0/24' },
          { name: 'block', label: 'f.ipv6', hint: 'subnets.ipv6Hint', optional: true },
        ],
        input: values => ({
          VpcId: values.vpc,
          AvailabilityZone: text(values.zone),
          CidrBlock: values.cidr,
          Ipv6CidrBlock: text(values.block),
        }),
      },
    },
    actions: subnetActions,
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
    create: { label: 'routes.create', form: vpcForm('CreateRouteTable', 'RouteTable') },
    actions: routeTableActions,
    tabs: [{ id: 'routes', label: 'routes.title', content: item => <RoutesTab table={item} /> }],
  },
  egress,
  ...gateways,
  ...traffic,
])
