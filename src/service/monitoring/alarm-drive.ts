/** Looks at alarms' data as their periods end, changes their states, and does what is due then. */
import { ApiError } from '#kit/error'
import type { Driver } from '#loop/driver'
import { ALARM, HISTORY, HISTORY_MS, note, type AlarmRow, type HistorySpec, type State, type Status } from '#service/monitoring/alarm'
import { actionOf, instanceOf, type Automate } from '#service/monitoring/automate'
import { MORE, plan, SETTLE_MS, type Seen, type Verdict } from '#service/monitoring/plan'
import { read } from '#service/monitoring/query'
import type { Series } from '#service/monitoring/series'
import { valueOf } from '#service/monitoring/statistics'
import type { Row, Store, Tx } from '#store/store'

export type AlarmParts = { series: () => Series; clock: () => Date; automate: Automate }

/** A new state with its line of history, and what is due for it. */
export async function change(
  tx: Tx, row: AlarmRow, { state, reason, data, now, heldUntil }: Omit<Verdict,
    'data'> & { data?: string | undefined; now: Date; heldUntil?: string },
): Promise<void> {
  const { spec, status } = row
  const time = now.toISOString()
  const isNew = state !== status.state
  const next: Status = {
    state, reason, updated: time, changed: isNew ? time : status.changed, due: isNew && spec.actionsEnabled ? spec.actions[state as State] : [],
    ...(data !== undefined && { reasonData: data }), ...(heldUntil !== undefined && { heldUntil }),
  }
  await tx.put<AlarmRow>({ ...row, status: next }, 'state')
  if (!isNew) return
  await note(tx, row, now, {
    type: 'StateUpdate', summary: `Alarm updated from ${status.state} to ${state}`,
    data: JSON.stringify({
      version: '1.0', oldState: { stateValue: status.state, stateReason: status.reason }, newState: { stateValue: state, stateReason: reason },
    }),
  })
}

export function alarmDriver({ series, clock, automate }: AlarmParts): Driver<AlarmRow, Seen> {
  async function act(tx: Tx, row: AlarmRow): Promise<void> {
    const now = clock()
    const instance = instanceOf(row.spec.metric)
    for (const arn of row.status.due) {
      const found = actionOf(arn)
      let error: string | undefined
      try {
        if (found && instance !== undefined) await automate(tx, { account: row.account, region: row.region, instance, action: found.action, now })
      } catch (cause) {
        // What EC2 refuses (a protected or a missing instance) was tried, and is not tried again.
        if (!(cause instanceof ApiError)) throw cause
        error = `${cause.code}: ${cause.message}`
      }
      await note(tx, row, now, {
        type: 'Action', summary: error === undefined ? `Successfully executed action ${arn}`
          : `Failed to execute action ${arn}. Received error: "${error}"`,
        data: JSON.stringify({ actionState: error === undefined ? 'Succeeded' : 'Failed', notificationResource: arn, error: error ?? null }),
      })
    }
    await tx.put<AlarmRow>({ ...row, status: { ...row.status, due: [] } }, 'acted')
  }

  return {
    kind: ALARM,
    async observe({ account, region, spec }) {
      const { period, evaluationPeriods, statistic, unit } = spec
      const ended = Math.floor((clock().getTime() - SETTLE_MS) / 1000 / period) * period
      const count = evaluationPeriods + MORE
      const from = ended - count * period
      const points = read(series(), { account, region, ...spec.metric }, { from, to: ended, period, unit })
      const values = new Map(points.map(point => [point.time, valueOf(statistic, point)]))
      return { windows: Array.from({ length: count }, (_, i) => { const time = ended - (i + 1) * period; return { time, value: values.get(time) } }) }
    },
    plan,
    acts: {},
    writes: {
      act,
      change: (tx, row, { state, reason, data }) => change(tx, row, { state, reason, data, now: clock() }),
    },
  }
}

/** History older than it is kept. */
export async function forgetHistory(store: Store, now: Date): Promise<void> {
  const before = new Date(now.getTime() - HISTORY_MS).toISOString()
  const old = (await store.list<Row<HistorySpec, object>>({ kind: HISTORY })).filter(row => row.created < before)
  for (const { id } of old) {
    await store.transact(async tx => {
      const row = await tx.get(HISTORY, id)
      if (row) await tx.remove(row)
    })
  }
}
