/**
 * The receiving half of a WebSocket (RFC 6455), as much of it as a stream of text messages from a trusted daemon needs.
 *
 * Invariant: pings are answered, a message is handed on whole, and the end of the connection for any reason ends the wait.
 */
import { randomBytes } from 'node:crypto'
import type http from 'node:http'
import type { Duplex } from 'node:stream'
import { clientFrame, CLOSE, parseFrame, PING, PONG, TEXT } from '#base/websocket'

const MESSAGE_BYTES = 16 * 1024 * 1024

export const upgradeHeaders = (): http.OutgoingHttpHeaders => ({
  'connection': 'Upgrade', 'upgrade': 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64'),
})

/** Calls back for each text message until the server closes or breaks off. */
export async function readMessages(socket: Duplex, head: Buffer, each: (message: string) => void): Promise<void> {
  let rest = head
  let message: Buffer[] = []
  const take = (): boolean => {
    for (let frame; (frame = parseFrame(rest, MESSAGE_BYTES)); rest = rest.subarray(frame.bytes)) {
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
