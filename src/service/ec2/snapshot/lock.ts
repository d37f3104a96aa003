/**
 * Snapshots that nobody may delete for a while. EBS User Guide, "Amazon EBS snapshot lock".
 *
 * Invariant: whatever deletes snapshots asks `isLocked` first, whoever the caller is. A compliance lock whose cooling-off period is over is only
 * ever made longer.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions, Call } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { resource } from '#kit/resource'
import { incorrectState, invalidCombination, invalidValue, missingParameter } from '#service/ec2/errors'
import { snapshot, type Lock, type SnapshotRow, type Spec, type Status } from '#service/ec2/snapshot/snapshot'
import { getOwnSnapshot } from '#service/ec2/snapshot/sharing'
import { isIn, snapshots } from '#service/ec2/states'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** API Reference, LockSnapshot: a hundred years, of 365 days. */
const MOST_DAYS = 36_500
const MOST_HOURS = 72

/** A lock of days runs from the snapshot's completion, if that comes after it (API Reference, LockSnapshot: lockDurationStartTime). */
function startOf({ status }: SnapshotRow, { createdOn }: Lock): Date | undefined {
  if (status.completed === undefined) return status.state === 'pending' ? undefined : new Date(createdOn)
  return new Date(Math.max(Date.parse(createdOn), Date.parse(status.completed)))
}
function endOf(row: SnapshotRow, lock: Lock): Date | undefined {
  if (lock.until !== undefined) return new Date(lock.until)
  const start = startOf(row, lock)
  return start && new Date(start.getTime() + lock.days! * DAY_MS)
}

type State = 'compliance' | 'governance' | 'compliance-cooloff' | 'expired'
function stateOf(row: SnapshotRow, lock: Lock, now: Date): State {
  const end = endOf(row, lock)
  if (end !== undefined && end <= now) return 'expired'
  if (lock.mode === 'governance') return 'governance'
  return lock.coolsUntil !== undefined && new Date(lock.coolsUntil) > now ? 'compliance-cooloff' : 'compliance'
}

/** Whether it may not be deleted now. */
export const isLocked = (row: SnapshotRow, now: Date): boolean => row.spec.lock !== undefined && stateOf(row, row.spec.lock, now) !== 'expired'

export function refuseLocked(row: SnapshotRow, now: Date): void {
  if (isLocked(row, now)) throw new ApiError('OperationNotPermitted', `The snapshot ${row.id} is locked and can't be deleted.`)
}

const dated = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text))
const infoOf = (now: Date) => (row: SnapshotRow): sdk.LockedSnapshotsInfo => {
  const lock = row.spec.lock!
  const [start, end] = [startOf(row, lock), endOf(row, lock)]
  return {
    OwnerId: row.account, SnapshotId: row.id, LockState: stateOf(row, lock, now), CoolOffPeriod: lock.coolHours,
    LockDuration: lock.days ?? (start && end && Math.ceil((end.getTime() - start.getTime()) / DAY_MS)), LockCreatedOn: new Date(lock.createdOn),
    CoolOffPeriodExpiresOn: dated(lock.coolsUntil), LockDurationStartTime: start, LockExpiresOn: end,
  }
}

function whole(name: string, value: number | undefined, most: number): number | undefined {
  if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > most)) throw invalidValue(name, value, `It must be 1 to ${most}.`)
  return value
}

/** The lock that a request asks for, over the one that is there. */
function lockOf({ input, now }: Call<sdk.LockSnapshotRequest>, row: SnapshotRow): Lock {
  const { LockMode: mode, ExpirationDate: until } = input
  if (mode !== 'governance' && mode !== 'compliance') throw invalidValue('lockMode', mode)
  const [days, coolHours] = [whole('lockDuration', input.LockDuration, MOST_DAYS), whole('coolOffPeriod', input.CoolOffPeriod, MOST_HOURS)]
  if (days === undefined && until === undefined) throw missingParameter('lockDuration')
  if (days !== undefined && until !== undefined) throw invalidCombination('The parameters lockDuration and expirationDate cannot be used together.')
  // Also of a date that is none.
  const soon = until !== undefined && !(until.getTime() >= now.getTime() + DAY_MS)
  if (soon) throw invalidValue('expirationDate', until, 'It must be a day ahead at least.')
  if (mode === 'governance' && coolHours !== undefined) throw invalidCombination('A snapshot locked in governance mode has no cooling-off period.')
  const lock: Lock = {
    mode, createdOn: now.toISOString(), ...(days !== undefined && { days }), ...(until && { until: until.toISOString() }),
    ...(coolHours !== undefined && { coolHours, coolsUntil: new Date(now.getTime() + coolHours * HOUR_MS).toISOString() }),
  }
  const before = row.spec.lock
  if (!before || stateOf(row, before, now) !== 'compliance') return lock
  const kept: Lock = { ...lock, createdOn: before.createdOn, coolHours: before.coolHours, coolsUntil: before.coolsUntil }
  const [was, is] = [endOf(row, before), endOf(row, kept)]
  if (mode === 'governance' || coolHours !== undefined || (is?.getTime() ?? Infinity) < (was?.getTime() ?? Infinity)) {
    throw new ApiError('OperationNotPermitted', `The snapshot ${row.id} is locked in compliance mode: its lock can only be extended.`)
  }
  return kept
}

const lockedSnapshots = (now: Date) => resource<Spec, Status, sdk.LockedSnapshotsInfo>({
  kind: snapshot.kind, prefix: snapshot.prefix, label: snapshot.label, missing: snapshot.missing, malformed: snapshot.malformed,
  view: infoOf(now), filters: { 'lock-state': 'LockState' },
})

export const locking: Actions<typeof sdk> = {
  async LockSnapshot(call) {
    const row = await getOwnSnapshot(call, call.input.SnapshotId!)
    if (!isIn(snapshots.lock, row.status.state)) throw incorrectState(`The snapshot '${row.id}' is in error.`)
    const locked = await snapshot.update(call.tx, row, { spec: { lock: lockOf(call, row) } }, 'locked')
    const { OwnerId: _, ...info } = infoOf(call.now)(locked)
    return info
  },

  async UnlockSnapshot({ tx, now, input, ...call }) {
    const row = await getOwnSnapshot({ tx, now, input, ...call }, input.SnapshotId!)
    const { lock } = row.spec
    if (!lock || stateOf(row, lock, now) === 'expired') throw incorrectState(`The snapshot '${row.id}' is not locked.`)
    if (stateOf(row, lock, now) === 'compliance') {
      throw new ApiError('OperationNotPermitted', `The snapshot ${row.id} is locked in compliance mode and can't be unlocked.`)
    }
    await snapshot.update(tx, row, { spec: { lock: undefined } }, 'unlocked')
    return { SnapshotId: row.id }
  },

  async DescribeLockedSnapshots(call) {
    const { SnapshotIds: ids = [] } = call.input
    for (const id of ids) await getOwnSnapshot(call, id)
    const all = (await snapshot.list(call.tx, call)).filter(row => row.spec.lock && !snapshot.gone!(row))
    const rows = all.filter(row => ids.length === 0 || ids.includes(row.id))
    const { hits, next } = await select(call, lockedSnapshots(call.now), { ids: undefined, rows })
    return { Snapshots: hits.map(({ view }) => view), NextToken: next }
  },
}
