/**
 * Temporary credentials without a record: the token is the session, sealed.
 *
 * Invariants: a session ends when it says so, whatever happens to the server meanwhile; its secret follows from its access key
 * id and the home's key, so nothing is kept, and no number of sessions fills the store. What its principal may do is looked
 * up at each call, so that a removed policy counts at once.
 */
import { randomInt } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Principal, Session } from '#kit/caller'
import { ApiError } from '#kit/error'
import type { Sealer } from '#identity/seal'

export type Temporary = { accessKeyId: string; secretAccessKey: string; sessionToken: string; expiration: Date }

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** A unique id as IAM forms them: four letters for what it is, and sixteen of base 32 (IAM User Guide, "Unique identifiers"). */
export const uniqueId = (prefix: string): string =>
  prefix + Array.from({ length: 16 }, () => BASE32[randomInt(BASE32.length)]).join('')

const SECRET_BYTES = 30
/** STS packs policies and tags; what is packed has a limit (API Reference: AssumeRole, PackedPolicyTooLarge). */
const MOST_PACKED_BYTES = 4096
const MOST_PLAIN_BYTES = 1 << 17

type Sealed = Principal & { session: Session }

const secretOf = (sealer: Sealer, accessKeyId: string): string =>
  sealer.derive('session-secret', accessKeyId).subarray(0, SECRET_BYTES).toString('base64')

/** Credentials of a principal for as long as its session says. */
export function issue(sealer: Sealer, principal: Sealed): Temporary {
  const accessKeyId = uniqueId('ASIA')
  const packed = deflateRawSync(JSON.stringify(principal))
  if (packed.length > MOST_PACKED_BYTES) {
    throw new ApiError('PackedPolicyTooLargeException',
      `Packed size of session policies and tags consumes ${packedPercent(principal)}% of allotted space.`)
  }
  return {
    accessKeyId, secretAccessKey: secretOf(sealer, accessKeyId), expiration: new Date(principal.session.expires),
    sessionToken: sealer.seal('session', accessKeyId, packed).toString('base64'),
  }
}

/** How much of the room for policies and tags a session takes (PackedPolicySize). */
export const packedPercent = (principal: Sealed): number =>
  Math.ceil(100 * deflateRawSync(JSON.stringify(principal)).length / MOST_PACKED_BYTES)

/** The principal and the secret behind a token; undefined for a token that was not given out with this key's id. */
export function openSession(sealer: Sealer, accessKeyId: string, token: string): { principal: Sealed; secret: string } | undefined {
  const packed = sealer.open('session', accessKeyId, Buffer.from(token, 'base64'))
  if (!packed) return undefined
  const principal = JSON.parse(inflateRawSync(packed, { maxOutputLength: MOST_PLAIN_BYTES }).toString()) as Sealed
  return { principal: { ...principal, accessKeyId }, secret: secretOf(sealer, accessKeyId) }
}
