/** Prefix lists, VPC endpoints and flow logs. */
import { SubList } from '../parts/SubList'
import { simple, subnet, text, vpc } from './choices'
import { column, nameColumn, type Item, type Resource, type Values } from './kinds'

const lines = (given: string): string[] =>
  given
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)

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
          {
            name: 'table',
            label: 'f.RouteTableId',
            kind: 'select',
            when: isGateway,
            from: { operation: 'DescribeRouteTables', member: 'RouteTables', value: item => item.RouteTableId, label: describeTable },
          },
        ],
        input: values =>
          isGateway(values)
            ? { VpcId: values.vpc, ServiceName: values.service, VpcEndpointType: 'Gateway', RouteTableIds: [values.table] }
            : { VpcId: values.vpc, ServiceName: values.inside, VpcEndpointType: 'Interface', SubnetIds: [values.subnet] },
      },
    },
    actions: [
      {
        id: 'delete',
        label: 'endpoints.delete',
        operation: 'DeleteVpcEndpoints',
        all: items => ({ VpcEndpointIds: items.map(item => item.VpcEndpointId) }),
        confirm: 'plain',
      },
    ],
  },
  {
    path: '/vpc/prefix-lists',
    service: 'ec2',
    title: 'menu.prefixLists',
    empty: ['prefixLists.empty', 'prefixLists.emptyHint'],
    operation: 'DescribeManagedPrefixLists',
    member: 'PrefixLists',
    id: item => item.PrefixListId,
    name: item => item.PrefixListName,
    kinds: ['prefix-list'],
    tagged: true,
    columns: [
      column('PrefixListName', 'f.Name', { width: 280 }),
      column('PrefixListId', 'f.PrefixListId'),
      column('State', 'f.state', { kind: 'state' }),
      column('AddressFamily', 'f.family'),
      column('MaxEntries', 'f.maxEntries'),
      column('Version', 'f.version'),
      column('OwnerId', 'f.OwnerId'),
    ],
    create: {
      label: 'prefixLists.create',
      form: {
        operation: 'CreateManagedPrefixList',
        id: answer => answer.PrefixList.PrefixListId,
        fields: [
          { name: 'name', label: 'f.Name' },
          { name: 'max', label: 'f.maxEntries', kind: 'number', value: '10' },
          { name: 'entries', label: 'prefixLists.entries', kind: 'area', optional: true },
        ],
        input: values => ({
          PrefixListName: values.name,
          AddressFamily: 'IPv4',
          MaxEntries: Number(values.max),
          Entries: lines(values.entries).map(Cidr => ({ Cidr })),
        }),
      },
    },
    actions: [
      {
        id: 'delete',
        label: 'prefixLists.delete',
        ...simple('DeleteManagedPrefixList', 'PrefixListId'),
        enabled: item => item.OwnerId !== 'AWS',
        confirm: 'plain',
      },
    ],
    tabs: [
      {
        id: 'entries',
        label: 'prefixLists.tab',
        content: item => (
          <SubList
            service="ec2"
            title="prefixLists.tab"
            operation="GetManagedPrefixListEntries"
            member="Entries"
            input={{ PrefixListId: item.PrefixListId }}
            columns={[column('Cidr', 'f.cidr'), column('Description', 'f.description')]}
          />
        ),
      },
    ],
  },
  {
    path: '/vpc/flow-logs',
    service: 'ec2',
    title: 'menu.flowLogs',
    empty: ['flowLogs.empty', 'flowLogs.emptyHint'],
    operation: 'DescribeFlowLogs',
    member: 'FlowLogs',
    id: item => item.FlowLogId,
    kinds: ['flow-log'],
    tagged: true,
    columns: [
      nameColumn,
      column('FlowLogId', 'f.FlowLogId'),
      column('ResourceId', 'f.resource'),
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
          vpc,
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
          ResourceIds: [values.vpc],
          ResourceType: 'VPC',
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

function describeTable(item: Item): string {
  return `${item.RouteTableId} (${item.VpcId})`
}
