/** What every store must do. A store's test calls this with a way to open an empty one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Conflict, type Event, type Row, type Store } from '#store/store'

const row = (id: string, more: Partial<Row> = {}): Row => ({
  kind: 'thing', id, account: '1', region: 'r', generation: 0, created: '2026-01-01T00:00:00.000Z', spec: { a: 1 }, status: {}, tags: {},
  ...more,
})

export function storeSuite(name: string, open: () => Store): void {
  const check = (title: string, body: (store: Store) => Promise<void>) => test(`${name}: ${title}`, async () => {
    const store = open()
    try { await body(store) } finally { await store.close() }
  })

  check('a row is read as it was written, one generation on', async store => {
    const written = await store.transact(tx => tx.put(row('a', { tags: { n: 'é' } }), 'created'))
    assert.deepEqual(written, row('a', { tags: { n: 'é' }, generation: 1 }))
    assert.deepEqual({ ...(await store.get('thing', 'a')) }, written)
  })

  check('a body that throws leaves nothing, and the next one works', async store => {
    const seen: Event[] = []
    store.watch(events => void seen.push(...events))
    await assert.rejects(store.transact(async tx => {
      await tx.put(row('a'), 'created')
      await tx.claim('names', 'x', 'a')
      throw new Error('no')
    }), /no/)
    assert.equal(await store.get('thing', 'a'), undefined)
    assert.equal(await store.holder('names', 'x'), undefined)
    assert.equal(seen.length, 0)
    await store.transact(tx => tx.put(row('a'), 'created'))
    assert.deepEqual(seen.map(e => [e.kind, e.id, e.name]), [['thing', 'a', 'created']])
  })

  check('a write that names another generation than the stored one is refused', async store => {
    const first = await store.transact(tx => tx.put(row('a'), 'created'))
    await store.transact(tx => tx.put({ ...first, spec: { a: 2 } }, 'changed'))
    await assert.rejects(store.transact(tx => tx.put({ ...first, spec: { a: 3 } }, 'changed')), Conflict)
    await assert.rejects(store.transact(tx => tx.put(row('a'), 'created')), Conflict)
    assert.deepEqual((await store.get('thing', 'a'))!.spec, { a: 2 })
  })

  check('lists are by kind, owner and place, in the order of ids, in pages', async store => {
    await store.transact(async tx => {
      for (const id of ['c', 'a', 'b']) await tx.put(row(id), 'created')
      await tx.put(row('d', { account: '2' }), 'created')
      await tx.put(row('e', { region: 's' }), 'created')
      await tx.put(row('f', { kind: 'other' }), 'created')
    })
    const ids = async (q: object) => (await store.list({ kind: 'thing', ...q })).map(r => r.id)
    assert.deepEqual(await ids({}), ['a', 'b', 'c', 'd', 'e'])
    assert.deepEqual(await ids({ account: '1', region: 'r' }), ['a', 'b', 'c'])
    assert.deepEqual(await ids({ account: '1', region: 'r', after: 'a', limit: 1 }), ['b'])
    assert.deepEqual(await ids({ region: 's' }), ['e'])
    await store.transact(tx => tx.put(row('g', { status: { state: 'ready' } }), 'created'))
    assert.deepEqual([await ids({ state: 'ready' }), await ids({ region: 's', state: 'ready' })], [['g'], []])
  })

  check('rows are read by their ids in the order asked, those that there are', async store => {
    await store.transact(async tx => {
      for (const id of ['c', 'a', 'b']) await tx.put(row(id), 'created')
    })
    assert.deepEqual((await store.getAll('thing', ['b', 'x', 'a'])).map(r => r.id), ['b', 'a'])
    assert.deepEqual(await store.transact(tx => tx.getAll('other', ['a'])), [])
  })

  check('a claim has one holder until it is released or its holder is removed', async store => {
    await store.transact(async tx => {
      const a = await tx.put(row('a'), 'created')
      assert.equal(await tx.claim('ip', '10.0.0.4', 'a'), true)
      assert.equal(await tx.claim('ip', '10.0.0.4', 'a'), true)
      assert.equal(await tx.claim('ip', '10.0.0.4', 'b'), false)
      assert.equal(await tx.claim('ip', '10.0.0.5', 'b'), true)
      assert.deepEqual(await tx.claims('ip'), new Map([['10.0.0.4', 'a'], ['10.0.0.5', 'b']]))
      await tx.remove(a)
      assert.equal(await tx.claim('ip', '10.0.0.4', 'b'), true)
      await tx.release('ip', '10.0.0.5')
      assert.equal(await tx.holder('ip', '10.0.0.5'), undefined)
    })
  })

  check('transactions run one at a time, and a reader outside sees only what is committed', async store => {
    await store.transact(tx => tx.put(row('n', { spec: { n: 0 } }), 'created'))
    let read: Promise<Row | undefined> | undefined
    await Promise.all(Array.from({ length: 20 }, () => store.transact(async tx => {
      const current = (await tx.get<Row<{ n: number }>>('thing', 'n'))!
      read ??= store.get('thing', 'n')
      await Promise.resolve()
      await tx.put({ ...current, spec: { n: current.spec.n + 1 } }, 'counted')
    })))
    assert.deepEqual((await store.get('thing', 'n'))!.spec, { n: 20 })
    assert.ok([0, 1, 20].includes(((await read)!.spec as { n: number }).n))
  })

  check('events are numbered and kept in order; tokens keep what was answered', async store => {
    await store.transact(async tx => {
      await tx.put(row('a'), 'created')
      await tx.put(row('b'), 'created')
      await tx.putToken('1', 'r', { operation: 'Make', token: 't', hash: 'h', response: '{}', created: 'now' })
    })
    const events = await store.events({ after: 0, limit: 10 })
    assert.deepEqual(events.map(e => e.id), ['a', 'b'])
    assert.deepEqual((await store.events({ after: events[0]!.seq, limit: 1 })).map(e => e.id), ['b'])
    await store.transact(async tx => {
      const kept = await tx.token('1', 'r', 'Make', 't')
      assert.deepEqual({ ...kept }, { operation: 'Make', token: 't', hash: 'h', response: '{}', created: 'now' })
      assert.equal(await tx.token('1', 's', 'Make', 't'), undefined)
      await tx.forgetTokens('now')
      assert.ok(await tx.token('1', 'r', 'Make', 't'))
      await tx.forgetTokens('nox')
      assert.equal(await tx.token('1', 'r', 'Make', 't'), undefined)
    })
  })
}
