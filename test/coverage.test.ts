import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { covered, documentOf, FILE, readDocument, refuseFewer } from './coverage.ts'
import { both, provoked, vanished } from './ledger.ts'

const services = await covered()

const document = existsSync(FILE) ? readFileSync(FILE, 'utf8') : ''

test('docs/coverage.md is what `node test/coverage.ts` writes', () => {
  assert.ok(document === documentOf(services, readDocument(document)), 'run `node test/coverage.ts` and commit docs/coverage.md')
})

test('the document is never written without an action that it had, also where another came in its place', () => {
  refuseFewer(document, services)
  for (const one of services) {
    const other = { ...one, implemented: [...one.implemented.slice(1), 'Another'] }
    const fewer = services.map(service => (service === one ? other : service))
    assert.throws(() => refuseFewer(document, fewer), new RegExp(`no longer implemented: ${one.id} ${one.implemented[0]}$`))
  }
})

test('what a document says of refusals is read as it was written, and what a run provokes no more is told', () => {
  const some = new Map([['ec2 RunInstances', new Set(['InvalidAMIID.NotFound', 'InvalidParameterValue'])]])
  const read = readDocument(documentOf(services, some))
  assert.deepEqual(read.get('ec2 RunInstances'), some.get('ec2 RunInstances'))
  assert.deepEqual(vanished(both(some, read), new Map([['ec2 RunInstances', new Set(['InvalidParameterValue'])]])),
    ['ec2 RunInstances InvalidAMIID.NotFound'])
})

test('what tests provoke counts where their file names it, and only there', t => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-ledger-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'a.test.ts')
  writeFileSync(file, "code('InvalidAMIID.NotFound')")
  writeFileSync(join(dir, '1.json'), JSON.stringify({ file, refusals: ['ec2 RunInstances InvalidAMIID.NotFound', 'ec2 RunInstances Unsupported'] }))
  assert.deepEqual(provoked(dir), new Map([['ec2 RunInstances', new Set(['InvalidAMIID.NotFound'])]]))
})

test('every implemented action is one of AWS\'s', () => {
  const strangers = services.flatMap(({ operations, implemented }) => implemented.filter(name => !operations.some(o => o.name === name)))
  assert.deepEqual(strangers, [])
})
