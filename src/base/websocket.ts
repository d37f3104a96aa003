/**
 * Frames of a WebSocket (RFC 6455), read and written for either side of it.
 *
 * Invariant: a frame is handed on only when it is whole, and none is larger than its reader allows.
 */
import { createHash, randomBytes } from 'node:crypto'

export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

export type Frame = { last: boolean; code: number; payload: Buffer; bytes: number; masked: boolean }

/** The first frame in these bytes, or undefined while it is not whole. */
export function parseFrame(bytes: Buffer, mostBytes: number): Frame | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes[1]! & 0x7f
  const masked = (bytes[1]! & 0x80) !== 0
  const lengthEnd = short === 127 ? 10 : short === 126 ? 4 : 2
  const start = lengthEnd + (masked ? 4 : 0)
  if (bytes.length < start) return undefined
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  if (length > mostBytes) throw new Error(`a message of ${length} bytes`)
  if (bytes.length < start + length) return undefined
  const raw = bytes.subarray(start, start + length)
  const payload = masked ? masking(raw, bytes.subarray(lengthEnd, start)) : raw
  return { last: (bytes[0]! & 0x80) !== 0, code: bytes[0]! & 0x0f, payload, bytes: start + length, masked }
}

/** Masks, and unmasks what is masked. */
const masking = (payload: Buffer, mask: Buffer): Buffer => Buffer.from(payload.map((byte, i) => byte ^ mask[i % 4]!))

function header(code: number, length: number, maskBit: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | code, maskBit | length])
  const long = length > 0xffff
  const bytes = Buffer.alloc(long ? 10 : 4)
  bytes.writeUInt8(0x80 | code, 0)
  bytes.writeUInt8(maskBit | (long ? 127 : 126), 1)
  if (long) bytes.writeBigUInt64BE(BigInt(length), 2)
  else bytes.writeUInt16BE(length, 2)
  return bytes
}

/** What servers send is not masked. */
export const serverFrame = (code: number, payload: Buffer): Buffer => Buffer.concat([header(code, payload.length, 0), payload])

/** What clients send is masked. */
export function clientFrame(code: number, payload: Buffer): Buffer {
  const mask = randomBytes(4)
  return Buffer.concat([header(code, payload.length, 0x80), mask, masking(payload, mask)])
}

/** What a server answers to a client's Sec-WebSocket-Key. */
export const acceptKey = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
