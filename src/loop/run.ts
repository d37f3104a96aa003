/**
 * What the loop remembers of a record that runs, waits to run, or waits after a failure. A record at rest is forgotten.
 *
 * Invariant: the records that wait for each other's settling make no circle; whoever would close one is refused.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

export type Run = {
  kind: string
  id: string
  running: boolean
  /** It was woken since it was looked at last; also by a write of it, or of a record that it depends on. */
  again: boolean
  written: boolean
  /** Those who need a look that begins from now on, and those whose look has begun: they are told when the run ends. */
  next?: PromiseWithResolvers<Error | undefined>
  answers: PromiseWithResolvers<Error | undefined>[]
  /** What stands of it without a look, of the record as it is in this generation. */
  known?: { generation: number; seen: unknown }
  /** A step of its own writes it: the run goes on with that anyway, and is not woken by it. */
  writing: boolean
  /** Whose settling its act waits for. */
  waits: Set<Run>
  timer?: NodeJS.Timeout
  /** Since it last rested: decides the pause. */
  failures: number
  /** The act that failed last, and how often in a row: decides the surrender. */
  failed?: { act: string; times: number }
}

export const newRun = (kind: string, id: string): Run =>
  ({ kind, id, running: false, again: false, written: false, writing: false, answers: [], waits: new Set(), failures: 0 })
export const keyOf = ({ kind, id }: { kind: string; id: string }): string => `${kind}/${id}`

/** Whether a record is, or waits for, or waits for one that waits for, another. */
export const waitsFor = (run: Run, other: Run): boolean => run === other || [...run.waits].some(next => waitsFor(next, other))

/** The record whose act is being done, for whoever that act calls. */
export const acting = new AsyncLocalStorage<Run>()
