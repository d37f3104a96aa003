/**
 * Which refusals of each action tests provoke and name: from what they provoked in a run (kit/provoked.suite.ts) and from their sources. Code that
 * a file of tests does not name came about by the way, and might not the next time: it does not count.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Provoked } from '#kit/provoked.suite'

const FOLDER = '.state/provoked'

/** Service and operation, to codes. */
export type Refusals = Map<string, Set<string>>

const textOf = (files: string[]): string => files.map(file => readFileSync(file, 'utf8')).join('\n')

/** A file of tests with what it shares with those beside it. */
function namedBy(file: string): (code: string) => boolean {
  const beside = file.includes('/src/') ? '*.suite.ts' : '*.{ts,py}'
  const text = textOf([file, ...globSync(join(dirname(file), beside)).filter(one => !one.endsWith('.test.ts'))])
  return code => new RegExp(`\\b${code.replaceAll('.', '\\.')}\\b`).test(text)
}

/** From here on, each process of tests notes what it provokes. */
export function noteProvoked(): void {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  process.env.ENCLUME_TEST_PROVOKED = resolve(FOLDER)
}

/** What the tests of the last run provoked and name. */
export function provoked(folder = FOLDER): Refusals {
  const found: Refusals = new Map()
  for (const note of existsSync(folder) ? globSync(join(folder, '*.json')) : []) {
    const { file, refusals } = JSON.parse(readFileSync(note, 'utf8')) as Provoked
    const named = existsSync(file) ? namedBy(file) : () => false
    for (const refusal of refusals) {
      const [service, operation, code] = refusal.split(' ') as [string, string, string]
      if (named(code)) add(found, `${service} ${operation}`, code)
    }
  }
  return found
}

function add(to: Refusals, action: string, code: string): void {
  const codes = to.get(action) ?? new Set()
  to.set(action, codes.add(code))
}

/** What either knows of. */
export function both(...all: Refusals[]): Refusals {
  const sum: Refusals = new Map()
  for (const one of all) for (const [action, codes] of one) for (const code of codes) add(sum, action, code)
  return sum
}

/** What was provoked once and is no more, as `service operation code`. */
export function vanished(before: Refusals, now: Refusals): string[] {
  return [...before].flatMap(([action, codes]) => [...codes].filter(code => !now.get(action)?.has(code)).map(code => `${action} ${code}`)).sort()
}
