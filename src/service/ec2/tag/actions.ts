/**
 * Tags of any resource, over a registry of what can be tagged.
 *
 * Invariant: one request changes the tags of all its resources or of none; a resource whose tags stay is not written.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { TagDescription } from '@aws-sdk/client-ec2'
import { isResourceId } from '#base/id'
import type { Actions, Place } from '#kit/action'
import { pageOf } from '#kit/describe'
import { ApiError } from '#kit/error'
import { matcher, type Filter } from '#kit/filter'
import { readTags, type Tags } from '#kit/tags'
import { missingParameter } from '#service/ec2/errors'
import { added, removed, type Taggable } from '#service/ec2/tag/tags'
import type { Tx } from '#store/store'

/** EC2 API Reference, CreateTags and DeleteTags: up to 1000 resource ids. */
const MAX_RESOURCES = 1000

const filters = { key: 'Key', 'resource-id': 'ResourceId', 'resource-type': 'ResourceType', value: 'Value' }

type Editing = Place & { tx: Tx; ids: readonly string[]; edit(tags: Tags): Tags }

export function tagActions(registry: readonly Taggable[]): Actions<typeof sdk> {
  const byPrefix = new Map(registry.map(entry => [entry.prefix, entry]))

  /** What keeps the tags of an id. Text seen on AWS in aws-cli issue 4109; a malformed id has the same (cloud-provider-aws 1387). */
  const keeper = (id: string): Taggable => {
    const prefix = id.slice(0, Math.max(0, id.lastIndexOf('-')))
    const found = byPrefix.get(prefix)
    if (!found || !isResourceId(prefix, id)) throw new ApiError('InvalidID', `The ID '${id}' is not valid`)
    return found
  }

  async function editTags({ tx, account, region, ids, edit }: Editing): Promise<void> {
    if (ids.length === 0) throw missingParameter('resourceIdSet')
    if (ids.length > MAX_RESOURCES) throw new ApiError('InvalidParameterValue', `At most ${MAX_RESOURCES} resources can be given.`)
    const place = { account, region }
    for (const [id, found] of [...new Set(ids)].map(id => [id, keeper(id)] as const)) {
      const before = await found.read(tx, place, id)
      const after = edit(before)
      if (!same(before, after)) await found.write(tx, place, id, after)
    }
  }

  return {
    async CreateTags({ input: { Resources: ids = [], Tags: given = [] }, tx, account, region }) {
      if (given.length === 0) throw missingParameter('tagSet')
      const more = readTags(given)
      await editTags({ tx, account, region, ids, edit: tags => added(tags, more) })
      return {}
    },

    async DeleteTags({ input: { Resources: ids = [], Tags: given }, tx, account, region }) {
      // An empty list is what a client sends for none.
      const keys = given?.length ? given : undefined
      if (keys) readTags(keys)
      await editTags({ tx, account, region, ids, edit: tags => removed(tags, keys) })
      return {}
    },

    async DescribeTags({ input, tx, account, region }) {
      const matches = matcher<TagDescription, { tags: Tags }>(filters, input.Filters)
      const [ids, kinds] = [plainValues(input.Filters, 'resource-id'), plainValues(input.Filters, 'resource-type')]
      const asked = registry.filter(({ kind, prefix }) =>
        (!kinds || kinds.includes(kind)) && (!ids || ids.some(id => id.startsWith(`${prefix}-`))))
      const all: TagDescription[] = []
      for (const { kind, list } of asked) {
        for (const { id, tags } of await list(tx, { account, region }, ids)) {
          for (const [Key, Value] of Object.entries(tags)) {
            const tag = { Key, Value, ResourceId: id, ResourceType: kind as TagDescription['ResourceType'] }
            if (matches(tag, { tags: { [Key]: Value } })) all.push(tag)
          }
        }
      }
      const { items, next } = pageOf(all, tag => `${tag.ResourceId} ${tag.Key}`, input, `tags ${account} ${region}`)
      return { Tags: items, NextToken: next }
    },
  }
}

/** What a filter of this name leaves, each once, where it is spelled out: others need not be read. */
const plainValues = (given: readonly Filter[] = [], name: string): string[] | undefined => {
  const found = given.find(({ Name, Values = [] }) => Name === name && Values.every(value => !/[*?\\]/.test(value)))
  return found && [...new Set(found.Values)]
}

const same = (a: Tags, b: Tags): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => Object.hasOwn(b, key) && b[key] === value)
