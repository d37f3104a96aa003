/**
 * Runs the stages named on its command line, one after the other, and ends with `N passed, N failed`.
 *
 * Invariant: a stage that could not run counts as failed, but for an audit that could not be had, which says so and counts as skipped; a file of
 * tests is a process of its own.
 */
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import type { Stage } from '#launch/test'
import { auditAll, type Audit } from './audit.ts'
import { benchmarks } from './benchmarks.ts'
import { FILE, readDocument } from './coverage.ts'
import { failures, type Failed } from './failures.ts'
import { noteProvoked, provoked, vanished } from './ledger.ts'
import { slowest, type Timed } from './slowest.ts'

type Counts = { passed: number; failed: number; skipped: number }
/** `again`: a file that fails is run once more, and what passes then is told as unsteady (docs/decisions/0087-unsteady-tests.md). */
type Plan = { include: string[]; exclude?: string[]; concurrency: number; timeoutMs: number; again?: boolean }
type Ran = { counts: Counts; failed: Failed[] }
/** More files than these don't fail by chance. */
const MOST_AGAIN = 3

const minutes = (count: number): number => count * 60_000
const REAL = '**/*.real.test.ts'
const plans: Record<Exclude<Stage, 'bench' | 'audit'>, Plan> = {
  unit: {
    include: ['src/**/*.test.ts', 'test/*.test.ts', 'test/{fault,fuzz,load,upgrade}/*.test.ts'], exclude: [REAL], concurrency: availableParallelism(),
    timeoutMs: minutes(3),
  },
  conformance: { include: ['test/conformance/**/*.test.ts'], concurrency: availableParallelism(), timeoutMs: minutes(5) },
  console: { include: ['test/console/**/*.test.ts'], concurrency: 1, timeoutMs: minutes(8), again: true },
  real: { include: [`src/${REAL}`], concurrency: 1, timeoutMs: minutes(10), again: true },
  e2e: {
    include: ['test/e2e/**/*.test.ts'], exclude: process.env.ENCLUME_TEST_CHROMIUM === 'none' ? ['test/e2e/console.test.ts'] : [], concurrency: 1,
    timeoutMs: minutes(25), again: true,
  },
  fuzz: { include: ['test/fuzz/*.test.ts'], concurrency: 1, timeoutMs: minutes(600) },
  host: { include: ['test/host/*.test.ts'], concurrency: 1, timeoutMs: minutes(600) },
}

/** The compiler and the linter, each counted as one test. */
function check(): Counts {
  const tools: [string, string[]][] = [['tsc', ['-p', '.']], ['tsc', ['-p', 'console']], ['oxlint', ['--deny-warnings', 'src', 'test', 'console']]]
  return count(tools.map(([tool, args]) => succeeds(`node_modules/.bin/${tool}`, args)))
}

function succeeds(command: string, args: string[]): boolean {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error) console.error(error.message)
  console.log(`${status === 0 ? 'ok' : 'failed'} ${command} ${args.join(' ')}`)
  return status === 0
}

const count = (results: boolean[]): Counts => {
  const passed = results.filter(Boolean).length
  return { passed, failed: results.length - passed, skipped: 0 }
}

function countAudits(): Counts {
  const audits = auditAll()
  const of = (audit: Audit): number => audits.filter(one => one === audit).length
  return { passed: of('fine'), failed: of('findings'), skipped: of('not to be had') }
}

async function runTests(plan: Plan): Promise<Counts> {
  const { counts, failed: first } = await runFiles(globSync(plan.include, { exclude: plan.exclude ?? [] }).sort(), plan)
  const files = [...new Set(first.flatMap(({ file }) => file ?? []))]
  if (!plan.again || !counts.failed || !files.length || files.length > MOST_AGAIN) return keep({ counts, failed: first })
  console.log(`\nonce more, as what fails once may be unsteady: ${files.map(file => relative(process.cwd(), file)).join(', ')}`)
  const second = await runFiles(files, plan)
  const passedNow = Math.max(0, counts.failed - second.counts.failed)
  unsteady.push(...first.filter(one => !second.failed.some(({ file, name }) => file === one.file && name === one.name)))
  return keep({ counts: { ...counts, passed: counts.passed + passedNow, failed: second.counts.failed }, failed: second.failed })
}

function keep({ counts, failed: found }: Ran): Counts {
  failed.push(...found)
  return counts
}

async function runFiles(files: string[], { concurrency, timeoutMs }: Plan): Promise<Ran> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  const found: Failed[] = []
  if (!files.length) return { counts, failed: found }
  const stream = run({ files, concurrency, timeout: timeoutMs })
  let summed = false
  const timed: { tests: Timed[]; files: Timed[] } = { tests: [], files: [] }
  stream.on('test:fail', ({ name, file, details }) => { found.push({ name, file, error: details.error }) })
  for (const end of ['test:pass', 'test:fail'] as const)
    stream.on(end, ({ name, file, nesting, details }) => { if (nesting === 0) timed.tests.push({ name, file, ms: details.duration_ms }) })
  stream.on('test:summary', ({ file, success, duration_ms: ms, counts: { tests, passed, skipped, todo } }) => {
    // Without a file it is the sum over all files. A file that ends badly after its tests have passed fails too.
    if (file !== undefined) return void timed.files.push({ name: relative(process.cwd(), file), ms })
    Object.assign(counts, { passed, failed: Math.max(tests - passed - skipped - todo, success ? 0 : 1), skipped: skipped + todo })
    summed = true
  })
  for await (const text of stream.compose(new spec())) process.stdout.write(text)
  for (const line of [...slowest('tests', timed.tests), ...slowest('files', timed.files)]) console.log(line)
  return { counts: summed ? counts : { ...counts, failed: counts.failed + 1 }, failed: found }
}

/** A night's worth, from a seed that nobody chose. */
function fuzzAnew(): void {
  process.env.FUZZ_SEED ??= String(Date.now() % 1e9)
  process.env.FUZZ_ROUNDS ??= '200000'
  console.log(`FUZZ_SEED=${process.env.FUZZ_SEED} FUZZ_ROUNDS=${process.env.FUZZ_ROUNDS}`)
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const failed: Failed[] = []
const unsteady: Failed[] = []
const rows: Record<string, Counts & { seconds: number }> = {}

async function stage(name: string, work: () => Counts | Promise<Counts>): Promise<void> {
  console.log(`\n== ${name}`)
  const began = Date.now()
  const counts = await work()
  rows[name] = { ...counts, seconds: Math.round((Date.now() - began) / 100) / 10 }
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key]
}

/** What docs/coverage.md says of refusals that tests provoke, these tests did provoke. */
function ledger(): Counts {
  const gone = vanished(readDocument(readFileSync(FILE, 'utf8')), provoked())
  if (gone.length) failed.push({ name: 'its refusals', file: FILE, error: new Error(['no test provokes any more, or names:', ...gone].join('\n')) })
  return count([gone.length === 0])
}

const asked = process.argv.slice(2) as Stage[]
/** All of the tests that docs/coverage.md tells of, with the clients that some of them need. */
const isWhole = asked.includes('unit') && asked.includes('conformance')
  && ['ENCLUME_TEST_AWS', 'ENCLUME_TEST_PYTHON'].every(name => process.env[name])
if (isWhole) noteProvoked()
for (const name of asked) {
  if (name === 'unit') await stage('check', check)
  if (name === 'bench') await stage(name, () => count(benchmarks()))
  else if (name === 'audit') await stage(name, countAudits)
  else await stage(name, () => { if (name === 'fuzz') fuzzAnew(); return runTests(plans[name]) })
  // A test that failed may not have provoked what it is there for.
  if (name === 'conformance' && isWhole && !total.failed) await stage('ledger', ledger)
}
mkdirSync('.state', { recursive: true })
writeFileSync('.state/test.json', `${JSON.stringify(rows, null, 2)}\n`)
console.log('')
for (const [name, { passed, failed, skipped, seconds }] of Object.entries(rows))
  console.log(`${name.padEnd(12)} ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s`)
if (unsteady.length) console.log('unsteady: these failed once, and passed when they were run again')
for (const line of [...failures(unsteady), ...failures(failed)]) console.log(line)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed ? 1 : 0
