/**
 * MFA devices: whether a code proves that the principal's own device is at hand.
 *
 * Invariant: a code counts once (RFC 6238, section 5.2), which the record of the last step decides in the request's transaction.
 */
import type { Principal } from '#kit/caller'
import { devices, type DeviceRow } from '#identity/records'
import type { Sealer } from '#identity/seal'
import { matchingStep, stepAt, steppedBy, using, type Used } from '#identity/totp'
import type { Reader, Tx } from '#store/store'

/** Whose a device is: a user's id, or the account for its root user. */
export const ownerOf = ({ account, user }: Principal): string => user ?? account

export const serialOf = (row: DeviceRow): string => devices.arn(row)

export const devicesOf = async (reader: Reader, account: string, owner: string): Promise<DeviceRow[]> =>
  (await devices.list(reader, account)).filter(row => row.spec.owner === owner)

export const seedOf = (sealer: Sealer, row: DeviceRow): Buffer => {
  const seed = sealer.open('mfa', row.id, Buffer.from(row.spec.seed, 'base64'))
  if (!seed) throw new Error(`the seed of ${row.id} was sealed with another key`)
  return seed
}

const usedOf = ({ spec: { step, recent } }: DeviceRow): Used => ({ last: step, recent: recent ?? [step] })

/** What a device's record says once the codes of these steps are used. */
function useSteps(row: DeviceRow, ...steps: number[]): { step: number; recent: number[] } {
  const { last, recent } = using(usedOf(row), ...steps)
  return { step: last, recent }
}

type Pair = { first: string; second: string; now: Date }

/**
 * What a device's record says once two of its codes that follow each other have told what its clock says; undefined where they are none. Who
 * takes long to send them is taken for a clock that is late, as on AWS (API Reference, EnableMFADevice: AuthenticationCode1).
 */
export function learnClock(sealer: Sealer, row: DeviceRow, { first, second, now }: Pair):
{ step: number; recent: number[]; ahead: number } | undefined {
  const step = steppedBy(seedOf(sealer, row), [first, second], { now, recent: usedOf(row).recent })
  return step === undefined ? undefined : { ...useSteps(row, step - 1, step), ahead: step - stepAt(now) }
}

type Proof = { principal: Principal; serial: string | undefined; code: string | undefined; now: Date }

/** Whether the code is one of a device of the principal's; the code is used up. */
export async function proveDevice(sealer: Sealer, tx: Tx, { principal, serial, code, now }: Proof): Promise<boolean> {
  if (code === undefined || !/^\d{6}$/.test(code)) return false
  const own = await devicesOf(tx, principal.account, ownerOf(principal))
  for (const row of own) {
    if (serial !== undefined && serialOf(row) !== serial) continue
    const step = matchingStep(seedOf(sealer, row), code, { now, used: usedOf(row), ahead: row.spec.ahead })
    if (step === undefined) continue
    await devices.update(tx, row, useSteps(row, step))
    return true
  }
  return false
}
