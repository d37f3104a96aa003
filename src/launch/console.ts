/**
 * Builds the console's files, once for each state of its sources.
 *
 * Invariant: a built directory is named by a digest of all that went in and appears whole; while nothing changes nothing is built, and no
 * network is needed.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import { must } from '#launch/run'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BUILT = join(ROOT, '.state', 'console')
/** The pages, and what of the server's own code they read: facts that both go by. */
const SOURCES = ['console/**/*.{ts,tsx,html,css,svg,json}', 'src/service/ec2/**/{states,data/*}.ts', 'package-lock.json']

function digest(): string {
  const hash = createHash('sha256')
  for (const name of globSync(SOURCES, { cwd: ROOT }).sort()) hash.update(`${name}\0`).update(readFileSync(join(ROOT, name))).update('\0')
  return hash.digest('hex').slice(0, 16)
}

/** Where the console of these sources is, if it is built. */
export function findConsole(): string | undefined {
  const dir = join(BUILT, digest())
  return existsSync(join(dir, 'index.html')) ? dir : undefined
}

/** Builds it unless it is there. */
export async function buildConsole(): Promise<string> {
  const found = findConsole()
  if (found) return found
  const dir = join(BUILT, digest())
  const draft = `${dir}.${process.pid}`
  mkdirSync(BUILT, { recursive: true })
  await must(process.execPath, [join(ROOT, 'node_modules/vite/bin/vite.js'), 'build', join(ROOT, 'console'), '--outDir', draft, '--logLevel', 'warn'])
  for (const name of globSync('**/*.{js,css,html,svg}', { cwd: draft })) {
    writeFileSync(join(draft, `${name}.br`), brotliCompressSync(readFileSync(join(draft, name))))
  }
  rmSync(dir, { recursive: true, force: true })
  renameSync(draft, dir)
  for (const name of readdirSync(BUILT)) if (name.length === 16 && join(BUILT, name) !== dir) rmSync(join(BUILT, name), { recursive: true })
  return dir
}
