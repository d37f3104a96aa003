/** Making route tables, for the actions and for new VPCs. */
import { resourceId } from '#base/id'
import type { Place } from '#kit/action'
import type { Tags } from '#kit/tags'
import { routeTable, type Route, type RouteTableRow } from '#service/ec2/route-table/route-table'
import { claimLowest } from '#service/ec2/vpc/numbers'
import type { Tx } from '#store/store'

export type NewRouteTable = { place: Place; now: Date; vpc: string; id?: string; routes?: Route[]; tags?: Tags }

/** A table with its number in the VPC. */
export async function createRouteTable(
  tx: Tx, { place, now, vpc, id = resourceId(routeTable.prefix), routes = [], tags }: NewRouteTable,
): Promise<RouteTableRow> {
  const index = (await claimLowest(tx, { scope: `${vpc}/route-table-index`, owner: id, least: 1, most: 65_000 }))!
  return tx.put(routeTable.make({ ...place, now, id, tags, status: {}, spec: { vpc, index, routes } }), 'created')
}
