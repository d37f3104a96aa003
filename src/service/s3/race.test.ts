/** What is copied or completed while its pieces go: in one group of transactions, in either order. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { openS3 } from '#service/s3/context'
import { noSuchKey } from '#service/s3/errors'
import { show } from '#service/s3/write'

test('a copy of what goes in the same moment is refused or whole, never an object without its bytes', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-race-'))
  const s3 = openS3(dir)
  t.after(async () => {
    await s3.close()
    rmSync(dir, { recursive: true })
  })
  const { tables, files } = await s3.ready()
  await tables.transact(() => tables.putBucket({ name: 'b', account: 'a', region: 'r', created: '', settings: {} }))
  async function* bytes() { yield Buffer.from('bytes') }
  const [now, info] = [new Date(), { owner: 'a', headers: {}, meta: {}, tags: {} }]
  for (const removedFirst of [true, false]) {
    const piece = await files.write(bytes(), undefined, [])
    const make = { key: 'source', size: 5, etag: 'e', info, parts: [piece], now }
    await show({ tables, files }, { bucket: 'b', conditions: {}, make })
    const remove = async () => files.removeAll(await tables.transact(() => tables.removeVersion(tables.latest('b', 'source')!)))
    const copy = () => show({ tables, files }, { bucket: 'b', conditions: {}, make: { ...make, key: 'copy' }, shared: () => noSuchKey('source') })
    const done = await Promise.allSettled((removedFirst ? [remove, copy] : [copy, remove]).map(one => one()))
    assert.deepEqual(done.map(one => one.status), removedFirst ? ['fulfilled', 'rejected'] : ['fulfilled', 'fulfilled'])
    if (!removedFirst) assert.equal((await buffer(files.read(tables.latest('b', 'copy')!.parts, { start: 0, end: 5 }))).toString(), 'bytes')
  }
})
