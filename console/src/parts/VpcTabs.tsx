/** Tables inside the pages of route tables, network ACLs and DHCP option sets. */
import { Box, Header, Table } from '@cloudscape-design/components'
import { t } from '../i18n/text'
import { ItemLink } from './cells'
import { column, type Column, type Item, type Tab } from '../resources/kinds'
import { State, wordText } from './State'
import { List, SubList } from './SubList'

export const targetOf = (route: Item): string =>
  route.GatewayId ??
  route.NatGatewayId ??
  route.VpcPeeringConnectionId ??
  route.InstanceId ??
  route.NetworkInterfaceId ??
  route.EgressOnlyInternetGatewayId ??
  '–'

export function RoutesTab({ table }: { table: Item }) {
  return (
    <Table
      variant="container"
      items={table.Routes ?? []}
      ariaLabels={{ tableLabel: t('routes.title') }}
      header={<Header variant="h2">{t('routes.title')}</Header>}
      empty={<Box>{t('value.none')}</Box>}
      columnDefinitions={[
        {
          id: 'destination',
          header: t('f.destination'),
          isRowHeader: true,
          cell: (r: Item) => r.DestinationCidrBlock ?? r.DestinationIpv6CidrBlock ?? r.DestinationPrefixListId,
        },
        { id: 'target', header: t('f.target'), cell: (r: Item) => <Target id={targetOf(r)} /> },
        { id: 'state', header: t('f.state'), cell: (r: Item) => <State state={r.State} /> },
        { id: 'origin', header: t('f.propagated'), cell: (r: Item) => wordText(r.Origin) },
      ]}
    />
  )
}

const PLACES: Record<string, string> = {
  vpc: '/vpc/vpcs',
  subnet: '/vpc/subnets',
  sg: '/ec2/security-groups',
  rtb: '/vpc/route-tables',
  eigw: '/vpc/egress-only-gateways',
  igw: '/vpc/internet-gateways',
  nat: '/vpc/nat-gateways',
  pcx: '/vpc/peering-connections',
  eni: '/ec2/network-interfaces',
  vpce: '/vpc/endpoints',
  i: '/ec2/instances',
}
/** The page of what an id names; undefined for `local`. */
export const placeOf = (id: string): string | undefined => {
  const place = PLACES[id.split('-')[0]!]
  return place && id.includes('-') ? `${place}/${id}` : undefined
}
const Target = ({ id }: { id: string }) => (placeOf(id) ? <ItemLink href={placeOf(id)!} text={id} /> : id)

const PROTOCOLS: Record<string, string> = { '6': 'TCP', '17': 'UDP', '1': 'ICMP' }
const LAST_RULE = 32_767

export function AclTab({ acl, egress }: { acl: Item; egress: boolean }) {
  const entries = (acl.Entries ?? []).filter((e: Item) => e.Egress === egress).sort((a: Item, b: Item) => a.RuleNumber - b.RuleNumber)
  const title = t(egress ? 'acls.outbound' : 'acls.inbound')
  return (
    <Table
      variant="container"
      items={entries as Item[]}
      ariaLabels={{ tableLabel: title }}
      header={<Header variant="h2">{title}</Header>}
      empty={<Box>{t('value.none')}</Box>}
      columnDefinitions={[
        { id: 'number', header: t('f.ruleNumber'), isRowHeader: true, cell: e => (e.RuleNumber === LAST_RULE ? '*' : e.RuleNumber) },
        { id: 'protocol', header: t('f.protocol'), cell: e => (e.Protocol === '-1' ? t('rules.every') : (PROTOCOLS[e.Protocol] ?? e.Protocol)) },
        { id: 'ports', header: t('f.ports'), cell: e => (e.PortRange ? `${e.PortRange.From}-${e.PortRange.To}` : t('rules.every')) },
        { id: 'cidr', header: t(egress ? 'f.destination' : 'f.source'), cell: e => e.CidrBlock ?? e.Ipv6CidrBlock },
        { id: 'action', header: t('acls.action'), cell: e => <State state={e.RuleAction} /> },
      ]}
    />
  )
}

export function OptionsTab({ item }: { item: Item }) {
  return (
    <Table
      variant="container"
      items={(item.DhcpConfigurations ?? []) as Item[]}
      ariaLabels={{ tableLabel: t('f.options') }}
      header={<Header variant="h2">{t('f.options')}</Header>}
      columnDefinitions={[
        { id: 'key', header: t('f.key'), isRowHeader: true, cell: c => c.Key },
        { id: 'value', header: t('f.value'), cell: c => c.Values?.map((v: Item) => v.Value).join(', ') },
      ]}
    />
  )
}

const linked = (name: string): Column[] => [{ id: name, label: 'f.RouteTableId', value: item => item[name], href: item => placeOf(item[name]) }]

export function EndpointTables({ item }: { item: Item }) {
  const tables = (item.RouteTableIds ?? []).map((RouteTableId: string) => ({ RouteTableId }))
  return <List title="menu.routes" columns={linked('RouteTableId')} items={tables} />
}

const interfaces: Column[] = [
  column('NetworkInterfaceId', 'f.InterfaceId', { link: '/ec2/network-interfaces' }),
  column('PrivateIpAddress', 'f.privateIp'),
  column('SubnetId', 'f.SubnetId', { link: '/vpc/subnets' }),
  column('AvailabilityZone', 'f.zone'),
  column('Status', 'f.state', { kind: 'state' }),
]

/** What an endpoint of the type Interface has in its subnets. */
export function EndpointInterfaces({ item }: { item: Item }) {
  const ids: string[] = item.NetworkInterfaceIds ?? []
  if (ids.length === 0) return <List title="menu.interfaces" columns={interfaces} items={[]} />
  return (
    <SubList
      service="ec2"
      title="menu.interfaces"
      operation="DescribeNetworkInterfaces"
      member="NetworkInterfaces"
      input={{ NetworkInterfaceIds: ids }}
      columns={interfaces}
      kinds={['network-interface']}
    />
  )
}

const reservations: Column[] = [
  column('SubnetCidrReservationId', 'subnets.reservationId'),
  column('Cidr', 'f.cidr'),
  column('ReservationType', 'f.type', { kind: 'word' }),
]

/** The parts of a subnet from which no address is chosen. */
export const Reservations = ({ id }: { id: string }) => (
  <SubList
    service="ec2"
    title="subnets.reservations"
    operation="GetSubnetCidrReservations"
    member="SubnetIpv4CidrReservations"
    input={{ SubnetId: id }}
    columns={reservations}
    kinds={['subnet-cidr-reservation', 'subnet']}
    empty="subnets.noReservations"
    remove={{
      id: 'remove',
      label: 'do.delete',
      operation: 'DeleteSubnetCidrReservation',
      each: item => ({ SubnetCidrReservationId: item.SubnetCidrReservationId }),
      confirm: 'plain',
    }}
  />
)

const flowLogs: Column[] = [
  column('FlowLogId', 'f.FlowLogId', { link: '/vpc/flow-logs' }),
  column('TrafficType', 'f.filter', { kind: 'word' }),
  column('FlowLogStatus', 'f.state', { kind: 'state' }),
  column('LogDestination', 'f.logDestination'),
]

const FlowLogs = ({ id }: { id: string }) => (
  <SubList
    service="ec2"
    title="menu.flowLogs"
    operation="DescribeFlowLogs"
    member="FlowLogs"
    input={{ Filter: [{ Name: 'resource-id', Values: [id] }] }}
    columns={flowLogs}
    kinds={['vpc-flow-log']}
    empty="flowLogs.empty"
  />
)

/** The tab with the flow logs of a VPC, a subnet or an interface. */
export const flowLogsOf = (id: (item: Item) => string): Tab => ({
  id: 'flow-logs', label: 'menu.flowLogs', content: item => <FlowLogs id={id(item)} />,
})
