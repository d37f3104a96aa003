/**
 * Fast snapshot restore: kept and shown. EBS User Guide, "Amazon EBS fast snapshot restore".
 *
 * A volume of any snapshot is at full speed from its first block here, so that it is `enabled` at once and there is nothing behind it.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions, Call } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { resource } from '#kit/resource'
import { zonesOf } from '#service/ec2/context'
import { invalidValue, missingParameter } from '#service/ec2/errors'
import { getCompleted, snapshot, type SnapshotRow, type Spec, type Status } from '#service/ec2/snapshot/snapshot'

/** API Reference: so many snapshots in one request. */
const MOST = 10
const REASON = 'Client.UserInitiated'

/** A snapshot with one of its zones alone. */
const viewOf = ({ account, spec: { fast = {} } }: SnapshotRow, id: string): sdk.DescribeFastSnapshotRestoreSuccessItem => {
  const [zone, since] = Object.entries(fast)[0]!
  const at = new Date(since)
  return {
    SnapshotId: id, AvailabilityZone: zone, State: 'enabled', StateTransitionReason: REASON, OwnerId: account,
    EnablingTime: at, OptimizingTime: at, EnabledTime: at,
  }
}
const restores = resource<Spec, Status, sdk.DescribeFastSnapshotRestoreSuccessItem>({
  kind: snapshot.kind, prefix: snapshot.prefix, label: snapshot.label, missing: snapshot.missing, malformed: snapshot.malformed,
  view: row => viewOf(row, row.id.split('.')[0]!),
  filters: { 'availability-zone': 'AvailabilityZone', 'owner-id': 'OwnerId', 'snapshot-id': 'SnapshotId', state: 'State' },
})

type Asked = { AvailabilityZones?: string[]; SourceSnapshotIds?: string[] }

/** Each snapshot of a request changed for its zones, or why not. */
async function each(call: Call<Asked>, change: (row: SnapshotRow, zones: string[]) => Promise<string[]>) {
  const { AvailabilityZones: zones = [], SourceSnapshotIds: ids = [] } = call.input
  if (zones.length === 0) throw missingParameter('AvailabilityZone')
  if (ids.length > MOST) throw invalidValue('SourceSnapshotId', ids, `There may be ${MOST} in one request.`)
  const odd = zones.find(zone => !zonesOf(call.region).includes(zone))
  if (odd !== undefined) throw invalidValue('AvailabilityZone', odd)
  const done: { id: string; zone: string; account: string }[] = []
  const failed: sdk.EnableFastSnapshotRestoreErrorItem[] = []
  for (const id of new Set(ids)) {
    try {
      const row = await getCompleted(call.tx, call, id)
      if (row.spec.owner === 'amazon') throw new ApiError('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`)
      for (const zone of await change(row, zones)) done.push({ id, zone, account: row.account })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const Error = { Code: error.code, Message: error.message }
      failed.push({ SnapshotId: id, FastSnapshotRestoreStateErrors: zones.map(AvailabilityZone => ({ AvailabilityZone, Error })) })
    }
  }
  return { done, failed }
}

export const fastRestores: Actions<typeof sdk> = {
  async EnableFastSnapshotRestores(call) {
    const { done, failed } = await each(call, async (row, zones) => {
      const added = Object.fromEntries(zones.map(zone => [zone, call.now.toISOString()]))
      await snapshot.update(call.tx, row, { spec: { fast: { ...added, ...row.spec.fast } } }, 'hastened')
      return zones
    })
    return {
      Successful: done.map(({ id, zone, account }) => ({
        SnapshotId: id, AvailabilityZone: zone, OwnerId: account, State: 'enabled' as const, StateTransitionReason: REASON, EnablingTime: call.now,
      })),
      Unsuccessful: failed,
    }
  },

  async DisableFastSnapshotRestores(call) {
    const { done, failed } = await each(call, async (row, zones) => {
      const gone = zones.filter(zone => row.spec.fast?.[zone] === undefined)
      if (gone.length > 0) throw new ApiError('InvalidParameterValue', `Fast snapshot restore is not enabled for '${row.id}' in ${gone.join(', ')}.`)
      const fast = Object.fromEntries(Object.entries(row.spec.fast!).filter(([zone]) => !zones.includes(zone)))
      await snapshot.update(call.tx, row, { spec: { fast } }, 'hastened')
      return zones
    })
    return {
      Successful: done.map(({ id, zone, account }) => ({
        SnapshotId: id, AvailabilityZone: zone, OwnerId: account, State: 'disabled' as const, StateTransitionReason: REASON, DisabledTime: call.now,
      })),
      Unsuccessful: failed,
    }
  },

  async DescribeFastSnapshotRestores(call) {
    const all = (await snapshot.list(call.tx, call)).filter(row => !snapshot.gone!(row))
    const rows = all.flatMap(row => Object.entries(row.spec.fast ?? {}).map(([zone, since]): SnapshotRow => ({
      ...row, id: `${row.id}.${zone}`, spec: { ...row.spec, fast: { [zone]: since } },
    })))
    const { hits, next } = await select(call, restores, { ids: undefined, rows })
    return { FastSnapshotRestores: hits.map(({ view }) => view), NextToken: next }
  },
}
