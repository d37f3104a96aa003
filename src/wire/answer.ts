/**
 * One request from its first byte to its answer: which service, who asks, decode, dispatch, encode.
 *
 * Invariants: nothing is dispatched that isn't signed by a known key; every request gets an answer in its protocol and
 * one log line, and neither holds a secret or an input.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '#base/clock'
import type { Fields, Log } from '#base/log'
import type { Caller, Principal, Via } from '#kit/caller'
import { ApiError } from '#kit/error'
import { decodeBody, readBody } from '#wire/body'
import { protocolFor, unknownService, type Protocol, type Reply, type WireService } from '#wire/protocol'
import { checkTime, isRefusal, matches, readSignature, same, type Refusal, type Signature } from '#wire/sigv4'
import { replyStream, streamingService } from '#wire/stream'

export type Holder = { secret: string; sessionToken?: string; principal: Principal; expired?: boolean }
/** Who holds an access key, and its secret; undefined where no one does. The token is as sent: it may say whose the key is. */
export type Credentials = (accessKeyId: string, token: string | undefined) => Promise<Holder | undefined>
/** Runs an operation. Throws ApiError for what the caller may know; anything else is logged and answered as an internal error. */
export type Dispatch = (call: { service: string; operation: string; input: object; caller: Caller }) => Promise<object>

export type Door = {
  services: WireService[]
  credentials: Credentials
  dispatch: Dispatch
  log: Log
  clock: Clock
  /** The way from the peer to this door, where the door is one for callers inside of VPCs. */
  origin?(peer: string): Promise<Via | undefined>
  bodyBytes: number
  inflatedBytes: number
  requestMs: number
  idleMs: number
}
/** An HTTP exchange; `busy` when too many others run. */
export type Exchange = { request: IncomingMessage; response: ServerResponse; busy: boolean }

/** Answers a request. Rejects only where no answer can be given. */
export async function answer(door: Door, exchange: Exchange): Promise<void> {
  const started = performance.now()
  const requestId = randomUUID()
  const line: Fields = { requestId }
  let reply: Reply | undefined
  try {
    const work = { ...exchange, requestId, line, body: () => bodyOf(exchange), peer: peer(exchange.request) }
    const service = streamingService(door.services, exchange)
    if (service) exchange.request.socket.setTimeout(door.idleMs)
    reply = service ? await replyStream(door, service, work) : await replyTo(door, work)
    await send(exchange, { reply, requestId })
    if (service) exchange.request.socket.setTimeout(0)
  } catch (cause) {
    // The client went away, or its connection was cut for sending too much or too slowly.
    if (exchange.request.complete && (cause as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw cause
    line.code = 'Aborted'
    exchange.response.destroy()
  } finally {
    door.log.info('wire.request', { ...line, status: reply?.status, ms: Math.round((performance.now() - started) * 10) / 10 })
  }
}

export type Work = Exchange & {
  requestId: string
  line: Fields
  /** The body, which a client that asked whether to send it is told to send now. */
  body(): AsyncIterable<Buffer>
  peer: string
}

function bodyOf({ request, response }: Exchange): IncomingMessage {
  if (request.headers.expect !== undefined && !continued.has(request)) {
    continued.add(request)
    response.writeContinue()
  }
  return request
}
/** Requests whose `Expect: 100-continue` was answered. */
const continued = new WeakSet<IncomingMessage>()

/** A whole small body within the time that it may take; who is slower is cut off. */
async function readInTime(door: Door, { request, response }: Exchange): Promise<Buffer> {
  const late = setTimeout(() => {
    request.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
    request.socket.destroySoon()
  }, door.requestMs)
  try {
    return await readBody(bodyOf({ request, response, busy: false }), door.bodyBytes)
  } finally {
    clearTimeout(late)
  }
}

async function replyTo(door: Door, { request, response, busy, requestId, line, peer }: Work): Promise<Reply> {
  const { path, query } = splitUrl(request.url!)
  const { headers, method = 'GET' } = request
  const signature = readSignature({ query, headers })
  let body: Buffer | ApiError
  try {
    body = await readInTime(door, { request, response, busy })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    body = error
  }
  const text = body instanceof ApiError ? query : `${query}&${body.toString('latin1')}`
  const service = serviceFor(door.services, { signature, version: VERSION.exec(text)?.[1] })
  if (!service) return unknownService({ name: isRefusal(signature) ? '' : signature.service, json: 'x-amz-target' in headers, requestId })
  const protocol = protocolFor(service, headers)
  line.service = service.id
  try {
    if (busy) throw new ApiError('RequestLimitExceeded', 'Request limit exceeded.', 503)
    if (body instanceof ApiError) throw body
    const signed = { method, path, query, headers, body, payload: unsigned(service, headers) }
    const unproved = isRefusal(signature) && signature.reason === 'missing' ? service.anonymous : undefined
    const { region, principal } = unproved ?? await authenticate(door, { protocol, signature, signed })
    line.region = region
    const plain = await decodeBody(body, { encoding: headers['content-encoding'], limit: door.inflatedBytes })
    const { operation, input } = protocol.decode(service, { method, path, query, headers, body: plain })
    line.operation = operation.name
    if (unproved && !unproved.operations?.includes(operation.name)) throw protocol.refuse({ reason: 'missing' })
    const caller = await callerOf(door, { request, requestId, peer }, { principal, region })
    const output = await door.dispatch({ service: service.id, operation: operation.name, input, caller })
    return protocol.encode(service, { operation, output, requestId })
  } catch (cause) {
    const error = cause instanceof ApiError ? cause : protocol.internal()
    if (cause !== error) door.log.error('wire.internal', { ...line, cause })
    line.code = error.code
    return protocol.fail(service, { error, requestId })
  }
}

/** Who calls, and by which way. */
export async function callerOf(
  door: Pick<Door, 'origin'>, { request, requestId, peer }: Pick<Work, 'request' | 'requestId' | 'peer'>, who: Pick<Caller, 'principal' | 'region'>,
): Promise<Caller> {
  const via = await door.origin?.(peer)
  return {
    ...who, requestId, sourceIp: via?.address ?? peer, userAgent: request.headers['user-agent'] ?? '', secure: 'encrypted' in request.socket,
    ...(via && { via }),
  }
}

const VERSION = /(?:^|&)Version=(\d{4}-\d\d-\d\d)(?:&|$)/

/**
 * Services that share a signing name (the two generations of load balancers) and unsigned requests are told apart by the
 * API's version. A signed request of another version is its service's own to refuse or, as EC2 does, to read.
 */
function serviceFor(services: WireService[], { signature, version }: { signature: Signature | Refusal; version?: string }) {
  const signed = !isRefusal(signature)
  const candidates = signed ? services.filter(service => service.signingName === signature.service) : services
  return candidates.find(service => service.version === version) ?? candidates[0]
}

const UNSIGNED = 'UNSIGNED-PAYLOAD'
const unsigned = ({ unsignedPayload }: WireService, headers: IncomingHttpHeaders) =>
  (unsignedPayload && headers['x-amz-content-sha256'] === UNSIGNED ? UNSIGNED : undefined)

type Claim = { protocol: Protocol; signature: Signature | Refusal; signed: Parameters<typeof matches>[0] }

async function authenticate(door: Door, { protocol, signature, signed }: Claim): Promise<{ region: string; principal: Principal }> {
  const refuse = (refusal: Refusal) => protocol.refuse(refusal)
  if (isRefusal(signature)) throw refuse(signature)
  const holder = await door.credentials(signature.accessKeyId, signature.token)
  if (!holder) throw refuse({ reason: 'unknown key' })
  if (!same(signature.token ?? '', holder.sessionToken ?? '')) throw refuse({ reason: 'bad token' })
  if (holder.expired) throw refuse({ reason: 'expired token' })
  const untimely = checkTime(signature, door.clock())
  if (untimely) throw refuse(untimely)
  if (!matches(signed, signature, holder.secret)) throw refuse({ reason: 'mismatch' })
  return { region: signature.region, principal: holder.principal }
}

async function send({ request, response }: Exchange, { reply, requestId }: { reply: Reply; requestId: string }): Promise<void> {
  const { status, contentType, body } = reply
  const streams = typeof body === 'object' && Symbol.asyncIterator in body
  const bytes = streams ? undefined : Buffer.from(body as string)
  const bare = status === 204 || status === 304
  const headers: Record<string, string | number> = { 'x-amzn-requestid': requestId, ...reply.headers }
  if (headers['x-amz-request-id'] !== undefined) delete headers['x-amzn-requestid'] // S3 has names of its own.
  if (!bare) headers['content-type'] = contentType
  if (bytes && !bare && (request.method !== 'HEAD' || bytes.length > 0)) headers['content-length'] = bytes.length
  // A client that was never told to send its body may send it or not: the connection can't be used again.
  if (request.headers.expect !== undefined && !continued.has(request)) headers.connection = 'close'
  response.writeHead(status, headers)
  if (streams && request.method !== 'HEAD') return pipeline(Readable.from(body), response)
  response.end(request.method === 'HEAD' || bare ? undefined : bytes)
}

/** The URL's path and query as sent: what is signed is the text, not its meaning. */
export function splitUrl(url: string): { path: string; query: string } {
  const mark = url.indexOf('?')
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

const peer = (request: IncomingMessage): string => (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
