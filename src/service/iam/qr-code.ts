/** A QR code as a PNG: what authenticator applications read a device's seed from. Pure. */
import { crc32, deflateSync } from 'node:zlib'
import encodeQR from 'qr'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** Pixels of a module; the margin is part of the code (ISO/IEC 18004: four modules). */
const SCALE = 5
const MARGIN = 4

/** Length, type, data, and the check of both (PNG specification, "Chunk layout"). */
function chunk(type: string, data: Uint8Array): Buffer {
  const framed = Buffer.alloc(data.length + 12)
  framed.writeUInt32BE(data.length, 0)
  framed.write(type, 4, 'latin1')
  framed.set(data, 8)
  framed.writeUInt32BE(crc32(framed.subarray(4, -4)), framed.length - 4)
  return framed
}

/** One bit a pixel, black where it is set in the code; each line begins with the name of its filter, which is none. */
function lineOf(row: readonly boolean[]): Buffer {
  const line = Buffer.alloc(1 + Math.ceil(row.length / 8))
  row.forEach((dark, x) => { if (!dark) line[1 + (x >> 3)]! |= 0x80 >> (x & 7) })
  return line
}

export function qrCode(text: string): Uint8Array {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', scale: SCALE, border: MARGIN })
  const header = Buffer.alloc(13)
  header.writeUInt32BE(rows[0]!.length, 0)
  header.writeUInt32BE(rows.length, 4)
  header[8] = 1
  const pixels = deflateSync(Buffer.concat(rows.map(lineOf)))
  return new Uint8Array(Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]))
}
