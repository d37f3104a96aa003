/** The loop alone: one run per record, pauses after failures, surrender, sweep, close. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '#base/log'
import { openLoop, rest } from '#loop/loop'
import { bench, gate, limits, thing, until, type Thing } from '#loop/loop.suite'

test('a written record is taken to what is wanted of it, and then rests', limits, async t => {
  const { loop, store, log, put } = bench(t)
  await put('a', 7)
  await loop.idle()
  assert.deepEqual([log, (await store.get<Thing>('thing', 'a'))!.status], [['make a'], { is: 7 }])
})

test('a record has one run at a time, and what wakes it meanwhile has it run again', limits, async t => {
  const g = gate()
  let most = 0
  let running = 0
  const { loop, world, log, put } = bench(t, { acts: {
    async make(row) {
      most = Math.max(most, ++running)
      log.push(`make ${row.spec.want}`)
      if (row.spec.want === 1) await g.pass()
      world.set(row.id, row.spec.want)
      running--
    },
  } })
  await put('a', 1)
  await g.reached
  await put('a', 2)
  for (let i = 0; i < 5; i++) loop.wake('thing', 'a')
  g.open()
  await loop.idle()
  assert.deepEqual([most, log, world.get('a')], [1, ['make 1', 'make 2'], 2])
})

test('a record that another wrote between plan and write is planned anew', limits, async t => {
  let raced = false
  const box: { put?: (id: string, want: number) => Promise<unknown> } = {}
  const { loop, store, log, put } = bench(t, {}, {
    async hook(point) {
      if (point !== 'thing.write.made' || raced) return
      raced = true
      await box.put!('a', 2)
    },
  })
  box.put = put
  await put('a', 1)
  await loop.idle()
  assert.deepEqual([log, (await store.get<Thing>('thing', 'a'))!.status.is], [['make a', 'make a'], 2])
})

test('what cannot be seen rests, is no failure, and is asked again', limits, async t => {
  let blind = 20
  let surrendered = 0
  const { loop, world, put, log } = bench(t, {
    observe: async row => (blind-- > 0 ? 'unknown' : (world.get(row.id) ?? 0)),
    surrender: { after: 1, write: async () => { surrendered++ } },
  })
  await put('a', 1)
  await until(() => log.length > 0)
  await loop.idle()
  assert.deepEqual([log, world.get('a'), surrendered], [['make a'], 1, 0])
})

test('a failing act is tried again after longer and longer pauses, and is given up after so many', limits, async t => {
  const times: number[] = []
  const { loop, store, put } = bench(t, {
    acts: { make: async () => { times.push(performance.now()); throw new Error('no') } },
    plan: row => (row.spec.want === 0 ? rest : { act: 'make' }),
    surrender: { after: 4, write: (tx, row, error) => tx.put({ ...row, spec: { want: 0 }, tags: { why: error.message } }, 'gave-up') },
  }, { pause: { first: 10, longest: 20 } })
  await put('a', 1)
  await until(async () => (await store.get<Thing>('thing', 'a'))!.spec.want === 0)
  await loop.idle()
  const pauses = times.slice(1).map((time, i) => time - times[i]!)
  assert.equal(times.length, 4)
  assert.ok([10, 20, 20].every((least, i) => pauses[i]! >= least - 1), `${pauses}`)
  assert.deepEqual((await store.get<Thing>('thing', 'a'))!.tags, { why: 'no' })
})

test('failures to observe never make a record surrender', limits, async t => {
  let broken = 6
  let surrendered = 0
  const { loop, world, put, log } = bench(t, {
    async observe(row) { if (broken-- > 0) throw new Error('a bug'); return world.get(row.id) ?? 0 },
    surrender: { after: 2, write: async () => { surrendered++ } },
  })
  await put('a', 1)
  await until(() => log.length > 0)
  await loop.idle()
  assert.deepEqual([surrendered, world.get('a')], [0, 1])
})

test('news from the engine leaves a pause after a failure alone; a write of the record ends it', limits, async t => {
  let calls = 0
  const { loop, world, put } = bench(t, { acts: {
    async make(row) {
      calls++
      loop.wake('thing', row.id) // As an engine tells of a start that failed.
      if (row.spec.want === 1) throw new Error('no')
      world.set(row.id, row.spec.want)
    },
  } }, { pause: { first: 3_600_000, longest: 3_600_000 } })
  await put('a', 1)
  await loop.idle()
  loop.wake('thing', 'a')
  await loop.idle()
  assert.equal(calls, 1)
  await put('a', 2)
  await loop.idle()
  assert.deepEqual([calls, world.get('a')], [2, 2])
})

test('an event wakes also the records that depend on it, also when those of another cannot be told', limits, async t => {
  const { loop, log, put } = bench(t, { plan: () => ({ rest: true }), observe: async row => { log.push(row.id); return 0 } }, {
    wakes: async ({ id }) => { if (id === 'bad') throw new Error('no'); return id === 'a' ? [{ kind: 'thing', id: 'b' }] : [] },
  })
  await put('b', 1)
  await loop.idle()
  log.length = 0
  await put('bad', 1)
  await put('a', 1)
  await loop.idle()
  assert.deepEqual(log.sort(), ['a', 'b', 'bad'])
})

test('a sweep finds what was written while nobody watched', limits, async t => {
  const { store, put, driver, world } = bench(t)
  await store.transact(tx => tx.put(thing('quiet', 3, 'other'), 'written'))
  const loop = openLoop({ store, drivers: [{ ...driver, kind: 'other' }], log: silent, clock: () => new Date(0) })
  await put('x', 1)
  assert.equal(world.get('quiet'), undefined)
  await loop.sweep()
  await loop.idle()
  await loop.close()
  assert.equal(world.get('quiet'), 3)
})

test('closing waits for the step that is being done and begins no other', limits, async t => {
  const g = gate()
  const { loop, store, world, log, put } = bench(t, { acts: { async make(row) { await g.pass(); world.set(row.id, 1) } } })
  await put('a', 1)
  await g.reached
  let closed = false
  const closing = loop.close().then(() => { closed = true })
  loop.wake('thing', 'a')
  await put('b', 1)
  await assert.rejects(loop.settle('thing', 'b'), /closing/)
  assert.equal(closed, false)
  g.open()
  await closing
  assert.deepEqual([world.get('a'), log, (await store.get<Thing>('thing', 'a'))!.status.is], [1, [], 0])
  await loop.idle()
})

test('a record at rest, or gone, is not remembered', limits, async t => {
  const { loop, put, store } = bench(t)
  for (let i = 0; i < 50; i++) await put(`${i}`, 1)
  await loop.idle()
  loop.wake('thing', 'never-was')
  await loop.settle('thing', 'nor-this')
  await store.transact(async tx => { for (const row of await tx.list<Thing>({ kind: 'thing' })) await tx.remove(row) })
  await loop.idle()
  assert.equal(loop.remembered, 0)
})

test('an act that knows what is there spares the look after it, unless another has written the record meanwhile', limits, async t => {
  let looks = 0
  const other = gate()
  const b = bench(t, {
    observe: async row => { looks++; return b.world.get(row.id) ?? 0 },
    acts: {
      make: async row => {
        b.world.set(row.id, row.spec.want)
        if (row.id === 'late') await other.pass()
        return row.spec.want
      },
    },
  })
  await b.put('soon', 1)
  await b.loop.idle()
  assert.equal((await b.store.get<Thing>('thing', 'soon'))!.status.is, 1)
  assert.equal(looks, 2) // Before the making, and after the write.
  looks = 0
  await b.put('late', 1)
  await other.reached
  await b.put('late', 2)
  other.open()
  await b.loop.idle()
  assert.equal((await b.store.get<Thing>('thing', 'late'))!.status.is, 2)
  assert.ok(looks >= 3, `${looks} looks`)
})

test('what stays seen is not looked at again after a write, and who asked during the act is answered by it', limits, async t => {
  let looks = 0
  const making = gate()
  const b = bench(t, {
    staysSeen: true,
    observe: async row => { looks++; return b.world.get(row.id) ?? 0 },
    acts: { make: async row => { await making.pass(); b.world.set(row.id, row.spec.want); return row.spec.want } },
  })
  await b.put('a', 1)
  await making.reached
  const settled = b.loop.settle('thing', 'a')
  making.open()
  await settled
  await b.loop.idle()
  assert.equal((await b.store.get<Thing>('thing', 'a'))!.status.is, 1)
  assert.equal(looks, 1)
})

test('a wake during a write of its own is not lost', limits, async t => {
  const writing = gate()
  let looks = 0
  const b = bench(t, {
    staysSeen: true,
    observe: async row => { looks++; return b.world.get(row.id) ?? 0 },
    writes: { made: async (tx, row) => { if (looks === 2) await writing.pass(); return tx.put({ ...row, status: { is: row.spec.want } }, 'made') } },
  })
  await b.put('a', 1)
  await writing.reached
  b.loop.wake('thing', 'a')
  const before = looks
  writing.open()
  await b.loop.idle()
  assert.ok(looks > before, 'looked again')
})
