/** S3 through kill -9 amid uploads: what was answered is there, whole; what was not is there whole or not at all; nothing is left over. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-s3'
import { startS3, type S3Child } from './s3-child.ts'

const ROUNDS = 5
const WRITERS = 4
const Bucket = 'killed'

/** The first kind is so small that it gets no file. */
const SIZES = [10, 70_000, 2_500_000]

type Sent = { md5: string; size: number; answered: boolean }

/** Puts objects of all sizes one after the other until the server is gone. */
async function write(s3: sdk.S3Client, name: string, sent: Map<string, Sent>, answered: () => void): Promise<void> {
  for (let i = 0; ; i++) {
    const Key = `${name}/${i}`
    const body = randomBytes(SIZES[i % SIZES.length]!)
    const one = { md5: createHash('md5').update(body).digest('hex'), size: body.length, answered: false }
    sent.set(Key, one)
    try {
      await s3.send(new sdk.PutObjectCommand({ Bucket, Key, Body: body }))
    } catch {
      return // The server was killed: that is the test.
    }
    one.answered = true
    answered()
  }
}

test('kill -9 amid uploads loses nothing that was answered and leaves nothing half', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-s3-kill-'))
  const running: S3Child[] = []
  t.after(async () => {
    for (const one of running) await one.kill()
    rmSync(dir, { recursive: true })
  })
  const sent = new Map<string, Sent>()
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startS3(dir)
    const { s3 } = server
    running.push(server)
    if (round === 0) await s3.send(new sdk.CreateBucketCommand({ Bucket }))
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    let count = 0
    const writers = Array.from({ length: WRITERS }, (_, i) => write(s3, `${round}-${i}`, sent, () => { if (++count === 8 + round * 3) resolve() }))
    await enough
    await server.kill()
    await Promise.all(writers)
  }
  const last = await startS3(dir)
  const { s3 } = last
  running.push(last)
  let whole = 0
  let large = 0
  for (const [Key, { md5, size, answered }] of sent) {
    const got = await s3.send(new sdk.GetObjectCommand({ Bucket, Key })).catch((error: Error) => {
      assert.equal(error.name, 'NoSuchKey')
      return undefined
    })
    assert.ok(got || !answered, `${Key} was answered and is lost`)
    if (!got) continue
    whole += 1
    if (size !== SIZES[0]) large += 1
    assert.equal(createHash('md5').update(await got.Body!.transformToByteArray()).digest('hex'), md5, Key)
  }
  const files = readdirSync(join(dir, 's3', 'data'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  assert.equal(files.length, large)
  assert.ok(whole >= ROUNDS * 8, `${whole}`)
})
