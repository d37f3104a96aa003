/** Where a stage's time went: its slowest tests, and its slowest files, in which hooks that bring things up and take them down count too. */
import { relative } from 'node:path'

const MOST = 10

export type Timed = { name: string; file?: string | undefined; ms: number }

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(7)} s`

/** Lines to print, the slowest first; what took less than a tenth of a second is nobody's concern. */
export function slowest(what: string, all: Timed[]): string[] {
  const found = all.filter(({ ms }) => ms >= 100).sort((a, b) => b.ms - a.ms).slice(0, MOST)
  if (!found.length) return []
  const place = (file: string | undefined) => (file === undefined ? '' : `${relative(process.cwd(), file)}: `)
  return [`slowest ${what}`, ...found.map(({ name, file, ms }) => `${seconds(ms)}  ${place(file)}${name}`)]
}
