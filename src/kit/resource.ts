/**
 * One kind of record: what it is called on the wire, how it looks there, what it can be filtered by, which errors its
 * ids raise. Everything that EC2 does alike for every resource hangs on this definition.
 */
import { isResourceId, resourceId } from '#base/id'
import { ApiError } from '#kit/error'
import type { Reader, Row, Tx } from '#store/store'

/** Values of a view that a filter compares: a dotted path (descending through lists), or a function for AWS's odd ones. */
export type FilterPath<View, R> = string | ((view: View, row: R) => unknown[])

export type Definition<Spec, Status, View extends object, Joined> = {
  /** The record's kind, and the ResourceType of its tags. */
  kind: string
  /** What ids begin with, without the hyphen. */
  prefix: string
  /** As EC2's messages name the id: 'instance ID', 'subnet ID'. */
  label: string
  /** AWS's error code for an id that nobody has. */
  missing: string
  /** AWS's error code for a text that is no id. */
  malformed: string
  /** Rows that only wait until the host is rid of them: callers have none of them any more. */
  gone?(row: Row<Spec, Status>): boolean
  /** Rows of other kinds that views need, read once for all rows viewed. */
  join?(reader: Reader, rows: Row<Spec, Status>[]): Promise<Joined>
  view(row: Row<Spec, Status>, joined: Joined): View
  /** AWS filter name to where its values are. `tag:*` and `tag-key` come with every resource. */
  filters: Record<string, FilterPath<View, Row<Spec, Status>>>
}

export type Resource<Spec, Status, View extends object, Joined = any> = ReturnType<typeof resource<Spec, Status, View, Joined>>
/** Parts of a row that an update changes. */
export type Change<Spec, Status> = { spec?: Partial<Spec>; status?: Partial<Status>; tags?: Record<string, string> }
/** What is asked of any resource whatever its types. */
export type AnyResource = Resource<any, any, any>
/** Rows after an id, so many at a time. */
export type Page = { after: string; size: number }
export type NewRow<Spec, Status> = {
  account: string; region: string; now: Date; spec: Spec; status: Status; tags?: Record<string, string>; id?: string
}

export function resource<Spec, Status, View extends object, Joined = undefined>(d: Definition<Spec, Status, View, Joined>) {
  type R = Row<Spec, Status>
  const lacking = (ids: string[]) => ids.length === 1
    ? new ApiError(d.missing, `The ${d.label} '${ids[0]}' does not exist`)
    : new ApiError(d.missing, `The ${d.label}s '${ids.join(', ')}' do not exist`)

  const checkId = (id: string): void => {
    if (!isResourceId(d.prefix, id)) throw new ApiError(d.malformed, `Invalid id: "${id}" (expecting "${d.prefix}-...")`)
  }
  const owned = (row: R | undefined, account: string, region: string) =>
    row?.account === account && row.region === region && !d.gone?.(row)

  return {
    ...d,
    /** Throws AWS's error for an id that is none of this resource's. */
    checkId,
    /** A row that is not yet written. */
    make: ({ account, region, now, spec, status, tags = {}, id = resourceId(d.prefix) }: NewRow<Spec, Status>): R =>
      ({ kind: d.kind, id, account, region, created: now.toISOString(), spec, status, tags, generation: 0 }),
    /** The caller's row of this id, or AWS's error. */
    async get(reader: Reader, at: { account: string; region: string }, id: string): Promise<R> {
      checkId(id)
      const row = await reader.get<R>(d.kind, id)
      if (!row || !owned(row, at.account, at.region)) throw lacking([id])
      return row
    },
    /** The caller's rows of these ids in their order, or AWS's error that names every missing one. */
    async getAll(reader: Reader, at: { account: string; region: string }, ids: readonly string[]): Promise<R[]> {
      for (const id of ids) checkId(id)
      const unique = [...new Set(ids)]
      const rows = await Promise.all(unique.map(id => reader.get<R>(d.kind, id)))
      const missing = unique.filter((_, i) => !owned(rows[i], at.account, at.region))
      if (missing.length > 0) throw lacking(missing)
      return rows as R[]
    },
    find: (reader: Reader, id: string): Promise<R | undefined> => reader.get<R>(d.kind, id),
    list: async (reader: Reader, at: { account: string; region: string }): Promise<R[]> =>
      (await reader.list<R>({ kind: d.kind, account: at.account, region: at.region })).filter(row => !d.gone?.(row)),
    /** The rows of `list` by pages, in the order of ids. */
    async *scan(reader: Reader, at: { account: string; region: string }, { after, size }: Page): AsyncGenerator<R[]> {
      for (let last = after, full = true; full;) {
        const limit = Number.isFinite(size) ? size : undefined
        const rows = await reader.list<R>({ kind: d.kind, account: at.account, region: at.region, after: last, limit })
        full = rows.length === size
        last = rows.at(-1)?.id ?? last
        yield rows.filter(row => !d.gone?.(row))
      }
    },
    everywhere: (reader: Reader): Promise<R[]> => reader.list<R>({ kind: d.kind }),
    async views(reader: Reader, rows: R[]): Promise<View[]> {
      const joined = d.join ? await d.join(reader, rows) : (undefined as Joined)
      return rows.map(row => d.view(row, joined))
    },
    async viewOne(reader: Reader, row: R): Promise<View> {
      return d.view(row, d.join ? await d.join(reader, [row]) : (undefined as Joined))
    },
    /** Writes changed parts of a row; the answer is the row as written. */
    update(tx: Tx, row: R, change: Change<Spec, Status>, event: string): Promise<R> {
      const spec = { ...row.spec, ...change.spec }
      const status = { ...row.status, ...change.status }
      return tx.put<R>({ ...row, spec, status, tags: change.tags ?? row.tags }, event)
    },
  }
}

/** Tags as AWS writes them, in the order of keys. */
export const tagList = (tags: Record<string, string>): { Key: string; Value: string }[] =>
  Object.keys(tags).sort().map(Key => ({ Key, Value: tags[Key]! }))
