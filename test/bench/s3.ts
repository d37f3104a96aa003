/**
 * What S3 costs against the disk under it: `node test/bench/s3.ts [DIR]`, on a server in a process of its own.
 *
 * A gigabyte up and down as a client sees it, beside the same bytes written to a file and synced, and read, by this process;
 * small objects a second, beside small files that are synced; and how much memory the server took meanwhile.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import * as sdk from '@aws-sdk/client-s3'
import { keys } from '../conformance/server.ts'

const GIB = 1 << 30
const PIECE = Buffer.alloc(1 << 20, 'enclume')
const SMALL = 400
const AT_ONCE = 8
/** More than this over what it had before a gigabyte went through it is no streaming. */
const MOST_GROWN_MIB = 200
const Bucket = 'bench'

const dir = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'enclume-s3-bench-'))
const child = spawn(process.execPath, [fileURLToPath(new URL('../fault/s3-server.ts', import.meta.url)), dir], { stdio: ['ignore', 'pipe',
  'inherit'] })
const [line] = await once(child.stdout!, 'data') as [Buffer]
const s3 = new sdk.S3Client({ endpoint: line.toString().trim(), region: 'us-east-1', credentials: keys, forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED' })

const seconds = async (run: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await run()
  return (performance.now() - started) / 1000
}
const memory = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024

async function toDisk(): Promise<void> {
  const handle = await open(join(dir, 'plain'), 'w')
  for (let at = 0; at < GIB; at += PIECE.length) await handle.write(PIECE)
  await handle.sync()
  await handle.close()
}
async function fromDisk(): Promise<void> {
  const handle = await open(join(dir, 'plain'), 'r')
  const buffer = Buffer.alloc(1 << 20)
  while ((await handle.read(buffer)).bytesRead > 0);
  await handle.close()
}
async function smallFile(i: number): Promise<void> {
  const handle = await open(join(dir, `small-${i}`), 'w')
  await handle.write(PIECE.subarray(0, 4096))
  await handle.sync()
  await handle.close()
}
/** All of them, some at a time. */
const many = (one: (i: number) => Promise<unknown>) => async () => {
  let next = 0
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { while (next < SMALL) await one(next++) }))
}
const gibibyte = () => Readable.from((function* () { for (let at = 0; at < GIB; at += PIECE.length) yield PIECE })())

try {
  await s3.send(new sdk.CreateBucketCommand({ Bucket }))
  await s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'warm', Body: 'warm' }))
  const before = memory('VmRSS')
  const disk = { write: await seconds(toDisk), read: await seconds(fromDisk), small: await seconds(many(smallFile)) }
  const up = await seconds(() => s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'big', Body: gibibyte(), ContentLength: GIB })))
  const down = await seconds(async () => {
    const { Body } = await s3.send(new sdk.GetObjectCommand({ Bucket, Key: 'big' }))
    for await (const _ of Body as AsyncIterable<Buffer>);
  })
  const grown = memory('VmHWM') - before
  const put = await seconds(many(i => s3.send(new sdk.PutObjectCommand({ Bucket, Key: `s${i}`, Body: PIECE.subarray(0, 4096) }))))
  const get = await seconds(many(async i => (await s3.send(new sdk.GetObjectCommand({ Bucket, Key: `s${i}` }))).Body!.transformToByteArray()))
  const rate = (time: number) => `${Math.round(1024 / time)} MiB/s`
  console.log(`up ${rate(up)} (disk ${rate(disk.write)}, ratio ${(disk.write / up).toFixed(2)})`)
  console.log(`down ${rate(down)} (disk ${rate(disk.read)}, ratio ${(disk.read / down).toFixed(2)})`)
  const perS = (time: number) => `${Math.round(SMALL / time)}/s`
  console.log(`4 KiB objects, ${AT_ONCE} at once: put ${perS(put)} (synced files ${perS(disk.small)}), get ${perS(get)}`)
  console.log(`memory ${Math.round(before)} MiB, at most ${Math.round(grown)} MiB more for 2 GiB through it`)
  if (grown > MOST_GROWN_MIB) {
    console.error(`it grew by more than ${MOST_GROWN_MIB} MiB`)
    process.exitCode = 1
  }
} finally {
  s3.destroy()
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  rmSync(dir, { recursive: true })
}
