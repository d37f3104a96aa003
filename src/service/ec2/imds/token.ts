/**
 * IMDSv2 session tokens without a store: a token is its expiry and a MAC over it, for one owner.
 *
 * Invariants: a token opens nothing for another owner, nothing once its time is over, and goes on working when the server
 * starts again with the same secret. The form is AWS's: 56 characters of base64, beginning "AQAE".
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** EC2 User Guide, "Use the Instance Metadata Service": a session lasts from one second to six hours. */
export const MAX_TTL_SECONDS = 21_600

const HEADER = Buffer.of(0x01, 0x00, 0x04)
const EXPIRY_BYTES = 6
const NONCE_BYTES = 6
const MAC_BYTES = 25
const BODY_BYTES = HEADER.length + EXPIRY_BYTES + NONCE_BYTES
const TOKEN_CHARACTERS = Math.ceil((BODY_BYTES + MAC_BYTES) / 3) * 4

export type TokenOptions = { secret: Uint8Array; owner: string; now: Date }

function mac(body: Buffer, { secret, owner }: TokenOptions): Buffer {
  return createHmac('sha256', secret).update(body).update(owner).digest().subarray(0, MAC_BYTES)
}

/** A new token. `owner` is who may use it: the instance. */
export function makeToken(ttlSeconds: number, options: TokenOptions): string {
  const body = Buffer.concat([HEADER, Buffer.alloc(EXPIRY_BYTES), randomBytes(NONCE_BYTES)])
  body.writeUIntBE(options.now.getTime() + ttlSeconds * 1000, HEADER.length, EXPIRY_BYTES)
  return Buffer.concat([body, mac(body, options)]).toString('base64')
}

/** How long a token still holds, in milliseconds; undefined for every text that is not a live token of this owner. */
export function tokenLeftMs(token: string, options: TokenOptions): number | undefined {
  if (token.length !== TOKEN_CHARACTERS) return undefined
  const bytes = Buffer.from(token, 'base64')
  if (bytes.length !== BODY_BYTES + MAC_BYTES) return undefined
  const body = bytes.subarray(0, BODY_BYTES)
  if (!timingSafeEqual(bytes.subarray(BODY_BYTES), mac(body, options))) return undefined
  const left = body.readUIntBE(HEADER.length, EXPIRY_BYTES) - options.now.getTime()
  return left > 0 ? left : undefined
}
