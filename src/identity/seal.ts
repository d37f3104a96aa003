/**
 * Secrets at rest and tokens in callers' hands: sealed with keys that stand outside the database.
 *
 * Invariants: what is sealed for one purpose and owner opens for no other; whoever has the database alone reads no secret,
 * and whoever has a token alone can neither read nor change it. The key's file is written whole or not at all.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export type Purpose = 'access-key' | 'mfa' | 'session' | 'session-secret' | 'denial' | 'parameter'
export type Sealer = {
  seal(purpose: Purpose, owner: string, data: Buffer): Buffer
  /** What was sealed, or undefined where it was not sealed here, for this purpose and owner. */
  open(purpose: Purpose, owner: string, sealed: Buffer): Buffer | undefined
  /** The same bytes for the same name, and unlike those of any other. */
  derive(purpose: Purpose, name: string): Buffer
}

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

export function sealer(key: Buffer): Sealer {
  const keys = new Map<Purpose, Buffer>()
  const keyFor = (purpose: Purpose): Buffer => {
    const known = keys.get(purpose)
    if (known) return known
    const made = Buffer.from(hkdfSync('sha256', key, '', `enclume ${purpose}`, KEY_BYTES))
    keys.set(purpose, made)
    return made
  }
  return {
    seal(purpose, owner, data) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, keyFor(purpose), nonce).setAAD(Buffer.from(owner))
      return Buffer.concat([nonce, cipher.update(data), cipher.final(), cipher.getAuthTag()])
    },
    open(purpose, owner, sealed) {
      if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
      const decipher = createDecipheriv(CIPHER, keyFor(purpose), sealed.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(owner))
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
      } catch {
        return undefined // The only way that GCM fails: it was not sealed with this key for this owner.
      }
    },
    derive: (purpose, name) => createHmac('sha256', keyFor(purpose)).update(name).digest(),
  }
}

/** The home's key; made where there is none yet. Only its owner may read the file. */
export function openKey(dir: string): Buffer {
  const file = join(dir, 'identity.key')
  if (!existsSync(file)) {
    const handle = openSync(`${file}.new`, 'w', 0o600)
    try {
      writeSync(handle, randomBytes(KEY_BYTES).toString('base64'))
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(`${file}.new`, file)
  }
  const key = Buffer.from(readFileSync(file, 'utf8'), 'base64')
  if (key.length !== KEY_BYTES) throw new Error(`${file} is not a key of ${KEY_BYTES} bytes`)
  return key
}
