/**
 * `enclume test`: sets up what the tests need, clears what a killed run left, runs test/run.ts, and leaves nothing behind.
 *
 * Invariant: the tests have a home of their own; an Enclume that is in use on this host is not touched.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { installPackages, thisSystem } from '#launch/apt'
import type { Args } from '#launch/args'
import { findConfig } from '#launch/config'
import { Failure, misuse } from '#launch/failure'
import type { Host } from '#launch/host'
import { sweepLeftovers } from '#launch/leftovers'
import { withLock } from '#launch/lock'
import {
  benchPackages, browserTestPackages, clientTestPackages, enginePackages, engineTestPackages, hostPackages, lacks,
} from '#launch/packages'
import { resetHome } from '#launch/reset'
import { must, run } from '#launch/run'
import { claimSlot } from '#launch/slots'
import type { Ui } from '#launch/ui'

export const stages = ['unit', 'conformance', 'console', 'real', 'e2e'] as const
/** Asked for by name alone: they need a quiet machine, the npm registry's advisories, or hours; `host` a virtual machine. */
const extras = ['bench', 'audit', 'fuzz', 'host'] as const
export type Stage = (typeof stages)[number] | (typeof extras)[number]

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TEST_HOME = '/var/lib/enclume-test'
/** Of the tests of machines and disks below the control plane, which share one daemon and the image that takes a minute to build. */
const ENGINE_HOME = homeAt({ dir: '/var/lib/enclume-test-incus', slot: 6 })
/** Debian as the images of all homes that the tests make begin with it, for one run (engine/disk/base.ts). */
const BASES = '/var/lib/enclume-test-bases'
/** Not the home's own: the tests run `enclume up` there, which takes that one. */
const LOCK = 'tests of this host'
const CLI = '/usr/bin/aws'
/** The distribution's, whatever else comes first in PATH. */
const PYTHON = '/usr/bin/python3'
const VENVS = join(ROOT, '.state')
const LEAST_CLI = [2, 17]
const MOST_WARNINGS = 60

export async function test({ operands, options }: Args, ui: Ui, host: Host): Promise<number> {
  const wanted = withoutBrowser(readStages(operands, options.bench === true), ui)
  return withLock(LOCK, { note: 'test' }, async () => {
    const clients = wanted.some(stage => ['conformance', 'console', 'e2e', 'bench'].includes(stage))
    const browser = wanted.includes('console') || wanted.includes('e2e')
    const engine = wanted.includes('real') || wanted.includes('e2e') || wanted.includes('bench')
    await installPackages([
      ...(engine ? [...enginePackages, ...engineTestPackages] : []), ...(clients ? clientTestPackages : []), ...(browser ? browserTestPackages : []),
      ...(wanted.includes('bench') ? benchPackages : []), ...(wanted.includes('host') ? hostPackages : []),
    ], ui)
    const more: Record<string, string> = clients ? { ENCLUME_TEST_AWS: await setUpCli(ui), ENCLUME_TEST_PYTHON: await setUpBoto(ui) } : {}
    if (!engine) return runStages(wanted, more)
    const slot = await withLock(TEST_HOME, {}, () => clear(ui, host))
    await clearEngine(ui)
    try {
      const env = {
        ENCLUME_HOME: TEST_HOME, ENCLUME_TEST_SLOT: String(slot), ENCLUME_TEST_HOME: ENGINE_HOME.dir, ENCLUME_BASES: BASES,
        // Files of tests run one by one: those of networks may have the slot of those of machines.
        ENCLUME_TEST_NEIGHBOUR_SLOT: String(ENGINE_HOME.slot),
      }
      const code = await runStages(wanted, { ...more, ...env })
      if (code !== 0) showWarnings(ui)
      return code
    } finally {
      await clearEngine(ui)
      const home = homeAt({ ...findConfig(TEST_HOME), dir: TEST_HOME, slot })
      await withLock(TEST_HOME, { waitMs: 30_000 }, () => resetHome(home, ui, host))
    }
  })
}

/** Where the system has no Chromium and none is named, what needs one is left out, and that is said. */
function withoutBrowser(wanted: Stage[], ui: Ui): Stage[] {
  if (!lacks(thisSystem(), 'chromium') || process.env.ENCLUME_TEST_CHROMIUM) return wanted
  if (!wanted.includes('console') && !wanted.includes('e2e')) return wanted
  ui.line('note: this system has Chromium as a snap alone: the console is not tried. ENCLUME_TEST_CHROMIUM=PATH names a browser.')
  process.env.ENCLUME_TEST_CHROMIUM = 'none'
  return wanted.filter(stage => stage !== 'console')
}

/** In the order in which they run: seconds first. The benchmarks, the audit and the fuzzers are no part of `all`. */
export function readStages(words: string[], bench: boolean): Stage[] {
  const known = [...stages, ...extras, 'all']
  const unknown = words.find(word => !known.includes(word))
  if (unknown) throw misuse(`test: there is no stage '${unknown}'; there are ${known.slice(0, -1).join(', ')} and all`)
  const all = words.length === 0 || words.includes('all')
  const named = bench ? [...words, 'bench'] : words
  return [...stages.filter(stage => all || words.includes(stage)), ...extras.filter(stage => named.includes(stage))]
}

/** A clean home with a slot for the tests. */
async function clear(ui: Ui, host: Host): Promise<number> {
  mkdirSync(TEST_HOME, { recursive: true, mode: 0o711 })
  const slot = await claimSlot({ dir: TEST_HOME })
  const home = homeAt({ ...findConfig(TEST_HOME), dir: TEST_HOME, slot })
  if (findConfig(TEST_HOME)) ui.line('Clearing what an earlier run left:')
  if (findConfig(TEST_HOME)) await resetHome(home, ui, host)
  mkdirSync(TEST_HOME, { recursive: true, mode: 0o711 })
  return claimSlot({ dir: TEST_HOME, want: slot })
}

/** Removes all that tests, also killed ones, made in the engine's home. */
async function clearEngine(ui: Ui): Promise<void> {
  const { resetDaemon } = await import('#engine/incus/reset')
  await resetDaemon(ENGINE_HOME, silent)
  await sweepLeftovers(ENGINE_HOME, line => ui.line(`  ${line}`))
  for (const dir of [ENGINE_HOME.dir, ENGINE_HOME.run, BASES]) rmSync(dir, { recursive: true, force: true })
}

/** What the server that the tests used has warned of: its home goes with the tests, and why one failed may stand there alone. */
function showWarnings(ui: Ui): void {
  const file = join(TEST_HOME, 'log', 'server.log')
  if (!existsSync(file)) return
  const lines = readFileSync(file, 'utf8').split('\n').filter(line => /"level":"(warn|error)"/.test(line))
  if (lines.length > 0) ui.line('The server\'s last warnings:')
  for (const line of lines.slice(-MOST_WARNINGS)) ui.line(`  ${line.slice(0, 600)}`)
}

/** The AWS CLI, in a version that speaks as today's does: the distribution's second, or where it has none the first, of PyPI. */
async function setUpCli(ui: Ui): Promise<string> {
  if (lacks(thisSystem(), 'awscli')) {
    const failure = await setUpPython('awscli', { title: 'AWS CLI (PyPI)', requirements: 'requirements-cli.txt' }, ui)
    if (failure !== undefined) throw new Failure(`the tests need an AWS CLI, and ${failure}`)
    return join(VENVS, 'awscli', 'bin', 'aws')
  }
  const { stdout } = await run(CLI, ['--version'])
  const [major = 0, minor = 0] = (/aws-cli\/(\d+)\.(\d+)/.exec(stdout)?.slice(1) ?? []).map(Number)
  if (major < LEAST_CLI[0]! || (major === LEAST_CLI[0] && minor < LEAST_CLI[1]!))
    throw new Failure(`the tests need AWS CLI ${LEAST_CLI.join('.')} or newer as ${CLI}; found ${stdout.trim() || 'none'}`)
  return CLI
}

/** The Python that has boto3. */
async function setUpBoto(ui: Ui): Promise<string> {
  const failure = await setUpPython('python', { title: 'boto3 (PyPI)', requirements: 'requirements.txt' }, ui)
  if (failure === undefined) return join(VENVS, 'python', 'bin', 'python')
  // Not every machine reaches PyPI; Debian's own boto3 is older and speaks the same protocol.
  ui.line(`  note: ${failure}: the distribution's boto3 is used instead`)
  await installPackages(['python3-boto3'], ui)
  return PYTHON
}

/** A Python of its own with what a file below test/ asks for. Answers why it is not to be had, if so. */
async function setUpPython(name: string, { title, requirements }: { title: string; requirements: string }, ui: Ui): Promise<string | undefined> {
  const [dir, wanted] = [join(VENVS, name), join(ROOT, 'test', requirements)]
  const stamp = join(dir, 'requirements.txt')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(wanted, 'utf8')) return
  return ui.step(title, async say => {
    rmSync(dir, { recursive: true, force: true })
    await must(PYTHON, ['-m', 'venv', dir])
    const args = ['-m', 'pip', 'install', '--disable-pip-version-check', '--retries', '2', '--timeout', '15', '--requirement', wanted]
    const { code, stderr } = await run(join(dir, 'bin', 'python'), args, { onLine: line => line.startsWith('Collecting') && say(line) })
    if (code === 0) cpSync(wanted, stamp)
    return code === 0 ? undefined : stderr.trim().split('\n').at(-1)
  })
}

/** The runner is a process of its own, so that a test's handles and settings end with it. */
function runStages(wanted: Stage[], more: Record<string, string>): Promise<number> {
  // The caller's own AWS settings, or a proxy that would be asked for 127.0.0.1, must not decide a test.
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^AWS_|^(https?|all)_proxy$/i.test(name)))
  const env = { ...own, ...more }
  const child = spawn(process.execPath, [join(ROOT, 'test', 'run.ts'), ...wanted], { cwd: ROOT, env, stdio: 'inherit' })
  return new Promise((resolve, reject) => child.on('error', reject).on('close', code => resolve(code ?? 1)))
}
