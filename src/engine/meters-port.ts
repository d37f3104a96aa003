/** The part of the engine's port (port.ts, whose rules hold here) that is about what machines use. Ports and disks count for themselves. */
import type { Unknown } from '#engine/port'

/** `seconds` of one processor since `boot`; another boot's number begins anew. */
export type ProcessorTime = { seconds: number; boot: string }

export type Meters = {
  /** What these machines have used, by id; one that is not among them is off, or its count is not known. */
  processors(ids: readonly string[]): Promise<Record<string, ProcessorTime> | Unknown>
}
