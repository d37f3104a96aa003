import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '#base/database'

test('each step is taken once, and a file of later steps is refused and left as it is', t => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-database-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'x.db')
  const steps = ['create table a (n integer);', '', 'insert into a values (3);']
  const open = (known: number) => openDatabase(file, { steps: steps.slice(0, known), sync: 'full' })
  for (const known of [1, 3, 3]) {
    const db = open(known)
    assert.deepEqual(db.prepare('select n from a').all().map(row => row.n), known === 3 ? [3] : [])
    db.close()
  }
  assert.equal(statSync(file).mode & 0o777, 0o600)
  for (const known of [0, 1, 2]) assert.throws(() => open(known), new RegExp(`newer Enclume \\(version 3; this one knows ${known}\\)`))
  const db = open(3)
  assert.deepEqual({ ...db.prepare('pragma user_version').get() }, { user_version: 3 })
  db.close()
})
