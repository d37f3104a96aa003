import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { failures } from './failures.ts'

/** Of a file of tests, run by a process of its own: the runner refuses to run within itself. */
function failed(source: string): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-failures-'))
  try {
    writeFileSync(join(dir, 'a.test.mjs'), `import { before, test } from 'node:test'\n${source}`)
    writeFileSync(join(dir, 'run.mjs'), `import { run } from 'node:test'
import { failures } from ${JSON.stringify(new URL('failures.ts', import.meta.url).href)}
const all = []
const stream = run({ files: [${JSON.stringify(join(dir, 'a.test.mjs'))}] })
stream.on('test:fail', ({ name, file, details }) => { all.push({ name, file, error: details.error }) })
for await (const _ of stream);
console.log(failures(all).join('\\n'))`)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    return execFileSync(process.execPath, [join(dir, 'run.mjs')], { env, encoding: 'utf8' }).trimEnd().split('\n')
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test('a hook that fails is told once, with what it threw, below all the tests that it failed', () => {
  const lines = failed(`before(() => { throw new Error('no disk') })
test('one', () => {})
test('two', () => {})`)
  assert.match(lines[0]!, /^✖ .*a\.test\.mjs: one$/)
  assert.match(lines[1]!, /two$/)
  assert.match(lines[2]!, /^ {4}Error: no disk$/)
  assert.equal(lines.filter(line => line.includes('no disk')).length, 1)
})

test('a subtest is told and its parent is not, and whatever was thrown', () => {
  const lines = failed(`test('whole', async t => { await t.test('part', () => { throw 'a word' }) })`)
  assert.deepEqual(lines.map(line => line.replace(/^✖ .*: /, '✖ ')), ['✖ part', '    a word'])
})

test('a long reason is cut, and so is a long list', () => {
  const lines = failures(Array.from({ length: 20 }, (_, n) => ({ name: String(n), error: new Error(`${n}\n`.repeat(40)) })))
  assert.equal(lines.filter(line => line === '    3').length, 13)
  assert.equal(lines.at(-1), 'and 210 lines more, which stand above')
})
