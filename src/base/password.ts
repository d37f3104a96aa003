/**
 * Passwords as they may be kept: salted and hashed by scrypt, whose cost makes guessing from a stolen file slow.
 *
 * Invariant: a hash says its own salt and costs, so that the costs can be raised and old hashes still be checked.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

export type PasswordHash = { salt: string; hash: string; cost: number; blockSize: number }

const KEY_BYTES = 32
const COST = 32_768
const BLOCK_SIZE = 8

function derive(password: string, { salt, cost, blockSize }: Omit<PasswordHash, 'hash'>): Promise<Buffer> {
  const options = { N: cost, r: blockSize, p: 1, maxmem: 256 * cost * blockSize }
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), Buffer.from(salt, 'base64'), KEY_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

export async function hashPassword(password: string): Promise<PasswordHash> {
  const made = { salt: randomBytes(16).toString('base64'), cost: COST, blockSize: BLOCK_SIZE }
  return { ...made, hash: (await derive(password, made)).toString('base64') }
}

export async function isPassword(password: string, kept: PasswordHash): Promise<boolean> {
  const wanted = Buffer.from(kept.hash, 'base64')
  return wanted.length === KEY_BYTES && timingSafeEqual(await derive(password, kept), wanted)
}
