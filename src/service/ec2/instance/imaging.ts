/**
 * An instance while an image is made of it: its snapshots are held until its machine is off, and it is started again when they are taken.
 *
 * Invariant: a held snapshot is let go at the latest when its instance ends.
 */
import type { Context } from '#service/ec2/context'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import type { Seen } from '#service/ec2/instance/plan'
import { snapshot, type SnapshotRow } from '#service/ec2/snapshot/snapshot'
import type { Reader, Tx } from '#store/store'

async function snapshotsOf(reader: Reader, { spec }: InstanceRow): Promise<SnapshotRow[]> {
  const rows = await Promise.all((spec.imaging?.snapshots ?? []).map(id => snapshot.find(reader, id)))
  return rows.filter(row => row !== undefined && row.spec.desired !== 'absent') as SnapshotRow[]
}

export async function imagingOf(reader: Reader, row: InstanceRow): Promise<Seen['imaging']> {
  if (!row.spec.imaging) return undefined
  const rows = await snapshotsOf(reader, row)
  if (rows.some(({ spec }) => spec.held)) return 'held'
  return rows.some(({ status }) => status.state === 'pending') ? 'pending' : 'done'
}

async function letGo(tx: Tx, row: InstanceRow): Promise<void> {
  for (const one of await snapshotsOf(tx, row)) if (one.spec.held) await snapshot.update(tx, one, { spec: { held: false } }, 'let-go')
}

/** The machine is off. */
export async function letTake(tx: Tx, row: InstanceRow): Promise<void> {
  await letGo(tx, row)
  await instance.update(tx, row, {}, 'quiet')
}

export async function endImaging(tx: Tx, row: InstanceRow): Promise<void> {
  await letGo(tx, row)
  await instance.update(tx, row, { spec: { imaging: undefined } }, 'imaged')
}

export async function settleImaging({ store, loop }: Pick<Context, 'store' | 'loop'>, row: InstanceRow): Promise<void> {
  await Promise.all((await snapshotsOf(store, row)).map(({ id }) => loop().settle(snapshot.kind, id)))
}
