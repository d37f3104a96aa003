/**
 * The account and its root user's access key, made at the first start.
 *
 * Invariant: the secret stands in one file that only its owner can read, and nowhere else; the file is written whole or not at all.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Principal } from '#kit/caller'

export type RootKeys = { account: string; accessKeyId: string; secretAccessKey: string }

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const pick = (alphabet: string, length: number): string => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')

/** Keys in AWS's form: AKIA and 16 of base 32; a secret of 40 of base 64; an account of 12 digits. */
const makeKeys = (): RootKeys => ({
  account: `${randomInt(1, 10)}${pick('0123456789', 11)}`,
  accessKeyId: `AKIA${pick(BASE32, 16)}`,
  secretAccessKey: randomBytes(30).toString('base64'),
})

/** The home's root keys; makes them where there are none yet. */
export function openRootKeys(dir: string): RootKeys {
  const file = join(dir, 'root-credentials.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as RootKeys
  const keys = makeKeys()
  const draft = `${file}.new`
  const handle = openSync(draft, 'w', 0o600)
  try {
    writeSync(handle, `${JSON.stringify(keys, undefined, 2)}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(draft, file)
  return keys
}

export const rootPrincipal = ({ account }: RootKeys): Principal =>
  ({ account, arn: `arn:aws:iam::${account}:root`, userId: account, root: true })
