/**
 * Credentials that a page signs with: the account's own Security Token Service gives them, as it does to anybody.
 *
 * Invariant: they are the signed-in principal's and no more, and last an hour at most.
 */
import { randomUUID } from 'node:crypto'
import type { Caller, Principal } from '#kit/caller'
import type { Credentials } from '#console/door'

export type Dispatch = (call: { service: string; operation: string; input: object; caller: Caller }) => Promise<object>

/** Whoever asks for a page does so from this machine. */
export const pageCaller = (principal: Principal, region: string): Caller =>
  ({ principal, region, requestId: randomUUID(), sourceIp: '127.0.0.1', userAgent: 'enclume-console' })

const LIFE_S = 3600

type Issued = { Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string; Expiration: Date } }

export async function sessionToken(dispatch: Dispatch, { principal, region }: { principal: Principal; region: string }): Promise<Credentials> {
  const caller = pageCaller(principal, region)
  const { Credentials: c } = await dispatch({ service: 'sts', operation: 'GetSessionToken', input: { DurationSeconds: LIFE_S }, caller }) as Issued
  return { accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretAccessKey, sessionToken: c.SessionToken, expiration: c.Expiration.toISOString() }
}
