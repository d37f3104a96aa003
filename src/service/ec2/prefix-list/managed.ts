/**
 * AWS's own prefix lists, of the services that gateway endpoints lead to: computed, never kept.
 *
 * Invariant: a list's blocks are the addresses at which that service, and no other, answers instances.
 */
import { createHash } from 'node:crypto'
import { storeAddress, type Home } from '#base/home'
import type { Place } from '#kit/action'
import { scanOf } from '#kit/describe'
import { ApiError } from '#kit/error'
import type { Reader } from '#store/store'
import { prefixList, type PrefixListRow } from '#service/ec2/prefix-list/prefix-list'

export const s3Service = (region: string): string => `com.amazonaws.${region}.s3`

/** The same in every Enclume, as AWS's are in every account; of eight digits, as AWS's are. */
export const s3ListId = (region: string): string => `pl-${createHash('sha256').update(s3Service(region)).digest('hex').slice(0, 8)}`

export function managedLists(home: Home, region: string): PrefixListRow[] {
  return [prefixList.make({
    account: 'AWS', region, now: new Date(0), id: s3ListId(region), status: { state: 'create-complete' },
    spec: { name: s3Service(region), family: 'IPv4', maxEntries: 1, versions: [[{ cidr: `${storeAddress(home)}/32` }]] },
  })]
}

/** A list that a rule or route may name, the account's or AWS's own, and how many rules or routes it counts for. */
export async function referenced(reader: Reader, at: { account: string; region: string }, id: string): Promise<{ id: string; size: number }> {
  if (id === s3ListId(at.region)) return { id, size: 1 }
  return { id, size: (await prefixList.get(reader, at, id)).spec.maxEntries }
}

/** AWS's own lists as the resource that Describe reads, alone or before an account's. */
export function onlyManaged(home: Home, region: string) {
  const own = managedLists(home, region)
  const find = async (_: Reader, id: string) => own.find(row => row.id === id)
  return {
    ...prefixList, find, list: async () => own, everywhere: async () => own,
    scan: scanOf(async () => own),
    async getAll(_: Reader, __: object, ids: readonly string[]): Promise<PrefixListRow[]> {
      for (const id of ids) prefixList.checkId(id)
      const found = own.filter(row => ids.includes(row.id))
      const unknown = ids.find(id => !own.some(row => row.id === id))
      if (unknown !== undefined) throw new ApiError(prefixList.missing, `The prefix list ID '${unknown}' does not exist`)
      return found
    },
  }
}

export function withManaged(home: Home, region: string) {
  const own = managedLists(home, region)
  const byId = (id: string) => own.find(row => row.id === id)
  const list = async (reader: Reader, at: Place) => [...own, ...await prefixList.list(reader, at)]
  return {
    ...prefixList,
    list, scan: scanOf(list),
    get: async (reader: Reader, at: Place, id: string) => byId(id) ?? prefixList.get(reader, at, id),
    async getAll(reader: Reader, at: Place, ids: readonly string[]): Promise<PrefixListRow[]> {
      const theirs = await prefixList.getAll(reader, at, ids.filter(id => byId(id) === undefined))
      return [...new Set(ids)].map(id => byId(id) ?? theirs.find(row => row.id === id)!)
    },
  }
}
