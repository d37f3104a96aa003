/** A store that counts the rows that it reads for others: what questions cost, whatever the machine does besides. */
import type { Reader, Store, Tx } from '#store/store'

export type Counted = Store & { rows: number }

export function counted(store: Store): Counted {
  const counting = <T extends Reader>(reader: T): Reader => ({
    async get(kind, id) { result.rows++; return reader.get(kind, id) },
    async list(query) { const rows = await reader.list<never>(query); result.rows += rows.length; return rows },
    async getAll(kind, ids) { result.rows += ids.length; return reader.getAll(kind, ids) },
    holder: (scope, key) => reader.holder(scope, key),
    async claims(scope) { const found = await reader.claims(scope); result.rows += found.size; return found },
  })
  const result: Counted = {
    ...counting(store), rows: 0,
    transact: body => store.transact(tx => body({ ...tx, ...counting(tx) } satisfies Tx)),
    watch: callback => store.watch(callback),
    events: options => store.events(options),
    close: () => store.close(),
  }
  return result
}
