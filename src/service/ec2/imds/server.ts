/**
 * The Instance Metadata Service over HTTP. Who asks is told by the address it asks from, which the network makes true.
 *
 * Invariants: no request, however malformed, ends the process or reaches another instance's data; every request is bounded in size, time
 * and number; nothing is answered before the caller is known. Rules and codes: EC2 User Guide, "Use IMDSv2" and "Query the IMDS".
 */
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '#base/clock'
import type { Log } from '#base/log'
import type { Delivery } from '#kit/caller'
import type { Metadata } from '#service/ec2/imds/metadata'
import { limiter } from '#service/ec2/imds/limiter'
import type { Signer } from '#service/ec2/imds/signer'
import { makeToken, MAX_TTL_SECONDS, tokenLeftMs } from '#service/ec2/imds/token'
import { lookup as find, type Found } from '#service/ec2/imds/tree'

export type ImdsOptions = {
  host: string
  /** 0 takes any free port. */
  port: number
  /** The instance behind an address, which asks by this version of the protocol; undefined for an address that nobody has. */
  lookup(remoteAddress: string, delivery: Delivery): Promise<Metadata | undefined>
  /** Signs session tokens; the same after a restart, so that tokens go on working. */
  secret: Uint8Array
  signer: Signer
  /** Told of each answer that was given without a session token. */
  withoutToken?(instance: string): void
  clock: Clock
  log: Log
}
export type Imds = { port: number; close(): Promise<void> }

const TOKEN_PATH = '/latest/api/token'
const TTL = 'x-aws-ec2-metadata-token-ttl-seconds'
const TOKEN = 'x-aws-ec2-metadata-token'
const LIMITS = { headerBytes: 8192, headers: 64, requestMs: 5_000, connections: 4096, connectionsOfOne: 128 }

const TITLES: Record<number, string> = {
  400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 408: 'Request Timeout',
  431: 'Request Header Fields Too Large', 500: 'Internal Server Error', 503: 'Service Unavailable',
}

type Answer = { status: number; body: string | Uint8Array; headers?: OutgoingHttpHeaders }

/** Errors are small pages of XHTML, as of the web server that AWS uses. */
function failure(status: number, headers: OutgoingHttpHeaders = {}): Answer {
  const title = `${status} - ${TITLES[status]}`
  const body = [
    '<?xml version="1.0" encoding="iso-8859-1"?>',
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">',
    '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">', ' <head>', `  <title>${title}</title>`, ' </head>',
    ' <body>', `  <h1>${title}</h1>`, ' </body>', '</html>', '',
  ]
  return { status, body: body.join('\n'), headers: { 'content-type': 'text/html', ...headers } }
}

/** One header as text; several of a name are as wrong as none. */
const header = (request: IncomingMessage, name: string): string | undefined => {
  const values = request.headersDistinct[name]
  return values?.length === 1 ? values[0] : values && values.length > 1 ? '' : undefined
}

type Asked = { request: IncomingMessage; path: string; metadata: Metadata; now: Date; options: ImdsOptions }

function putToken({ request, path, metadata, now, options }: Asked): Answer {
  if (path !== TOKEN_PATH) return failure(405, { allow: 'GET, HEAD' })
  // An open proxy or a firewall in front of the instance adds this header: the caller is not the instance itself.
  if (request.headers['x-forwarded-for'] !== undefined) return failure(403)
  const ttl = header(request, TTL)
  if (ttl === undefined || !/^\d{1,5}$/.test(ttl) || Number(ttl) < 1 || Number(ttl) > MAX_TTL_SECONDS) return failure(400)
  const body = makeToken(Number(ttl), { secret: options.secret, owner: metadata.instanceId, now })
  return { status: 200, body, headers: { 'content-type': 'text/plain', [TTL]: String(Number(ttl)) } }
}

function get({ request, path, metadata, now, options }: Asked): Answer {
  if (path === TOKEN_PATH) return failure(405, { allow: 'PUT' })
  const token = header(request, TOKEN)
  const left = token === undefined ? undefined : tokenLeftMs(token, { secret: options.secret, owner: metadata.instanceId, now })
  // A wrong token is refused also where none is needed.
  if (left === undefined && (token !== undefined || metadata.options.tokensRequired)) return failure(401)
  const found: Found | undefined = find(metadata, path, options.signer)
  if (!found) return failure(404)
  if (left === undefined) options.withoutToken?.(metadata.instanceId)
  return {
    status: 200, body: found.body,
    headers: {
      'content-type': found.contentType, 'accept-ranges': 'none', 'last-modified': metadata.pendingTime.toUTCString(),
      ...(found.tag === undefined ? {} : { etag: `"${found.tag}"` }),
      ...(left === undefined ? {} : { [TTL]: String(Math.floor(left / 1000)) }),
    },
  }
}

async function answer(request: IncomingMessage, caller: string, options: ImdsOptions): Promise<Answer> {
  const metadata = await options.lookup(caller, request.headers[TOKEN] === undefined ? '1.0' : '2.0')
  if (!metadata) return failure(404)
  if (!metadata.options.endpointEnabled) return failure(403)
  // Clients that think IMDS is a proxy send whole URLs.
  const path = (request.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '')
  const asked = { request, path, metadata, now: options.clock(), options }
  if (request.method === 'PUT') return putToken(asked)
  if (request.method === 'GET' || request.method === 'HEAD') return get(asked)
  return failure(405, { allow: path === TOKEN_PATH ? 'PUT' : 'GET, HEAD' })
}

/** Sends an answer; the connection ends with it, as AWS's does, so that a body nobody asked for is never read. */
function send(response: ServerResponse, method: string | undefined, { status, body, headers }: Answer): void {
  const bytes = Buffer.from(body as string)
  response.writeHead(status, { server: 'EC2ws', connection: 'close', 'content-length': bytes.length, ...headers })
  response.end(method === 'HEAD' ? undefined : bytes)
}

/** What the parser refused: answered if the other side still listens, never raised. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  socket.end(`HTTP/1.1 ${status} ${TITLES[status]}\r\nServer: EC2ws\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  // A peer that does not close its side is not waited for.
  socket.setTimeout(LIMITS.requestMs, () => socket.destroy())
}

const callerOf = (socket: Socket): string => (socket.remoteAddress ?? '').replace(/^::ffff:/, '')

/** No instance may hold all of the server's connections. */
function shareConnections(server: Server): void {
  const open = new Map<string, number>()
  server.on('connection', socket => {
    const caller = callerOf(socket)
    const count = (open.get(caller) ?? 0) + 1
    open.set(caller, count)
    socket.on('close', () => {
      const left = open.get(caller)! - 1
      if (left === 0) open.delete(caller)
      else open.set(caller, left)
    })
    if (count > LIMITS.connectionsOfOne) socket.destroy()
  })
}

/** Listens; resolves when it does, rejects where it can't. */
export async function openImds(options: ImdsOptions): Promise<Imds> {
  const allow = limiter(options.clock)
  const { headerBytes: maxHeaderSize, requestMs } = LIMITS
  const server = createServer({ maxHeaderSize, requestTimeout: requestMs, headersTimeout: requestMs, connectionsCheckingInterval: 1_000 })
  server.maxHeadersCount = LIMITS.headers
  server.maxConnections = LIMITS.connections
  shareConnections(server)
  server.on('clientError', refuse)
  server.on('request', (request, response) => {
    const caller = callerOf(request.socket)
    const reply = (result: Answer): void => {
      send(response, request.method, result)
      options.log.debug('imds', { caller, method: request.method, path: request.url, status: result.status })
    }
    response.on('error', error => options.log.debug('imds.unanswered', { caller, error }))
    if (!allow(caller)) return reply(failure(503))
    const failed = (error: unknown): Answer => {
      options.log.error('imds.failed', { caller, method: request.method, path: request.url, error })
      return failure(500)
    }
    answer(request, caller, options).catch(failed).then(reply).catch(error => { failed(error); request.socket.destroy() })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port }, () => { server.off('error', reject); resolve() })
  })
  server.on('error', error => options.log.error('imds.server', { error }))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise(resolve => { server.close(() => resolve()); server.closeAllConnections() }),
  }
}
