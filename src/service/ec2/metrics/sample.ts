/**
 * What two readings of an instance's or a volume's counters say of the time between them. Pure.
 *
 * Invariant: a value is of a whole piece of time or it is not told: where the first reading is missing, or the counters began anew since,
 * nothing is known, and nothing is not zero. Names and units: EC2 User Guide, "CloudWatch metrics that are available for your instances";
 * EBS User Guide, "Amazon CloudWatch metrics for Amazon EBS".
 */
import type { DiskWork, PortTraffic, ProcessorTime } from '#engine/port'

/** Counters, each with what they count of; `at` in milliseconds. */
export type Reading = { at: number; processor?: ProcessorTime; ports?: Record<string, PortTraffic>; withoutToken?: number }
export type DiskReading = { at: number; work?: DiskWork; of: string }
export type Value = { metric: string; unit: 'Percent' | 'Bytes' | 'Count'; value: number }
/** The piece of time, in milliseconds. `began`: when what is read started in it, with all its counters at nothing. */
export type Piece = { start: number; began?: number | undefined }

/** How late a reading may be for the time that it is meant for. */
const LATE_MS = 15_000

const isFor = (at: number | undefined, start: number): boolean => at !== undefined && at >= start - 1000 && at - start <= LATE_MS
const NOTHING: PortTraffic = { bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0 }

function processorOf(before: Reading | undefined, after: Reading, { start, began }: Piece, cpus: number): Value[] {
  const { processor, at } = after
  if (!processor) return []
  const continues = isFor(before?.at, start) && before!.processor?.boot === processor.boot
  const since = continues ? before!.at : began
  if (since === undefined || at <= since) return []
  const used = processor.seconds - (continues ? before!.processor!.seconds : 0)
  return used < 0 ? [] : [{ metric: 'CPUUtilization', unit: 'Percent', value: Math.min(100, used / ((at - since) / 1000 * cpus) * 100) }]
}

/** All ports must be those that were read before, and none made anew. */
function trafficOf(before: Reading | undefined, { ports }: Reading, { start }: Piece, isNew: boolean): Value[] {
  if (!ports || Object.keys(ports).length === 0) return []
  const known = isFor(before?.at, start) ? before!.ports : undefined
  const pairs = Object.entries(ports).map(([id, now]) => [isNew ? NOTHING : known?.[id], now] as const)
  if (!isNew && Object.keys(known ?? {}).length !== pairs.length) return []
  const sum = { ...NOTHING }
  for (const [was, now] of pairs) {
    for (const key of Object.keys(NOTHING) as (keyof PortTraffic)[]) {
      if (!was || now[key] < was[key]) return []
      sum[key] += now[key] - was[key]
    }
  }
  return [
    { metric: 'NetworkIn', unit: 'Bytes', value: sum.bytesIn }, { metric: 'NetworkOut', unit: 'Bytes', value: sum.bytesOut },
    { metric: 'NetworkPacketsIn', unit: 'Count', value: sum.packetsIn }, { metric: 'NetworkPacketsOut', unit: 'Count', value: sum.packetsOut },
  ]
}

/** `isNew`: the instance was made in this piece of time, and its interfaces with it. */
export function instanceValues(
  before: Reading | undefined, after: Reading, { piece, cpus, isNew }: { piece: Piece; cpus: number; isNew: boolean },
): Value[] {
  const asked = after.withoutToken !== undefined && isFor(before?.at, piece.start) && before?.withoutToken !== undefined
    ? [{ metric: 'MetadataNoToken', unit: 'Count' as const, value: after.withoutToken - before.withoutToken }] : []
  return [...processorOf(before, after, piece, cpus), ...trafficOf(before, after, piece, isNew), ...asked]
}

/** Of a volume that one machine had all the time, without a boot. */
export function volumeValues(before: DiskReading | undefined, after: DiskReading, { start, began }: Piece): Value[] {
  const { work, of } = after
  const continues = isFor(before?.at, start) && before!.of === of && before!.work !== undefined
  if (!work || (!continues && began === undefined)) return []
  const was = continues ? before!.work! : { operations: 0, bytes: 0, reads: 0, bytesRead: 0 }
  const [reads, bytesRead] = [work.reads - was.reads, work.bytesRead - was.bytesRead]
  const [writes, bytesWritten] = [work.operations - was.operations - reads, work.bytes - was.bytes - bytesRead]
  if (Math.min(reads, bytesRead, writes, bytesWritten) < 0) return []
  return [
    { metric: 'VolumeReadOps', unit: 'Count', value: reads }, { metric: 'VolumeWriteOps', unit: 'Count', value: writes },
    { metric: 'VolumeReadBytes', unit: 'Bytes', value: bytesRead }, { metric: 'VolumeWriteBytes', unit: 'Bytes', value: bytesWritten },
  ]
}

const MINUTE_MS = 60_000

/** How long the piece of time is that ends now for an instance; undefined where none does. */
export function pieceEnding(now: number, detailed: boolean): number | undefined {
  const minutes = Math.floor(now / MINUTE_MS)
  return detailed ? MINUTE_MS : minutes % 5 === 0 ? 5 * MINUTE_MS : undefined
}
/** From now until just after the next minute begins. */
export const untilNextMinute = (now: number): number => MINUTE_MS - now % MINUTE_MS + 100
