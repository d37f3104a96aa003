/** Objects kept by a backup while they are written, overwritten and deleted: each one that the kept table names is there, whole. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-s3'
import { HELD, keepObjects } from '#launch/keep-objects'
import { keys, openServer } from '../conformance/server.ts'

const Bucket = 'kept'
const ROUNDS = 12
/** Where syncing costs nothing, most happens at once. */
const FAST = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const clientOf = (endpoint: string) => new sdk.S3Client({ endpoint, region: 'us-east-1', credentials: keys, forcePathStyle: true })

/** Writes and deletes the same few keys until told to stop: small ones, which are kept in the table, and files. */
async function churn(s3: sdk.S3Client, name: string, going: () => boolean): Promise<void> {
  for (let i = 0; going(); i++) {
    const Key = `${name}/${i % 5}`
    await s3.send(new sdk.PutObjectCommand({ Bucket, Key, Body: randomBytes(1 + (i % 3) * 20_000) }))
    if (i % 2 === 0) await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key: `${name}/${(i + 2) % 5}` }))
  }
}

async function restored(from: string): Promise<number> {
  const server = await openServer({ dir: from })
  const s3 = clientOf(server.url)
  try {
    const { Contents = [] } = await s3.send(new sdk.ListObjectsV2Command({ Bucket }))
    for (const { Key, ETag } of Contents) {
      const body = await (await s3.send(new sdk.GetObjectCommand({ Bucket, Key }))).Body!.transformToByteArray()
      assert.equal(`"${createHash('md5').update(body).digest('hex')}"`, ETag, Key)
    }
    return Contents.length
  } finally {
    s3.destroy()
    await server.close()
  }
}

test('a backup amid writes and deletions holds every object of its moment', async t => {
  const [dir, kept] = [mkdtempSync(join(FAST, 'enclume-s3-backup-')), mkdtempSync(join(FAST, 'enclume-s3-kept-'))]
  const server = await openServer({ dir })
  const s3 = clientOf(server.url)
  t.after(async () => {
    s3.destroy()
    await server.close()
    for (const one of [dir, kept]) rmSync(one, { recursive: true })
  })
  await s3.send(new sdk.CreateBucketCommand({ Bucket }))
  let going = true
  let written = 0
  const seen = new EventEmitter()
  const writers = Array.from({ length: 4 }, (_, i) => churn(s3, `w${i}`, () => { written += 1; seen.emit('write'); return going }))
  const more = async (count: number) => { for (const from = written; written < from + count;) await once(seen, 'write') }
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const to = join(kept, String(round))
      mkdirSync(join(to, 's3'), { recursive: true })
      await more(20)
      await keepObjects(dir, to)
      copyFileSync(join(dir, 's3', 'object.key'), join(to, 's3', 'object.key'))
    }
  } finally {
    going = false
  }
  await Promise.all(writers)
  assert.ok(!readdirSync(dir).includes(HELD))
  const counts = []
  for (let round = 0; round < ROUNDS; round++) counts.push(await restored(join(kept, String(round))))
  assert.ok(counts.every(count => count > 0), `${counts} of ${written}`)
})
