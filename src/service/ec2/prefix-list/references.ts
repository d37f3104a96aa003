/**
 * Who refers to a prefix list: rules of security groups and routes.
 *
 * Invariant: a group or table that refers to a list has room for as many rules or routes as the list's size.
 */
import type { PrefixListRow } from '#service/ec2/prefix-list/prefix-list'
import { destinationText, type RouteTableRow } from '#service/ec2/route-table/route-table'
import { MAX_RULES, weightOf } from '#service/ec2/security-group/quota'
import type { SecurityGroupRow } from '#service/ec2/security-group/security-group'
import { limitOf } from '#service/ec2/vpc/limits'
import type { Reader } from '#store/store'

export type Referrer = { id: string; account: string; fits(size: number): boolean }

/** Groups and tables that refer to a list, in the order of their ids, and whether they would have room for it with another size. */
export async function referrersOf(reader: Reader, list: PrefixListRow, sizes: ReadonlyMap<string, number>): Promise<Referrer[]> {
  const place = { account: list.account, region: list.region }
  const resized = (size: number) => new Map([...sizes, [list.id, size]])
  const groups = (await reader.list<SecurityGroupRow>({ kind: 'security-group', ...place }))
    .filter(({ spec }) => spec.rules.some(({ peer }) => 'prefixList' in peer && peer.prefixList === list.id))
  const tables = (await reader.list<RouteTableRow>({ kind: 'route-table', ...place }))
    .filter(({ spec }) => spec.routes.some(route => destinationText(route) === list.id))
  return [
    ...groups.map(({ id, account, spec }) => ({
      id, account, fits: (size: number) => [false, true].every(egress => weightOf(spec.rules, egress, resized(size)) <= MAX_RULES),
    })),
    ...tables.map(({ id, account, spec }) => ({
      id, account,
      fits: (size: number) => spec.routes.reduce((sum, route) => sum + (resized(size).get(destinationText(route)) ?? 1), 0) <= limitOf('routes'),
    })),
  ].sort((a, b) => (a.id < b.id ? -1 : 1))
}
