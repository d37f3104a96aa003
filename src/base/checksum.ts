/**
 * The checksums that S3 knows, over bytes as they come: CRC32, CRC32C, CRC64NVME, SHA1, SHA256; and joining the CRCs of
 * two pieces into that of both.
 *
 * Invariant: a digest is the base64 of the checksum's bytes, most significant first, as it stands in x-amz-checksum-*.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

export const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const
export type Algorithm = (typeof ALGORITHMS)[number]
export type Checksum = { update(bytes: Uint8Array): void; digest(): string }

export const isAlgorithm = (text: string): text is Algorithm => (ALGORITHMS as readonly string[]).includes(text)

/** CRC32C's reversed polynomial, as tables for eight bytes at a step. */
const CASTAGNOLI = tables32(0x82f63b78)
/** CRC64NVME's reversed polynomial 0x9a6c9329ac4bc9b5 in halves, likewise. */
const NVME = tables64(0x9a6c9329, 0xac4bc9b5)

export function openChecksum(algorithm: Algorithm): Checksum {
  switch (algorithm) {
    case 'CRC32': {
      let crc = 0
      return { update(bytes) { crc = crc32(bytes, crc) }, digest: () => base32(crc) }
    }
    case 'CRC32C': {
      let crc = 0xffffffff
      return { update(bytes) { crc = run32(crc, bytes) }, digest: () => base32(~crc) }
    }
    case 'CRC64NVME': {
      const crc = { high: 0xffffffff, low: 0xffffffff }
      return { update(bytes) { run64(crc, bytes) }, digest: () => base64(~crc.high, ~crc.low) }
    }
    case 'SHA1': case 'SHA256': {
      const hash = createHash(algorithm)
      return { update(bytes) { hash.update(bytes) }, digest: () => hash.digest('base64') }
    }
  }
}

/** The checksum of bytes that are all there. */
export function checksumOf(algorithm: Algorithm, bytes: Uint8Array): string {
  const checksum = openChecksum(algorithm)
  checksum.update(bytes)
  return checksum.digest()
}

function base32(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes.toString('base64')
}

function base64(high: number, low: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(high >>> 0)
  bytes.writeUInt32BE(low >>> 0, 4)
  return bytes.toString('base64')
}

function tables32(polynomial: number): Uint32Array[] {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256))
  for (let i = 0; i < 256; i++) {
    let value = i
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? polynomial ^ (value >>> 1) : value >>> 1
    tables[0]![i] = value
  }
  for (let k = 1; k < 8; k++) {
    for (let i = 0; i < 256; i++) {
      const before = tables[k - 1]![i]!
      tables[k]![i] = tables[0]![before & 255]! ^ (before >>> 8)
    }
  }
  return tables
}

function run32(start: number, bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = CASTAGNOLI as [Uint32Array, Uint32Array, Uint32Array, Uint32Array, ...Uint32Array[]]
  let crc = start
  let i = 0
  for (const last = bytes.length - 7; i < last; i += 8) {
    const low = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
    crc = t7![low & 255]! ^ t6![(low >>> 8) & 255]! ^ t5![(low >>> 16) & 255]! ^ t4![low >>> 24]!
      ^ t3[bytes[i + 4]!]! ^ t2[bytes[i + 5]!]! ^ t1[bytes[i + 6]!]! ^ t0[bytes[i + 7]!]!
  }
  for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8)
  return crc
}

type Tables64 = { high: Uint32Array[]; low: Uint32Array[] }

function tables64(polynomialHigh: number, polynomialLow: number): Tables64 {
  const make = () => Array.from({ length: 8 }, () => new Uint32Array(256))
  const tables: Tables64 = { high: make(), low: make() }
  for (let i = 0; i < 256; i++) {
    let [high, low] = [0, i]
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1
      low = (low >>> 1) | (high << 31)
      high >>>= 1
      if (odd) { high ^= polynomialHigh; low ^= polynomialLow }
    }
    tables.high[0]![i] = high
    tables.low[0]![i] = low
  }
  for (let k = 1; k < 8; k++) {
    for (let i = 0; i < 256; i++) {
      const [high, low] = [tables.high[k - 1]![i]!, tables.low[k - 1]![i]!]
      const index = low & 255
      tables.low[k]![i] = tables.low[0]![index]! ^ ((low >>> 8) | (high << 24))
      tables.high[k]![i] = tables.high[0]![index]! ^ (high >>> 8)
    }
  }
  return tables
}

function run64(crc: { high: number; low: number }, bytes: Uint8Array): void {
  const { high: h, low: l } = NVME
  let { high, low } = crc
  let i = 0
  for (const last = bytes.length - 7; i < last; i += 8) {
    const a = low ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
    const b = high ^ (bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24))
    const [a0, a1, a2, a3] = [a & 255, (a >>> 8) & 255, (a >>> 16) & 255, a >>> 24]
    const [b0, b1, b2, b3] = [b & 255, (b >>> 8) & 255, (b >>> 16) & 255, b >>> 24]
    low = l[7]![a0]! ^ l[6]![a1]! ^ l[5]![a2]! ^ l[4]![a3]! ^ l[3]![b0]! ^ l[2]![b1]! ^ l[1]![b2]! ^ l[0]![b3]!
    high = h[7]![a0]! ^ h[6]![a1]! ^ h[5]![a2]! ^ h[4]![a3]! ^ h[3]![b0]! ^ h[2]![b1]! ^ h[1]![b2]! ^ h[0]![b3]!
  }
  for (; i < bytes.length; i++) {
    const index = (low ^ bytes[i]!) & 255
    low = l[0]![index]! ^ ((low >>> 8) | (high << 24))
    high = h[0]![index]! ^ (high >>> 8)
  }
  crc.high = high
  crc.low = low
}

/** Reversed polynomials and widths of the CRCs that can be joined. */
const CRCS: Partial<Record<Algorithm, { polynomial: bigint; bits: number }>> = {
  CRC32: { polynomial: 0xedb88320n, bits: 32 }, CRC32C: { polynomial: 0x82f63b78n, bits: 32 },
  CRC64NVME: { polynomial: 0x9a6c9329ac4bc9b5n, bits: 64 },
}

/**
 * The CRC of two pieces from the CRC of each and the second's length: the first goes through as many zero bytes as the
 * second has, by squaring that step's matrix.
 */
export function joinCrc(algorithm: Algorithm, first: string, second: string, secondLength: number): string {
  const crc = CRCS[algorithm]
  if (!crc) throw new Error(`${algorithm} has no joining`)
  const { polynomial, bits } = crc
  const read = (text: string) => BigInt(`0x${Buffer.from(text, 'base64').toString('hex')}`)
  // A matrix is where each single bit goes. One zero bit: the lowest takes the polynomial, the others move down.
  let matrix = Array.from({ length: bits }, (_, i) => (i === 0 ? polynomial : 1n << BigInt(i - 1)))
  const times = (by: bigint[], vector: bigint): bigint => {
    let sum = 0n
    for (let i = 0, rest = vector; rest > 0n; i++, rest >>= 1n) if (rest & 1n) sum ^= by[i]!
    return sum
  }
  const squared = (of: bigint[]): bigint[] => of.map(column => times(of, column))
  for (let i = 0; i < 3; i++) matrix = squared(matrix)
  let value = read(first)
  for (let left = BigInt(secondLength); left > 0n; left >>= 1n) {
    if (left & 1n) value = times(matrix, value)
    matrix = squared(matrix)
  }
  const hex = (value ^ read(second)).toString(16).padStart(bits / 4, '0')
  return Buffer.from(hex, 'hex').toString('base64')
}
