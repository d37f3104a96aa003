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

/** The step whose code this is, later than the last one used; undefined where it is none near now. */
export function matchingStep(seed: Buffer, code: string, { now, after }: { now: Date; after: number }): number | undefined {
  const present = stepAt(now)
  for (let step = present - DRIFT; step <= present + DRIFT; step++) {
    if (step > after && codeAt(seed, step) === code) return step
  }
  return undefined
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** RFC 4648's base 32, as applications take seeds. */
export function base32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map(group => ALPHABET[parseInt(group.padEnd(5, '0'), 2)]).join('')
}
