/**
 * Passwords of users: what the account asks of them, and their hashes.
 *
 * Invariant: hashing here blocks, since it happens inside a request's transaction, which waits for nothing but the store.
 */
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'
import type { PasswordHash } from '#base/password'
import type { AccountSpec } from '#identity/records'

const COST = 32_768
const BLOCK_SIZE = 8
const KEY_BYTES = 32

const derive = (password: string, { salt, cost, blockSize }: Omit<PasswordHash, 'hash'>): Buffer =>
  scryptSync(password.normalize('NFKC'), Buffer.from(salt, 'base64'), KEY_BYTES, { N: cost, r: blockSize, p: 1, maxmem: 256 * cost * blockSize })

export function hashNow(password: string): PasswordHash {
  const made = { salt: randomBytes(16).toString('base64'), cost: COST, blockSize: BLOCK_SIZE }
  return { ...made, hash: derive(password, made).toString('base64') }
}

export function isPasswordNow(password: string, kept: PasswordHash): boolean {
  const wanted = Buffer.from(kept.hash, 'base64')
  return wanted.length === KEY_BYTES && timingSafeEqual(derive(password, kept), wanted)
}

const KINDS = { RequireUppercaseCharacters: /[A-Z]/, RequireLowercaseCharacters: /[a-z]/, RequireNumbers: /\d/,
  RequireSymbols: /[!@#$%^&*()_+\-=[\]{}|']/ }

/** Why a password does not do, or undefined (IAM User Guide, "Default password policy": 8 characters, three of four kinds). */
export function passwordFault(password: string, policy: AccountSpec['passwordPolicy']): string | undefined {
  if (password.length > 128 || !/^[\t\n\r\x20-\xff]+$/.test(password)) return 'Password should have at most 128 characters of Latin-1'
  const least = Number(policy?.MinimumPasswordLength ?? (policy ? 6 : 8))
  if (password.length < least) return `Password should have a minimum length of ${least}`
  if (!policy) {
    const kinds = Object.values(KINDS).filter(kind => kind.test(password)).length
    return kinds < 3 ? 'Password should have characters of at least three kinds: uppercase, lowercase, numbers, symbols' : undefined
  }
  const lacking = Object.entries(KINDS).find(([name, kind]) => policy[name] === true && !kind.test(password))
  return lacking && `Password does not conform to the account password policy: ${lacking[0]}`
}
