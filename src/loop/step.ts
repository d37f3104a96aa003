/**
 * One step of one record: look, plan, and an act or a write.
 *
 * Invariant: a look is spared only where what is there is known and no other has written the record since; who asked for a look after
 * that gets one.
 */
import { setImmediate as immediate } from 'node:timers/promises'
import type { Clock } from '#base/clock'
import type { Log } from '#base/log'
import { Unsettled, type Driver, type Step } from '#loop/driver'
import { acting, type Run } from '#loop/run'
import { Conflict, type Row, type Store } from '#store/store'

type World = { store: Store; log: Log; clock: Clock; hook(point: string): Promise<void> | void }
type Found = { row: Row; seen: unknown }

/** One round; 'more' while there is something to do, else after how many milliseconds to look again, if ever. */
export async function takeStep(world: World, driver: Driver<any, any>, run: Run): Promise<'more' | number | undefined> {
  await immediate() // Requests and timers come between two steps, also where nothing else makes a step wait.
  const found = await standing(world, run) ?? await look(world, driver, run)
  if (!found) return undefined
  const { row, seen } = found
  const step: Step = driver.plan(row, seen, world.clock())
  if ('rest' in step) return step.againMs as number | undefined
  if ('write' in step) {
    const generation = await write(world, driver, { run, row, step })
    if (driver.staysSeen && generation !== undefined) run.known = { generation, seen }
  } else {
    const known = await act(world, driver, { run, row, name: step.act })
    if (known === undefined) return 'more'
    run.known = { generation: row.generation, seen: known }
    // It is as good as a look that begins now.
    if (run.next) run.answers.push(run.next)
    run.next = undefined
  }
  return 'more'
}

/** What needs no look: what the last step knew, of a record that only this run has written since. */
async function standing({ store }: World, run: Run): Promise<Found | undefined> {
  const { known } = run
  run.known = undefined
  const row = known && await store.get(run.kind, run.id)
  return row && row.generation === known!.generation ? { row, seen: known!.seen } : undefined
}

async function look({ store }: World, driver: Driver<any, any>, run: Run): Promise<Found | undefined> {
  // All that was written until here is seen in this round, and who asked until here is answered by this run.
  if (run.next) run.answers.push(run.next)
  Object.assign(run, { again: false, written: false, next: undefined })
  const row = await store.get(run.kind, run.id)
  if (!row) return undefined
  const seen = await driver.observe(row)
  if (seen === 'unknown') throw new Unsettled(`${run.kind} ${run.id}: the engine can't be seen`)
  return { row, seen }
}

/** Answers the generation that the record has then; undefined when it is gone, or was written by another meanwhile. */
async function write(
  { store, hook }: World, driver: Driver<any, any>, { run, row, step }: { run: Run; row: Row; step: Extract<Step, { write: string }> },
): Promise<number | undefined> {
  const { kind, id, generation } = row
  const done = driver.writes[step.write]
  if (!done) throw new Error(`${kind} has no write ${step.write}`)
  await hook(`${kind}.write.${step.write}`)
  run.writing = true
  try {
    return await store.transact(async tx => {
      const current = await tx.get(kind, id)
      if (current?.generation !== generation) throw new Conflict(kind, id)
      await done(tx, current, step)
      return (await tx.get(kind, id))?.generation
    })
  } catch (error) {
    if (!(error instanceof Conflict)) throw error // Written meanwhile: planned anew.
    return undefined
  } finally {
    run.writing = false
  }
}

async function act(
  { hook, log }: World, driver: Driver<any, any>, { run, row, name }: { run: Run; row: Row; name: string },
): Promise<unknown> {
  const done = driver.acts[name]
  if (!done) throw new Error(`${run.kind} has no act ${name}`)
  await hook(`${run.kind}.act.${name}`)
  const started = performance.now()
  let known: unknown
  try {
    known = await acting.run(run, () => done(row))
  } catch (error) {
    if (!(error instanceof Unsettled)) run.failed = { act: name, times: (run.failed?.act === name ? run.failed.times : 0) + 1 }
    throw error
  }
  run.failed = undefined
  log.info('loop.act', { kind: run.kind, id: run.id, act: name, ms: Math.round(performance.now() - started) })
  return known
}
