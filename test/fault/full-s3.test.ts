/** The disk that holds buckets fills up to its last byte: what was answered can be read, what is refused leaves nothing, all goes on with room. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateBucketCommand, DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { keys, openServer } from '../conformance/server.ts'

const Bucket = 'full'
const MIB = 1 << 20
const run = (command: string, ...args: string[]): void => assert.equal(spawnSync(command, args).status, 0, command)

test('S3 on a full disk refuses by name, loses nothing, and is well again with room', {
  timeout: 60_000, skip: process.getuid!() !== 0 && 'it mounts a file system',
}, async t => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-full-'))
  run('mount', '-t', 'tmpfs', '-o', 'size=280m', 'none', dir) // Of which 256 MiB are left alone.
  t.after(() => { run('umount', '-l', dir); rmSync(dir, { recursive: true }) })
  const server = await openServer({ dir })
  const s3 = new S3Client({ endpoint: server.url, region: 'us-east-1', credentials: keys, forcePathStyle: true, maxAttempts: 1 })
  t.after(async () => { s3.destroy(); await server.close() })
  await s3.send(new CreateBucketCommand({ Bucket }))
  const body = (n: number, size: number) => Buffer.alloc(size, `object ${n} `)
  const put = (n: number, size: number): Promise<string> => s3.send(new PutObjectCommand({ Bucket, Key: `key-${n}`, Body: body(n, size) }))
    .then(() => 'ok', error => `${error.$metadata?.httpStatusCode} ${error.name}`)
  const held = new Map<number, number>()
  /** Objects of one size, until three in a row are refused. */
  const fill = async (size: number): Promise<string[]> => {
    const refused: string[] = []
    for (let n = held.size; refused.length < 3 && n < 1000; n++) {
      const said = await put(n, size)
      if (said === 'ok') held.set(n, size)
      else refused.push(said)
    }
    return refused
  }
  /** All that was answered is there, byte for byte, and nothing else. */
  const whole = async (): Promise<void> => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }))
    assert.deepEqual(Contents.map(({ Key }) => Key).sort(), [...held.keys()].map(n => `key-${n}`).sort())
    for (const [n, size] of held) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `key-${n}` }))
      assert.ok(body(n, size).equals(await Body!.transformToByteArray()), `key-${n}`)
    }
  }
  assert.deepEqual(await fill(4 * MIB), Array(3).fill('507 InsufficientStorage'))
  assert.ok(held.size > 2, `${held.size} objects`)
  await whole()

  // Somebody else takes the rest.
  const ballast = join(dir, 'ballast')
  spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=64k'])
  assert.ok(statfsSync(dir).bavail < 16)
  assert.deepEqual([await put(900, 4 * MIB), await put(901, 100)], Array(2).fill('507 InsufficientStorage'))
  // What makes room needs some: either it is done, or it is refused and has changed nothing.
  const [first] = held.keys()
  const remove = (): Promise<string> => s3.send(new DeleteObjectCommand({ Bucket, Key: `key-${first}` }))
    .then(() => 'ok', error => `${error.$metadata?.httpStatusCode} ${error.name}`)
  const removed = await remove()
  assert.match(removed, /^(ok|507 InsufficientStorage)$/)
  if (removed === 'ok') held.delete(first!)
  await whole()

  rmSync(ballast)
  assert.equal(await remove(), 'ok')
  held.delete(first!)
  assert.equal(await put(902, 4 * MIB), 'ok')
  held.set(902, 4 * MIB)
  await whole()
})
