/**
 * The receiving half of a WebSocket (RFC 6455), as much of it as a stream of text messages from a trusted daemon needs.
 *
 * Invariant: pings are answered, a message is handed on whole, and the end of the connection for any reason ends the wait.
 */
import { randomBytes } from 'node:crypto'
import type http from 'node:http'
import type { Duplex } from 'node:stream'

const TEXT = 1
const CLOSE = 8
const PING = 9
const PONG = 10
const MESSAGE_BYTES = 16 * 1024 * 1024

export const upgradeHeaders = (): http.OutgoingHttpHeaders => ({
  'connection': 'Upgrade', 'upgrade': 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64'),
})

type Frame = { last: boolean; code: number; payload: Buffer; bytes: number }

/** The first frame in these bytes, or undefined while it is not whole. Servers do not mask. */
export function parseFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes[1]! & 0x7f
  const start = short === 127 ? 10 : short === 126 ? 4 : 2
  if (bytes.length < start) return undefined
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  if (length > MESSAGE_BYTES) throw new Error(`a message of ${length} bytes`)
  if (bytes.length < start + length) return undefined
  return { last: (bytes[0]! & 0x80) !== 0, code: bytes[0]! & 0x0f, payload: bytes.subarray(start, start + length), bytes: start + length }
}

/** A client's frame of at most 125 bytes. What clients send is masked. */
export function clientFrame(code: number, payload: Buffer): Buffer {
  const mask = randomBytes(4)
  return Buffer.concat([Buffer.from([0x80 | code, 0x80 | payload.length]), mask, payload.map((byte, i) => byte ^ mask[i % 4]!)])
}

/** Calls back for each text message until the server closes or breaks off. */
export async function readMessages(socket: Duplex, head: Buffer, each: (message: string) => void): Promise<void> {
  let rest = head
  let message: Buffer[] = []
  const take = (): boolean => {
    for (let frame; (frame = parseFrame(rest)); rest = rest.subarray(frame.bytes)) {
      if (frame.code === CLOSE) return false
      if (frame.code === PING) socket.write(clientFrame(PONG, frame.payload))
      if (frame.code > TEXT) continue
      message.push(frame.payload)
      if (!frame.last) continue
      each(Buffer.concat(message).toString())
      message = []
    }
    return true
  }
  try {
    if (!take()) return
    for await (const part of socket) {
      rest = Buffer.concat([rest, part as Buffer])
      if (!take()) return
    }
  } finally {
    socket.destroy()
  }
}
