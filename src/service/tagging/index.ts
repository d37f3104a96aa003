/**
 * The Resource Groups Tagging API: tags over all services at once.
 *
 * Invariant: it has no tags of its own. What it lists the services tell it, and what it changes goes through their own
 * operations as the caller's, so that their rules and the caller's permissions hold.
 */
import type * as Sdk from '@aws-sdk/client-resource-groups-tagging-api'
import { arnParts } from '#base/arn'
import type { Actions, Dispatch, Place } from '#kit/action'
import type { Caller } from '#kit/caller'
import { pageOf } from '#kit/describe'
import { ApiError, nullMember } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import type { Service, Tagged } from '#service/service'
import { tagCalls } from '#service/tagging/calls'
import type { Reader } from '#store/store'

const sdk = await loadSdk('resource-groups-tagging-api')

/** API Reference: GetResources and TagResources. */
const MOST_ARNS = { get: 100, change: 20 }
const MOST_FILTERS = 50
const PAGE = { least: 1, most: 100 }

export type Parts = { sources: () => Service[]; dispatch: () => Dispatch }

const invalid = (message: string): ApiError => new ApiError('InvalidParameterException', message)

async function all({ sources }: Parts, reader: Reader, place: Place): Promise<Tagged[]> {
  const lists = await Promise.all(sources().map(service => service.tagged?.(reader, place) ?? []))
  return lists.flat().sort((a, b) => (a.arn < b.arn ? -1 : 1))
}

/** `ec2`, or `ec2:instance`. */
function isOf(type: string, arn: string): boolean {
  const { service, type: own } = arnParts(arn)
  return type === service || type === `${service}:${service === 's3' ? 'bucket' : own}`
}

/** One page, by the names of what is listed; the token belongs to the question. */
function page<V>(items: V[], nameOf: (item: V) => string, asked: { PaginationToken?: string; size?: number }, of: unknown[]) {
  if (asked.size !== undefined && (asked.size < PAGE.least || asked.size > PAGE.most)) throw invalid('ResourcesPerPage must be from 1 to 100.')
  try {
    const given = { MaxResults: asked.size ?? 50, NextToken: asked.PaginationToken || undefined }
    return pageOf(items, nameOf, given, JSON.stringify(of), PAGE)
  } catch (error) {
    if (error instanceof ApiError && error.code === 'InvalidNextToken') throw invalid('The PaginationToken is not valid.')
    throw error
  }
}

function actionsOf(parts: Parts): Actions<typeof Sdk> {
  async function change(caller: Caller, arns: readonly string[] = [], run: (arn: string) => Promise<void>) {
    if (arns.length === 0 || arns.length > MOST_ARNS.change) throw invalid(`ResourceARNList must have 1 to ${MOST_ARNS.change} items.`)
    const FailedResourcesMap: Record<string, Sdk.FailureInfo> = {}
    for (const arn of new Set(arns)) {
      await run(arn).catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error
        const ErrorCode = error.status >= 500 ? 'InternalServiceException' as const : 'InvalidParameterException' as const
        FailedResourcesMap[arn] = { StatusCode: error.status, ErrorCode, ErrorMessage: `${error.code}: ${error.message}` }
      })
    }
    return { FailedResourcesMap }
  }
  return {
    GetResources: {
      async look({ input, reader, account, region }) {
        const { ResourceARNList: arns, TagFilters: filters = [], ResourceTypeFilters: types = [], TagsPerPage } = input
        if (TagsPerPage ?? input.IncludeComplianceDetails ?? input.ExcludeCompliantResources) {
          throw new ApiError('UnsupportedOperation', 'Enclume does not implement TagsPerPage and compliance details of GetResources.')
        }
        if (arns && (filters.length > 0 || types.length > 0)) throw invalid('ResourceARNList cannot be used with other filters.')
        if ((arns?.length ?? 0) > MOST_ARNS.get || filters.length > MOST_FILTERS) throw invalid('There are too many ARNs or filters.')
        if (filters.some(filter => !filter.Key)) throw invalid('A tag filter must have a Key.')
        const found = (await all(parts, reader, { account, region })).filter(({ arn, tags }) => {
          if (arns) return arns.includes(arn)
          return Object.keys(tags).length > 0 && (types.length === 0 || types.some(type => isOf(type, arn)))
            && filters.every(({ Key, Values = [] }) => Object.hasOwn(tags, Key!) && (Values.length === 0 || Values.includes(tags[Key!]!)))
        })
        const asked = { PaginationToken: input.PaginationToken, size: input.ResourcesPerPage }
        const { items, next } = page(found, ({ arn }) => arn, asked, ['resources', account, region, arns, filters, types])
        return {
          PaginationToken: next ?? '',
          ResourceTagMappingList: items.map(({ arn, tags }) => ({ ResourceARN: arn, Tags: Object.entries(tags).map(([Key, Value]) =>
            ({ Key, Value })) })),
        }
      },
    },
    GetTagKeys: {
      async look({ input, reader, account, region }) {
        const keys = [...new Set((await all(parts, reader, { account, region })).flatMap(({ tags }) => Object.keys(tags)))].sort()
        const { items, next } = page(keys, key => key, input, ['keys', account, region])
        return { PaginationToken: next ?? '', TagKeys: items }
      },
    },
    GetTagValues: {
      async look({ input, reader, account, region }) {
        const values = (await all(parts, reader, { account, region })).flatMap(({ tags }) =>
          (Object.hasOwn(tags, input.Key!) ? [tags[input.Key!]!] : []))
        const { items, next } = page([...new Set(values)].sort(), value => value, input, ['values', account, region, input.Key])
        return { PaginationToken: next ?? '', TagValues: items }
      },
    },
    TagResources: {
      work: async ({ input, caller }) => change(caller, input.ResourceARNList, async arn => tagCalls(parts.dispatch(), caller, arn).add(input.Tags!)),
    },
    UntagResources: {
      work: async ({ input, caller }) => change(caller, input.ResourceARNList, async arn =>
        tagCalls(parts.dispatch(), caller, arn).remove(input.TagKeys!)),
    },
  }
}

export const tagging = (parts: Parts): Service => ({
  sdk, drivers: [],
  definition: { id: 'tagging', operations: operationsOf(sdk), actions: actionsOf(parts), missing: nullMember('InvalidParameterException') },
})
