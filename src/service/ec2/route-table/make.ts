/** Making route tables, for the actions and for new VPCs, and what becomes of them when a VPC loses a block. */
import { resourceId } from '#base/id'
import type { Place } from '#kit/action'
import type { Tags } from '#kit/tags'
import { destinationText, routeTable, type Route, type RouteTableRow } from '#service/ec2/route-table/route-table'
import { claimLowest } from '#service/ec2/vpc/numbers'
import type { VpcRow } from '#service/ec2/vpc/vpc'
import type { Tx } from '#store/store'

export type NewRouteTable = { place: Place; now: Date; vpc: string; id?: string; routes?: Route[]; tags?: Tags }

/** A table with its number in the VPC. */
export async function createRouteTable(
  tx: Tx, { place, now, vpc, id = resourceId(routeTable.prefix), routes = [], tags }: NewRouteTable,
): Promise<RouteTableRow> {
  const index = (await claimLowest(tx, { scope: `${vpc}/route-table-index`, owner: id, least: 1, most: 65_000 }))!
  return tx.put(routeTable.make({ ...place, now, id, tags, status: {}, spec: { vpc, index, routes } }), 'created')
}

/** The local route of a block goes with it, whatever its target was. */
export async function dropLocalRoutes(tx: Tx, { id, account, region }: VpcRow, cidr: string): Promise<void> {
  for (const row of await routeTable.list(tx, { account, region })) {
    const routes = row.spec.routes.filter(route => destinationText(route) !== cidr)
    if (row.spec.vpc === id && routes.length < row.spec.routes.length) await routeTable.update(tx, row, { spec: { routes } }, 'route-deleted')
  }
}
