/** VPC endpoints and flow logs. */
import { EndpointTables, placeOf } from '../parts/VpcTabs'
import { prefixLists } from './prefix-lists'
import { networkInterface, routeTable, subnet, text, vpc } from './choices'
import { column, nameColumn, type Item, type Resource, type Values } from './kinds'

const of = (kind: string) => (values: Values): boolean => values.of === kind

const isGateway = (values: Values): boolean => values.type !== 'Interface'
const servicesOf = (type: string) => ({
  operation: 'DescribeVpcEndpointServices',
  member: 'ServiceDetails',
  input: { Filters: [{ Name: 'service-type', Values: [type] }] },
  value: (item: Item) => item.ServiceName,
})

export const traffic: Resource[] = [
  {
    path: '/vpc/endpoints',
    service: 'ec2',
    title: 'menu.endpoints',
    empty: ['endpoints.empty', 'endpoints.emptyHint'],
    operation: 'DescribeVpcEndpoints',
    member: 'VpcEndpoints',
    id: item => item.VpcEndpointId,
    kinds: ['vpc-endpoint'],
    tagged: true,
    columns: [
      nameColumn,
      column('VpcEndpointId', 'f.EndpointId'),
      column('VpcEndpointType', 'f.type', { kind: 'word' }),
      column('State', 'f.state', { kind: 'state' }),
      column('ServiceName', 'f.service', { width: 260 }),
      column('VpcId', 'f.VpcId', { link: '/vpc/vpcs' }),
      column('CreationTimestamp', 'f.created', { kind: 'date' }),
    ],
    create: {
      label: 'endpoints.create',
      form: {
        operation: 'CreateVpcEndpoint',
        id: answer => answer.VpcEndpoint.VpcEndpointId,
        fields: [
          vpc,
          { name: 'type', label: 'f.type', kind: 'select', options: ['Gateway', 'Interface'], value: 'Gateway' },
          { name: 'service', label: 'f.service', kind: 'select', from: servicesOf('Gateway'), when: isGateway },
          { name: 'inside', label: 'f.service', kind: 'select', from: servicesOf('Interface'), when: values => !isGateway(values) },
          { ...subnet, when: values => !isGateway(values) },
          { ...routeTable, when: isGateway },
        ],
        input: values =>
          isGateway(values)
            ? { VpcId: values.vpc, ServiceName: values.service, VpcEndpointType: 'Gateway', RouteTableIds: [values.table] }
            : { VpcId: values.vpc, ServiceName: values.inside, VpcEndpointType: 'Interface', SubnetIds: [values.subnet] },
      },
    },
    actions: [
      {
        id: 'add',
        label: 'endpoints.addTable',
        form: {
          operation: 'ModifyVpcEndpoint',
          fields: [routeTable],
          input: (values, item) => ({ VpcEndpointId: item?.VpcEndpointId, AddRouteTableIds: [values.table] }),
        },
      },
      {
        id: 'delete',
        label: 'endpoints.delete',
        operation: 'DeleteVpcEndpoints',
        all: items => ({ VpcEndpointIds: items.map(item => item.VpcEndpointId) }),
        confirm: 'plain',
      },
    ],
    tabs: [{ id: 'tables', label: 'menu.routes', content: item => <EndpointTables item={item} /> }],
  },
  prefixLists,
  {
    path: '/vpc/flow-logs',
    service: 'ec2',
    title: 'menu.flowLogs',
    empty: ['flowLogs.empty', 'flowLogs.emptyHint'],
    operation: 'DescribeFlowLogs',
    member: 'FlowLogs',
    id: item => item.FlowLogId,
    kinds: ['vpc-flow-log'],
    tagged: true,
    columns: [
      nameColumn,
      column('FlowLogId', 'f.FlowLogId'),
      { id: 'ResourceId', label: 'f.resource', value: item => item.ResourceId, href: item => placeOf(item.ResourceId) },
      column('TrafficType', 'f.filter', { kind: 'word' }),
      column('FlowLogStatus', 'f.state', { kind: 'state' }),
      column('LogDestination', 'f.logDestination', { width: 320 }),
      column('DeliverLogsStatus', 'f.delivery'),
      column('CreationTime', 'f.created', { kind: 'date' }),
    ],
    create: {
      label: 'flowLogs.create',
      form: {
        operation: 'CreateFlowLogs',
        id: answer => answer.FlowLogIds?.[0],
        fields: [
          { name: 'of', label: 'flowLogs.of', kind: 'select', options: ['VPC', 'Subnet', 'NetworkInterface'] },
          { ...vpc, when: of('VPC') },
          { ...subnet, when: of('Subnet') },
          { ...networkInterface, when: of('NetworkInterface') },
          { name: 'traffic', label: 'f.filter', kind: 'select', options: ['ALL', 'ACCEPT', 'REJECT'] },
          {
            name: 'bucket',
            label: 'menu.s3',
            kind: 'select',
            from: { service: 's3', operation: 'ListBuckets', member: 'Buckets', value: item => item.Name },
          },
          { name: 'prefix', label: 'flowLogs.prefix', optional: true },
        ],
        input: values => ({
          ResourceIds: [{ VPC: values.vpc, Subnet: values.subnet, NetworkInterface: values.interface }[values.of as string]],
          ResourceType: values.of,
          TrafficType: values.traffic,
          LogDestinationType: 's3',
          LogDestination: `arn:aws:s3:::${values.bucket}${text(values.prefix) ? `/${values.prefix}/` : ''}`,
        }),
        problem: answer => answer.Unsuccessful?.[0]?.Error && `${answer.Unsuccessful[0].Error.Code}: ${answer.Unsuccessful[0].Error.Message}`,
      },
    },
    actions: [
      {
        id: 'delete',
        label: 'flowLogs.delete',
        operation: 'DeleteFlowLogs',
        all: items => ({ FlowLogIds: items.map(item => item.FlowLogId) }),
        confirm: 'plain',
      },
    ],
  },
]
