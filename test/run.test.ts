import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

/** The engine's stage over files of tests in a folder of their own. */
function ran(files: Record<string, string>): { code: number | null; lines: string[] } {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-run-'))
  try {
    mkdirSync(join(dir, 'src'))
    for (const [name, source] of Object.entries(files)) writeFileSync(join(dir, 'src', `${name}.real.test.ts`), source)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, 'run.ts'), 'real'], { cwd: dir, env, encoding: 'utf8' })
    return { code: status, lines: stdout.trimEnd().split('\n') }
  } finally {
    rmSync(dir, { recursive: true })
  }
}

const FINE = `import { test } from 'node:test'
test('fine', () => {})`
const FAILS = `import { test } from 'node:test'
test('fails', () => { throw new Error('always') })`
/** Fails unless it has failed before. */
const ONCE = `import { existsSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
test('once', () => { if (!existsSync('seen')) { writeFileSync('seen', ''); throw new Error('no luck') } })`

test('what fails once and then passes counts as passed, and is told with its reason', () => {
  const { code, lines } = ran({ fine: FINE, once: ONCE })
  assert.deepEqual([code, lines.at(-1)], [0, '2 passed, 0 failed'])
  const end = lines.slice(lines.findIndex(line => line.startsWith('unsteady: ')))
  assert.deepEqual(end.slice(1, 3), ['✖ src/once.real.test.ts: once', '    Error: no luck'])
})

test('what fails twice has failed, and its reason is the end of the output', () => {
  const { code, lines } = ran({ fine: FINE, fails: FAILS, once: ONCE })
  assert.deepEqual([code, lines.at(-1)], [1, '2 passed, 1 failed'])
  const told = lines.slice(lines.findIndex(line => line.startsWith('unsteady: '))).filter(line => line.startsWith('✖') || line.includes('Error: '))
  assert.deepEqual(told, ['✖ src/once.real.test.ts: once', '    Error: no luck', '✖ src/fails.real.test.ts: fails', '    Error: always'])
})

test('where more than three files fail nothing is run again', () => {
  const { code, lines } = ran({ a: FAILS, b: FAILS, c: FAILS, once: ONCE })
  assert.deepEqual([code, lines.at(-1)], [1, '0 passed, 4 failed'])
  assert.ok(!lines.some(line => line.startsWith('once more') || line.startsWith('unsteady')))
})
