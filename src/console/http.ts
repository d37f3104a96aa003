/**
 * What every answer of the console's door has in common, and how its own small requests are read.
 *
 * Invariants: every answer carries the headers that keep a page of ours from running foreign script or standing in a foreign frame; a request
 * that changes something comes from a page of this very door, whatever its cookie says.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

const BODY_BYTES = 16 * 1024

/** No script but our own files; `style-src` alone lets inline styles through, which the component library sets by script. */
const POLICY = [
  'default-src \'none\'', 'script-src \'self\'', 'style-src \'self\' \'unsafe-inline\'', 'img-src \'self\' data:', 'font-src \'self\' data:',
  'connect-src \'self\'', 'manifest-src \'self\'', 'base-uri \'none\'', 'form-action \'none\'', 'frame-ancestors \'none\'',
].join('; ')

export function secure(response: ServerResponse): void {
  response.setHeader('content-security-policy', POLICY)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('x-frame-options', 'DENY')
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('cross-origin-opener-policy', 'same-origin')
  response.setHeader('cross-origin-resource-policy', 'same-origin')
}

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/

/** Whether the browser was sent to this machine by its own name: a foreign name that leads here (DNS rebinding) is refused. */
export const isOurHost = (request: IncomingMessage): boolean => LOOPBACK.test(request.headers.host ?? '')

/**
 * Whether a page of this door sent it. Browsers say where a request comes from and let no page lie about it; the header of our own can't be
 * set by a form or across origins.
 */
export function isOurPage(request: IncomingMessage): boolean {
  const { origin, host } = request.headers
  const site = request.headers['sec-fetch-site']
  return isOurHost(request) && (site === undefined || site === 'same-origin') && (origin === undefined || origin === `http://${host}`)
}
export const hasOurHeader = (request: IncomingMessage): boolean => request.headers['x-enclume-console'] === '1'

export function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' })
  response.end(text)
}

/** The JSON object in a body; undefined where it is none, or too long. */
export async function readJson(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > BODY_BYTES) return undefined
    parts.push(part)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined
  } catch {
    return undefined // Not JSON: the caller refuses it.
  }
}

export function cookie(request: IncomingMessage, name: string): string | undefined {
  const found = (request.headers.cookie ?? '').split(';').map(part => part.trim()).find(part => part.startsWith(`${name}=`))
  return found?.slice(name.length + 1)
}
