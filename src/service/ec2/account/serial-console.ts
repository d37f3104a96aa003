/**
 * Whether an account lets its users at the serial consoles of its instances in a region. Off until it is turned on (EC2 User Guide,
 * "Manage account access to the EC2 serial console").
 */
import type { Place } from '#kit/action'
import type { Reader, Row, Tx } from '#store/store'

type AccessRow = Row<{ enabled: boolean }, object>
const KIND = 'serial-console-access'
const idOf = ({ account, region }: Place): string => `${account}/${region}`

export const serialConsole = async (reader: Reader, place: Place): Promise<boolean> =>
  (await reader.get<AccessRow>(KIND, idOf(place)))?.spec.enabled === true

export async function putSerialConsole(tx: Tx, { account, region }: Place, now: Date, enabled: boolean): Promise<boolean> {
  const id = idOf({ account, region })
  const before = await tx.get<AccessRow>(KIND, id)
  const fresh: AccessRow = { kind: KIND, id, account, region, generation: 0, created: now.toISOString(), spec: { enabled }, status: {}, tags: {} }
  await tx.put(before ? { ...before, spec: { enabled } } : fresh, 'modified')
  return enabled
}
