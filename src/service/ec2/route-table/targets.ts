/**
 * Where routes lead: what a request names, how it looks, whether it is there.
 *
 * Invariant: a route is kept whatever becomes of its target; while the target can't take packets it is a blackhole, on the wire and
 * on the host (VPC User Guide, "Route tables").
 */
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { invalidCombination, missingParameter, refuseMembers } from '#service/ec2/errors'
import { egressOnlyGateway } from '#service/ec2/egress-only-gateway/egress-only-gateway'
import { instance } from '#service/ec2/instance/instance'
import { internetGateway, type InternetGatewayRow } from '#service/ec2/internet-gateway/internet-gateway'
import { isThere, natGateway } from '#service/ec2/nat-gateway/nat-gateway'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import type { RouteTableRow, Via } from '#service/ec2/route-table/route-table'
import { getPeering, isLinked, sidesOf, visiblePeerings } from '#service/ec2/vpc-peering/peering'
import type { Reader } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

type Asked = sdk.CreateRouteRequest & sdk.ReplaceRouteRequest

/** Targets of which there are none yet: AWS's error for an id that nobody has. */
const none = {
  TransitGatewayId: ['InvalidTransitGatewayID.NotFound', 'transitGateway ID'],
  VpcEndpointId: ['InvalidVpcEndpointId.NotFound', 'Vpc Endpoint ID'],
} as const
const kinds = ['GatewayId', 'InstanceId', 'NetworkInterfaceId', 'NatGatewayId', 'VpcPeeringConnectionId',
  'EgressOnlyInternetGatewayId', ...Object.keys(none) as (keyof typeof none)[]] as const
const beyond = ['LocalGatewayId', 'CarrierGatewayId', 'CoreNetworkArn', 'OdbNetworkArn']

const named = (input: Asked) => kinds.filter(kind => input[kind] !== undefined)

/** For a request whose route shall be local. */
export function checkNoTarget(input: Asked): void {
  const [kind] = named(input)
  if (kind !== undefined) throw invalidCombination(`A route has one target, not LocalTarget and ${kind}.`)
}

/** The target that a request names, which must be in the table's VPC. `operation` is for messages. */
export async function targetOf(reader: Reader, table: RouteTableRow, operation: string, input: Asked): Promise<Via> {
  refuseMembers(operation, input, beyond)
  const given = named(input)
  const [kind] = given
  if (kind === undefined) throw missingParameter('gatewayId')
  if (given.length > 1) throw invalidCombination(`A route has one target, not ${given.join(' and ')}.`)
  const id = input[kind]!
  switch (kind) {
    case 'GatewayId': return gatewayTarget(reader, table, id)
    case 'InstanceId': return instanceTarget(reader, table, id)
    case 'NetworkInterfaceId': return interfaceTarget(reader, table, id)
    case 'NatGatewayId': return natTarget(reader, table, id)
    case 'EgressOnlyInternetGatewayId': return egressTarget(reader, table, id)
    case 'VpcPeeringConnectionId': return peeringTarget(reader, table, id)
    default: {
      const [code, what] = none[kind]
      throw new ApiError(code, `The ${what} '${id}' does not exist`)
    }
  }
}

/** Message: giantswarm/aws-operator#632, saltstack/salt#38791. */
export const elsewhere = (table: RouteTableRow, what: string, id: string): ApiError =>
  new ApiError('InvalidParameterValue', `route table ${table.id} and ${what} ${id} belong to different networks`)

/** Whatever is no internet gateway is no gateway (hashicorp/terraform#4987). */
export async function getGateway(reader: Reader, place: Place, id: string): Promise<InternetGatewayRow> {
  const row = (await internetGateway.list(reader, place)).find(gateway => gateway.id === id)
  if (!row) throw new ApiError('InvalidGatewayID.NotFound', `The gateway ID '${id}' does not exist`)
  return row
}

/** A detached one is in no network. */
async function gatewayTarget(reader: Reader, table: RouteTableRow, id: string): Promise<Via> {
  const row = await getGateway(reader, table, id)
  if (row.spec.vpc !== table.spec.vpc) throw elsewhere(table, 'network gateway', id)
  return { gateway: id }
}

async function egressTarget(reader: Reader, table: RouteTableRow, id: string): Promise<Via> {
  const row = await egressOnlyGateway.get(reader, table, id)
  if (row.spec.vpc !== table.spec.vpc) throw elsewhere(table, 'network gateway', id)
  return { egressOnly: id }
}

async function interfaceTarget(reader: Reader, table: RouteTableRow, id: string): Promise<Via> {
  const row = await networkInterface.get(reader, table, id)
  if (row.spec.vpc !== table.spec.vpc) throw elsewhere(table, 'interface', id)
  return { port: id }
}

/** One that is going or gone is nobody's to name. Message: boto3#779. */
async function natTarget(reader: Reader, table: RouteTableRow, id: string): Promise<Via> {
  const row = (await natGateway.list(reader, table)).find(gateway => gateway.id === id)
  if (!row || !isThere(row)) throw new ApiError('InvalidNatGatewayID.NotFound', `The natGateway ID '${id}' does not exist`)
  if (row.spec.vpc !== table.spec.vpc) throw elsewhere(table, 'NAT gateway', id)
  return { nat: id }
}

/** One that nobody has accepted yet may be named, and is a blackhole (VPC Peering Guide, "Update your route tables"). */
async function peeringTarget(reader: Reader, table: RouteTableRow, id: string): Promise<Via> {
  const row = await getPeering(reader, table, id)
  if (!sidesOf(row).some(side => side.vpc === table.spec.vpc)) throw elsewhere(table, 'VPC peering connection', id)
  return { peering: id }
}

/** An instance stands for its only interface (API Reference, CreateRoute: "fails unless exactly one network interface is attached"). */
async function instanceTarget(reader: Reader, table: RouteTableRow, id: string): Promise<Via> {
  const row = await instance.get(reader, table, id)
  const attached = (await networkInterface.list(reader, table)).filter(({ spec }) => spec.attachment?.instance === row.id)
  const [only] = attached
  if (!only || attached.length > 1) {
    throw new ApiError('InvalidInstanceID', `There are ${only ? 'multiple' : 'no'} interfaces attached to instance '${id}'. `
      + 'Please specify an interface ID for the operation instead.')
  }
  return interfaceTarget(reader, table, only.id)
}

/** What a view needs of gateways, interfaces and instances. */
export type Targets = {
  /** Gateway -> its VPC. */
  gateways: Map<string, string | undefined>
  /** Interface -> its instance, and whether that runs. */
  ports: Map<string, { instance: string; runs: boolean } | undefined>
  /** Gateways for egress, NAT gateways and peering connections that take packets. */
  open: Set<string>
}

export async function readTargets(reader: Reader, place: Place): Promise<Targets> {
  const running = new Set((await instance.list(reader, place)).filter(({ status }) => status.state === 'running' || status.state === 'pending')
    .map(row => row.id))
  const nats = (await natGateway.list(reader, place)).filter(isThere)
  const peerings = (await visiblePeerings(reader, place)).filter(isLinked)
  return {
    open: new Set([...await egressOnlyGateway.list(reader, place), ...nats, ...peerings].map(row => row.id)),
    gateways: new Map((await internetGateway.list(reader, place)).map(row => [row.id, row.spec.vpc])),
    ports: new Map((await networkInterface.list(reader, place)).map(({ id, spec: { attachment } }) =>
      [id, attachment && { instance: attachment.instance, runs: running.has(attachment.instance) }])),
  }
}

/** A route's target and state, as AWS shows them. */
export function targetView(via: Via, { account, spec }: RouteTableRow, { gateways, ports, open }: Targets): sdk.Route {
  const state = (isThere: boolean) => (isThere ? 'active' as const : 'blackhole' as const)
  if ('gateway' in via) return { GatewayId: via.gateway, State: state(gateways.get(via.gateway) === spec.vpc) }
  if ('egressOnly' in via) return { EgressOnlyInternetGatewayId: via.egressOnly, State: state(open.has(via.egressOnly)) }
  if ('nat' in via) return { NatGatewayId: via.nat, State: state(open.has(via.nat)) }
  if ('peering' in via) return { VpcPeeringConnectionId: via.peering, State: state(open.has(via.peering)) }
  const port = ports.get(via.port)
  return {
    NetworkInterfaceId: via.port, State: state(port?.runs === true),
    ...(port && { InstanceId: port.instance, InstanceOwnerId: account }),
  }
}
