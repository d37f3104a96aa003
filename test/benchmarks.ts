/**
 * All benchmarks, one after the other, and the record of what they printed: docs/benchmarks.md, with the machine that they ran on.
 *
 * Invariant: every figure in the record was printed by a benchmark in that run, next to the reference of the same run.
 */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { basename } from 'node:path'

const RECORD = 'docs/benchmarks.md'
const HEAD = `# Benchmarks

\`./enclume test bench\` runs them and adds to this page, newest first. Each prints its figure beside a reference that was measured in
the same run, and what was promised of their ratio. They want a machine with nothing else to do: the load at the beginning stands with each run.
`

/** That of the engine's own tests, which do not run meanwhile (launch/test.ts). */
const LAB_SLOT = '6'

type Ran = { name: string; printed: string; isFine: boolean }

function ran(file: string): Ran {
  // Networks that a benchmark makes by itself must not be in the slot of the Enclume that another one started: its sweep deletes what is nobody's.
  const env = { ...process.env, ENCLUME_TEST_SLOT: LAB_SLOT }
  const { status, stdout, error } = spawnSync(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
  const printed = error ? error.message : stdout.trimEnd()
  console.log(printed)
  return { name: basename(file, '.ts'), printed, isFine: status === 0 }
}

/** Runs every benchmark. Answers which of them kept their promises. */
export function benchmarks(): boolean[] {
  const load = loadavg()[0]!.toFixed(1)
  // ENCLUME_BENCH=launch,network runs those alone.
  const wanted = process.env.ENCLUME_BENCH?.split(',')
  const results = globSync('test/bench/*.ts').sort().filter(file => wanted?.includes(basename(file, '.ts')) ?? true).map(ran)
  const machine = [
    cpus()[0]?.model.trim() ?? 'unknown processor', `${availableParallelism()} cores`, `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Linux ${release()}`, `Node ${process.versions.node}; load ${load}`,
  ].join(', ')
  const sections = results.map(({ name, printed, isFine }) => `**${name}**${isFine ? '' : ' (misses a promise)'}\n\n${indented(printed)}\n`)
  const entry = `## ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC\n\n${machine}\n\n${sections.join('\n')}`
  writeFileSync(RECORD, `${HEAD}\n${entry}${earlier()}`)
  return results.map(({ isFine }) => isFine)
}

const indented = (text: string): string => text.split('\n').map(line => `    ${line}`).join('\n')

/** The runs that the record has already. */
function earlier(): string {
  const text = globSync(RECORD).length > 0 ? readFileSync(RECORD, 'utf8') : ''
  const begin = text.indexOf('\n## ')
  return begin < 0 ? '' : text.slice(begin)
}
