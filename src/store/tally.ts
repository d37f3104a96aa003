/**
 * A sum over all records of a kind, which costs what was written since it was last asked, not what there is.
 *
 * Invariant: it is the sum as of the transaction's beginning. A commit marks what it wrote before the next one begins, and what is marked is
 * read anew; so it is asked before the transaction writes records of the kind, whose writes might be rolled back.
 */
import type { Row, Store, Tx } from '#store/store'

export function tallying<R extends Row>(store: Pick<Store, 'watch'>, kind: string, measure: (row: R) => number): (tx: Tx) => Promise<number> {
  const written = new Set<string>()
  let parts: Map<string, number> | undefined
  let sum = 0
  store.watch(events => { for (const event of events) if (parts && event.kind === kind) written.add(event.id) })

  function note(known: Map<string, number>, id: string, now: number): void {
    sum += now - (known.get(id) ?? 0)
    if (now === 0) known.delete(id)
    else known.set(id, now)
  }

  return async tx => {
    if (!parts) {
      const rows = await tx.list<R>({ kind })
      parts = new Map()
      for (const row of rows) note(parts, row.id, measure(row))
    }
    for (const id of written) {
      const row = await tx.get<R>(kind, id)
      note(parts, id, row ? measure(row) : 0)
      written.delete(id)
    }
    return sum
  }
}
