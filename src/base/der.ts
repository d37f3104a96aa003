/**
 * DER, as much of it as certificates and CMS need: tag, length, value. Values are given as whole encodings.
 *
 * Invariant: the output is canonical; SET OF is sorted as X.690 11.6 asks.
 */
const length = (n: number): Buffer => {
  if (n < 0x80) return Buffer.of(n)
  const bytes: number[] = []
  for (let rest = n; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 255)
  return Buffer.of(0x80 | bytes.length, ...bytes)
}

const tlv = (tag: number, ...values: Buffer[]): Buffer => {
  const value = Buffer.concat(values)
  return Buffer.concat([Buffer.of(tag), length(value.length), value])
}

export const sequence = (...items: Buffer[]): Buffer => tlv(0x30, ...items)
export const set = (...items: Buffer[]): Buffer => tlv(0x31, ...items.sort(Buffer.compare))
export const octets = (value: Buffer): Buffer => tlv(0x04, value)
export const bits = (value: Buffer): Buffer => tlv(0x03, Buffer.of(0), value)
export const nothing = tlv(0x05)
export const utf8 = (text: string): Buffer => tlv(0x0c, Buffer.from(text))
export const yes = tlv(0x01, Buffer.of(0xff))
/** A context-specific, primitive field: [n] IMPLICIT over text or bytes. */
export const plain = (n: number, value: Buffer): Buffer => tlv(0x80 | n, value)
/** The first bits of a bit string that names bits: `flags(0b101, 3)` has the first and the third. */
export const flags = (value: number, count: number): Buffer => tlv(0x03, Buffer.of(8 - count, (value << (8 - count)) & 255))
/** A context-specific, constructed field: [n] EXPLICIT, or IMPLICIT over a constructed type whose content is given. */
export const field = (n: number, ...items: Buffer[]): Buffer => tlv(0xa0 | n, ...items)

/** A non-negative integer. */
export const integer = (value: number | Buffer): Buffer => {
  const bytes = typeof value === 'number' ? Buffer.from([value]) : value
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const short = bytes.subarray(start)
  return tlv(0x02, short[0]! & 0x80 ? Buffer.concat([Buffer.of(0), short]) : short)
}

export function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number)
  const bytes = [first! * 40 + second!]
  for (const arc of rest) {
    const groups = [arc & 127]
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift(0x80 | (left & 127))
    bytes.push(...groups)
  }
  return tlv(0x06, Buffer.from(bytes))
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits))
}
