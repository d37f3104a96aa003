/**
 * Block public access: what an account in a region lets be shared with everybody, one record for snapshots and one for images.
 *
 * Invariant: without a record nothing is blocked.
 */
import type { Place } from '#kit/action'
import type { Reader, Row, Tx } from '#store/store'

export type Shared = 'snapshot' | 'image'
/** EBS User Guide, "Block public access for snapshots": new sharing only, or all that was shared before too. */
export type Blocking = 'none' | 'new' | 'all'
type Access = Row<{ blocking: Blocking }, Record<string, never>>

const KIND = 'public-access'
const idOf = ({ account, region }: Place, what: Shared): string => `${account}/${region}/${what}`

export const blockingOf = async (reader: Reader, place: Place, what: Shared): Promise<Blocking> =>
  (await reader.get<Access>(KIND, idOf(place, what)))?.spec.blocking ?? 'none'

/** Whether new sharing, or all that is shared, is blocked. */
export async function isBlocked(reader: Reader, place: Place, what: Shared, which: 'new' | 'all'): Promise<boolean> {
  const blocking = await blockingOf(reader, place, what)
  return blocking === 'all' || blocking === which
}

export async function setBlocking(tx: Tx, { account, region, now }: Place & { now: Date }, what: Shared, blocking: Blocking): Promise<void> {
  const id = idOf({ account, region }, what)
  const before = await tx.get<Access>(KIND, id)
  const spec = { blocking }
  const fresh: Access = { kind: KIND, id, account, region, generation: 0, created: now.toISOString(), spec, status: {}, tags: {} }
  await tx.put(before ? { ...before, spec } : fresh, 'modified')
}
