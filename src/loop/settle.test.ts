/** Settling: an act that needs another record to rest first. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { silent } from '#base/log'
import { openLoop, type Driver, type Loop, type LoopOptions } from '#loop/loop'
import { bench, gate, limits, thing, until, type Drive, type Thing } from '#loop/loop.suite'

/** Parents whose act has their child settled first: a parent's id is its child's with `p-` before it. */
function family(t: TestContext, child: Drive['acts'] = {}, options: Partial<LoopOptions> = {}) {
  const box: { loop?: Loop } = {}
  const base = bench(t, { acts: child }, { pause: { first: 1, longest: 2 } })
  const parent: Driver<Thing, number> = {
    ...base.driver, kind: 'parent',
    acts: {
      async make(row) {
        await box.loop!.settle('thing', row.id.slice(2))
        base.log.push(`make ${row.id}`)
        base.world.set(row.id, row.spec.want)
      },
    },
  }
  const loop = openLoop({
    store: base.store, drivers: [base.driver, parent], log: silent, clock: () => new Date(0), pause: { first: 1, longest: 2 }, ...options,
  })
  box.loop = loop
  t.after(() => loop.close())
  return { ...base, loop, parent }
}

test('an act waits for another record to settle, also when the queue is full of those who wait', limits, async t => {
  const { store, world, loop, log } = family(t, {}, { width: 2 })
  await store.transact(async tx => {
    for (let i = 0; i < 6; i++) { await tx.put(thing(`p-${i}`, 1, 'parent'), 'wanted'); await tx.put(thing(`${i}`, 1), 'wanted') }
  })
  await loop.idle()
  assert.equal(world.size, 12)
  for (let i = 0; i < 6; i++) assert.ok(log.indexOf(`make ${i}`) < log.indexOf(`make p-${i}`), `${i}`)
})

test('settling waits for a look that begins after it was asked for, and many who ask share one', limits, async t => {
  const g = gate()
  let looks = 0
  const { store, world, loop, put } = bench(t, { observe: async row => { looks++; if (looks === 1) await g.pass(); return world.get(row.id) ?? 0 } })
  await store.transact(tx => tx.put(thing('a', 1), 'wanted'))
  await g.reached
  const settled = Promise.all(Array.from({ length: 10 }, () => loop.settle('thing', 'a')))
  await put('a', 2)
  g.open()
  await settled
  assert.deepEqual([world.get('a'), (await store.get<Thing>('thing', 'a'))!.status.is], [2, 2])
  await loop.idle()
  assert.ok(looks < 12, `${looks} looks`)
})

test('settling a record that waits after a failure tries at once, and throws what fails', limits, async t => {
  let fail = true
  const { world, loop, put } = bench(t, { acts: { async make(row) { if (fail) throw new Error('disk full'); world.set(row.id, 1) } } },
    { pause: { first: 3_600_000, longest: 3_600_000 } })
  await put('a', 1)
  await loop.idle()
  await assert.rejects(loop.settle('thing', 'a'), /disk full/)
  fail = false
  await loop.settle('thing', 'a')
  assert.equal(world.get('a'), 1)
})

test('a record whose dependency cannot be seen has not failed', limits, async t => {
  let surrendered = 0
  let blind = 30
  const base = bench(t)
  const box: { loop?: Loop } = {}
  const loop = openLoop({
    store: base.store, log: silent, clock: () => new Date(0), pause: { first: 1, longest: 1 },
    drivers: [
      { ...base.driver, kind: 'hidden', observe: async () => (blind-- > 0 ? 'unknown' : 1) },
      {
        ...base.driver, kind: 'parent', surrender: { after: 2, write: async () => { surrendered++ } },
        acts: { async make(row: Thing) { await box.loop!.settle('hidden', 'h'); base.world.set(row.id, 1) } },
      },
    ],
  })
  box.loop = loop
  t.after(() => loop.close())
  await base.store.transact(async tx => { await tx.put(thing('h', 1, 'hidden'), 'w'); await tx.put(thing('p', 1, 'parent'), 'w') })
  await until(() => base.world.get('p') === 1)
  assert.equal(surrendered, 0)
})

test('records that would wait for each other are told so instead of waiting for ever', limits, async t => {
  const errors: string[] = []
  const box: { loop?: Loop } = {}
  const { loop, put, world } = bench(t, { acts: {
    async make(row) {
      await box.loop!.settle('thing', row.id === 'a' ? 'b' : 'a').catch((error: Error) => errors.push(error.message))
      world.set(row.id, row.spec.want)
    },
  } })
  box.loop = loop
  await put('a', 1)
  await put('b', 1)
  await loop.idle()
  assert.equal(world.size, 2)
  assert.match(errors.join('\n'), /wait for each other/)
})

test('settling what no driver knows is refused', limits, async t => {
  const { loop } = bench(t)
  await assert.rejects(loop.settle('nothing', 'a'), /no driver of nothing/)
})
