/**
 * A reader that keeps what it has listed: listing a thousand records again costs what of them was written since.
 *
 * Invariant: it reads what its store would. A commit marks what it wrote before it is answered, and what is marked is read anew before the
 * next answer. The rows are shared by all who read here, who must not write on them.
 */
import type { Query, Reader, Row, Store } from '#store/store'

/** All records of a kind, as of the last reading, and the ids that were written since. */
type Kept = { rows: Map<string, Row>; written: Set<string>; turn: Promise<unknown> }

/** Keeps the kinds that are listed whole, or by account and region; all other reading goes to the store. */
export function remembering(store: Pick<Store, keyof Reader | 'watch'>): Reader {
  const kinds = new Map<string, Kept>()
  store.watch(events => {
    for (const { kind, id } of events) kinds.get(kind)?.written.add(id)
  })

  async function renew(kind: string, kept: Kept): Promise<void> {
    try {
      for (const id of kept.written) {
        // Before it is read: a write meanwhile marks it again.
        kept.written.delete(id)
        const row = await store.get(kind, id)
        if (row) kept.rows.set(id, row)
        else kept.rows.delete(id)
      }
    } catch (error) {
      kinds.delete(kind)
      throw error
    }
  }

  async function rowsOf(kind: string): Promise<Map<string, Row>> {
    let kept = kinds.get(kind)
    if (!kept) {
      const made: Kept = { rows: new Map(), written: new Set(), turn: Promise.resolve() }
      kinds.set(kind, (kept = made))
      made.turn = store.list({ kind }).then(rows => { for (const row of rows) made.rows.set(row.id, row) })
        .catch((error: unknown) => { kinds.delete(kind); throw error })
    }
    const { rows } = kept
    // One after the other: who comes while another reads waits for what that one has unmarked.
    await (kept.turn = kept.turn.then(() => renew(kind, kept)))
    return rows
  }

  return {
    get: (kind, id) => store.get(kind, id),
    getAll: (kind, ids) => store.getAll(kind, ids),
    holder: (scope, key) => store.holder(scope, key),
    claims: scope => store.claims(scope),
    async list<R extends Row>(query: Query): Promise<R[]> {
      const { kind, account, region, after, limit } = query
      if (after !== undefined || limit !== undefined) return store.list<R>(query)
      const rows = [...(await rowsOf(kind)).values()] as R[]
      return rows.filter(row => (account === undefined || row.account === account) && (region === undefined || row.region === region))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
    },
  }
}
