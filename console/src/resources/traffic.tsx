/** VPC endpoints and flow logs. */
import { EndpointInterfaces, EndpointTables, placeOf } from '../parts/VpcTabs'
import { prefixLists } from './prefix-lists'
import { networkInterface, ofVpc, routeTables, securityGroups, subnet, subnets, text, vpc, within } from './choices'
import { column, nameColumn, stateColumn, vpcColumn, type Field, type Form, type Item, type Resource, type Values } from './kinds'

const of = (kind: string) => (values: Values): boolean => values.of === kind
/** The services that such endpoints lead to: some have both. */
const serviceOf = (kind: 'Gateway' | 'Interface'): Field => ({
  name: `service${kind}`,
  label: 'f.service',
  kind: 'select',
  when: of(kind),
  from: {
    operation: 'DescribeVpcEndpointServices',
    member: 'ServiceDetails',
    value: item => item.ServiceName,
    keep: item => item.ServiceType?.some((type: Item) => type.ServiceType === kind),
  },
})

const isOf = (kind: string) => (item: Item): boolean => item.VpcEndpointType === kind
const ofEndpoint = (field: Field): Field => within(field, around => around.of?.VpcId)
const tablesOf = (item: Item): string[] => item.RouteTableIds ?? []
const subnetsOf = (item: Item): string[] => item.SubnetIds ?? []
const groupsOf = (item: Item): string[] => (item.Groups ?? []).map((one: Item) => one.GroupId)

/** What an endpoint is to have of something: what it has not yet comes, what is chosen no more goes, by one call. */
const changing = (kind: string, field: Field, now: (item: Item) => string[]): Form => ({
  fields: [field],
  start: item => ({ [field.name]: now(item) }),
  calls: ({ [field.name]: chosen }: Values, item) => {
    const [fresh, gone] = [chosen.filter((id: string) => !now(item).includes(id)), now(item).filter(id => !chosen.includes(id))]
    if (fresh.length + gone.length === 0) return []
    const some = (word: string, ids: string[]) => (ids.length > 0 ? { [`${word}${kind}Ids`]: ids } : {})
    return [{ operation: 'ModifyVpcEndpoint', input: { VpcEndpointId: item.VpcEndpointId, ...some('Add', fresh), ...some('Remove', gone) } }]
  },
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
    kinds: ['vpc-endpoint', 'network-interface'],
    tagged: 'vpc-endpoint',
    columns: [
      nameColumn,
      column('VpcEndpointId', 'f.EndpointId'),
      column('VpcEndpointType', 'f.type', { kind: 'word' }),
      stateColumn,
      column('ServiceName', 'f.service', { width: 260 }),
      vpcColumn,
      column('PrivateDnsEnabled', 'endpoints.privateDns', { hidden: true }),
      column('CreationTimestamp', 'f.created', { kind: 'date' }),
    ],
    create: {
      label: 'endpoints.create',
      form: {
        operation: 'CreateVpcEndpoint',
        id: answer => answer.VpcEndpoint.VpcEndpointId,
        fields: [
          { name: 'of', label: 'f.type', kind: 'select', options: ['Interface', 'Gateway'] },
          vpc,
          serviceOf('Gateway'),
          serviceOf('Interface'),
          { ...within(routeTables, ofVpc), when: of('Gateway') },
          { ...within(subnets, ofVpc), when: of('Interface') },
          { ...within(securityGroups, ofVpc), when: of('Interface'), hint: 'nics.groupsHint', optional: true },
          { name: 'names', label: 'endpoints.privateDns', kind: 'bool', value: true, when: of('Interface') },
        ],
        input: values => ({
          VpcId: values.vpc,
          VpcEndpointType: values.of,
          ServiceName: values[`service${values.of}`],
          ...(values.of === 'Gateway'
            ? { RouteTableIds: values.tables }
            : {
                SubnetIds: values.subnets,
                SecurityGroupIds: values.groups.length > 0 ? values.groups : undefined,
                PrivateDnsEnabled: values.names,
              }),
        }),
      },
    },
    actions: [
      { id: 'tables', label: 'endpoints.tables', enabled: isOf('Gateway'), form: changing('RouteTable', ofEndpoint(routeTables), tablesOf) },
      { id: 'subnets', label: 'endpoints.subnets', enabled: isOf('Interface'), form: changing('Subnet', ofEndpoint(subnets), subnetsOf) },
      { id: 'groups', label: 'endpoints.groups', enabled: isOf('Interface'), form: changing('SecurityGroup', ofEndpoint(securityGroups), groupsOf) },
      {
        id: 'delete',
        label: 'endpoints.delete',
        operation: 'DeleteVpcEndpoints',
        all: items => ({ VpcEndpointIds: items.map(item => item.VpcEndpointId) }),
        confirm: 'plain',
      },
    ],
    tabs: [
      { id: 'tables', label: 'menu.routes', content: item => <EndpointTables item={item} /> },
      { id: 'interfaces', label: 'menu.interfaces', content: item => <EndpointInterfaces item={item} /> },
    ],
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
    tagged: 'vpc-flow-log',
    columns: [
      nameColumn,
      column('FlowLogId', 'f.FlowLogId'),
      { id: 'ResourceId', label: 'f.resource', value: item => item.ResourceId, href: item => placeOf(item.ResourceId) },
      column('TrafficType', 'f.filter', { kind: 'word' }),
      column('FlowLogStatus', 'f.state', { kind: 'state' }),
      column('LogDestination', 'f.logDestination', { width: 320 }),
      column('DeliverLogsStatus', 'f.delivery', { kind: 'word' }),
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
            label: 'flowLogs.bucket',
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
