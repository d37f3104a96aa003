/**
 * A managed prefix list: what it is.
 *
 * Invariants: `versions` holds the entries of every version, the newest last, as what was can be restored; a list never has more entries
 * than its size, which is also what it counts in a group or table that refers to it (VPC User Guide, "Prefix list concepts and rules").
 */
import { resource, tagList } from '#kit/resource'
import { ec2Arn } from '#service/ec2/vpc/arn'
import type { Reader, Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Entry = { cidr: string; description?: string }
export type Spec = {
  name: string
  family: 'IPv4' | 'IPv6'
  maxEntries: number
  /** Version n is at n - 1. */
  versions: Entry[][]
}
export type Status = {
  state: 'create-complete' | 'modify-complete' | 'modify-failed' | 'restore-complete' | 'delete-failed'
  message?: string
}
export type PrefixListRow = Row<Spec, Status>

export const entriesOf = ({ spec }: PrefixListRow): Entry[] => spec.versions.at(-1)!

export const prefixList = resource<Spec, Status, sdk.ManagedPrefixList>({
  kind: 'prefix-list', prefix: 'pl', label: 'prefix list ID', missing: 'InvalidPrefixListID.NotFound', malformed: 'InvalidPrefixListId.Malformed',
  view: ({ id, account, region, spec, status, tags }) => ({
    PrefixListId: id,
    PrefixListArn: ec2Arn('prefix-list', { account, region, id }),
    PrefixListName: spec.name,
    AddressFamily: spec.family,
    MaxEntries: spec.maxEntries,
    Version: spec.versions.length,
    State: status.state,
    StateMessage: status.message,
    OwnerId: account,
    Tags: tagList(tags),
  }),
  filters: { 'owner-id': 'OwnerId', 'prefix-list-id': 'PrefixListId', 'prefix-list-name': 'PrefixListName' },
})

/** Blocks by the ids of an account's lists: what rules and routes that name a list mean. */
export async function blocksOf(
  reader: Reader, at: { account: string; region: string }, managed: readonly PrefixListRow[],
): Promise<Map<string, string[]>> {
  const rows = [...managed, ...await prefixList.list(reader, at)]
  return new Map(rows.map(row => [row.id, entriesOf(row).map(({ cidr }) => cidr)]))
}

/** How many rules or routes a reference to a list counts for. */
export async function sizesOf(reader: Reader, at: { account: string; region: string }): Promise<Map<string, number>> {
  return new Map((await prefixList.list(reader, at)).map(row => [row.id, row.spec.maxEntries]))
}
