/**
 * Disks as VMDK files of the kind that is made to be streamed, "streamOptimized": grains that hold something, compressed, in order, and the
 * tables that say where they are behind them (VMware, "Virtual Disk Format 1.1"). It is the one kind that EC2 takes and gives, too.
 *
 * Invariant: what is read may have been written by anybody: a file that is cut, lies about its grains or has them in disorder is an error.
 */
import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'
import { BLOCK_BYTES, type Block } from '#engine/port'
import { taker } from '#service/ec2/transfer/take'

const SECTOR = 512
const MAGIC = 0x564d444b
const VERSION = 3
/** Its line ends are meant to be seen, its grains are compressed, its parts begin with marks. */
const FLAGS = 0x30001
const COMPRESSED = 0x30000
const GRAIN = 128
const GRAIN_BYTES = GRAIN * SECTOR
const IN_TABLE = 512
const AT_END = 0xffff_ffff_ffff_ffffn
/** Sectors before the first grain: the header, and room for the text that describes the disk. */
const OVERHEAD = 128
const MARK = { end: 0, table: 1, directory: 2, footer: 3 }
/** No tables are longer, in sectors: those of 512 GiB, twice, as some tools write them. */
const MOST_SECTORS = 1 << 18
const ZEROS = Buffer.alloc(GRAIN_BYTES)

const unfit = (why: string): Error => new Error(`ClientError: Disk validation failed [Unsupported VMDK File Format: ${why}]`)

function header(sectors: number, directoryAt: bigint): Buffer {
  const head = Buffer.alloc(SECTOR)
  for (const [at, value] of [[0, MAGIC], [4, VERSION], [8, FLAGS], [44, IN_TABLE]] as const) head.writeUInt32LE(value, at)
  // Capacity, grain, where the description is and how long, the directory's copy, the directory, what is before the grains.
  const long = [[12, sectors], [20, GRAIN], [28, 1], [36, 20], [48, 0], [64, OVERHEAD]] as const
  for (const [at, value] of long) head.writeBigUInt64LE(BigInt(value), at)
  head.writeBigUInt64LE(directoryAt, 56)
  head.write('\n \r\n', 73, 'latin1')
  head.writeUInt16LE(1, 77)
  return head
}

const description = (sectors: number): string => [
  '# Disk DescriptorFile', 'version=1', 'CID=fffffffe', 'parentCID=ffffffff', 'createType="streamOptimized"', '',
  `RDONLY ${sectors} SPARSE "disk.vmdk"`, '', '#DDB', 'ddb.adapterType = "lsilogic"', 'ddb.geometry.sectors = "63"', 'ddb.geometry.heads = "255"',
  `ddb.geometry.cylinders = "${Math.floor(sectors / 63 / 255)}"`, 'ddb.virtualHWVersion = "4"', '',
].join('\n')

function mark(kind: number, sectors: number): Buffer {
  const sector = Buffer.alloc(SECTOR)
  sector.writeBigUInt64LE(BigInt(sectors))
  sector.writeUInt32LE(kind, 12)
  return sector
}
const padded = (data: Buffer): Buffer => Buffer.concat([data, Buffer.alloc((SECTOR - data.length % SECTOR) % SECTOR)])

/** The bytes of a file with these blocks, which come in order. */
export async function* vmdkOf(blocks: AsyncIterable<Block>, sizeGiB: number): AsyncIterable<Uint8Array> {
  const sectors = sizeGiB * 2 ** 30 / SECTOR
  let at = OVERHEAD
  yield Buffer.concat([header(sectors, AT_END), Buffer.from(description(sectors))], OVERHEAD * SECTOR)
  const placed = function* (data: Buffer): Iterable<Buffer> {
    at += data.length / SECTOR
    yield data
  }
  const directory = new Uint32Array(Math.ceil(sectors / GRAIN / IN_TABLE))
  let [table, number] = [new Uint32Array(IN_TABLE), 0]
  const endTable = function* (): Iterable<Buffer> {
    if (!table.some(Boolean)) return
    yield* placed(mark(MARK.table, IN_TABLE * 4 / SECTOR))
    directory[number] = at
    yield* placed(Buffer.from(table.buffer))
    table = new Uint32Array(IN_TABLE)
  }
  for await (const { index, data } of blocks) {
    for (let from = 0; from < BLOCK_BYTES; from += GRAIN_BYTES) {
      const bytes = data.subarray(from, from + GRAIN_BYTES)
      if (ZEROS.equals(bytes)) continue
      const grain = (index * BLOCK_BYTES + from) / GRAIN_BYTES
      if (Math.floor(grain / IN_TABLE) !== number) { yield* endTable(); number = Math.floor(grain / IN_TABLE) }
      table[grain % IN_TABLE] = at
      const packed = await promisify(deflate)(bytes, { level: 1 })
      const place = Buffer.alloc(12)
      place.writeBigUInt64LE(BigInt(grain * GRAIN))
      place.writeUInt32LE(packed.length, 8)
      yield* placed(padded(Buffer.concat([place, packed])))
    }
  }
  yield* endTable()
  const list = padded(Buffer.from(directory.buffer))
  yield* placed(mark(MARK.directory, list.length / SECTOR))
  const directoryAt = at
  yield* placed(list)
  yield Buffer.concat([mark(MARK.footer, 1), header(sectors, BigInt(directoryAt)), mark(MARK.end, 0)])
}

/** How large the disk is that a file begins so, in bytes. */
export function sizeOfVmdk(head: Buffer): number {
  if (head.length < SECTOR || head.readUInt32LE(0) !== MAGIC) throw unfit('no VMDK file')
  if ((head.readUInt32LE(8) & COMPRESSED) !== COMPRESSED || head.readUInt16LE(77) !== 1) throw unfit('it is not streamOptimized')
  const [sectors, grain] = [head.readBigUInt64LE(12), head.readBigUInt64LE(20)]
  if (grain !== BigInt(GRAIN)) throw unfit(`grains of ${grain} sectors`)
  if (sectors < 1n || sectors > 2n ** 37n) throw unfit(`${sectors} sectors`)
  return Number(sectors) * SECTOR
}

/**
 * Where the last grain is, by the tables before the first one; undefined where they are at the end. Files with the tables in front, qemu-img's
 * for one, end with their last grain and without a mark.
 */
function lastGrain(front: Buffer): number | undefined {
  if (front.readBigUInt64LE(56) === AT_END) return undefined
  const entry = (sector: number, n: number): number => {
    const at = sector * SECTOR + 4 * n
    if (at + 4 > front.length) throw unfit('tables that are not before the grains')
    return front.readUInt32LE(at)
  }
  const directory = Number(front.readBigUInt64LE(56))
  let last = 0
  for (let table = 0; table < Number(front.readBigUInt64LE(12)) / GRAIN / IN_TABLE; table++) {
    const at = entry(directory, table)
    for (let n = 0; at > 0 && n < IN_TABLE; n++) last = Math.max(last, entry(at, n))
  }
  return last
}

/** The blocks of a file's disk that hold anything, in order. */
export async function* blocksOfVmdk(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Block> {
  const take = taker(bytes)
  const head = await take(SECTOR)
  const size = sizeOfVmdk(head)
  const overhead = Number(head.readBigUInt64LE(64))
  if (overhead < 1 || overhead > MOST_SECTORS) throw unfit(`${overhead} sectors before the first grain`)
  const last = lastGrain(Buffer.concat([head, await take((overhead - 1) * SECTOR)]))
  let [at, grainAt, next] = [overhead, 0, 0]
  let block: Block | undefined
  for (;;) {
    const first = await take(SECTOR, last === undefined ? undefined : 'end')
    if (first.length === 0) {
      if (grainAt < last!) throw new Error('the object ends too early')
      break
    }
    const [value, length] = [Number(first.readBigUInt64LE(0)), first.readUInt32LE(8)]
    if (length === 0) {
      if (first.readUInt32LE(12) === MARK.end) break
      if (value > MOST_SECTORS) throw unfit('a table beyond all size')
      for (let left = value; left > 0; left--) await take(SECTOR)
      at += 1 + value
      continue
    }
    const start = value * SECTOR
    if (start < next || start % GRAIN_BYTES !== 0 || start >= size || length > 2 * GRAIN_BYTES) throw unfit('a grain out of its place')
    const sectors = Math.ceil((12 + length) / SECTOR)
    const packed = Buffer.concat([first, await take((sectors - 1) * SECTOR)]).subarray(12, 12 + length)
    next = start + GRAIN_BYTES
    grainAt = at
    at += sectors
    const data = await promisify(inflate)(packed, { maxOutputLength: GRAIN_BYTES }).catch(() => { throw unfit('a grain that can\'t be unpacked') })
    const index = Math.floor(start / BLOCK_BYTES)
    if (block && block.index !== index) yield block
    if (block?.index !== index) block = { index, data: Buffer.alloc(BLOCK_BYTES) }
    block.data.set(data, start % BLOCK_BYTES)
  }
  if (block) yield block
}
