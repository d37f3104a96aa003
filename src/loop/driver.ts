/**
 * What a kind of record brings to the loop: how to look at what is there, what to do next, and how to do it.
 *
 * Invariant: only acts change the world and only writes change records; the plan between them is pure.
 */
import type { Row, Tx } from '#store/store'

/** `act` names a function of the driver's that changes the world, `write` one that changes records. */
export type Step = { act: string } | { write: string; [detail: string]: unknown } | { rest: true; againMs?: number }
export const rest: Step = { rest: true }

export type Driver<R extends Row, Seen> = {
  kind: string
  /** What `observe` answers does not hang on what this driver's own writes change: after one of them, what was seen before it still stands. */
  staysSeen?: true
  /** What is there, or 'unknown'. Throws only on a bug. */
  observe(row: R): Promise<Seen | 'unknown'>
  /** Pure. */
  plan(row: R, seen: Seen, now: Date): Step
  /**
   * Each idempotent, and named by the record's id in what it makes. One that knows what is there when it is done answers it, which spares the
   * look after it.
   */
  acts: Record<string, (row: R) => Promise<Seen | void>>
  /** Each in one transaction, on the row as it is then; the loop has checked that it is the row that was planned for. */
  writes: Record<string, (tx: Tx, row: R, step: Record<string, any>) => Promise<unknown>>
  /** After this many failures in a row of one act: a new desired state, with the reason. */
  surrender?: { after: number; write(tx: Tx, row: R, error: Error): Promise<unknown> }
}

/**
 * Tells of a record whether nobody need look yet: as its request wrote it, it wants something made, and making what is there changes nothing. So
 * the first look in this process is spared; it took up to 40 ms where Incus was busy with what else a launch needs.
 */
export function firstLooks(): (row: Pick<Row, 'id' | 'generation'>) => boolean {
  const spared = new Set<string>()
  return ({ id, generation }) => {
    if (generation > 1) spared.delete(id)
    if (generation > 1 || spared.has(id)) return false
    spared.add(id)
    return true
  }
}

/** Whether a record is settled can't be told now. Nothing has failed: it is asked again. */
export class Unsettled extends Error {}
