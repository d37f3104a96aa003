/**
 * The loop: takes each record to what is wanted of it, one observed step after another.
 *
 *     wake or sweep -> row; seen = observe(row) -> plan(row, seen, now) -> act | write | rest
 *
 * Invariants: one run per record at a time; a wake carries no hint, only that something may have changed; an engine that
 * can't be seen ('unknown') lets the record rest and is asked again later; a step that failed is not undone but observed
 * and planned again after a pause. First run, restart after a crash and repair are therefore the same code.
 */
import type { Clock } from '#base/clock'
import type { Log } from '#base/log'
import { Conflict, type Event, type Row, type Store, type Tx } from '#store/store'

/** `act` names a function of the driver's that changes the world, `write` one that changes records. */
export type Step = { act: string } | { write: string; [detail: string]: unknown } | { rest: true; againMs?: number }
export const rest: Step = { rest: true }

export type Driver<R extends Row, Seen> = {
  kind: string
  /** What is there, or 'unknown'. Throws only on a bug. */
  observe(row: R): Promise<Seen | 'unknown'>
  /** Pure. */
  plan(row: R, seen: Seen, now: Date): Step
  /** Each idempotent, and named by the record's id in what it makes. */
  acts: Record<string, (row: R) => Promise<void>>
  /** Each in one transaction, on the row as it is then; the loop has checked that it is the row that was planned for. */
  writes: Record<string, (tx: Tx, row: R, step: Record<string, any>) => Promise<unknown>>
  /** After this many failures in a row of one act: a new desired state, with the reason. */
  surrender?: { after: number; write(tx: Tx, row: R, error: Error): Promise<unknown> }
}

export type Loop = {
  wake(kind: string, id: string): void
  /** Runs a record until it rests; throws the error of an act that failed. For drivers that need another's record settled. */
  settle(kind: string, id: string): Promise<void>
  /** Wakes every record of every driver. */
  sweep(): Promise<void>
  /** No new runs; waits for the running ones. */
  close(): Promise<void>
  /** Resolves when nothing runs or waits to run (records with a pause apart). For tests. */
  idle(): Promise<void>
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
  /** Called before each act and write: the place where fault tests kill the process. */
  hook?(point: string): Promise<void> | void
}

type Run = {
  kind: string
  id: string
  again: boolean
  running?: Promise<void>
  failures: number
  timer?: NodeJS.Timeout
  error?: Error
  /** When its last round began. */
  lookedAt?: number
}
const MOST_STEPS = 100

export function openLoop(options: LoopOptions): Loop {
  return new Looper(options)
}

class Looper implements Loop {
  readonly #o: Required<Omit<LoopOptions, 'wakes'>> & Pick<LoopOptions, 'wakes'>
  readonly #drivers: Map<string, Driver<any, any>>
  readonly #runs = new Map<string, Run>()
  readonly #queue: Run[] = []
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
    try {
      for (const event of events) {
        this.wake(event.kind, event.id)
        for (const { kind, id } of (await this.#o.wakes?.(event)) ?? []) this.wake(kind, id)
      }
    } catch (error) {
      this.#o.log.error('loop.wake', { error })
    } finally {
      this.#pendingWakes--
      this.#tellIdle()
    }
  }

  wake(kind: string, id: string): void {
    if (this.#closed || !this.#drivers.has(kind)) return
    const run = this.#run(kind, id)
    if (run.timer && run.failures > 0) return // It waits after a failure; what woke it is seen then.
    this.#enqueue(run)
  }

  #run(kind: string, id: string): Run {
    const key = `${kind}/${id}`
    let run = this.#runs.get(key)
    if (!run) this.#runs.set(key, (run = { kind, id, again: false, failures: 0 }))
    return run
  }

  #enqueue(run: Run): void {
    clearTimeout(run.timer)
    run.timer = undefined
    if (run.running) { run.again = true; return }
    if (!this.#queue.includes(run)) this.#queue.push(run)
    this.#pump()
  }

  #pump(): void {
    while (!this.#closed && this.#active < this.#o.width && this.#queue.length > 0) void this.#start(this.#queue.shift()!)
  }

  #start(run: Run): Promise<void> {
    this.#active++
    run.running = this.#steps(run).finally(() => {
      this.#active--
      run.running = undefined
      if (run.again) { run.again = false; this.#enqueue(run) }
      else if (!run.timer) this.#runs.delete(`${run.kind}/${run.id}`)
      this.#pump()
      this.#tellIdle()
    })
    return run.running
  }

  /** Outside the queue's width: a driver that waits for another's record must not wait for a place in the queue. */
  async settle(kind: string, id: string): Promise<void> {
    const run = this.#run(kind, id)
    if (run.running) {
      const askedAt = performance.now()
      run.again = false
      await run.running
      // Its last look, after which it rested, may have been late enough.
      if (!run.error && run.lookedAt! > askedAt) return
    }
    clearTimeout(run.timer)
    run.timer = undefined
    const queued = this.#queue.indexOf(run)
    if (queued >= 0) this.#queue.splice(queued, 1)
    const mine = this.#run(kind, id)
    if (mine.running) return this.settle(kind, id)
    mine.error = undefined
    await this.#start(mine)
    if (mine.error) throw mine.error
  }

  async #steps(run: Run): Promise<void> {
    const driver = this.#drivers.get(run.kind)!
    try {
      for (let step = 0; step < MOST_STEPS; step++) {
        const againMs: 'more' | number | undefined = await this.#step(driver, run)
        if (againMs === 'more') continue
        run.failures = 0
        if (againMs !== undefined) this.#later(run, againMs)
        return
      }
      throw new Error(`${run.kind} ${run.id} did not rest after ${MOST_STEPS} steps`)
    } catch (error) {
      await this.#failed(driver, run, error as Error)
    }
  }

  /** One round; 'more' while there is something to do, else after how many milliseconds to look again, if ever. */
  async #step(driver: Driver<any, any>, run: Run): Promise<'more' | number | undefined> {
    run.lookedAt = performance.now()
    const row = await this.#o.store.get(run.kind, run.id)
    if (!row) return undefined
    const seen = await driver.observe(row)
    if (seen === 'unknown') {
      run.error = new Error(`${run.kind} ${run.id}: the engine can't be seen`)
      return this.#o.pause.first * 5
    }
    run.error = undefined
    const step: Step = driver.plan(row, seen, this.#o.clock())
    if ('rest' in step) return step.againMs as number | undefined
    if ('write' in step) {
      await this.#o.hook(`${run.kind}.write.${step.write}`)
      const write = driver.writes[step.write]
      if (!write) throw new Error(`${run.kind} has no write ${step.write}`)
      try {
        await this.#o.store.transact(async tx => {
          const current = await tx.get(run.kind, run.id)
          if (current?.generation !== row.generation) throw new Conflict(run.kind, run.id)
          await write(tx, current, step)
        })
      } catch (error) {
        if (!(error instanceof Conflict)) throw error
      }
      return 'more'
    }
    await this.#o.hook(`${run.kind}.act.${step.act}`)
    const act = driver.acts[step.act]
    if (!act) throw new Error(`${run.kind} has no act ${step.act}`)
    const started = performance.now()
    await act(row)
    this.#o.log.info('loop.act', { kind: run.kind, id: run.id, act: step.act, ms: Math.round(performance.now() - started) })
    return 'more'
  }

  async #failed(driver: Driver<any, any>, run: Run, error: Error): Promise<void> {
    run.failures++
    run.error = error
    this.#o.log.warn('loop.failed', { kind: run.kind, id: run.id, failures: run.failures, error })
    const { surrender } = driver
    if (surrender && run.failures >= surrender.after) {
      run.failures = 0
      await this.#o.store.transact(async tx => {
        const row = await tx.get(run.kind, run.id)
        if (row) await surrender.write(tx, row, error)
      }).catch(cause => this.#o.log.error('loop.surrender', { kind: run.kind, id: run.id, error: cause }))
    }
    const { first, longest } = this.#o.pause
    this.#later(run, Math.min(longest, first * 2 ** Math.max(0, run.failures - 1)))
  }

  #later(run: Run, ms: number): void {
    if (this.#closed) return
    clearTimeout(run.timer)
    run.timer = setTimeout(() => { run.timer = undefined; this.#enqueue(run) }, ms)
    run.timer.unref()
  }

  async sweep(): Promise<void> {
    for (const kind of this.#drivers.keys()) {
      for (const row of await this.#o.store.list({ kind })) this.wake(kind, row.id)
    }
  }

  #tellIdle(): void {
    if (this.#active > 0 || this.#queue.length > 0 || this.#pendingWakes > 0) return
    for (const tell of this.#idlers.splice(0)) tell()
  }

  async idle(): Promise<void> {
    if (this.#active === 0 && this.#queue.length === 0 && this.#pendingWakes === 0) return
    await new Promise<void>(resolve => this.#idlers.push(resolve))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#unwatch()
    for (const run of this.#runs.values()) clearTimeout(run.timer)
    this.#queue.length = 0
    await Promise.all([...this.#runs.values()].map(run => run.running))
  }
}
