/**
 * A route table: what it is.
 *
 * Invariants: routes within the VPC's own blocks are never kept but follow from the blocks; which subnets use a table is kept
 * with the subnet, and which is the main one with the VPC, so that neither can be associated twice.
 */
import { resource, tagList } from '#kit/resource'
import type { Row } from '#store/store'
import { readTargets, targetView, type Targets } from '#service/ec2/route-table/targets'
import { s3ListId } from '#service/ec2/prefix-list/managed'
import type { VpcEndpointRow } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import type { SubnetRow } from '#service/ec2/subnet/subnet'
import type { VpcRow } from '#service/ec2/vpc/vpc'
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

const destinationView = (route: Route): sdk.Route => {
  if (!('cidr' in route)) return { DestinationPrefixListId: route.prefixList }
  return route.cidr.includes(':') ? { DestinationIpv6CidrBlock: route.cidr } : { DestinationCidrBlock: route.cidr }
}

type Joined = { vpcs: Map<string, VpcRow>; subnets: SubnetRow[]; targets: Targets; endpoints: VpcEndpointRow[] }
const associated = { State: 'associated' } as const

function associations(id: string, vpc: VpcRow, subnets: SubnetRow[]): sdk.RouteTableAssociation[] {
  const { mainRouteTable: main } = vpc.spec
  const own = subnets.filter(subnet => subnet.spec.routeTable?.id === id).map(subnet => ({
    RouteTableAssociationId: subnet.spec.routeTable!.association, RouteTableId: id, SubnetId: subnet.id, Main: false,
    AssociationState: associated,
  }))
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
      targets: await readTargets(reader, at),
      endpoints: await reader.list<VpcEndpointRow>({ kind: 'vpc-endpoint', ...at }),
    }
  },
  view(row, { vpcs, subnets, targets, endpoints }) {
    const { id, account, region, spec, tags } = row
    const network = vpcs.get(spec.vpc)!
    return {
      RouteTableId: id,
      VpcId: spec.vpc,
      OwnerId: account,
      Associations: associations(id, network, subnets),
      PropagatingVgws: [],
      Routes: [
        ...network.spec.cidrs.map(({ cidr }) => ({
          DestinationCidrBlock: cidr, GatewayId: 'local', Origin: 'CreateRouteTable' as const, State: 'active' as const,
        })),
        ...(network.spec.cidrs6 ?? []).map(({ cidr }) => ({
          DestinationIpv6CidrBlock: cidr, GatewayId: 'local', Origin: 'CreateRouteTable' as const, State: 'active' as const,
        })),
        ...spec.routes.map(route => ({
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
