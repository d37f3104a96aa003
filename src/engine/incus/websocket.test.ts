/** Frames as RFC 6455 draws them. */
import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { clientFrame, parseFrame } from '#base/websocket'
import { readMessages } from '#engine/incus/websocket'

const frame = (code: number, text: string, last = true): Buffer => {
  const payload = Buffer.from(text)
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255]
  return Buffer.concat([Buffer.from([(last ? 0x80 : 0) | code, ...length]), payload])
}

/** A connection that gives these parts, then ends; what is written to it is kept. */
function connection(parts: Buffer[]) {
  const written: Buffer[] = []
  const socket = new Duplex({ read() { this.push(parts.shift() ?? null) }, write(part: Buffer, _, done) { written.push(part); done() } })
  return { socket, written }
}

test('messages arrive whole, however they are cut, and pings between their parts are answered', async () => {
  const long = 'x'.repeat(300)
  const cut = [frame(1, 'tw', false), frame(9, 'hi'), frame(0, 'o')]
  const bytes = Buffer.concat([frame(1, 'one'), ...cut, frame(1, long), frame(8, ''), frame(1, 'late')])
  const { socket, written } = connection([...bytes.subarray(2)].map(byte => Buffer.from([byte])))
  const messages: string[] = []
  await readMessages(socket, bytes.subarray(0, 2), message => messages.push(message))
  assert.deepEqual(messages, ['one', 'two', long])
  const [pong] = written
  const mask = pong!.subarray(2, 6)
  assert.deepEqual([pong![0], pong![1], String(pong!.subarray(6).map((byte, i) => byte ^ mask[i]!))], [0x8a, 0x82, 'hi'])
})

test('a frame is not taken before it is whole, and an absurd length is refused', () => {
  assert.deepEqual([parseFrame(Buffer.from([0x81]), 1000), parseFrame(frame(1, 'abc').subarray(0, 4), 1000)], [undefined, undefined])
  assert.throws(() => parseFrame(Buffer.from([0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0]), 1000), /bytes/)
  assert.equal(clientFrame(10, Buffer.alloc(0)).length, 6)
})
