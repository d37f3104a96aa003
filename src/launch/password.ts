/**
 * The root user's password of the console: made at the first start, shown once, kept as a hash. `enclume password` makes another.
 *
 * Invariant: the password itself is written nowhere.
 */
import { randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import { hashPassword, isPassword, type PasswordHash } from '#base/password'
import type { Args } from '#launch/args'
import { getHome, homeDirOf, writeWhole } from '#launch/config'

/** Without letters that are mistaken for each other. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const LENGTH = 20

const fileOf = (home: Home): string => join(home.dir, 'console-password.json')
export const hasPassword = (home: Home): boolean => existsSync(fileOf(home))

/** Makes a new one and returns it: the one time that it is seen. */
export async function newPassword(home: Home): Promise<string> {
  const password = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  writeWhole(fileOf(home), `${JSON.stringify(await hashPassword(password))}\n`)
  return password
}

/** Whether it is the root user's. Takes as long where there is none. */
export async function isRootPassword(home: Home, password: string): Promise<boolean> {
  if (!hasPassword(home)) return hashPassword(password).then(() => false)
  return isPassword(password, JSON.parse(readFileSync(fileOf(home), 'utf8')) as PasswordHash)
}

export async function password(args: Args): Promise<number> {
  console.log(await newPassword(getHome(homeDirOf(args))))
  return 0
}
