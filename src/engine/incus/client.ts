/**
 * Incus's REST interface: plain requests, and acts whose background operation is waited for.
 *
 * Invariant: an answer of Incus that says no is an IncusError with its status; everything that kept an answer from coming
 * is Unreachable. Nobody mistakes an outage for an absence.
 */
import http from 'node:http'
import type { Duplex } from 'node:stream'
import { readMessages, upgradeHeaders } from '#engine/incus/websocket'

type Request = { method: string; path: string; body?: string }
/** How requests reach a daemon: its unix socket now; HTTPS with a client certificate would be another one of these. */
export type Transport = {
  request(options: Request): Promise<http.IncomingMessage>
  /** A WebSocket: its connection, with the first bytes that came on it. */
  upgrade(path: string, signal: AbortSignal): Promise<{ socket: Duplex; head: Buffer }>
}

/** Incus understood and refused, or its operation failed (status 400). */
export class IncusError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** No answer: whether the act was done is not known. */
export class Unreachable extends Error {}

/** A connection for each request: one kept from before would belong to a daemon that may have been replaced. */
export function unixTransport(socketPath: string): Transport {
  const unreachable = (what: string, cause: unknown) => new Unreachable(`${what}: no answer from Incus`, { cause })
  return {
    request: ({ method, path, body }) => new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const request = http.request({ socketPath, method, path, headers, agent: false }, resolve)
      request.on('error', cause => reject(unreachable(`${method} ${path}`, cause)))
      request.end(body)
    }),
    upgrade: (path, signal) => new Promise((resolve, reject) => {
      const request = http.request({ socketPath, path, headers: upgradeHeaders(), signal, agent: false })
      request.on('upgrade', (_, socket, head) => resolve({ socket, head }))
      request.on('response', response => {
        response.resume()
        reject(new IncusError(response.statusCode ?? 0, `${path}: no WebSocket`))
      })
      request.on('error', cause => reject(unreachable(path, cause)))
      request.end()
    }),
  }
}

type Reply = { type: 'sync' | 'async' | 'error'; metadata: unknown; error?: string; error_code?: number }
type Operation = { id: string; status_code: number; err: string }
const FAILED = 400

export type Client = {
  /** The storage pool that disks lie in. */
  readonly pool: string
  get<T>(path: string): Promise<T>
  /** Undefined where Incus says that there is no such thing. */
  find<T>(path: string): Promise<T | undefined>
  /** Sends, and returns when the operation behind it has ended. */
  act(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<void>
  /** Each message of a stream that goes on until `signal` aborts or the daemon ends; then it returns or is Unreachable. */
  messages(path: string, each: (message: string) => void, signal: AbortSignal): Promise<void>
}

export function openClient(transport: Transport, pool = 'pool'): Client {
  async function call(method: string, path: string, body?: unknown): Promise<Reply> {
    const response = await transport.request({ method, path, body: body === undefined ? undefined : JSON.stringify(body) })
    const reply = parse(await whole(response), `${method} ${path}`)
    if (reply.type !== 'error') return reply
    throw new IncusError(reply.error_code ?? response.statusCode ?? 0, `${method} ${path}: ${reply.error}`)
  }
  async function find<T>(path: string): Promise<T | undefined> {
    try {
      return (await call('GET', path)).metadata as T
    } catch (error) {
      if (error instanceof IncusError && error.status === 404) return undefined
      throw error
    }
  }
  return {
    pool,
    get: async <T>(path: string) => (await call('GET', path)).metadata as T,
    find,
    async act(method, path, body) {
      const reply = await call(method, path, body)
      if (reply.type !== 'async') return
      const { id } = reply.metadata as Operation
      const done = (await call('GET', `/1.0/operations/${id}/wait`)).metadata as Operation
      if (done.status_code >= FAILED) throw new IncusError(done.status_code, `${method} ${path}: ${done.err}`)
    },
    async messages(path, each, signal) {
      const { socket, head } = await transport.upgrade(path, signal)
      const abort = () => socket.destroy()
      signal.addEventListener('abort', abort, { once: true })
      try {
        await readMessages(socket, head, each)
      } catch (cause) {
        throw new Unreachable(`${path}: the stream broke off`, { cause })
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
  }
}

async function whole(response: http.IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  try {
    for await (const part of response) parts.push(part as Buffer)
  } catch (cause) {
    throw new Unreachable('Incus broke off its answer', { cause })
  }
  return Buffer.concat(parts)
}

function parse(body: Buffer, what: string): Reply {
  try {
    return JSON.parse(body.toString()) as Reply
  } catch (cause) {
    throw new Unreachable(`${what}: the answer is not Incus's`, { cause })
  }
}
