/**
 * Whole Describe operations from a resource's definition: ids, filters, pages.
 *
 * Pages are by key, never by offset: a token names the last row given, so that rows made or removed between two calls
 * neither repeat nor hide others. A token belongs to its query.
 */
import { createHash } from 'node:crypto'
import type { Action, Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { matcher, readsTags, type Filter } from '#kit/filter'
import type { Resource } from '#kit/resource'
import type { Reader, Row } from '#store/store'

type Asked = { Filters?: Filter[]; MaxResults?: number; NextToken?: string }
type Looking = { account: string; region: string; tx: Reader; input: object }

/** EC2's page sizes (API Reference: MaxResults of most Describe operations: 5 to 1000). */
const PAGE = { least: 5, most: 1000 }
/** Rows that are looked at together, where a filter may leave few of them. */
const SCANNED = 1000

export type Selection<View, R> = { hits: { row: R; view: View }[]; next: string | undefined }
export type SelectOptions<R> = {
  ids: readonly string[] | undefined
  /** Rows that this caller may see beyond its own, or a narrower choice; by default the account's rows in the region. */
  rows?: R[]
  /** Rows to leave out when no ids are given. */
  hidden?: (row: R) => boolean
  page?: { least: number; most: number }
}

/** The rows of a resource that a Describe request asks for, with their views, one page of them. */
export async function select<S, T, V extends object>(
  call: Looking, r: Resource<S, T, V>, { ids, rows, hidden, page = PAGE }: SelectOptions<Row<S, T>>,
): Promise<Selection<V, Row<S, T>>> {
  const asked = call.input as Asked
  const named = ids !== undefined && ids.length > 0
  if (named && asked.MaxResults !== undefined) {
    throw new ApiError('InvalidParameterCombination', `${r.label}s cannot be used with the parameter maxResults`)
  }
  const matches = matcher<V, Row<S, T>>(r.filters, asked.Filters)
  const bears = matcher<object, Row<S, T>>({}, asked.Filters?.filter(readsTags)) // Before there is a view, which costs more.
  const limit = pageSize(asked.MaxResults, page)
  const query = queryHash([r.kind, call.account, call.region, asked.Filters ?? []])
  const after = asked.NextToken === undefined ? '' : readPageToken(asked.NextToken, query)
  const hits: Selection<V, Row<S, T>>['hits'] = []
  const chunks = named ? [await r.getAll(call.tx, call, ids)] : rows ? [inOrder(rows, after)]
    : r.scan(call.tx, call, { after, size: asked.Filters?.length ? Math.max(limit + 1, SCANNED) : limit + 1 })
  for await (const chunk of chunks) {
    const candidates = chunk.filter(row => (named || !hidden?.(row)) && bears({}, row))
    const views = await r.views(call.tx, candidates)
    for (const [i, row] of candidates.entries()) if (matches(views[i]!, row)) hits.push({ row, view: views[i]! })
    if (hits.length > limit) break
  }
  const given = hits.slice(0, limit)
  return { hits: given, next: given.length < hits.length ? pageToken(query, given.at(-1)!.row.id) : undefined }
}

const inOrder = <R extends Row>(rows: R[], after: string): R[] => rows.filter(row => row.id > after).sort((a, b) => (a.id < b.id ? -1 : 1))

/** `scan` of a resource whose rows are no records of their own: all in one. */
export const scanOf = <P extends object, R extends Row>(list: (reader: Reader, at: P) => Promise<R[]>) =>
  async function* (reader: Reader, at: P, { after }: { after: string }): AsyncGenerator<R[]> { yield inOrder(await list(reader, at), after) }

/** A whole Describe operation: `describe(volume, 'VolumeIds', 'Volumes')`. */
export function describe<I extends object, O, S, T, V extends object>(
  r: Resource<S, T, V>, ids: keyof I & string, list: keyof O & string, options: Omit<SelectOptions<Row<S, T>>, 'ids' | 'rows'> = {},
): Action<I, O> {
  return async (call: Call<I>) => {
    const { hits, next } = await select(call, r, { ...options, ids: call.input[ids] as string[] | undefined })
    return { [list]: hits.map(hit => hit.view), NextToken: next } as O
  }
}

function pageSize(asked: number | undefined, { least, most }: { least: number; most: number }): number {
  if (asked === undefined) return Infinity
  // The SDK's model knows numbers alone, so that the wire lets fractions through.
  if (asked < least || !Number.isInteger(asked)) {
    const wanted = asked < least ? `a value greater than or equal to ${least}` : 'an integer'
    throw new ApiError('InvalidParameterValue', `Value ( ${asked} ) for parameter maxResults is invalid. Expecting ${wanted}.`)
  }
  return Math.min(asked, most)
}

const queryHash = (parts: unknown[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12)
const pageToken = (query: string, last: string): string => Buffer.from(JSON.stringify([query, last])).toString('base64url')

/** Pages of data that is no record (instance types): rows need only an id to be ordered by. */
export function pageOf<V>(
  items: readonly V[], idOf: (item: V) => string, asked: Asked, name: string, page = PAGE,
): { items: V[]; next: string | undefined } {
  const limit = pageSize(asked.MaxResults, page)
  const query = queryHash([name, asked.Filters ?? []])
  const after = asked.NextToken === undefined ? '' : readPageToken(asked.NextToken, query)
  const left = items.filter(item => idOf(item) > after).sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
  const given = left.slice(0, limit)
  return { items: given, next: given.length < left.length ? pageToken(query, idOf(given.at(-1)!)) : undefined }
}

function readPageToken(token: string, query: string): string {
  try {
    const [of, last] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[]
    if (of === query && typeof last === 'string') return last
  } catch {
    // Falls through: a token that is no JSON is as invalid as one of another query.
  }
  throw new ApiError('InvalidNextToken', 'The specified NextToken is not valid.')
}
