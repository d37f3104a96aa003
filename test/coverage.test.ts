import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { covered, documentOf, FILE, refuseFewer } from './coverage.ts'

const services = await covered()

test('docs/coverage.md is what `node test/coverage.ts` writes', () => {
  assert.ok(existsSync(FILE) && readFileSync(FILE, 'utf8') === documentOf(services), 'run `node test/coverage.ts` and commit docs/coverage.md')
})

test('the document is never written with fewer actions than it had', () => {
  const document = readFileSync(FILE, 'utf8')
  refuseFewer(document, services)
  for (const one of services) {
    const fewer = services.map(service => (service === one ? { ...one, implemented: one.implemented.slice(1) } : service))
    assert.throws(() => refuseFewer(document, fewer), new RegExp(`${one.id} had ${one.implemented.length} actions`))
  }
})

test('every implemented action is one of AWS\'s', () => {
  const strangers = services.flatMap(({ operations, implemented }) => implemented.filter(name => !operations.some(o => o.name === name)))
  assert.deepEqual(strangers, [])
})
