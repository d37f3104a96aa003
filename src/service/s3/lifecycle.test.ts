import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LifecycleRule } from '@aws-sdk/client-s3'
import { openS3 } from '#service/s3/context'
import { checkRules, expire } from '#service/s3/lifecycle'

const at = (day: number) => new Date(Date.UTC(2030, 0, 1 + day, 12))
const info = { owner: 'o', headers: {}, meta: {}, tags: {} }

async function open(t: { after(free: () => void): void }, versioning?: 'Enabled', rules: LifecycleRule[] = []) {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-lifecycle-'))
  const s3 = openS3(dir)
  t.after(async () => {
    await s3.close()
    rmSync(dir, { recursive: true })
  })
  const { tables, files } = await s3.ready()
  await tables.transact(() =>
    tables.putBucket({ name: 'b', account: 'a', region: 'r', created: '', settings: { versioning, lifecycle: checkRules(rules) } }))
  async function* one() { yield Buffer.from('bytes') }
  const put = async (key: string, day: number, { tags = {}, version = 'null' }: { tags?: Record<string, string>; version?: string } = {}) => {
    const { file, size } = await files.write(one(), undefined, [])
    const before = version === 'null' ? tables.version('b', key, 'null') : undefined
    await files.removeAll(await tables.transact(() => tables.putVersion({
      bucket: 'b', key, version, marker: false, size, etag: 'e', modified: at(day).toISOString(), info: { ...info, tags }, parts: [{ file, size }],
    }, before)))
  }
  const keys = () => tables.keysFrom('b', '', 100).map(row => row.key)
  const versions = () => tables.versionsFrom('b', '', 100).map(row => `${row.key} ${row.marker ? 'marker' : row.version}`)
  const count = () => readdirSync(join(dir, 's3', 'data'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).length
  return { dir, s3, put, keys, versions, count, tables, files }
}

test('objects expire at the midnight after their days, only those that the rule means, and their bytes with them', async t => {
  const { s3, put, keys, count } = await open(t, undefined, [
    { Status: 'Enabled', Filter: { Prefix: 'log/' }, Expiration: { Days: 2 } },
    { Status: 'Enabled', Filter: { Tag: { Key: 'tmp', Value: '1' } }, Expiration: { Days: 1 } },
    { Status: 'Disabled', Filter: { Prefix: '' }, Expiration: { Days: 1 } },
  ])
  await put('log/a', 0)
  await put('log/b', 1)
  await put('keep', 0)
  await put('tagged', 0, { tags: { tmp: '1' } })
  assert.equal(await expire(s3, at(1)), 0)
  assert.equal(await expire(s3, at(2)), 1)
  assert.deepEqual(keys(), ['keep', 'log/a', 'log/b'])
  assert.equal(await expire(s3, new Date('2030-01-03T23:59:59Z')), 0)
  assert.equal(await expire(s3, new Date('2030-01-04T00:00:00Z')), 1)
  assert.deepEqual([keys(), count()], [['keep', 'log/b'], 2])
})

test('in a versioned bucket expiry hides, old versions go by their own rule, and lone markers after them', async t => {
  const { s3, put, versions, count } = await open(t, 'Enabled', [
    { Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 10 } },
    { Status: 'Enabled', Filter: { Prefix: '' }, NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 1 } },
  ])
  for (const [i, version] of ['v1', 'v2', 'v3'].entries()) await put('k', i, { version })
  assert.equal(await expire(s3, at(5)), 1)
  assert.deepEqual(versions(), ['k v3', 'k v2'])
  await expire(s3, at(14))
  assert.deepEqual([versions(), count()], [['k marker', 'k v3'], 1])
})

test('unfinished uploads are given up', async t => {
  const { s3, tables } = await open(t, undefined, [{ Status: 'Enabled', Filter: { Prefix: 'x' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 } }])
  for (const key of ['x1', 'y1']) await tables.transact(() => tables.putUpload({ id: key, bucket: 'b', key, created: at(0).toISOString(), info }))
  await expire(s3, at(2))
  assert.equal(tables.uploads('b').length, 2)
  await expire(s3, at(4))
  assert.deepEqual(tables.uploads('b').map(upload => upload.key), ['y1'])
})

test('rules that are malformed or ask for other classes of storage are refused', () => {
  const codes = (rule: Partial<LifecycleRule>) => {
    try {
      checkRules([{ Status: 'Enabled', Filter: { Prefix: '' }, ...rule } as LifecycleRule])
      return 'taken'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  assert.equal(codes({ Expiration: { Days: 1 } }), 'taken')
  assert.equal(codes({}), 'InvalidRequest')
  assert.equal(codes({ Expiration: { Days: 0 } }), 'InvalidArgument')
  assert.equal(codes({ Expiration: { Days: 1, ExpiredObjectDeleteMarker: true } }), 'MalformedXML')
  assert.equal(codes({ Expiration: { Date: new Date('2030-01-01T01:00:00Z') } }), 'InvalidArgument')
  assert.equal(codes({ Transitions: [{ Days: 1, StorageClass: 'GLACIER' }] }), 'UnsupportedOperation')
})

test('killed between the records and the bytes of what expires, the next server removes those', async t => {
  const { dir, s3, put, keys, count, files } = await open(t, undefined, [{ Status: 'Enabled', Filter: { Prefix: 'log/' }, Expiration: { Days: 1 } }])
  await put('log/a', 0)
  await put('log/b', 0)
  await put('keep', 0)
  const { promise: killed, resolve } = Promise.withResolvers<void>()
  files.removeAll = async gone => {
    if (gone.length === 0) return
    resolve()
    await new Promise(() => {})
  }
  void expire(s3, at(3))
  await killed
  assert.deepEqual([keys(), count()], [['keep'], 3])
  const next = openS3(dir)
  t.after(() => next.close())
  await next.ready()
  assert.equal(await expire(next, at(3)), 0)
  assert.deepEqual([keys(), count()], [['keep'], 1])
})
