/**
 * The front door's HTTP server.
 *
 * Invariants: requests are bounded in size, time and number; unsigned requests reach only the pages listed as routes.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Server as ListeningSocket } from 'node:net'
import { answer, splitUrl, type Door } from '#wire/answer'
import type { Secure } from '#wire/tls'

export type { Credentials, Dispatch } from '#wire/answer'
export type { WireService } from '#wire/protocol'

/** An unsigned page beside the API, for scripts and instances; it answers by itself. */
export type Route = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>
export type Limits = {
  bodyBytes: number
  /** A gzip body's size once inflated. */
  inflatedBytes: number
  /** Requests under way at a time; further ones are told RequestLimitExceeded. */
  concurrent: number
  /** How long a client may take to send its headers, its whole request, and to think before the next one. */
  headersMs: number
  requestMs: number
  keepAliveMs: number
  /** How long nothing may come or go in a body that streams, which may take as long as it likes in all. */
  idleMs: number
}
export type WireOptions = Pick<Door, 'services' | 'credentials' | 'dispatch' | 'log' | 'clock' | 'origin'> & {
  limits?: Partial<Limits>
  /** What GET /_enclume/health answers, as JSON; no such page without it. */
  health?(): object | Promise<object>
  /** Speak TLS; plain HTTP without it. */
  secure?: Secure
  /** Further unsigned pages by path. */
  routes?: Record<string, Route>
}
export type Wire = {
  server: Server
  /** Resolves with where it listens (port 0 chooses one); rejects where it can't, as when the port is taken. */
  listen(port: number, host: string): Promise<AddressInfo>
  /** The same, at a socket that listens already; it is ours from then on. */
  take(listening: ListeningSocket): Promise<void>
  /** Takes no more requests; resolves when those under way are answered, or cut off after `requestMs`. */
  close(): Promise<void>
}

const LIMITS: Limits = {
  bodyBytes: 1 << 20, inflatedBytes: 4 << 20, concurrent: 256, headersMs: 10_000, requestMs: 30_000, keepAliveMs: 65_000,
  idleMs: 60_000,
}

/** Makes the API's server; it listens when told to. */
export function openWire(options: WireOptions): Wire {
  const limits = { ...LIMITS, ...options.limits }
  const door: Door = { ...options, ...limits }
  const { health, secure } = options
  const routes = new Map(Object.entries({ ...health && { '/_enclume/health': healthPage(health) }, ...options.routes }))
  let running = 0
  let closing = false

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A connection that would be kept alive would keep a closing server open.
    response.once('finish', () => { if (closing) request.socket.end() })
    const route = routes.get(splitUrl(request.url!).path)
    if (route) return route(request, response)
    running += 1
    try {
      await answer(door, { request, response, busy: running > limits.concurrent })
    } finally {
      running -= 1
    }
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(cause => {
      options.log.error('wire.failed', { path: splitUrl(request.url!).path, cause })
      response.destroy()
    })
  }
  // A body's own time is counted where it is read: one that streams has no end that all could keep to.
  const times = { headersTimeout: limits.headersMs, requestTimeout: 0, keepAliveTimeout: limits.keepAliveMs, connectionsCheckingInterval: 1000 }
  const server = secure ? createSecureServer({ ...times, ...secure, handshakeTimeout: limits.headersMs }, listener) : createServer(times, listener)
  server.on('checkContinue', listener)
  return { server, listen: listening(server), take: taking(server), close: () => { closing = true; return closed(server, limits.requestMs) } }
}

const listening = (server: Server): Wire['listen'] => (port, host) => new Promise((resolve, reject) => {
  server.once('error', reject)
  server.listen(port, host, () => {
    server.off('error', reject)
    resolve(server.address() as AddressInfo)
  })
})

const taking = (server: Server): Wire['take'] => socket => new Promise((resolve, reject) => {
  server.once('error', reject)
  server.listen(socket, () => {
    server.off('error', reject)
    resolve()
  })
})

const closed = (server: Server, graceMs: number): Promise<void> => new Promise((resolve, reject) => {
  const late = setTimeout(() => server.closeAllConnections(), graceMs)
  server.close(error => {
    clearTimeout(late)
    if (error) reject(error)
    else resolve()
  })
})

const healthPage = (health: NonNullable<WireOptions['health']>): Route => async (request, response) => {
  const allowed = request.method === 'GET'
  const body = JSON.stringify(allowed ? await health() : { message: 'Method not allowed' })
  response.writeHead(allowed ? 200 : 405, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
