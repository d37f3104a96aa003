/** A table's routes: made, replaced, deleted. A destination is in a table once. */
import { formatCidr, type Cidr } from '#base/cidr'
import { formatCidr6, parseCidr6, type Cidr6 } from '#base/cidr6'
import type { Actions } from '#kit/action'
import { ApiError } from '#kit/error'
import { invalidCombination, invalidValue, missingParameter, unsupported } from '#service/ec2/errors'
import { referenced } from '#service/ec2/prefix-list/managed'
import { sizesOf } from '#service/ec2/prefix-list/prefix-list'
import { destinationText, routeTable, type Route, type RouteTableRow, type Via } from '#service/ec2/route-table/route-table'
import { checkEdge, checkInside, insideOf, isEdge } from '#service/ec2/route-table/rules'
import { checkNoTarget, targetOf } from '#service/ec2/route-table/targets'
import { readCidr } from '#service/ec2/vpc/cidr'
import { checkLimit } from '#service/ec2/vpc/limits'
import type { Reader, Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

type Destination = Pick<sdk.CreateRouteRequest, 'DestinationCidrBlock' | 'DestinationIpv6CidrBlock' | 'DestinationPrefixListId'>

type Found = { cidr: string; block: Cidr } | { cidr: string; block6: Cidr6 } | { prefixList: string; size: number }

/** Missing: hashicorp/terraform#14564. */
async function destinationOf(reader: Reader, row: RouteTableRow, input: Destination): Promise<Found> {
  const { DestinationCidrBlock: cidr, DestinationIpv6CidrBlock: cidr6, DestinationPrefixListId: list } = input
  const names = { destinationCidrBlock: cidr, destinationIpv6CidrBlock: cidr6, destinationPrefixListId: list }
  const given = Object.entries(names).filter(([, value]) => value !== undefined).map(([name]) => name)
  if (given.length > 1) throw invalidCombination(`The parameters ${given[0]} and ${given[1]} cannot be used together.`)
  if (cidr6 !== undefined) {
    const block6 = parseCidr6(cidr6)
    if (!block6) throw invalidValue('destinationIpv6CidrBlock', cidr6, 'This is not a valid CIDR block.')
    return { cidr: formatCidr6(block6), block6 }
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

/** Gateways for egress alone are IPv6's, as NAT gateways are IPv4's but for translation between the two, which there is not. */
function checkFamily(destination: Found, via: Via): void {
  if ('egressOnly' in via && 'block' in destination) {
    throw new ApiError('InvalidParameterValue', `The destination ${destination.cidr} is not valid: an egress-only internet gateway takes IPv6 alone.`)
  }
  if ('nat' in via && 'block6' in destination) throw unsupported('NAT gateways as target of IPv6 routes')
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
    const destination = await destinationOf(tx, row, input)
    const inside = await insideOf(tx, row)
    checkFamily(destination, via)
    if ([...inside.local, ...row.spec.routes.map(destinationText)].includes(textOf(destination))) {
      throw new ApiError('RouteAlreadyExists', `The route identified by ${textOf(destination)} already exists.`)
    }
    const route = routeTo(destination, via)
    checkInside(inside, route)
    if (await isEdge(tx, row)) checkEdge(inside, row, [route])
    await checkRoom(tx, row, destination)
    await writeRoutes(tx, row, [...row.spec.routes, route], 'route-created')
    return { Return: true }
  },

  /** A local route may get another target and, by LocalTarget, its own back (VPC User Guide, "Replace or restore the target for a local route"). */
  async ReplaceRoute({ input, account, region, tx }) {
    const row = await routeTable.get(tx, { account, region }, input.RouteTableId!)
    if (input.LocalTarget) checkNoTarget(input)
    const via = input.LocalTarget ? undefined : await targetOf(tx, row, 'ReplaceRoute', input)
    const destination = await destinationOf(tx, row, input)
    const text = textOf(destination)
    const inside = await insideOf(tx, row)
    const isLocal = inside.local.includes(text)
    const others = row.spec.routes.filter(route => destinationText(route) !== text)
    if (!isLocal && others.length === row.spec.routes.length) throw missing(row, destination)
    if (!via) {
      if (!isLocal) throw new ApiError('InvalidParameterValue', `The route for ${text} in route table ${row.id} is not a local route.`)
      await writeRoutes(tx, row, others, 'route-replaced')
      return {}
    }
    checkFamily(destination, via)
    const route = routeTo(destination, via)
    checkInside(inside, route)
    if (await isEdge(tx, row)) checkEdge(inside, row, [route])
    const routes = isLocal ? [...others, route] : row.spec.routes.map(own => (destinationText(own) === text ? route : own))
    await writeRoutes(tx, row, routes, 'route-replaced')
    return {}
  },

  async DeleteRoute({ input, account, region, tx }) {
    const row = await routeTable.get(tx, { account, region }, input.RouteTableId!)
    const destination = await destinationOf(tx, row, input)
    const text = textOf(destination)
    if ((await insideOf(tx, row)).local.includes(text)) {
      throw new ApiError('InvalidParameterValue', `cannot remove local route ${text} in route table ${row.id}`)
    }
    if (!row.spec.routes.some(route => destinationText(route) === text)) throw missing(row, destination)
    await writeRoutes(tx, row, row.spec.routes.filter(route => destinationText(route) !== text), 'route-deleted')
    return {}
  },
}

const missing = ({ id }: RouteTableRow, to: Found): ApiError => new ApiError('InvalidRoute.NotFound',
  `no route with destination-${kindOf(to)} ${textOf(to)} in route table ${id}`)
const kindOf = (to: Found): string => ('block6' in to ? 'ipv6-cidr-block' : 'cidr' in to ? 'cidr-block' : 'prefix-list-id')
