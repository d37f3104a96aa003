/**
 * Requests as bytes on a socket, damaged in every way that a parser of HTTP may stumble over: what no library would send.
 *
 * Invariant: the client always ends its side, so that a connection which the server does not end within `PATIENCE_MS` hangs.
 */
import { connect } from 'node:net'
import type { Random } from './random.ts'

export type Template = { method: string; path: string; headers?: Record<string, string>; body?: string | Buffer }
export type Heard = { statuses: number[]; hung: boolean; text: string }

const PATIENCE_MS = 15_000
const METHODS = ['GET', 'PUT', 'POST', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PATCH', 'PROPFIND', 'get', 'G\0T', '', 'x'.repeat(300)]
const VERSIONS = ['HTTP/1.0', 'HTTP/1.1 x', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.', '', 'ICY']
const PATHS = [
  '*', '//', '/\\', '/%', '/%00', '/%zz', '/%c3%28', '/..', '/../../etc/passwd', '/%2e%2e/%2e%2e/', '/?', '/#x', '/é', '/\x7f', 'http://', 'http://[',
  'http://x@y:z/', '/ x', '/latest/meta-data/../../x', '/constructor', '/__proto__', '/a'.repeat(3000), '?Action=', '/?%', '/;/',
  '/_console/%', '/_console/',
]
const HEADERS = [
  'Content-Length: -1', 'Content-Length: 0x10', 'Content-Length: 99999999999999999999', 'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 100', 'Transfer-Encoding: chunked\r\nContent-Length: 3', 'Transfer-Encoding: xchunked', 'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding : chunked', 'Host:', 'Host: a\r\nHost: b', `Host: ${'h'.repeat(2000)}`, 'Expect: 100-continue', 'Expect: the best',
  'Connection: upgrade\r\nUpgrade: websocket', 'Connection: close, keep-alive, te', `X: ${'x'.repeat(20_000)}`, 'Y:\r\n folded', 'Z\0: z',
  ': nameless', 'no colon', `Cookie: ${'a=b;'.repeat(500)}`, 'Authorization: AWS4-HMAC-SHA256 Credential=',
  'Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=, Signature=', 'Content-Encoding: gzip', 'X-Amz-Date: yesterday',
  'X-Forwarded-For: 1.1.1.1', 'Origin: null', 'Sec-WebSocket-Key: \xff', 'Content-Type: multipart/form-data; boundary=', 'Range: bytes=--1',
  'X-aws-ec2-metadata-token-ttl-seconds: 1e9', `X-aws-ec2-metadata-token: ${'A'.repeat(4000)}`,
  'X-aws-ec2-metadata-token: a\r\nX-aws-ec2-metadata-token: b', Array.from({ length: 200 }, (_, n) => `N${n}: n`).join('\r\n'), '\x80\xff: \x01',
]
const BODIES = [
  '', 'Action=DescribeVpcs&Version=2016-11-15', '{', '{"kind":"root"}', '[]', '\0'.repeat(100), 'x'.repeat(30_000), 'ffffffffffffffff\r\n',
  '5\r\nhello\r\n0\r\n\r\n', '-1\r\nx\r\n', '5;ext\r\nhel', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x1f\x8b\x08\0',
]

/** One request, damaged here and there; `wild` says how often. */
export function damaged(random: Random, { method, path, headers = {}, body = '' }: Template, wild = random.pick([0, 0.1, 0.3, 0.7])): Buffer {
  const by = (chance: number) => random.next() < chance
  const cut = (value: string) => (by(wild / 3) ? value.slice(random.below(value.length)) : value)
  const lines = Object.entries(headers).filter(() => !by(wild / 3)).map(([name, value]) => `${name}: ${cut(value)}`)
  for (let more = by(wild) ? random.below(4) : 0; more > 0; more--) lines.splice(random.below(lines.length + 1), 0, random.pick(HEADERS))
  const payload = Buffer.from(by(wild) ? random.pick(BODIES) : body)
  if (payload.length > 0 && !by(wild)) lines.push(`Content-Length: ${payload.length}`)
  const start = [by(wild / 2) ? random.pick(METHODS) : method, by(wild) ? random.pick(PATHS) : path,
    by(wild / 3) ? random.pick(VERSIONS) : 'HTTP/1.1'].join(' ')
  const end = by(wild / 5) ? '\n' : '\r\n'
  const bytes = Buffer.concat([Buffer.from([start, ...lines, '', ''].join(end), 'latin1'), payload])
  for (let flips = by(wild / 2) ? 1 + random.below(5) : 0; flips > 0; flips--) bytes[random.below(bytes.length)] = random.below(256)
  return by(wild / 4) ? bytes.subarray(0, random.below(bytes.length)) : bytes
}

/** Sends bytes in random pieces, ends, and hears what comes until the other side has ended too. */
export function send(port: number, bytes: Buffer, random: Random): Promise<Heard> {
  return new Promise(resolve => {
    const parts: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const finish = (hung: boolean): void => {
      clearTimeout(late)
      socket.destroy()
      const text = Buffer.concat(parts).toString('latin1')
      resolve({ statuses: [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(found => Number(found[1])), hung, text })
    }
    const late = setTimeout(finish, PATIENCE_MS, true)
    socket.on('data', part => parts.push(part)).on('error', () => finish(false)).on('end', () => finish(false)).on('close', () => finish(false))
    for (let sent = 0; sent < bytes.length;) {
      const size = random.pick([1, 7, 100, 5000, bytes.length])
      socket.write(bytes.subarray(sent, sent + size))
      sent += size
    }
    socket.end()
  })
}

export type Found = { statuses: Record<string, number>; hung: string[]; failed: string[] }

/** So many connections of one to three damaged requests, some at once. */
export async function batter(port: number, templates: Template[], { random, rounds }: { random: Random; rounds: number }): Promise<Found> {
  const atOnce = 8
  const found: Found = { statuses: {}, hung: [], failed: [] }
  for (let done = 0; done < rounds; done += atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, rounds - done) }, async () => {
      const bytes = Buffer.concat(Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => damaged(random, random.pick(templates))))
      const { statuses, hung } = await send(port, bytes, random)
      for (const status of statuses.length ? statuses : ['closed']) found.statuses[status] = (found.statuses[status] ?? 0) + 1
      const shown = JSON.stringify(bytes.toString('latin1').slice(0, 400))
      if (hung) found.hung.push(shown)
      if (statuses.some(status => status === 500)) found.failed.push(shown)
    }))
  }
  return found
}
