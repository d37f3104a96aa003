/** A table's routes: made, replaced, deleted. A destination is in a table once. */
import { formatCidr, parseCidr, within, type Cidr } from '#base/cidr'
import type { Actions } from '#kit/action'
import { ApiError } from '#kit/error'
import { invalidCombination, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { referenced } from '#service/ec2/prefix-list/managed'
import { sizesOf } from '#service/ec2/prefix-list/prefix-list'
import { destinationText, routeTable, type Route, type RouteTableRow, type Via } from '#service/ec2/route-table/route-table'
import { targetOf } from '#service/ec2/route-table/targets'
import { readCidr } from '#service/ec2/vpc/cidr'
import { checkLimit } from '#service/ec2/vpc/limits'
import { vpc } from '#service/ec2/vpc/vpc'
import type { Reader, Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

type Destination = Pick<sdk.CreateRouteRequest, 'DestinationCidrBlock' | 'DestinationIpv6CidrBlock' | 'DestinationPrefixListId'>

type Found = { cidr: string; block: Cidr } | { prefixList: string; size: number }

/** Missing: hashicorp/terraform#14564. */
async function destinationOf(reader: Reader, row: RouteTableRow, operation: string, input: Destination): Promise<Found> {
  refuseMembers(operation, input, ['DestinationIpv6CidrBlock'])
  const { DestinationCidrBlock: cidr, DestinationPrefixListId: list } = input
  if (cidr !== undefined && list !== undefined) {
    throw invalidCombination('The parameters destinationCidrBlock and destinationPrefixListId cannot be used together.')
  }
  if (list !== undefined) {
    const { id, size } = await referenced(reader, row, list)
    return { prefixList: id, size }
  }
  if (cidr === undefined) throw missingParameter('destinationCidrBlock or destinationIpv6CidrBlock')
  const block = readCidr('destinationCidrBlock', cidr)
  return { cidr: formatCidr(block), block }
}

const textOf = (found: Found): string => ('cidr' in found ? found.cidr : found.prefixList)
const routeTo = (found: Found, via: Via): Route => ('cidr' in found ? { cidr: found.cidr, via } : { prefixList: found.prefixList, via })

/** The blocks of the table's VPC. */
async function localBlocks(reader: Reader, { spec }: RouteTableRow): Promise<Cidr[]> {
  const row = await vpc.find(reader, spec.vpc)
  return row!.spec.cidrs.map(({ cidr }) => parseCidr(cidr)!)
}

/** Inside the VPC a route may only lead over an instance (terraform-provider-aws#13896). */
function checkInside(local: Cidr[], destination: Found, via: Via): void {
  if ('port' in via || !('block' in destination) || !local.some(block => within(block, destination.block))) return
  throw new ApiError('InvalidParameterValue', 'Route target is not supported. This route only supports interface and instance targets.')
}

/** A prefix list counts for as many routes as its size (VPC User Guide, "Amazon VPC quotas"). */
async function checkRoom(reader: Reader, row: RouteTableRow, destination: Found): Promise<void> {
  const sizes = await sizesOf(reader, row)
  const taken = row.spec.routes.reduce((sum, route) => sum + (sizes.get(destinationText(route)) ?? 1), 0)
  checkLimit('routes', taken + ('size' in destination ? destination.size - 1 : 0))
}

const writeRoutes = (tx: Tx, row: RouteTableRow, routes: Route[], event: string) => routeTable.update(tx, row, { spec: { routes } }, event)

export const routeActions: Actions<typeof sdk> = {
  async CreateRoute({ input, account, region, tx }) {
    const row = await routeTable.get(tx, { account, region }, input.RouteTableId!)
    const via = await targetOf(tx, row, 'CreateRoute', input)
    const destination = await destinationOf(tx, row, 'CreateRoute', input)
    const local = await localBlocks(tx, row)
    if ([...local.map(formatCidr), ...row.spec.routes.map(destinationText)].includes(textOf(destination))) {
      throw new ApiError('RouteAlreadyExists', `The route identified by ${textOf(destination)} already exists.`)
    }
    checkInside(local, destination, via)
    await checkRoom(tx, row, destination)
    await writeRoutes(tx, row, [...row.spec.routes, routeTo(destination, via)], 'route-created')
    return { Return: true }
  },

  async ReplaceRoute({ input, account, region, tx }) {
    const row = await routeTable.get(tx, { account, region }, input.RouteTableId!)
    if (input.LocalTarget) throw unsupported('LocalTarget of ReplaceRoute')
    const via = await targetOf(tx, row, 'ReplaceRoute', input)
    const destination = await destinationOf(tx, row, 'ReplaceRoute', input)
    const text = textOf(destination)
    const local = await localBlocks(tx, row)
    if (local.some(block => formatCidr(block) === text)) throw unsupported('a local route with another target')
    if (!row.spec.routes.some(route => destinationText(route) === text)) throw missing(row, destination)
    checkInside(local, destination, via)
    const routes = row.spec.routes.map(route => (destinationText(route) === text ? routeTo(destination, via) : route))
    await writeRoutes(tx, row, routes, 'route-replaced')
    return {}
  },

  async DeleteRoute({ input, account, region, tx }) {
    const row = await routeTable.get(tx, { account, region }, input.RouteTableId!)
    const destination = await destinationOf(tx, row, 'DeleteRoute', input)
    const text = textOf(destination)
    if ((await localBlocks(tx, row)).some(block => formatCidr(block) === text)) {
      throw new ApiError('InvalidParameterValue', `cannot remove local route ${text} in route table ${row.id}`)
    }
    if (!row.spec.routes.some(route => destinationText(route) === text)) throw missing(row, destination)
    await writeRoutes(tx, row, row.spec.routes.filter(route => destinationText(route) !== text), 'route-deleted')
    return {}
  },
}

const missing = ({ id }: RouteTableRow, to: Found): ApiError => new ApiError('InvalidRoute.NotFound',
  `no route with destination-${'cidr' in to ? 'cidr-block' : 'prefix-list-id'} ${textOf(to)} in route table ${id}`)
