/**
 * Which routes may be, inside the VPC and in tables of gateways (VPC User Guide, "Subnet route tables" and "Gateway route tables").
 *
 * Invariant: a route inside the VPC is for one of its blocks or for a whole subnet, and leads over an interface or a NAT gateway; the table of
 * an internet gateway has none but such over interfaces.
 */
import { parseCidr, within } from '#base/cidr'
import { parseCidr6, within6 } from '#base/cidr6'
import { ApiError } from '#kit/error'
import { internetGateway } from '#service/ec2/internet-gateway/internet-gateway'
import { destinationText, type Route, type RouteTableRow } from '#service/ec2/route-table/route-table'
import { subnet } from '#service/ec2/subnet/subnet'
import { blocks6, vpc } from '#service/ec2/vpc/vpc'
import type { Reader } from '#store/store'

/** What is inside a table's VPC: its blocks and its subnets' blocks, of both families. */
export type Inside = { local: string[]; subnets: string[] }

export async function insideOf(reader: Reader, table: RouteTableRow): Promise<Inside> {
  const row = (await vpc.find(reader, table.spec.vpc))!
  const subnets = (await subnet.list(reader, table)).filter(({ spec }) => spec.vpc === row.id)
  return {
    local: [...row.spec.cidrs, ...blocks6(row)].map(({ cidr }) => cidr),
    subnets: subnets.flatMap(({ spec }) => [spec.cidr, ...(spec.cidr6 ? [spec.cidr6.cidr] : [])]),
  }
}

export function isWithin(outer: string, inner: string): boolean {
  if (outer.includes(':') !== inner.includes(':')) return false
  return outer.includes(':') ? within6(parseCidr6(outer)!, parseCidr6(inner)!) : within(parseCidr(outer)!, parseCidr(inner)!)
}

const invalid = (message: string): ApiError => new ApiError('InvalidParameterValue', message)

/**
 * Message of the target: hashicorp/terraform-provider-aws#13896 as AWS words it since NAT gateways and subnets' blocks were added. That AWS
 * refuses parts of subnets is the User Guide's; its words for it are not known here.
 */
export function checkInside({ local, subnets }: Inside, route: Route): void {
  if (!('cidr' in route) || !local.some(block => isWithin(block, route.cidr))) return
  const { cidr, via } = route
  if (!('port' in via) && !('nat' in via)) {
    throw invalid(`The destination CIDR block ${cidr} is equal to or more specific than one of this VPC's CIDR blocks. `
      + 'This route can target only an interface or an instance.')
  }
  if ([...local, ...subnets].includes(cidr)) return
  throw invalid(`The destination CIDR block ${cidr} does not match the CIDR block of a subnet in this VPC.`)
}

/** The internet gateway that a table is for, if it is one's. */
export async function isEdge(reader: Reader, table: RouteTableRow): Promise<boolean> {
  return (await internetGateway.list(reader, table)).some(({ spec }) => spec.routeTable?.id === table.id)
}

/** Codes as for other routes that lead where they may not; AWS's words are not known here. */
export function checkEdge({ local }: Inside, table: RouteTableRow, routes: readonly Route[]): void {
  for (const route of routes) {
    const text = destinationText(route)
    if (!('cidr' in route) || !local.some(block => isWithin(block, route.cidr))) {
      throw invalid(`Route table ${table.id} is for an internet gateway: the destination ${text} is not within the VPC.`)
    }
    if (!('port' in route.via)) {
      throw invalid(`Route table ${table.id} is for an internet gateway: the route for ${text} can target only an interface.`)
    }
  }
}
