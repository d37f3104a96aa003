/** What may be asked of route tables. */
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { routeTable } from '#service/ec2/route-table/route-table'
import type * as sdk from '@aws-sdk/client-ec2'

export const actions: Actions<typeof sdk> = {
  DescribeRouteTables: describe(routeTable, 'RouteTableIds', 'RouteTables'),
}
