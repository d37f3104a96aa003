/** docs/security.md is believed line by line: each statement names a test, and the test is there. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const page = readFileSync('docs/security.md', 'utf8')
const [holds = '', ...others] = page.split('\n## Not safe\n')
const statements = holds.split('\n').filter(line => line.startsWith('- '))

/** The titles of a file's tests, as they are printed. Titles with values in them can't be named. */
function titles(file: string): string[] {
  const quoted = /\btest\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`([^`$]*)`)/g
  return [...readFileSync(file, 'utf8').matchAll(quoted)].map(([, ...found]) => found.find(text => text !== undefined)!.replaceAll(/\\(.)/g, '$1'))
}

/** What is wrong with the proof of a statement, if anything is. */
function flaw(statement: string): string | undefined {
  const [, file, title] = /^- .+ \[([\w/.-]+\.test\.ts): (.+)\]$/.exec(statement) ?? []
  if (file === undefined) return `names no test: ${statement}`
  if (!existsSync(file)) return `there is no ${file}`
  return titles(file).includes(title!) ? undefined : `${file} has no test '${title}'`
}

test('every statement of docs/security.md names a test that is there', () => {
  assert.ok(statements.length > 50, `${statements.length} statements`)
  assert.deepEqual(statements.map(flaw).filter(Boolean), [])
})

test('a statement without a test, of a file or with a title that is not there, is found', () => {
  const lines = ['- It holds.', '- It holds. [test/none.test.ts: it holds]', '- It holds. [test/security.test.ts: it holds]']
  assert.deepEqual(lines.map(flaw), ['names no test: - It holds.', 'there is no test/none.test.ts', 'test/security.test.ts has no test \'it holds\''])
})

test('what is not safe is said in a section of its own, and every page of the front leads here', () => {
  assert.equal(others.length, 1)
  assert.match(others[0]!, /shares the host's kernel/)
  for (const file of ['README.md', 'LISEZMOI.md', 'ARCHITECTURE.md']) assert.match(readFileSync(file, 'utf8'), /\(docs\/security\.md\)/, file)
})
