import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { BLOCK_BYTES, type Block } from '#engine/port'
import { blocksOfVmdk, sizeOfVmdk, vmdkOf } from '#service/ec2/transfer/vmdk'

const SECTOR = 512
async function* each<T>(all: Iterable<T>): AsyncIterable<T> { yield* all }
async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of stream) found.push(one)
  return found
}
const fileOf = async (blocks: Block[], sizeGiB: number) => Buffer.concat(await all(vmdkOf(each(blocks), sizeGiB)))
const read = (file: Buffer) => all(blocksOfVmdk(each([file.subarray(0, 700), file.subarray(700)])))
const plain = (blocks: Block[]) => blocks.map(({ index, data }) => [index, Buffer.from(data).toString('base64')])

/** The first and the last block of a disk of 40 GiB, one in between that is empty in its middle, and one that is all empty. */
const half = Buffer.concat([randomBytes(1000), Buffer.alloc(BLOCK_BYTES - 2000), randomBytes(1000)])
const blocks = [
  { index: 0, data: randomBytes(BLOCK_BYTES) }, { index: 77, data: half }, { index: 78, data: Buffer.alloc(BLOCK_BYTES) },
  { index: 40 * 2048 - 1, data: randomBytes(BLOCK_BYTES) },
]

test('a disk becomes a file and a disk again, what is empty left out', async () => {
  const file = await fileOf(blocks, 40)
  assert.equal(sizeOfVmdk(file), 40 * 2 ** 30)
  assert.deepEqual(plain(await read(file)), plain(blocks.filter(({ index }) => index !== 78)))
  assert.ok(file.length < 3 * BLOCK_BYTES, `${file.length}`)
})

test('the tables at the end say where each grain is', async () => {
  const file = await fileOf(blocks, 40)
  const footer = file.subarray(-2 * SECTOR, -SECTOR)
  assert.deepEqual([sizeOfVmdk(footer), file.subarray(-SECTOR).equals(Buffer.alloc(SECTOR))], [40 * 2 ** 30, true])
  const directory = Number(footer.readBigUInt64LE(56))
  const found: number[] = []
  for (let table = 0; table < 40 * 2 ** 30 / (65536 * 512); table++) {
    const at = file.readUInt32LE(directory * SECTOR + 4 * table)
    for (let entry = 0; at > 0 && entry < 512; entry++) {
      const grain = file.readUInt32LE(at * SECTOR + 4 * entry)
      if (grain === 0) continue
      assert.equal(Number(file.readBigUInt64LE(grain * SECTOR)), (table * 512 + entry) * 128)
      found.push(table * 512 + entry)
    }
  }
  const last = 40 * 2 ** 14
  assert.deepEqual(found, [0, 1, 2, 3, 4, 5, 6, 7, 616, 623, ...[8, 7, 6, 5, 4, 3, 2, 1].map(n => last - n)])
})

test('an empty disk is a file, too', async () => assert.deepEqual(await read(await fileOf([], 1)), []))

test('what is no such file, was cut, or lies about its grains is an error', async () => {
  const file = await fileOf([{ index: 1, data: randomBytes(BLOCK_BYTES) }], 1)
  const changed = (change: (copy: Buffer) => unknown) => {
    const copy = Buffer.from(file)
    change(copy)
    return copy
  }
  const first = 128 * SECTOR
  const bad: [Buffer, RegExp][] = [
    [Buffer.alloc(SECTOR), /no VMDK/], [changed(copy => copy.writeUInt32LE(3, 8)), /streamOptimized/], [file.subarray(0, first + 1000), /too early/],
    [changed(copy => copy.writeBigUInt64LE(1n, 20)), /grains of 1 sectors/], [changed(copy => copy.writeBigUInt64LE(0n, 12)), /0 sectors/],
    [changed(copy => copy.writeBigUInt64LE(2n ** 60n, 64)), /before the first grain/],
    [changed(copy => copy.writeBigUInt64LE(2n ** 21n, first)), /out of its place/],
    [changed(copy => copy.writeBigUInt64LE(3n, first)), /out of its place/],
    [changed(copy => copy.writeUInt32LE(2 ** 31, first + 8)), /out of its place/],
    [changed(copy => copy.fill(7, first + 12, first + 90)), /unpacked/],
    [changed(copy => {
      copy.writeBigUInt64LE(2n ** 50n, first)
      copy.fill(0, first + 8, first + 12)
      copy.writeUInt32LE(1, first + 12)
    }), /beyond all size/],
  ]
  for (const [body, reason] of bad) await assert.rejects(read(body), reason)
})

test('a file with its tables in front, as qemu-img writes it, ends with its last grain', async () => {
  const data = randomBytes(BLOCK_BYTES)
  const own = await fileOf([{ index: 1, data }], 1)
  const grains = own.subarray(128 * SECTOR, own.indexOf(Buffer.from([1, 0, 0, 0]), 128 * SECTOR + 8 * 65536 + 8 * SECTOR - 20) - 12)
  const front = Buffer.from(own.subarray(0, 128 * SECTOR))
  front.writeBigUInt64LE(30n, 56)
  front.writeUInt32LE(40, 30 * SECTOR)
  for (let [at, n] = [0, 8]; n < 16; n++) {
    front.writeUInt32LE(128 + at / SECTOR, 40 * SECTOR + 4 * n)
    at += Math.ceil((12 + grains.readUInt32LE(at + 8)) / SECTOR) * SECTOR
  }
  assert.deepEqual(plain(await read(Buffer.concat([front, grains]))), plain([{ index: 1, data }]))
  await assert.rejects(read(Buffer.concat([front, grains.subarray(0, 130 * SECTOR)])), /too early/)
  front.writeUInt32LE(4000, 30 * SECTOR)
  await assert.rejects(read(Buffer.concat([front, grains])), /not before the grains/)
})
