/** What may be asked of managed prefix lists. */
import type { Actions } from '#kit/action'
import { pageOf, select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { invalidCombination, invalidValue, missingParameter } from '#service/ec2/errors'
import type { Context } from '#service/ec2/context'
import { changed, checkSize, readEntries } from '#service/ec2/prefix-list/entries'
import { entriesOf, prefixList, sizesOf, type PrefixListRow, type Spec, type Status } from '#service/ec2/prefix-list/prefix-list'
import { onlyManaged, s3ListId, withManaged } from '#service/ec2/prefix-list/managed'
import { referrersOf } from '#service/ec2/prefix-list/references'
import { checkLimit } from '#service/ec2/vpc/limits'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

const MOST_ENTRIES = 1000

function nameOf(given: string): string {
  if (given === '' || given.length > 255) throw invalidValue('PrefixListName', given, 'It must have 1 to 255 characters.')
  if (given.startsWith('com.amazonaws')) throw invalidValue('PrefixListName', given, 'It must not begin with com.amazonaws.')
  return given
}

function sizeOf(given: number): number {
  if (!Number.isInteger(given) || given < 1 || given > MOST_ENTRIES) {
    throw invalidValue('MaxEntries', given, `It must be between 1 and ${MOST_ENTRIES}.`)
  }
  return given
}

/** Message: terraform-provider-aws#43528. */
function checkVersion({ spec }: PrefixListRow, given: number | undefined): void {
  if (given === undefined) throw missingParameter('CurrentVersion')
  if (given !== spec.versions.length) throw new ApiError('PrefixListVersionMismatch', 'The prefix list has the incorrect version number.')
}

const write = (tx: Tx, row: PrefixListRow, spec: Partial<Spec>, status: Status): Promise<PrefixListRow> =>
  tx.put<PrefixListRow>({ ...row, spec: { ...row.spec, ...spec }, status }, 'modified')

/** Who refers to the list must have room for it; AWS says so of the list, not of the request (terraform-provider-aws#20991). */
async function resize(tx: Tx, row: PrefixListRow, maxEntries: number): Promise<PrefixListRow> {
  checkSize(maxEntries, entriesOf(row))
  const full = (await referrersOf(tx, row, await sizesOf(tx, row))).find(referrer => !referrer.fits(maxEntries))
  if (full) {
    return write(tx, row, {}, { state: 'modify-failed', message: `The size of the prefix list would exceed the quota of ${full.id}.` })
  }
  return write(tx, row, { maxEntries }, { state: 'modify-complete' })
}

async function modify({ input, account, region, tx }: {
  input: sdk.ModifyManagedPrefixListRequest; account: string; region: string; tx: Tx
}): Promise<PrefixListRow> {
  const row = await prefixList.get(tx, { account, region }, input.PrefixListId!)
  const { AddEntries: add = [], RemoveEntries: remove = [], MaxEntries, PrefixListName } = input
  const changesEntries = add.length + remove.length > 0
  // Message: terraform-provider-aws#26034.
  if (changesEntries && MaxEntries !== undefined) {
    throw invalidCombination('You cannot modify the entries and the maximum entries for the prefix list in the same request.')
  }
  if (!changesEntries && MaxEntries === undefined && PrefixListName === undefined) throw missingParameter('AddEntries')
  const name = PrefixListName === undefined ? row.spec.name : nameOf(PrefixListName)
  if (changesEntries) {
    checkVersion(row, input.CurrentVersion)
    const next = changed(row.spec, entriesOf(row), { add, remove })
    return write(tx, row, { name, versions: [...row.spec.versions, next] }, { state: 'modify-complete' })
  }
  if (input.CurrentVersion !== undefined) checkVersion(row, input.CurrentVersion)
  const named = await write(tx, row, { name }, { state: 'modify-complete' })
  return MaxEntries === undefined ? named : resize(tx, named, sizeOf(MaxEntries))
}

/** Changing what is AWS's own. */
const checkOwn = (region: string, id: string): void => {
  if (id === s3ListId(region)) throw new ApiError('OperationNotPermitted', `The prefix list ${id} is managed by AWS and cannot be changed.`)
}

export const actions = ({ home }: Pick<Context, 'home'>): Actions<typeof sdk> => ({
  async DescribeManagedPrefixLists(call) {
    const { hits, next } = await select(call, withManaged(home, call.region), { ids: call.input.PrefixListIds, page: { least: 1, most: 100 } })
    return { PrefixLists: hits.map(hit => hit.view), NextToken: next }
  },

  /** The lists that AWS has for its own services. */
  async DescribePrefixLists(call) {
    const { hits, next } = await select(call, onlyManaged(home, call.region), { ids: call.input.PrefixListIds })
    const lists = hits.map(({ row }) => ({ PrefixListId: row.id, PrefixListName: row.spec.name, Cidrs: entriesOf(row).map(({ cidr }) => cidr) }))
    return { PrefixLists: lists, NextToken: next }
  },

  async CreateManagedPrefixList({ input, account, region, tx, now, tags }) {
    const place = { account, region }
    const { AddressFamily: family } = input
    if (family !== 'IPv4' && family !== 'IPv6') throw invalidValue('AddressFamily', family, 'It must be IPv4 or IPv6.')
    const name = nameOf(input.PrefixListName!)
    const maxEntries = sizeOf(input.MaxEntries!)
    const entries = readEntries(family, input.Entries ?? [])
    checkSize(maxEntries, entries)
    checkLimit('prefixLists', (await prefixList.list(tx, place)).length)
    const row = await tx.put(prefixList.make({
      ...place, now, tags: tags('prefix-list'), spec: { name, family, maxEntries, versions: [entries] }, status: { state: 'create-complete' },
    }), 'created')
    return { PrefixList: await prefixList.viewOne(tx, row) }
  },

  async ModifyManagedPrefixList(call) {
    checkOwn(call.region, call.input.PrefixListId!)
    return { PrefixList: await prefixList.viewOne(call.tx, await modify(call)) }
  },

  async RestoreManagedPrefixListVersion({ input, account, region, tx }) {
    checkOwn(region, input.PrefixListId!)
    const row = await prefixList.get(tx, { account, region }, input.PrefixListId!)
    checkVersion(row, input.CurrentVersion)
    const before = row.spec.versions[input.PreviousVersion! - 1]
    if (!before || input.PreviousVersion === row.spec.versions.length) {
      throw invalidValue('PreviousVersion', input.PreviousVersion, `It must be less than the current version (${row.spec.versions.length}).`)
    }
    checkSize(row.spec.maxEntries, before)
    const restored = await write(tx, row, { versions: [...row.spec.versions, before] }, { state: 'restore-complete' })
    return { PrefixList: await prefixList.viewOne(tx, restored) }
  },

  /** One that is referred to stays, and says why. */
  async DeleteManagedPrefixList({ input, account, region, tx }) {
    checkOwn(region, input.PrefixListId!)
    const row = await prefixList.get(tx, { account, region }, input.PrefixListId!)
    const users = await referrersOf(tx, row, new Map())
    if (users.length > 0) {
      const message = `The prefix list is in use by ${users.map(({ id }) => id).join(', ')}.`
      return { PrefixList: await prefixList.viewOne(tx, await write(tx, row, {}, { state: 'delete-failed', message })) }
    }
    await tx.remove(row, 'deleted')
    return { PrefixList: { ...await prefixList.viewOne(tx, row), State: 'delete-complete' } }
  },

  async GetManagedPrefixListEntries({ input, account, region, tx }) {
    const row = await withManaged(home, region).get(tx, { account, region }, input.PrefixListId!)
    const { TargetVersion: version = row.spec.versions.length } = input
    const entries = row.spec.versions[version - 1]
    if (!entries) throw invalidValue('TargetVersion', version, `It must be between 1 and ${row.spec.versions.length}.`)
    const { items, next } = pageOf(entries, ({ cidr }) => cidr, input, `${row.id}/${version}`, { least: 1, most: 100 })
    return { Entries: items.map(({ cidr, description }) => ({ Cidr: cidr, Description: description })), NextToken: next }
  },

  async GetManagedPrefixListAssociations({ input, account, region, tx }) {
    const row = await withManaged(home, region).get(tx, { account, region }, input.PrefixListId!)
    const users = (await referrersOf(tx, row, new Map())).map(({ id, account: owner }) => ({ ResourceId: id, ResourceOwner: owner }))
    const { items, next } = pageOf(users, ({ ResourceId }) => ResourceId, input, `${row.id}/associations`, { least: 5, most: 255 })
    return { PrefixListAssociations: items, NextToken: next }
  },
})
