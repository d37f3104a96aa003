/** Time-based one-time passwords as authenticator applications make them: RFC 6238 with SHA-1, six digits, thirty seconds. */
import { createHmac } from 'node:crypto'

const STEP_S = 30
const DIGITS = 6
/** Codes of the step before and after count too: clocks differ. */
const DRIFT = 1
/** How far a device's clock may be off where two codes in a row tell it: an hour either way. AWS names no bound of its own. */
const FAR = 120

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
 * The step whose code this is, which was not used and is later than the last one; undefined where it is none near now, as the device's clock has
 * it (RFC 6238, section 6). A last one that is yet to come was used before the clock was put back: it keeps nobody out until it is so late again,
 * and counts no second time.
 */
export function matchingStep(seed: Buffer, code: string, { now, used, ahead = 0 }: { now: Date; used: Used; ahead?: number }): number | undefined {
  const present = stepAt(now) + ahead
  const after = used.last > present + DRIFT ? -1 : used.last
  for (let step = present - DRIFT; step <= present + DRIFT; step++) {
    if (step > after && !used.recent.includes(step) && codeAt(seed, step) === code) return step
  }
  return undefined
}

/** The later of the two steps whose codes follow each other like these, neither of them used, the nearest to now; undefined where there are none. */
export function steppedBy(seed: Buffer, [first, second]: readonly [string, string], { now, recent }: { now: Date; recent: readonly number[] }):
number | undefined {
  const present = stepAt(now)
  for (let off = 0; off <= FAR; off++) {
    for (const step of [present - off, present + off]) {
      if (recent.includes(step) || recent.includes(step - 1)) continue
      if (codeAt(seed, step) === second && codeAt(seed, step - 1) === first) return step
    }
  }
  return undefined
}

export const using = ({ recent }: Used, ...steps: number[]): Used => ({ last: steps.at(-1)!, recent: [...recent, ...steps].slice(-RECENT) })

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** RFC 4648's base 32, as applications take seeds. */
export function base32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map(group => ALPHABET[parseInt(group.padEnd(5, '0'), 2)]).join('')
}
