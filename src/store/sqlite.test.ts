import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openSqlite } from '#store/sqlite'
import { storeSuite } from '#store/store.suite'

storeSuite('sqlite', () => openSqlite(':memory:'))

test('a file written by a newer Enclume is refused with its version named', () => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-store-'))
  try {
    const file = join(dir, 'x.db')
    const db = new DatabaseSync(file)
    db.exec('pragma user_version = 999')
    db.close()
    assert.throws(() => openSqlite(file), /newer Enclume \(version 999/)
  } finally {
    rmSync(dir, { recursive: true })
  }
})
