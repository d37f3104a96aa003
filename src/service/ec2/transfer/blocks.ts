/**
 * Disks as streams of bytes: raw, byte for byte, and bundled with what an image is, holes left out.
 *
 * Invariant: a bundle ends with a mark, and its blocks are where it says: one that was cut, or is something else, is an error and never a disk.
 */
import { pipeline } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import { BLOCK_BYTES, type Block } from '#engine/port'
import { taker } from '#service/ec2/transfer/take'

const MAGIC = 'ENCLUME-AMI 1\n'
const ZEROS = Buffer.alloc(BLOCK_BYTES)
const HEADER_MOST = 1 << 20
/** `disk`: which of the bundle's disks, END after the last block of all. */
const END = 0xffffffff

/** Of a raw disk's bytes, the blocks that are not empty. The last one is filled up with zeros. */
export async function* blocksOfRaw(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Block> {
  let index = 0
  for await (const data of inPieces(bytes, BLOCK_BYTES)) {
    if (!ZEROS.subarray(0, data.length).equals(data)) {
      yield { index, data: data.length === BLOCK_BYTES ? data : Buffer.concat([data, ZEROS]).subarray(0, BLOCK_BYTES) }
    }
    index++
  }
}

/** A raw disk's bytes: its blocks, which come in order, and zeros where none is. */
export async function* rawOf(blocks: AsyncIterable<Block>, sizeGiB: number): AsyncIterable<Uint8Array> {
  let next = 0
  const upTo = function* (index: number) { for (; next < index; next++) yield ZEROS }
  for await (const { index, data } of blocks) {
    yield* upTo(index)
    yield data
    next = index + 1
  }
  yield* upTo(sizeGiB * 2 ** 30 / BLOCK_BYTES)
}

async function* inPieces(bytes: AsyncIterable<Uint8Array>, size: number): AsyncIterable<Buffer> {
  let parts: Uint8Array[] = []
  let have = 0
  for await (const piece of bytes) {
    parts.push(piece)
    have += piece.length
    if (have < size) continue
    const held = Buffer.concat(parts)
    let at = 0
    for (; held.length - at >= size; at += size) yield held.subarray(at, at + size)
    parts = [held.subarray(at)]
    have = held.length - at
  }
  if (have > 0) yield Buffer.concat(parts)
}

/** What a bundle says first: the image, and how large each of its disks is. */
export type Bundle<T> = { image: T; disks: { sizeGiB: number }[] }
export type Bundled = Block & { disk: number }

/** The bytes of a bundle, compressed. */
export function bundle<T>(header: Bundle<T>, blocks: AsyncIterable<Bundled>): AsyncIterable<Uint8Array> {
  const plain = async function* (): AsyncIterable<Uint8Array> {
    const text = Buffer.from(JSON.stringify(header))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(text.length)
    yield Buffer.concat([Buffer.from(MAGIC), length, text])
    for await (const { disk, index, data } of blocks) yield Buffer.concat([placeOf(disk, index), data])
    yield placeOf(END, 0)
  }
  return pipeline(plain(), createGzip({ level: 1 }), () => {})
}

function placeOf(disk: number, index: number): Buffer {
  const place = Buffer.alloc(8)
  place.writeUInt32BE(disk)
  place.writeUInt32BE(index, 4)
  return place
}

/** Reads a bundle: its header at once, its blocks as they are asked for. `bytes` may be anything. */
export async function unbundle<T>(bytes: AsyncIterable<Uint8Array>): Promise<{ header: Bundle<T>; blocks: AsyncIterable<Bundled> }> {
  const take = taker(pipeline(bytes, createGunzip(), () => {}))
  if ((await take(MAGIC.length)).toString('latin1') !== MAGIC) throw new Error('the object is no stored image')
  const length = (await take(4)).readUInt32BE()
  if (length > HEADER_MOST) throw new Error('the object is no stored image')
  const header = JSON.parse((await take(length)).toString()) as Bundle<T>
  const blocks = async function* (): AsyncIterable<Bundled> {
    for (;;) {
      const place = await take(8)
      const [disk, index] = [place.readUInt32BE(), place.readUInt32BE(4)]
      if (disk === END) return
      if (disk >= header.disks.length) throw new Error('the object names a disk that it has not')
      yield { disk, index, data: await take(BLOCK_BYTES) }
    }
  }
  return { header, blocks: blocks() }
}
