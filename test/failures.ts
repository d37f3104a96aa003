/** Why tests failed, said once more where everything has been said: what stands at the end of a long output is what people see. */
import { relative } from 'node:path'
import { inspect } from 'node:util'

/** Lines of one reason, and of all together: the rest stands above, in the stage's own output. */
const MOST_OF_ONE = 14
const MOST = 90
const WIDEST = 300

export type Failed = { name: string; file?: string | undefined; error: Error }

/** A reason's own words: what a hook or an assertion threw, not the runner's wrapping of it. */
function reason(error: Error): string {
  const thrown = error.cause ?? error
  return thrown instanceof Error ? `${thrown.stack ?? thrown.message}` : typeof thrown === 'string' ? thrown : inspect(thrown)
}

/** A subtest's own failure is told; that its parent failed too says no more. */
const isOwn = ({ error }: Failed): boolean => (error as { failureType?: string }).failureType !== 'subtestsFailed'

/** Lines to print. Tests that failed for one and the same reason, as all do of a file whose hook failed, have it told once. */
export function failures(all: Failed[]): string[] {
  const told = new Map<string, string[]>()
  for (const { name, file, error } of all.filter(isOwn)) {
    const why = reason(error)
    const place = file === undefined ? '' : `${relative(process.cwd(), file)}: `
    told.set(why, [...(told.get(why) ?? []), `${place}${name}`])
  }
  const lines = [...told].flatMap(([why, names]) => [
    ...names.map(name => `✖ ${name}`), ...why.split('\n').slice(0, MOST_OF_ONE).map(line => `    ${line.slice(0, WIDEST)}`),
  ])
  return lines.length > MOST ? [...lines.slice(0, MOST), `and ${lines.length - MOST} lines more, which stand above`] : lines
}
