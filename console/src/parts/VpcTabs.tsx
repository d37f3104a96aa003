/** Tables inside the pages of route tables, network ACLs and DHCP option sets. */
import { t, type Key } from '../i18n/text'
import { isLast, portsOf } from '../resources/borders'
import { taking } from '../resources/choices'
import { column, stateColumn, subnetColumn, type Column, type Item, type Tab } from '../resources/kinds'
import { List, SubList } from './SubList'

export const targetOf = (route: Item): string =>
  route.GatewayId ??
  route.NatGatewayId ??
  route.VpcPeeringConnectionId ??
  route.InstanceId ??
  route.NetworkInterfaceId ??
  route.EgressOnlyInternetGatewayId ??
  '–'

const destinationOf = (route: Item): string => route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? route.DestinationPrefixListId

const routes: Column[] = [
  { id: 'destination', label: 'f.destination', value: destinationOf, href: r => placeOf(destinationOf(r)) },
  { id: 'target', label: 'f.target', value: targetOf, href: r => placeOf(targetOf(r)) },
  stateColumn,
  column('Origin', 'f.propagated', { kind: 'word' }),
]

export const RoutesTab = ({ table }: { table: Item }) => <List title="routes.title" columns={routes} items={table.Routes ?? []} />

const PLACES: Record<string, string> = {
  vpc: '/vpc/vpcs',
  subnet: '/vpc/subnets',
  pl: '/vpc/prefix-lists',
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
/** The page of what an id names; undefined for `local` and for blocks of addresses. */
export const placeOf = (id: string): string | undefined => {
  const place = PLACES[id.split('-')[0]!]
  return place && id.includes('-') ? `${place}/${id}` : undefined
}

const PROTOCOLS: Record<string, string> = { '6': 'TCP', '17': 'UDP', '1': 'ICMP' }
const entries = (peer: Key): Column[] => [
  { id: 'number', label: 'f.ruleNumber', value: e => (isLast(e) ? '*' : String(e.RuleNumber)) },
  { id: 'protocol', label: 'f.protocol', value: e => (e.Protocol === '-1' ? t('rules.every') : (PROTOCOLS[e.Protocol] ?? e.Protocol)) },
  { id: 'ports', label: 'f.ports', value: e => (e.PortRange ? portsOf(e.PortRange) : t('rules.every')) },
  { id: 'cidr', label: peer, value: e => e.CidrBlock ?? e.Ipv6CidrBlock },
  column('RuleAction', 'acls.action', { kind: 'state' }),
]

export function AclTab({ acl, egress }: { acl: Item; egress: boolean }) {
  const items = (acl.Entries ?? []).filter((e: Item) => e.Egress === egress).sort((a: Item, b: Item) => a.RuleNumber - b.RuleNumber)
  return <List title={egress ? 'acls.outbound' : 'acls.inbound'} columns={entries(egress ? 'f.destination' : 'f.source')} items={items} />
}

const options: Column[] = [
  column('Key', 'f.key'),
  { id: 'value', label: 'f.value', value: c => c.Values?.map((v: Item) => v.Value).join(', ') },
]

export const OptionsTab = ({ item }: { item: Item }) => <List title="f.options" columns={options} items={item.DhcpConfigurations ?? []} />

const linked = (name: string): Column[] => [{ id: name, label: 'f.RouteTableId', value: item => item[name], href: item => placeOf(item[name]) }]

export function EndpointTables({ item }: { item: Item }) {
  const tables = (item.RouteTableIds ?? []).map((RouteTableId: string) => ({ RouteTableId }))
  return <List title="menu.routes" columns={linked('RouteTableId')} items={tables} />
}

const interfaces: Column[] = [
  column('NetworkInterfaceId', 'f.InterfaceId', { link: '/ec2/network-interfaces' }),
  column('PrivateIpAddress', 'f.privateIp'),
  subnetColumn,
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
    remove={taking('do.delete', 'DeleteSubnetCidrReservation', item => ({ SubnetCidrReservationId: item.SubnetCidrReservationId }))}
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
