/** A change of records is never by the way: it has a version, by which an earlier Enclume refuses it, and a fixture of what was before. */
import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openHistory } from '#service/cloudtrail/history'
import { openSeries } from '#service/monitoring/series'
import { openTables } from '#service/s3/tables'
import { openSqlite, VERSION } from '#store/sqlite'
import { documentOf, FILE, shapes, versionOf } from './shapes.ts'

const kept = readFileSync(FILE, 'utf8')

test('records have the form that this version of the store had when it was last written down', () => {
  assert.equal(kept, documentOf(VERSION), 'records changed: write a fixture at the commit before, add a migration, run `node test/upgrade/shapes.ts`')
  assert.equal(versionOf(kept), VERSION)
})

test('what is written down has the rows of every service, and what they are made of', () => {
  const told = shapes()
  const wanted = [
    'service/ec2/volume/volume.ts Attachment', 'service/ec2/instance/instance.ts Spec', 'identity/records.ts DeviceSpec', 'identity/records.ts Use',
    'service/ssm/parameter.ts VersionSpec', 'service/dlm/policy.ts Spec', 'service/monitoring/alarm.ts HistorySpec',
  ]
  assert.deepEqual(wanted.filter(one => !told.includes(`${one} = `)), [])
})

test('every database of a home refuses to be read by an earlier Enclume than wrote it', t => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-newer-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const clock = () => new Date()
  const opens: Record<string, (file: string) => unknown> = {
    'enclume.db': openSqlite, 'history.db': file => openHistory(file, clock, () => {}), 'metrics.db': file => openSeries({ file, clock }),
    's3.db': openTables,
  }
  for (const [name, open] of Object.entries(opens)) {
    const file = join(dir, name)
    const db = new DatabaseSync(file)
    db.exec('pragma user_version = 99')
    db.close()
    assert.throws(() => open(file), /was written by a newer Enclume \(version 99; this one knows \d\)\. Use that one\./, name)
  }
})

test('each earlier version has a fixture, and what today writes is refused by an Enclume of each of them', t => {
  const versions = globSync(join(import.meta.dirname, 'data/*/database.sql'))
    .map(file => Number(/pragma user_version = (\d+);\s*$/.exec(readFileSync(file, 'utf8'))![1]))
  const earlier = Array.from({ length: VERSION - 1 }, (_, i) => i + 1)
  assert.deepEqual(earlier.filter(version => !versions.includes(version)), [])
  const dir = mkdtempSync(join(tmpdir(), 'enclume-shapes-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'enclume.db')
  void openSqlite(file).close()
  const db = new DatabaseSync(file)
  assert.deepEqual({ ...db.prepare('pragma user_version').get() }, { user_version: VERSION })
  for (const version of earlier) {
    const refusal = new RegExp(`newer Enclume \\(version ${VERSION}; this one knows ${version}\\)`)
    assert.throws(() => openSqlite(file, undefined, version), refusal)
  }
  db.close()
})
