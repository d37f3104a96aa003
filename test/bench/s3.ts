/**
 * What S3 costs against the disk under it: `node test/bench/s3.ts [DIR]`, on a server in a process of its own.
 *
 * A gigabyte up and down as a client sees it, beside the same bytes written to a file and synced, read past the cache (dd, O_DIRECT) and read
 * from it; small objects a second, beside small files that are synced with their folder; how much memory and processor time the server took.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import * as sdk from '@aws-sdk/client-s3'
import { pieces, startS3 } from '../fault/s3-child.ts'

const MIB = 1024
const SMALL = 1000
const AT_ONCE = 8
/** More than this over what it had before a gigabyte went through it is no streaming. */
const MOST_GROWN_MIB = 200
const Bucket = 'bench'
const body = Buffer.alloc(4096, 'small')

const dir = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'enclume-s3-bench-'))
const plain = join(dir, 'plain')
const server = await startS3(dir, { requestChecksumCalculation: 'WHEN_REQUIRED', maxAttempts: 3 })
const { s3 } = server

type Took = { seconds: number; cpu: number }
async function timed(run: () => unknown): Promise<Took> {
  const [started, before] = [performance.now(), server.cpu()]
  await run()
  return { seconds: (performance.now() - started) / 1000, cpu: server.cpu() - before }
}

async function toDisk(): Promise<void> {
  const handle = await open(plain, 'w')
  for (const piece of pieces(MIB)) await handle.write(piece)
  await handle.sync()
  await handle.close()
}
async function fromCache(): Promise<void> {
  const handle = await open(plain, 'r')
  const buffer = Buffer.alloc(1 << 20)
  while ((await handle.read(buffer)).bytesRead > 0);
  await handle.close()
}
const fromDisk = () => execFileSync('dd', [`if=${plain}`, 'of=/dev/null', 'bs=1M', 'iflag=direct'], { stdio: 'ignore' })
async function smallFile(i: number): Promise<void> {
  const handle = await open(join(dir, `small-${i}`), 'w')
  await handle.write(body)
  await handle.sync()
  await handle.close()
  const folder = await open(dir, 'r')
  await folder.sync()
  await folder.close()
}
/** All of them, some at a time. */
const many = (one: (i: number) => Promise<unknown>) => async () => {
  let next = 0
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { while (next < SMALL) await one(next++) }))
}
const putSmall = (i: number) => s3.send(new sdk.PutObjectCommand({ Bucket, Key: `s${i}`, Body: body }))
const getSmall = async (i: number) => (await s3.send(new sdk.GetObjectCommand({ Bucket, Key: `s${i}` }))).Body!.transformToByteArray()

try {
  await s3.send(new sdk.CreateBucketCommand({ Bucket }))
  await s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'warm', Body: 'warm' }))
  const before = server.memory('VmRSS')
  const disk = { write: await timed(toDisk), direct: await timed(fromDisk), cached: await timed(fromCache), small: await timed(many(smallFile)) }
  const up = await timed(() => s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'big', Body: Readable.from(pieces(MIB)), ContentLength: MIB << 20 })))
  const down = await timed(async () => {
    const { Body } = await s3.send(new sdk.GetObjectCommand({ Bucket, Key: 'big' }))
    for await (const _ of Body as AsyncIterable<Buffer>);
  })
  const grown = server.memory('VmHWM') - before
  const [put, get] = [await timed(many(putSmall)), await timed(many(getSmall))]
  const rate = ({ seconds }: Took) => `${Math.round(MIB / seconds)} MiB/s`
  const ratio = (own: Took, reference: Took) => (reference.seconds / own.seconds).toFixed(2)
  console.log(`up ${rate(up)} (disk, synced: ${rate(disk.write)}, ratio ${ratio(up, disk.write)}), `
    + `${up.cpu.toFixed(1)} s of the server's processor time`)
  console.log(`down ${rate(down)} (disk past its cache: ${rate(disk.direct)}, ratio ${ratio(down, disk.direct)}; from cache: ${rate(disk.cached)}), `
    + `${down.cpu.toFixed(1)} s`)
  const small = ({ seconds, cpu }: Took) => `${Math.round(SMALL / seconds)}/s, ${(cpu * 1000 / SMALL).toFixed(2)} ms of the server's each`
  console.log(`4 KiB objects, ${AT_ONCE} at once: put ${small(put)} (synced files: ${Math.round(SMALL / disk.small.seconds)}/s, `
    + `ratio ${ratio(put, disk.small)}); get ${small(get)}`)
  console.log(`memory ${Math.round(before)} MiB, at most ${Math.round(grown)} MiB more for 2 GiB through it`)
  if (grown > MOST_GROWN_MIB) {
    console.error(`it grew by more than ${MOST_GROWN_MIB} MiB`)
    process.exitCode = 1
  }
} finally {
  await server.kill()
  rmSync(dir, { recursive: true })
}
