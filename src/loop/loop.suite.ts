/** For tests of the loop alone: a driver over a table in memory, whose acts the tests hold, fail and count. */
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#base/log'
import { openLoop, rest, type Driver, type LoopOptions } from '#loop/loop'
import { openSqlite } from '#store/sqlite'
import type { Row, Store } from '#store/store'

export type Thing = Row<{ want: number }, { is: number }>
export type Drive = Partial<Driver<Thing, number>>

export const thing = (id: string, want: number, kind = 'thing'): Thing =>
  ({ kind, id, account: 'a', region: 'r', generation: 0, created: '2026-01-01T00:00:00.000Z', spec: { want }, status: { is: 0 }, tags: {} })

/** Things that are made as they are wanted: act `make` in the world, then write `made`. */
export function bench(t: TestContext, drive: Drive = {}, options: Partial<LoopOptions> = {}) {
  const store = openSqlite(':memory:')
  const world = new Map<string, number>()
  const log: string[] = []
  const driver: Driver<Thing, number> = {
    kind: 'thing',
    observe: async row => world.get(row.id) ?? 0,
    plan: ({ spec, status }, seen) => (seen !== spec.want ? { act: 'make' } : status.is === seen ? rest : { write: 'made' }),
    writes: { made: (tx, row) => tx.put({ ...row, status: { is: row.spec.want } }, 'made') },
    ...drive,
    acts: { make: async row => { log.push(`make ${row.id}`); world.set(row.id, row.spec.want) }, ...drive.acts },
  }
  const loop = openLoop({ store, drivers: [driver], log: silent, clock: () => new Date(0), pause: { first: 1, longest: 4 }, ...options })
  t.after(async () => { await loop.close(); await store.close() })
  return { store, world, log, loop, driver, put: (id: string, want: number) => put(store, id, want) }
}

export const put = (store: Store, id: string, want: number, kind = 'thing') => store.transact(async tx => {
  const row = await tx.get<Thing>(kind, id)
  return tx.put(row ? { ...row, spec: { want } } : thing(id, want, kind), 'wanted')
})

/** Until something is so; ends by the test's own time limit otherwise. */
export async function until(so: () => boolean | Promise<boolean>): Promise<void> {
  while (!await so()) await pause(1)
}

/** A promise that the test resolves, and one for having come that far. */
export function gate() {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  return { reached: reached.promise, open: opened.resolve, pass: () => { reached.resolve(); return opened.promise } }
}

export const limits = { timeout: 5000 }
