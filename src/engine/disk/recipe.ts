/**
 * What images are made of: the recipes in `images/`, and whom machines trust.
 *
 * Invariant: a digest is of all that it is given and of nothing else, so that the same is never made twice and what changed always is.
 */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { openAuthority } from '#base/authority'
import type { Home } from '#base/home'

export const RECIPES = resolve(import.meta.dirname, '../../../images')
/** The host's own authorities, which machines trust too. */
const CERTIFICATES = '/usr/local/share/ca-certificates'

export type Trusted = { name: string; text: string }
/** Whom machines trust besides their distribution's authorities: the home's own, which vouches for the API's names, and the host's extra ones. */
export const certificates = (home: Home): Trusted[] => [
  { name: 'enclume.crt', text: openAuthority(home.dir, new Date()).certificate.toString() },
  ...globSync(`${CERTIFICATES}/**/*.crt`).sort().map(path => ({ name: basename(path), text: readFileSync(path, 'utf8') })),
]
/** As files of a folder, which is made. */
export function writeCertificates(home: Home, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const { name, text } of certificates(home)) writeFileSync(join(folder, name), text)
}

export const digest = (parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)

/** Every file below a folder: its name, whether it may be executed, and what is in it. */
export const contents = (folder: string): string => JSON.stringify(globSync('**', { cwd: folder }).sort().flatMap(name => {
  const stat = statSync(join(folder, name), { throwIfNoEntry: false })
  return stat === undefined ? [name] : stat.isFile() ? [name, stat.mode & 0o111, readFileSync(join(folder, name), 'utf8')] : []
}))
