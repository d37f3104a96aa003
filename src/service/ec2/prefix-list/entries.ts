/**
 * From the entries of a request to a list's entries, with AWS's errors for what none can be. Pure.
 *
 * Invariant: blocks are canonical (no host bits), and a list has none twice.
 */
import { formatCidr, parseCidr } from '#base/cidr'
import { ApiError } from '#kit/error'
import { invalidValue, missingParameter } from '#service/ec2/errors'
import type { Entry, Spec } from '#service/ec2/prefix-list/prefix-list'
import { canonicalCidr6 } from '#base/cidr6'
import type * as sdk from '@aws-sdk/client-ec2'

/** Entries in one request (API Reference, CreateManagedPrefixList). */
const MOST_AT_ONCE = 100

function blockOf(family: Spec['family'], cidr: string | undefined): string {
  if (cidr === undefined || cidr === '') throw missingParameter('Cidr')
  const parsed = family === 'IPv4' ? parseCidr(cidr) : undefined
  const canonical = family === 'IPv4' ? parsed && formatCidr(parsed) : canonicalCidr6(cidr)
  if (canonical === undefined) {
    throw new ApiError('InvalidParameterValue', `The CIDR block ${cidr} is not a valid ${family} CIDR block.`)
  }
  return canonical
}

function refuseRepeated(cidrs: string[]): void {
  const twice = cidrs.find((cidr, i) => cidrs.indexOf(cidr) !== i)
  if (twice !== undefined) throw new ApiError('InvalidParameterValue', `The CIDR block ${twice} appears more than once in the request.`)
}

const checkCount = (given: readonly unknown[], name: string): void => {
  if (given.length > MOST_AT_ONCE) throw invalidValue(name, `${given.length} entries`, `At most ${MOST_AT_ONCE} are allowed in a request.`)
}

export function readEntries(family: Spec['family'], given: readonly sdk.AddPrefixListEntry[]): Entry[] {
  checkCount(given, 'Entries')
  const entries = given.map(({ Cidr, Description }) => {
    if (Description !== undefined && Description.length > 255) throw invalidValue('Description', Description, 'At most 255 characters.')
    return { cidr: blockOf(family, Cidr), ...(Description ? { description: Description } : {}) }
  })
  refuseRepeated(entries.map(({ cidr }) => cidr))
  return entries
}

type Changes = { add: readonly sdk.AddPrefixListEntry[]; remove: readonly sdk.RemovePrefixListEntry[] }

/** The next version. One that is there and added again gets its new description. */
export function changed(spec: Pick<Spec, 'family' | 'maxEntries'>, before: Entry[], { add, remove }: Changes): Entry[] {
  checkCount(remove, 'RemoveEntries')
  const added = readEntries(spec.family, add)
  const removed = remove.map(({ Cidr }) => blockOf(spec.family, Cidr))
  refuseRepeated([...removed, ...added.map(({ cidr }) => cidr)])
  const unknown = removed.find(cidr => !before.some(entry => entry.cidr === cidr))
  if (unknown !== undefined) throw new ApiError('InvalidPrefixListModification', `The prefix list has no entry ${unknown} to remove.`)
  const fresh = new Map(added.map(entry => [entry.cidr, entry]))
  const kept = before.filter(({ cidr }) => !removed.includes(cidr)).map(entry => fresh.get(entry.cidr) ?? entry)
  const next = [...kept, ...added.filter(({ cidr }) => !kept.some(entry => entry.cidr === cidr))]
  checkSize(spec.maxEntries, next)
  return next
}

export function checkSize(maxEntries: number, entries: readonly Entry[]): void {
  if (entries.length <= maxEntries) return
  throw new ApiError('PrefixListMaxEntriesExceeded', `The prefix list has a maximum of ${maxEntries} entries, and would have ${entries.length}.`)
}
