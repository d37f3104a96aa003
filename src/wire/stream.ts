/**
 * S3's requests: authenticated by their head alone, their bodies streaming through to the action.
 *
 * Invariants: as in answer.ts; and a body that is not streamed is bounded, and checked against every digest that the
 * request gives before the operation runs.
 */
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { ALGORITHMS, checksumOf } from '#base/checksum'
import type { Principal, Proof } from '#kit/caller'
import { ApiError } from '#kit/error'
import type { Payload } from '#kit/payload'
import { callerOf, splitUrl, type Door, type Work } from '#wire/answer'
import { bindingsOf } from '#wire/bindings'
import { isPayloadHash, openPayload, type FrameKey } from '#wire/payload'
import type { Reply, WireService } from '#wire/protocol'
import { bucketOfHost, decodeXml, restXml, routeXml } from '#wire/restxml'
import { oldSignatureOf, readOldSignature } from '#wire/sigv2'
import { checkTime, isRefusal, matches, parseTime, readSignature, S3_SKEW_MS, same, signingKey, type Refusal, type Signature } from '#wire/sigv4'

/** The service whose requests stream, where this request is for it: signed for it, or unsigned and for no Query service. */
export function streamingService(services: WireService[], { request }: Pick<Work, 'request'>): WireService | undefined {
  const service = services.find(({ protocol }) => protocol === 'restXml')
  if (!service) return undefined
  const { path, query } = splitUrl(request.url!)
  const { headers } = request
  const signature = readSignature({ query, headers })
  if (!isRefusal(signature)) return signature.service === service.signingName ? service : undefined
  if (headers.authorization?.includes(`/${service.signingName}/aws4_request`)) return service
  const unsigned = signature.reason === 'missing' && headers['x-amz-target'] === undefined
  return unsigned && (path !== '/' || bucketOfHost(headers.host) !== undefined) ? service : undefined
}

export async function replyStream(door: Door, service: WireService, work: Work): Promise<Reply> {
  const { request, requestId, line, busy } = work
  line.service = service.id
  const { path, query } = splitUrl(request.url!)
  const { headers, method = 'GET' } = request
  const asked = { method, path, query, headers }
  let more: Record<string, string> = {}
  let reply: Reply
  try {
    if (busy) throw new ApiError('SlowDown', 'Please reduce your request rate.', 503)
    const page = await service.front?.page(asked, async (operation, input) =>
      door.dispatch({ service: service.id, operation, input, caller: await callerOf(door, work, service.anonymous!) }))
    if (page) return page
    more = await service.front?.headers(asked) ?? {}
    const { region, principal, frameKey, payloadHash, proof } = await authenticate(door, service, asked)
    line.region = region
    const match = routeXml(service, asked)
    line.operation = match.operation.name
    const streamed = match.operation.input.kind === 'unit' ? undefined : bindingsOf(match.operation.input).payload
    // Asked for when it is read: until then a client that waits to be told has not been told to send it.
    const source = { [Symbol.asyncIterator]: () => work.body()[Symbol.asyncIterator]() }
    const payload = openPayload(source, { headers, payloadHash, frameKey })
    const streams = streamed?.target.traits.streaming === 1
    const body = streams ? Buffer.alloc(0) : await collect(payload, headers, door.bodyBytes)
    const input = decodeXml(match, { ...asked, body })
    if (streams) input[streamed!.name] = payload
    const { socket } = work.request
    const tls = 'encrypted' in socket ? (socket as TLSSocket).getProtocol()?.replace(/^TLSv/, '') : undefined
    const caller = { ...await callerOf(door, work, { principal, region }), proof: { ...proof, tls } }
    const output = await door.dispatch({ service: service.id, operation: match.operation.name, input, caller })
    reply = restXml.encode(service, { operation: match.operation, output, requestId })
  } catch (cause) {
    if (!(cause instanceof ApiError) && !request.complete && request.destroyed) throw cause
    const error = cause instanceof ApiError ? cause : restXml.internal()
    if (cause !== error) door.log.error('wire.internal', { ...line, cause })
    line.code = error.code
    reply = restXml.fail(service, { error, requestId })
  }
  return { ...reply, headers: { ...reply.headers, ...more } }
}

type Asked = { method: string; path: string; query: string; headers: Work['request']['headers'] }
type Authentic = { region: string; principal: Principal; frameKey?: FrameKey; payloadHash: string; proof?: Proof }

async function authenticate(door: Door, service: WireService, asked: Asked): Promise<Authentic> {
  const parameters = new URLSearchParams(asked.query)
  const signature = readSignature(asked)
  const presigned = asked.headers.authorization === undefined
  const refuse = (refusal: Refusal) => restXml.refuse({ ...refusal, presigned })
  if (asked.headers.authorization?.startsWith('AWS ')) {
    throw new ApiError('InvalidRequest', 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.')
  }
  const given = asked.headers['x-amz-content-sha256']?.toString()
  if (given !== undefined && !isPayloadHash(given)) {
    throw new ApiError('InvalidArgument', 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- value or a valid sha256 value.')
  }
  if (isRefusal(signature)) {
    const old = signature.reason === 'missing' && parameters.has('AWSAccessKeyId')
    if (old) return authenticateOld(door, asked, parameters)
    if (signature.reason === 'missing' && service.anonymous) {
      return { region: service.anonymous.region, principal: service.anonymous.principal, payloadHash: given ?? 'UNSIGNED-PAYLOAD' }
    }
    throw refuse(signature)
  }
  if (given === undefined && !presigned) {
    throw new ApiError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
  }
  const holder = await door.credentials(signature.accessKeyId, signature.token)
  if (!holder) throw refuse({ reason: 'unknown key' })
  if (!same(signature.token ?? '', holder.sessionToken ?? '')) throw refuse({ reason: 'bad token' })
  if (holder.expired) throw refuse({ reason: 'expired token' })
  const untimely = checkTime(signature, door.clock(), S3_SKEW_MS)
  if (untimely) throw refuse(untimely)
  const open = Object.keys(asked.headers).find(name => name.startsWith('x-amz-') && !signature.signedHeaders.includes(name)
    && name !== 'x-amz-content-sha256')
  if (open) throw refuse({ reason: 'unsigned header', detail: open })
  const payloadHash = given ?? 'UNSIGNED-PAYLOAD'
  const signed = { ...asked, body: Buffer.alloc(0), payload: payloadHash, plainPath: true }
  if (!matches(signed, signature, holder.secret)) throw refuse({ reason: 'mismatch' })
  const proof: Proof = {
    version: 'AWS4-HMAC-SHA256', payloadHash, ...(presigned
      ? { type: 'REST-QUERY-STRING', ageMs: Math.max(0, door.clock().getTime() - parseTime(signature.time)) } : { type: 'REST-HEADER' }),
  }
  return { region: signature.region, principal: holder.principal, payloadHash, frameKey: frameKeyOf(signature, holder.secret), proof }
}

const frameKeyOf = ({ date, region, service, time, signature }: Signature, secret: string): FrameKey =>
  ({ key: signingKey({ secret, date, region, service }), scope: `${date}/${region}/${service}/aws4_request`, time, seed: signature })

/** A version 2 link has no region; it is the default one's. */
async function authenticateOld(door: Door, asked: Asked, query: URLSearchParams): Promise<Authentic> {
  const old = readOldSignature(query)
  const refuse = (reason: Refusal['reason']) => restXml.refuse({ reason, presigned: true })
  if (!old) throw new ApiError('AccessDenied', 'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters', 403)
  const holder = await door.credentials(old.accessKeyId, old.token)
  if (!holder) throw refuse('unknown key')
  if (!same(old.token ?? '', holder.sessionToken ?? '')) throw refuse('bad token')
  if (holder.expired) throw refuse('expired token')
  if (old.expires * 1000 < door.clock().getTime()) throw refuse('expired')
  if (!same(oldSignatureOf({ ...asked, query }, old, holder.secret), old.signature)) throw refuse('mismatch')
  const proof: Proof = { version: 'AWS', type: 'REST-QUERY-STRING', ageMs: 0 }
  return { region: 'us-east-1', principal: holder.principal, payloadHash: 'UNSIGNED-PAYLOAD', proof }
}

/** The whole of a small body, which is what its Content-MD5 and checksums say. */
async function collect(payload: Payload, headers: Asked['headers'], limit: number): Promise<Buffer> {
  if ((payload.length ?? 0) > limit) throw new ApiError('MaxMessageLengthExceeded', 'Your request was too big.')
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of payload) {
    size += piece.length
    if (size > limit) throw new ApiError('MaxMessageLengthExceeded', 'Your request was too big.')
    pieces.push(piece)
  }
  const body = Buffer.concat(pieces, size)
  const md5 = headers['content-md5']
  if (md5 !== undefined && createHash('md5').update(body).digest('base64') !== md5) {
    throw new ApiError('BadDigest', 'The Content-MD5 you specified did not match what we received.')
  }
  for (const algorithm of ALGORITHMS) {
    const name = `x-amz-checksum-${algorithm.toLowerCase()}`
    const given = headers[name] ?? payload.trailers[name]
    if (given !== undefined && checksumOf(algorithm, body) !== given) {
      throw new ApiError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`)
    }
  }
  return body
}
