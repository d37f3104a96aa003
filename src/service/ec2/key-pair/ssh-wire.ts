/**
 * The SSH wire format (RFC 4251): length-prefixed strings and mpints, in which public keys and OpenSSH private keys are written.
 *
 * Invariant: a Reader never reads past its buffer; it throws RangeError, which callers turn into their own error.
 */
export const u32 = (n: number): Buffer => {
  const b = Buffer.alloc(4)
  b.writeUInt32BE(n)
  return b
}

export const str = (value: Buffer | string): Buffer => {
  const bytes = Buffer.from(value as string)
  return Buffer.concat([u32(bytes.length), bytes])
}

/** A non-negative integer: big-endian, shortest, with a zero byte before a set top bit. */
export const mpint = (magnitude: Buffer): Buffer => {
  let start = 0
  while (start < magnitude.length && magnitude[start] === 0) start += 1
  const bytes = magnitude.subarray(start)
  return str(bytes.length && bytes[0]! & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

export class Reader {
  private offset = 0
  private readonly bytes: Buffer
  constructor(bytes: Buffer) { this.bytes = bytes }
  get done(): boolean { return this.offset === this.bytes.length }
  /** The next length-prefixed string. */
  next(): Buffer {
    const length = this.bytes.readUInt32BE(this.offset)
    const start = this.offset + 4
    if (start + length > this.bytes.length) throw new RangeError('string longer than its buffer')
    this.offset = start + length
    return this.bytes.subarray(start, this.offset)
  }
}
