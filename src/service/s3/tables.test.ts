import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openTables, type NewPiece } from '#service/s3/tables'

function folder(t: { after(free: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-tables-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}
const object = (key: string, parts: NewPiece[] = []) => ({
  bucket: 'b', key, version: 'null', marker: false, size: 1, etag: 'e', modified: '2026-01-01T00:00:00Z', parts,
  info: { owner: 'a', headers: {}, meta: {}, tags: {} },
})

test('transactions that come together are each whole or undone by itself, and closing waits for them', async t => {
  const file = join(folder(t), 's3.db')
  const tables = openTables(file)
  const outcomes = Promise.allSettled(['a', 'b', 'c'].map(key => tables.transact(() => {
    tables.putVersion(object(key), undefined)
    if (key === 'b') throw new Error('refused')
    return key
  })))
  tables.close()
  assert.deepEqual((await outcomes).map(one => (one.status === 'fulfilled' ? one.value : String(one.reason))), ['a', 'Error: refused', 'c'])
  const again = openTables(file)
  assert.deepEqual(again.keysFrom('b', '', 9).map(row => row.key), ['a', 'c'])
  again.close()
  await assert.rejects(again.transact(() => 'late'), /not open/)
})

test('a small piece has its bytes in the tables until its last object goes, and no file to remove', async t => {
  const file = join(folder(t), 's3.db')
  const tables = openTables(file)
  const piece = { file: 'f', size: 1, bytes: Buffer.from('x') }
  await tables.transact(() => tables.putVersion(object('a', [piece]), undefined))
  const kept = tables.latest('b', 'a')!
  assert.deepEqual(kept.parts, [{ file: 'f', size: 1 }])
  await tables.transact(() => tables.putVersion(object('copy', kept.parts), undefined))
  const remove = (key: string) => tables.transact(() => tables.removeVersion(tables.latest('b', key)!))
  assert.deepEqual(await remove('a'), [])
  assert.equal(Buffer.from(tables.bytesOf('f')!).toString(), 'x')
  assert.deepEqual(await remove('copy'), [])
  assert.equal(tables.bytesOf('f'), undefined)
  tables.close()
})

test('a disk without room undoes all that came together, and says so in S3\'s words', async t => {
  const tables = openTables(join(folder(t), 's3.db'), { mostPages: 40 })
  const put = (key: string, bytes: number) =>
    tables.transact(() => tables.putVersion(object(key, [{ file: key, size: bytes, bytes: Buffer.alloc(bytes) }]), undefined))
  const outcomes = await Promise.allSettled([put('small', 10), put('large', 1 << 20)])
  assert.deepEqual(outcomes.map(one => one.status === 'rejected' && one.reason.code), ['InsufficientStorage', 'InsufficientStorage'])
  assert.deepEqual(tables.keysFrom('b', '', 9), [])
  await put('small', 10)
  assert.deepEqual(tables.keysFrom('b', '', 9).map(row => row.key), ['small'])
  tables.close()
})

test('tables of the first version are brought up to date, and those of a later one are left alone', async t => {
  const file = join(folder(t), 's3.db')
  openTables(file).close()
  const db = new DatabaseSync(file)
  db.exec('drop table small; pragma user_version = 1')
  db.close()
  const tables = openTables(file)
  await tables.transact(() => tables.putVersion(object('a', [{ file: 'f', size: 1, bytes: Buffer.from('x') }]), undefined))
  assert.equal(Buffer.from(tables.bytesOf('f')!).toString(), 'x')
  tables.close()
  const later = new DatabaseSync(file)
  later.exec('pragma user_version = 99')
  later.close()
  assert.throws(() => openTables(file), /newer Enclume/)
})
