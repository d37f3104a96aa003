/**
 * One request from its first byte to its answer: which service, who asks, decode, dispatch, encode.
 *
 * Invariants: nothing is dispatched that isn't signed by a known key; every request gets an answer in its protocol and
 * one log line, and neither holds a secret or an input.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '#base/clock'
import type { Fields, Log } from '#base/log'
import type { Caller, Principal } from '#kit/caller'
import { ApiError } from '#kit/error'
import { decodeBody, readBody } from '#wire/body'
import { protocolFor, unknownService, type Protocol, type Reply, type WireService } from '#wire/protocol'
import { checkTime, isRefusal, matches, readSignature, same, type Refusal, type Signature } from '#wire/sigv4'

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
  bodyBytes: number
  inflatedBytes: number
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
    reply = await replyTo(door, { ...exchange, requestId, line })
    send(exchange.response, { reply, requestId })
  } catch (cause) {
    // The client went away, or its connection was cut for sending too much or too slowly.
    if (exchange.request.complete) throw cause
    line.code = 'Aborted'
    exchange.response.destroy()
  } finally {
    door.log.info('wire.request', { ...line, status: reply?.status, ms: Math.round((performance.now() - started) * 10) / 10 })
  }
}

type Work = Exchange & { requestId: string; line: Fields }

async function replyTo(door: Door, { request, busy, requestId, line }: Work): Promise<Reply> {
  const { path, query } = splitUrl(request.url!)
  const { headers, method = 'GET' } = request
  const signature = readSignature({ query, headers })
  let body: Buffer | ApiError
  try {
    body = await readBody(request, door.bodyBytes)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    body = error
  }
  const text = body instanceof ApiError ? query : `${query}&${body.toString('latin1')}`
  const service = serviceFor(door.services, { signature, version: VERSION.exec(text)?.[1] })
  if (!service) return unknownService({ name: isRefusal(signature) ? '' : signature.service, json: 'x-amz-target' in headers, requestId })
  const protocol = protocolFor(service)
  line.service = service.id
  try {
    if (busy) throw new ApiError('RequestLimitExceeded', 'Request limit exceeded.', 503)
    if (body instanceof ApiError) throw body
    const { region, principal } = await authenticate(door, { protocol, signature, signed: { method, path, query, headers, body } })
    line.region = region
    const plain = await decodeBody(body, { encoding: headers['content-encoding'], limit: door.inflatedBytes })
    const { operation, input } = protocol.decode(service, { method, query, body: plain })
    line.operation = operation.name
    const caller: Caller = { principal, region, requestId, sourceIp: peer(request), userAgent: headers['user-agent'] ?? '' }
    const output = await door.dispatch({ service: service.id, operation: operation.name, input, caller })
    return protocol.encode(service, { operation, output, requestId })
  } catch (cause) {
    const error = cause instanceof ApiError ? cause : protocol.internal()
    if (cause !== error) door.log.error('wire.internal', { ...line, cause })
    line.code = error.code
    return protocol.fail(service, { error, requestId })
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

function send(response: ServerResponse, { reply, requestId }: { reply: Reply; requestId: string }): void {
  const body = Buffer.from(reply.body)
  response.writeHead(reply.status, { 'x-amzn-requestid': requestId, 'content-type': reply.contentType, 'content-length': body.length })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

/** The URL's path and query as sent: what is signed is the text, not its meaning. */
export function splitUrl(url: string): { path: string; query: string } {
  const mark = url.indexOf('?')
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

const peer = (request: IncomingMessage): string => (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
