/** Objects larger than what a server may hold go through it without staying. ENCLUME_TEST_STREAM_MIB=1024 sends a gigabyte. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-s3'
import { pieces, startS3 } from './s3-child.ts'

const MIB = Number(process.env.ENCLUME_TEST_STREAM_MIB ?? 256)
/** What its garbage may come to. Less than a body: a server that kept one would have grown by more. */
const MOST_GROWN_MIB = 150
const Bucket = 'streamed'

test('an object is streamed in and out, two at a time, and the server\'s memory stays as it was', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-s3-memory-'))
  const server = await startS3(dir)
  t.after(async () => {
    await server.kill()
    rmSync(dir, { recursive: true })
  })
  const { s3 } = server
  await s3.send(new sdk.CreateBucketCommand({ Bucket }))
  await s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'warm', Body: 'warm' }))
  const before = server.memory('VmRSS')
  const Keys = ['one', 'two']
  await Promise.all(Keys.map(Key => s3.send(new sdk.PutObjectCommand({ Bucket, Key, Body: Readable.from(pieces(MIB)), ContentLength: MIB << 20 }))))
  const hash = createHash('md5')
  for (const piece of pieces(MIB)) hash.update(piece)
  const wanted = hash.digest('hex')
  const sums = await Promise.all(Keys.map(async Key => {
    const { Body } = await s3.send(new sdk.GetObjectCommand({ Bucket, Key }))
    const own = createHash('md5')
    for await (const bytes of Body as AsyncIterable<Buffer>) own.update(bytes)
    return own.digest('hex')
  }))
  assert.deepEqual(sums, [wanted, wanted])
  const grown = server.memory('VmHWM') - before
  t.diagnostic(`${MIB} MiB twice up and down: ${Math.round(before)} MiB before, at most ${Math.round(grown)} more`)
  assert.ok(grown < MOST_GROWN_MIB, `${Math.round(grown)} MiB more`)
})
