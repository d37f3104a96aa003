/** Time-based one-time passwords as authenticator applications make them: RFC 6238 with SHA-1, six digits, thirty seconds. */
import { createHmac } from 'node:crypto'

const STEP_S = 30
const DIGITS = 6
/** Codes of the step before and after count too: clocks differ. */
const DRIFT = 1

export const stepAt = (now: Date): number => Math.floor(now.getTime() / 1000 / STEP_S)

/** The code of one step (RFC 4226, section 5.3). */
export function codeAt(seed: Buffer, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const digest = createHmac('sha1', seed).update(counter).digest()
  const offset = digest[digest.length - 1]! & 0xf
  const number = (digest.readUInt32BE(offset) & 0x7fffffff) % 10 ** DIGITS
  return String(number).padStart(DIGITS, '0')
}

/** Steps whose codes were used: `last` is the latest, `recent` holds the newest few of all. */
export type Used = { last: number; recent: number[] }
/** More than a user signs in within an hour. */
const RECENT = 120

/**
 * The step whose code this is, which was not used and is later than the last one; undefined where it is none near now. A last one that is yet to
 * come was used before the clock was put back: it keeps nobody out until it is so late again, and counts no second time.
 */
export function matchingStep(seed: Buffer, code: string, { now, used }: { now: Date; used: Used }): number | undefined {
  const present = stepAt(now)
  const after = used.last > present + DRIFT ? -1 : used.last
  for (let step = present - DRIFT; step <= present + DRIFT; step++) {
    if (step > after && !used.recent.includes(step) && codeAt(seed, step) === code) return step
  }
  return undefined
}

export const using = ({ recent }: Used, step: number): Used => ({ last: step, recent: [...recent, step].slice(-RECENT) })

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** RFC 4648's base 32, as applications take seeds. */
export function base32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map(group => ALPHABET[parseInt(group.padEnd(5, '0'), 2)]).join('')
}
