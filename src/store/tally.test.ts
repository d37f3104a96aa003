import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqlite } from '#store/sqlite'
import type { Row, Tx } from '#store/store'
import { tallying } from '#store/tally'

type Thing = Row<{ size: number }, object>
const thing = (id: string, size: number, kind = 'thing'): Thing =>
  ({ kind, id, account: '1', region: 'r', generation: 0, created: '2026-01-01T00:00:00Z', spec: { size }, status: {}, tags: {} })

test('the sum follows what is committed, reads what was written alone, and nothing of what was rolled back', async () => {
  const store = openSqlite(':memory:')
  const tally = tallying<Thing>(store, 'thing', row => row.spec.size)
  const change = async (body: (tx: Tx) => Promise<unknown>) => { await store.transact(body) }
  let read = 0
  const sum = () => store.transact(tx => tally({
    ...tx,
    async list(query) { const rows = await tx.list<never>(query); read += rows.length; return rows },
    get(kind, id) { read++; return tx.get(kind, id) },
  }))
  const edit = (id: string, size: number) => async (tx: Tx) => tx.put({ ...(await tx.get<Thing>('thing', id))!, spec: { size } }, 'sized')
  const seen: [number, number][] = []
  const look = async () => { seen.push([await sum(), read]); read = 0 }
  await change(async tx => { for (const id of ['a', 'b', 'c']) await tx.put(thing(id, 10), 'made') })
  await look()
  await look()
  await change(async tx => { await edit('a', 15)(tx); await tx.put(thing('d', 1), 'made'); await tx.put(thing('e', 99, 'other'), 'made') })
  await look()
  await change(async tx => tx.remove((await tx.get('thing', 'b'))!))
  await look()
  await assert.rejects(change(async tx => { await tally(tx); await edit('c', 1000)(tx); throw new Error('no') }))
  await look()
  assert.deepEqual(seen, [[30, 3], [30, 0], [36, 2], [26, 1], [26, 0]])
  await store.close()
})
