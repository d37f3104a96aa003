/**
 * The loop: takes each record to what is wanted of it, one observed step after another.
 *
 *     wake or sweep -> row; seen = observe(row) -> plan(row, seen, now) -> act | write | rest
 *
 * Invariants: one run per record at a time; a wake carries no hint, only that something may have changed, and none is lost: what
 * wakes a running record has it run again; an engine that can't be seen ('unknown') lets the record rest and is asked again later,
 * and is no failure; a step that failed is not undone but observed and planned again after a pause. First run, restart after a
 * crash and repair are therefore the same code.
 */
import type { Clock } from '#base/clock'
import type { Log } from '#base/log'
import { Unsettled, type Driver } from '#loop/driver'
import { acting, keyOf, newRun, waitsFor, type Run } from '#loop/run'
import { takeStep } from '#loop/step'
import type { Event, Store } from '#store/store'

export { rest, type Driver, type Step } from '#loop/driver'

export type Loop = {
  /** Something may have changed. A record that waits after a failure goes on waiting, unless it was itself written. */
  wake(kind: string, id: string): void
  /**
   * Runs a record until it rests, in a run that begins after this call; throws the error that ended it, and at once where the
   * two records would wait for each other. For acts that need another's record settled.
   */
  settle(kind: string, id: string): Promise<void>
  /** Wakes every record of every driver. */
  sweep(): Promise<void>
  /** No new runs and no new steps; waits for the steps that are being done. */
  close(): Promise<void>
  /** Resolves when nothing runs or waits to run (records with a pause apart). For tests. */
  idle(): Promise<void>
  /** How many records it remembers: those that run, wait to, or pause. For tests. */
  readonly remembered: number
}

export type LoopOptions = {
  store: Store
  drivers: Driver<any, any>[]
  log: Log
  clock: Clock
  /** How many records run at once. */
  width?: number
  /** Which records an event wakes, besides its own. */
  wakes?(event: Event): Promise<{ kind: string; id: string }[]>
  /** First and longest pause after a failure, in milliseconds. */
  pause?: { first: number; longest: number }
  /** Called before each act and write, as `kind.act.name` and `kind.write.name`: where fault tests kill the process. */
  hook?(point: string): Promise<void> | void
}

const MOST_STEPS = 100
/** A clock that was put back makes rests of years, and a timer of more than 24 days would not wait at all. */
const LONGEST_REST_MS = 3_600_000

export function openLoop(options: LoopOptions): Loop {
  return new Looper(options)
}

class Looper implements Loop {
  readonly #o: Required<Omit<LoopOptions, 'wakes'>> & Pick<LoopOptions, 'wakes'>
  readonly #drivers: Map<string, Driver<any, any>>
  readonly #runs = new Map<string, Run>()
  readonly #queue = new Set<Run>()
  readonly #unwatch: () => void
  #active = 0
  #pendingWakes = 0
  #closed = false
  #idlers: (() => void)[] = []

  constructor(options: LoopOptions) {
    const { width = 16, pause = { first: 200, longest: 30_000 }, hook = () => {} } = options
    this.#o = { ...options, width, pause, hook }
    this.#drivers = new Map(options.drivers.map(driver => [driver.kind, driver]))
    this.#unwatch = options.store.watch(events => void this.#onEvents(events))
  }

  async #onEvents(events: Event[]): Promise<void> {
    this.#pendingWakes++
    // What a step of its own writes, its run goes on with anyway; another's write at that time makes another generation, which that sees.
    for (const { kind, id } of events) if (!this.#runs.get(keyOf({ kind, id }))?.writing) this.#written(kind, id)
    for (const event of events) {
      try {
        for (const { kind, id } of (await this.#o.wakes?.(event)) ?? []) this.#written(kind, id)
      } catch (error) {
        this.#o.log.error('loop.wake', { kind: event.kind, id: event.id, error })
      }
    }
    this.#pendingWakes--
    this.#tellIdle()
  }

  wake(kind: string, id: string): void {
    if (!this.#drivers.has(kind)) return
    const run = this.#run(kind, id)
    // An act that fails may well move the engine to tell of it: such news must not shorten the pause.
    if (!run.timer || run.failures === 0) this.#enqueue(run)
  }

  /** Ends also a pause after a failure: what is to be done may be another thing now. */
  #written(kind: string, id: string): void {
    if (!this.#drivers.has(kind)) return
    const run = this.#run(kind, id)
    run.written = true
    this.#enqueue(run)
  }

  #run(kind: string, id: string): Run {
    const key = keyOf({ kind, id })
    let run = this.#runs.get(key)
    if (!run) this.#runs.set(key, (run = newRun(kind, id)))
    return run
  }

  #enqueue(run: Run): void {
    if (this.#closed) return
    this.#untime(run)
    if (run.running) { run.again = true; return }
    this.#queue.add(run)
    this.#pump()
  }

  #pump(): void {
    for (const run of this.#queue) {
      if (this.#active >= this.#o.width) return
      this.#start(run)
    }
  }

  #start(run: Run): void {
    this.#active++
    this.#queue.delete(run)
    this.#untime(run)
    const { next } = run
    run.running = true
    run.known = undefined
    void this.#steps(run).then(error => {
      this.#active--
      run.running = false
      const answered = run.answers.splice(0)
      if (next && run.next === next) { answered.push(next); run.next = undefined } // It ended before it looked: the loop is closed.
      if (run.next) this.#start(run)
      else if (run.again && (run.written || run.failures === 0)) this.#enqueue(run)
      else if (!run.timer) this.#runs.delete(keyOf(run))
      for (const answer of answered) answer.resolve(error)
      this.#pump()
      this.#tellIdle()
    })
  }

  /** Outside the queue's width: an act that waits for another's record must not wait for a place in the queue. */
  async settle(kind: string, id: string): Promise<void> {
    if (!this.#drivers.has(kind)) throw new Error(`there is no driver of ${kind}`)
    const waiter = acting.getStore()
    const run = this.#run(kind, id)
    if (waiter && waitsFor(run, waiter)) throw new Error(`${keyOf(run)} and ${keyOf(waiter)} wait for each other`)
    const { promise } = (run.next ??= Promise.withResolvers())
    waiter?.waits.add(run)
    if (!run.running) this.#start(run)
    const error = await promise
    waiter?.waits.delete(run)
    if (error) throw error
  }

  /** Runs a record until it rests. Answers what kept it from resting; never throws. */
  async #steps(run: Run): Promise<Error | undefined> {
    const driver = this.#drivers.get(run.kind)!
    try {
      for (let step = 0; step < MOST_STEPS; step++) {
        if (this.#closed) throw new Unsettled('the loop is closing')
        const againMs: 'more' | number | undefined = await takeStep(this.#o, driver, run)
        if (againMs === 'more') continue
        this.#forgive(run)
        if (againMs !== undefined) this.#later(run, againMs)
        return undefined
      }
      throw new Error(`${run.kind} ${run.id} did not rest after ${MOST_STEPS} steps`)
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      if (error instanceof Unsettled) {
        this.#forgive(run)
        this.#later(run, this.#o.pause.first * 5)
      } else {
        await this.#failed(driver, run, error)
      }
      return error
    }
  }

  async #failed(driver: Driver<any, any>, run: Run, error: Error): Promise<void> {
    run.failures++
    this.#o.log.warn('loop.failed', { kind: run.kind, id: run.id, failures: run.failures, error })
    const { surrender } = driver
    if (surrender && run.failed && run.failed.times >= surrender.after) {
      run.failed = undefined
      await this.#o.store.transact(async tx => {
        const row = await tx.get(run.kind, run.id)
        if (row) await surrender.write(tx, row, error)
      }).catch(cause => this.#o.log.error('loop.surrender', { kind: run.kind, id: run.id, error: cause }))
    }
    const { first, longest } = this.#o.pause
    this.#later(run, Math.min(longest, first * 2 ** (run.failures - 1)))
  }

  #forgive(run: Run): void {
    run.failures = 0
    run.failed = undefined
  }

  #later(run: Run, ms: number): void {
    if (this.#closed) return
    this.#untime(run)
    run.timer = setTimeout(() => { run.timer = undefined; this.#enqueue(run) }, Math.min(ms, LONGEST_REST_MS))
    run.timer.unref()
  }

  #untime(run: Run): void {
    clearTimeout(run.timer)
    run.timer = undefined
  }

  get remembered(): number { return this.#runs.size }

  async sweep(): Promise<void> {
    for (const kind of this.#drivers.keys()) {
      for (const row of await this.#o.store.list({ kind })) this.wake(kind, row.id)
    }
  }

  #tellIdle(): void {
    if (this.#active > 0 || this.#queue.size > 0 || this.#pendingWakes > 0) return
    for (const tell of this.#idlers.splice(0)) tell()
  }

  idle(): Promise<void> {
    return new Promise(resolve => {
      this.#idlers.push(resolve)
      this.#tellIdle()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#unwatch()
    for (const run of this.#runs.values()) this.#untime(run)
    this.#queue.clear()
    await this.idle()
  }
}
