import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remembering } from '#store/memory'
import { openSqlite } from '#store/sqlite'
import type { Query, Row } from '#store/store'

const row = (id: string, more: Partial<Row> = {}): Row => ({
  kind: 'thing', id, account: '1', region: 'r', generation: 0, created: '2026-01-01T00:00:00.000Z', spec: { a: 1 }, status: {}, tags: {}, ...more,
})

/** A store that tells what it was asked to list and get. */
function watched() {
  const store = openSqlite(':memory:')
  const asked: string[] = []
  const told = {
    ...store, getAll: store.getAll.bind(store), holder: store.holder.bind(store), claims: store.claims.bind(store), watch: store.watch.bind(store),
    get: <R extends Row>(kind: string, id: string) => { asked.push(id); return store.get<R>(kind, id) },
    list: <R extends Row>(query: Query) => { asked.push(`all of ${query.kind}`); return store.list<R>(query) },
  }
  return { store, asked, memory: remembering(told) }
}

test('what was listed is listed again without asking, but for what was written since', async () => {
  const { store, asked, memory } = watched()
  const [a] = await store.transact(async tx => [await tx.put(row('a'), 'made'), await tx.put(row('b', { region: 's' }), 'made')])
  const listed = async (query: Omit<Query, 'kind'> = {}) => (await memory.list({ kind: 'thing', ...query })).map(r => [r.id, r.spec])
  assert.deepEqual(await listed(), [['a', { a: 1 }], ['b', { a: 1 }]])
  assert.deepEqual(await listed({ account: '1', region: 's' }), [['b', { a: 1 }]])
  assert.deepEqual(asked.splice(0), ['all of thing'])
  await store.transact(async tx => { await tx.put({ ...a!, spec: { a: 2 } }, 'changed'); await tx.put(row('0'), 'made') })
  assert.deepEqual(await listed(), [['0', { a: 1 }], ['a', { a: 2 }], ['b', { a: 1 }]])
  assert.deepEqual(asked.splice(0).sort(), ['0', 'a'])
  await store.transact(async tx => tx.remove((await tx.get('thing', 'b'))!))
  await assert.rejects(store.transact(async tx => { await tx.put(row('c'), 'made'); throw new Error('no') }), /no/)
  assert.deepEqual(await listed(), [['0', { a: 1 }], ['a', { a: 2 }]])
  assert.deepEqual(asked, ['b'])
  await store.close()
})

test('who lists while another reads what was written does not see what was before it', async () => {
  const { store, memory } = watched()
  let current = await store.transact(tx => tx.put(row('a'), 'made'))
  for (let n = 2; n < 50; n++) {
    const writing = store.transact(tx => tx.put({ ...current, spec: { a: n } }, 'changed'))
    void memory.list({ kind: 'thing' })
    current = await writing
    const both = await Promise.all([memory.list({ kind: 'thing' }), memory.list({ kind: 'thing' })])
    assert.deepEqual(both.flat().map(r => r.spec), [{ a: n }, { a: n }])
  }
  await store.close()
})

test('a reading that failed is forgotten, and the next one reads all anew', async () => {
  const { store } = watched()
  let fails = true
  const memory = remembering({
    get: store.get.bind(store), getAll: store.getAll.bind(store), holder: store.holder.bind(store), claims: store.claims.bind(store),
    watch: store.watch.bind(store),
    list: async <R extends Row>(query: Query) => { if (fails) throw new Error('no disk'); return store.list<R>(query) },
  })
  await store.transact(tx => tx.put(row('a'), 'made'))
  await assert.rejects(memory.list({ kind: 'thing' }), /no disk/)
  fails = false
  assert.deepEqual((await memory.list({ kind: 'thing' })).map(r => r.id), ['a'])
  await store.close()
})
