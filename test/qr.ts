/** Reads a QR code out of a PNG of one bit a pixel, as an authenticator application does out of what its camera sees. */
import { inflateSync } from 'node:zlib'
import decodeQR from 'qr/decode.js'

/** Red, green, blue and opaque. */
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
