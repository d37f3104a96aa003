/**
 * A route table: what it is.
 *
 * Invariants: the local routes of the VPC's own blocks are not kept but follow from the blocks, unless one has another target; which
 * subnets use a table is kept with the subnet, which gateway with the gateway, and which is the main one with the VPC, so that none can
 * be associated twice.
 */
import { resource, tagList } from '#kit/resource'
import type { Row } from '#store/store'
import { readTargets, targetView, type Targets } from '#service/ec2/route-table/targets'
import { s3ListId } from '#service/ec2/prefix-list/managed'
import type { InternetGatewayRow } from '#service/ec2/internet-gateway/internet-gateway'
import type { VpcEndpointRow } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import type { SubnetRow } from '#service/ec2/subnet/subnet'
import { blocks6, type VpcRow } from '#service/ec2/vpc/vpc'
import type * as sdk from '@aws-sdk/client-ec2'

/** An internet gateway, or one for egress alone, an interface of an instance that forwards, a NAT gateway, or a VPC peering connection. */
export type Via = { gateway: string } | { egressOnly: string } | { port: string } | { nat: string } | { peering: string }
/** To a block of either family, or to every block of a prefix list as it is. */
export type Route = { via: Via } & ({ cidr: string } | { prefixList: string })
/** A destination as the table's key: a block, or a list's id. */
export const destinationText = (route: Route): string => ('cidr' in route ? route.cidr : route.prefixList)
export type Spec = {
  vpc: string
  /** The engine's number, claimed in scope `${vpc}/route-table-index`. */
  index: number
  routes: Route[]
}
export type Status = Record<string, never>
export type RouteTableRow = Row<Spec, Status>

export const ROUTE_TABLE_ASSOCIATION = 'route-table-association'

const blockView = (cidr: string): sdk.Route => (cidr.includes(':') ? { DestinationIpv6CidrBlock: cidr } : { DestinationCidrBlock: cidr })
const destinationView = (route: Route): sdk.Route =>
  ('cidr' in route ? blockView(route.cidr) : { DestinationPrefixListId: route.prefixList })

type Joined = { vpcs: Map<string, VpcRow>; subnets: SubnetRow[]; gateways: InternetGatewayRow[]; targets: Targets; endpoints: VpcEndpointRow[] }
const associated = { State: 'associated' } as const

function associations(id: string, vpc: VpcRow, { subnets, gateways }: Pick<Joined, 'subnets' | 'gateways'>): sdk.RouteTableAssociation[] {
  const { mainRouteTable: main } = vpc.spec
  const using = <R extends SubnetRow | InternetGatewayRow>(rows: R[]) => rows.filter(({ spec }) => spec.routeTable?.id === id)
  const association = ({ spec }: SubnetRow | InternetGatewayRow, of: sdk.RouteTableAssociation): sdk.RouteTableAssociation =>
    ({ RouteTableAssociationId: spec.routeTable!.association, RouteTableId: id, ...of, Main: false, AssociationState: associated })
  const own = [
    ...using(subnets).map(row => association(row, { SubnetId: row.id })),
    ...using(gateways).map(row => association(row, { GatewayId: row.id })),
  ]
  if (main.id !== id) return own
  return [{ RouteTableAssociationId: main.association, RouteTableId: id, Main: true, AssociationState: associated }, ...own]
}

export const routeTable = resource<Spec, Status, sdk.RouteTable, Joined>({
  kind: 'route-table', prefix: 'rtb', label: 'routeTable ID',
  missing: 'InvalidRouteTableID.NotFound', malformed: 'InvalidRouteTableId.Malformed',
  async join(reader, [first]) {
    const at = { account: first?.account ?? '', region: first?.region ?? '' }
    const vpcs = await reader.list<VpcRow>({ kind: 'vpc', ...at })
    return {
      vpcs: new Map(vpcs.map(row => [row.id, row])),
      subnets: await reader.list<SubnetRow>({ kind: 'subnet', ...at }),
      gateways: await reader.list<InternetGatewayRow>({ kind: 'internet-gateway', ...at }),
      targets: await readTargets(reader, at),
      endpoints: await reader.list<VpcEndpointRow>({ kind: 'vpc-endpoint', ...at }),
    }
  },
  view(row, { vpcs, targets, endpoints, ...using }) {
    const { id, account, region, spec, tags } = row
    const network = vpcs.get(spec.vpc)!
    const local = [...network.spec.cidrs, ...blocks6(network)]
    return {
      RouteTableId: id,
      VpcId: spec.vpc,
      OwnerId: account,
      Associations: associations(id, network, using),
      PropagatingVgws: [],
      Routes: [
        ...local.map(({ cidr }) => {
          const route = spec.routes.find(own => destinationText(own) === cidr)
          const target = route ? targetView(route.via, row, targets) : { GatewayId: 'local', State: 'active' as const }
          return { ...blockView(cidr), ...target, Origin: 'CreateRouteTable' as const }
        }),
        ...spec.routes.filter(route => !local.some(({ cidr }) => cidr === destinationText(route))).map(route => ({
          ...destinationView(route),
          ...targetView(route.via, row, targets), Origin: 'CreateRoute' as const,
        })),
        ...endpoints.filter(({ spec: { routeTables } }) => routeTables.includes(id)).map(endpoint => ({
          DestinationPrefixListId: s3ListId(region), GatewayId: endpoint.id, Origin: 'CreateRoute' as const, State: 'active' as const,
        })),
      ],
      Tags: tagList(tags),
    }
  },
  filters: {
    'association.gateway-id': 'Associations.GatewayId',
    'association.main': 'Associations.Main',
    'association.route-table-association-id': 'Associations.RouteTableAssociationId',
    'association.route-table-id': 'Associations.RouteTableId',
    'association.subnet-id': 'Associations.SubnetId',
    'owner-id': 'OwnerId',
    'route-table-id': 'RouteTableId',
    'route.destination-cidr-block': 'Routes.DestinationCidrBlock',
    'route.destination-ipv6-cidr-block': 'Routes.DestinationIpv6CidrBlock',
    'route.destination-prefix-list-id': 'Routes.DestinationPrefixListId',
    'route.egress-only-internet-gateway-id': 'Routes.EgressOnlyInternetGatewayId',
    'route.gateway-id': 'Routes.GatewayId',
    'route.instance-id': 'Routes.InstanceId',
    'route.nat-gateway-id': 'Routes.NatGatewayId',
    'route.origin': 'Routes.Origin',
    'route.state': 'Routes.State',
    'route.transit-gateway-id': 'Routes.TransitGatewayId',
    'route.vpc-peering-connection-id': 'Routes.VpcPeeringConnectionId',
    'vpc-id': 'VpcId',
  },
})
