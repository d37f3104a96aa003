/** GetSessionToken: the caller itself, for a while. */
import type * as Sdk from '@aws-sdk/client-sts'
import type { Actions } from '#kit/action'
import type { Principal } from '#kit/caller'
import { ApiError } from '#kit/error'
import { proveDevice } from '#identity/device'
import type { Identity } from '#identity/identity'
import type { Temporary } from '#identity/session'

export const HOUR_S = 3600

export const credentialsOf = ({ accessKeyId, secretAccessKey, sessionToken, expiration }: Temporary) =>
  ({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: expiration })

/** Seconds between the bounds, or AWS's error. */
export function checkDuration(seconds: number, { least, most }: { least: number; most: number }): number {
  if (!Number.isInteger(seconds) || seconds < least || seconds > most) {
    const bound = seconds < least ? `greater than or equal to ${least}` : `less than or equal to ${most}`
    throw new ApiError('ValidationError',
      `1 validation error detected: Value '${seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value ${bound}`)
  }
  return seconds
}

const denied = (message: string) => new ApiError('AccessDenied', message, 403)

/** API Reference: root's may last an hour, a user's a day and a half. */
const longest = ({ root }: Principal): number => (root ? HOUR_S : 36 * HOUR_S)

export const sessionActions = (identity: Identity): Actions<typeof Sdk> => ({
  async GetSessionToken({ tx, input, caller: { principal }, now }) {
    if (principal.session) throw denied('Cannot call GetSessionToken with session credentials')
    const asked = checkDuration(input.DurationSeconds ?? 12 * HOUR_S, { least: 900, most: 36 * HOUR_S })
    const device = input.SerialNumber !== undefined || input.TokenCode !== undefined
    if (device && !await proveDevice(identity.sealer, tx, { principal, serial: input.SerialNumber, code: input.TokenCode, now })) {
      throw denied('MultiFactorAuthentication failed with invalid MFA one time pass code.')
    }
    const made = identity.issue(principal, {
      kind: 'session-token', name: '', lastsS: Math.min(asked, longest(principal)), ...(device && { mfa: now.toISOString() }),
    })
    return { Credentials: credentialsOf(made) }
  },
})
