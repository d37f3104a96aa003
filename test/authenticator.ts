/** What an authenticator application does: reads the code that its camera sees, and takes the seed as it is typed. */
import { inflateSync } from 'node:zlib'
import decodeQR from 'qr/decode.js'

/** A PNG of one bit a pixel as red, green, blue and opaque. */
function pixelsOf(png: Buffer): { width: number; height: number; data: Uint8Array } {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const from = png.indexOf('IDAT')
  const lines = inflateSync(png.subarray(from + 4, from + 4 + png.readUInt32BE(from - 4)))
  const stride = 1 + Math.ceil(width / 8)
  const isLight = (i: number): boolean => (lines[Math.floor(i / width) * stride + 1 + (i % width >> 3)]! & (0x80 >> (i % width & 7))) !== 0
  const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 || isLight(i >> 2) ? 255 : 0))
  return { width, height, data }
}

export const readQr = (png: Uint8Array): string => decodeQR(pixelsOf(Buffer.from(png)))

export function fromBase32(text: string): Buffer {
  const bits = [...text].map(c => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map(byte => parseInt(byte, 2)))
}
