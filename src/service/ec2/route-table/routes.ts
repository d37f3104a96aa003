/** A table's routes: made, replaced, deleted. A destination is in a table once. */
import { formatCidr, parseCidr, within, type Cidr } from '#base/cidr'
import type { Actions } from '#kit/action'
import { ApiError } from '#kit/error'
import { missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { routeTable, type Route, type RouteTableRow, type Via } from '#service/ec2/route-table/route-table'
import { targetOf } from '#service/ec2/route-table/targets'
import { readCidr } from '#service/ec2/vpc/cidr'
import { checkLimit } from '#service/ec2/vpc/limits'
import { vpc } from '#service/ec2/vpc/vpc'
import type { Reader, Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

type Destination = Pick<sdk.CreateRouteRequest, 'DestinationCidrBlock' | 'DestinationIpv6CidrBlock' | 'DestinationPrefixListId'>

/** Missing: hashicorp/terraform#14564. Nobody can have a prefix list yet. */
function destinationOf(operation: string, input: Destination): Cidr {
  refuseMembers(operation, input, ['DestinationIpv6CidrBlock'])
  const list = input.DestinationPrefixListId
  if (list !== undefined) throw new ApiError('InvalidPrefixListID.NotFound', `The prefix list ID '${list}' does not exist`)
  if (input.DestinationCidrBlock === undefined) throw missingParameter('destinationCidrBlock or destinationIpv6CidrBlock')
  return readCidr('destinationCidrBlock', input.DestinationCidrBlock)
}

/** The blocks of the table's VPC. */
async function localBlocks(reader: Reader, { spec }: RouteTableRow): Promise<Cidr[]> {
  const row = await vpc.find(reader, spec.vpc)
  return row!.spec.cidrs.map(({ cidr }) => parseCidr(cidr)!)
}

/** Inside the VPC a route may only lead over an instance (terraform-provider-aws#13896). */
function checkInside(local: Cidr[], destination: Cidr, via: Via): void {
  if ('port' in via || !local.some(block => within(block, destination))) return
  throw new ApiError('InvalidParameterValue', 'Route target is not supported. This route only supports interface and instance targets.')
}

const writeRoutes = (tx: Tx, row: RouteTableRow, routes: Route[], event: string) => routeTable.update(tx, row, { spec: { routes } }, event)

export const routeActions: Actions<typeof sdk> = {
  async CreateRoute({ input, account, region, tx }) {
    const row = await routeTable.get(tx, { account, region }, input.RouteTableId!)
    const via = await targetOf(tx, row, 'CreateRoute', input)
    const destination = destinationOf('CreateRoute', input)
    const cidr = formatCidr(destination)
    const local = await localBlocks(tx, row)
    if ([...local.map(formatCidr), ...row.spec.routes.map(route => route.cidr)].includes(cidr)) {
      throw new ApiError('RouteAlreadyExists', `The route identified by ${cidr} already exists.`)
    }
    checkInside(local, destination, via)
    checkLimit('routes', row.spec.routes.length)
    await writeRoutes(tx, row, [...row.spec.routes, { cidr, via }], 'route-created')
    return { Return: true }
  },

  async ReplaceRoute({ input, account, region, tx }) {
    const row = await routeTable.get(tx, { account, region }, input.RouteTableId!)
    if (input.LocalTarget) throw unsupported('LocalTarget of ReplaceRoute')
    const via = await targetOf(tx, row, 'ReplaceRoute', input)
    const destination = destinationOf('ReplaceRoute', input)
    const cidr = formatCidr(destination)
    const local = await localBlocks(tx, row)
    if (local.some(block => formatCidr(block) === cidr)) throw unsupported('a local route with another target')
    if (!row.spec.routes.some(route => route.cidr === cidr)) throw missing(row, cidr)
    checkInside(local, destination, via)
    await writeRoutes(tx, row, row.spec.routes.map(route => (route.cidr === cidr ? { cidr, via } : route)), 'route-replaced')
    return {}
  },

  async DeleteRoute({ input, account, region, tx }) {
    const row = await routeTable.get(tx, { account, region }, input.RouteTableId!)
    const cidr = formatCidr(destinationOf('DeleteRoute', input))
    if ((await localBlocks(tx, row)).some(block => formatCidr(block) === cidr)) {
      throw new ApiError('InvalidParameterValue', `cannot remove local route ${cidr} in route table ${row.id}`)
    }
    if (!row.spec.routes.some(route => route.cidr === cidr)) throw missing(row, cidr)
    await writeRoutes(tx, row, row.spec.routes.filter(route => route.cidr !== cidr), 'route-deleted')
    return {}
  },
}

const missing = ({ id }: RouteTableRow, cidr: string): ApiError =>
  new ApiError('InvalidRoute.NotFound', `no route with destination-cidr-block ${cidr} in route table ${id}`)
