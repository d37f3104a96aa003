/**
 * The SDK as oracle: its own client writes a random input, the wire reads it; the wire writes a random output, the client
 * reads it. Nothing goes over a network: the client's request handler is this file.
 *
 * Invariant: what arrives is what was sent, for every operation and member.
 */
import { Readable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { HttpResponse } from '@smithy/core/protocols'
import type { Operation } from '#kit/schema'
import { protocolFor, type Protocol, type Reply, type WireRequest } from '#wire/protocol'
import type { Subject } from './services.ts'

type Sent = {
  method: string; path: string; query: Record<string, string | string[] | null>; headers: Record<string, string>; body?: string | Uint8Array
}
type Side = { side: 'input' | 'output'; expected: any; actual: any }
export type Failure = Side & { operation: string }
export type Tripper = {
  /** Sends an input and an output through both; lists what differs. */
  trip(operation: Operation, values: { input: object; output: object }): Promise<Failure[]>
  /** What the SDK sends for an input. */
  requestOf(operation: Operation, input: object): Promise<WireRequest>
}

export function openTripper({ sdk, client, service }: Subject): Tripper {
  // The SDK's JSON reader assigns keys of some maps, and so loses the one that JavaScript treats apart.
  const lost = service.protocol.endsWith('Json') || service.json ? '__proto__' : undefined
  let handle: (request: WireRequest, protocol: Protocol) => Reply
  const requestHandler = {
    handle: async (sent: Sent) => {
      const request = received(sent)
      const { status, contentType, headers, body } = handle(request, protocolFor(service, request.headers))
      const stream = Readable.from([Buffer.from(body as string)])
      return { response: new HttpResponse({ statusCode: status, headers: { 'content-type': contentType, ...headers }, body: stream }) }
    },
  }
  const speaker = new sdk[client]({
    region: 'us-east-1', endpoint: 'http://127.0.0.1:1', maxAttempts: 1, requestHandler,
    requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
  })
  const send = async (operation: Operation, input: object): Promise<Record<string, unknown>> => {
    const answer = { ...await speaker.send(new sdk[`${operation.name}Command`](input)) }
    delete answer.$metadata
    for (const { name, target } of operation.output.members) {
      if (!target.traits.streaming) continue
      const bytes = await (answer[name] as { transformToByteArray(): Promise<Uint8Array> }).transformToByteArray()
      answer[name] = bytes.length > 0 ? bytes : undefined
    }
    return answer
  }
  return {
    async trip(operation, { input, output }) {
      let read: Record<string, unknown> = {}
      handle = (request, protocol) => {
        const decoded = protocol.decode(service, request)
        if (decoded.operation !== operation) throw new Error(`${operation.name} was read as ${decoded.operation.name}`)
        read = { ...decoded.input }
        return protocol.encode(service, { operation, output, requestId: 'request-1' })
      }
      const answer = await send(operation, input)
      for (const name of Object.keys(read)) if (!(name in input) && isAdded(operation, name)) delete read[name]
      const sides: Side[] = [
        { side: 'input', expected: plain(input), actual: plain(read) },
        { side: 'output', expected: plain(output, lost), actual: plain(answer, lost) },
      ]
      return sides.filter(({ expected, actual }) => !isDeepStrictEqual(actual, expected)).map(side => fail(operation, side))
    },
    async requestOf(operation, input) {
      let request: WireRequest | undefined
      handle = (sent, protocol) => {
        request = sent
        return protocol.encode(service, { operation, output: {}, requestId: 'request-1' })
      }
      // An answer with nothing in it is not always one that the client takes.
      await send(operation, input).catch((error: unknown) => { if (!request) throw error })
      return request!
    },
  }
}

/** As the wire gets it from the network. */
function received({ method, path, query: asked, headers: all, body }: Sent): WireRequest {
  const pairs = Object.entries(asked ?? {}).flatMap(([name, value]) => [value].flat().map(one => [name, one ?? '']))
  const query = pairs.map(pair => pair.map(encodeURIComponent as (text: string) => string).join('=')).join('&')
  const headers = Object.fromEntries(Object.entries(all).map(([name, value]) => [name.toLowerCase(), value]))
  return { method, path, query, headers, body: Buffer.from((body ?? '') as string) }
}

/** What the SDK adds by itself: idempotency tokens, S3's checksums and the body's length, and CopySnapshot's presigned request. */
const isAdded = (operation: Operation, name: string) =>
  /^Checksum|^ContentMD5|^ContentLength|^ContentType$/.test(name) || operation.input.byName.get(name)!.traits.idempotencyToken
  || (operation.name === 'CopySnapshot' && (name === 'DestinationRegion' || name === 'PresignedUrl'))

/** The same data without the classes that the SDK wraps some of it in, and without a key that it loses. */
function plain(value: unknown, without?: string): unknown {
  if (Array.isArray(value)) return value.map(item => plain(item, without))
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).filter(([k, v]) => v !== undefined && k !== without).map(([k, v]) => [k, plain(v, without)]))
}

/** Only the members that differ, so that a failure can be read. */
function fail(operation: Operation, { side, expected, actual }: Side): Failure {
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)])
  const differing = [...names].filter(name => !isDeepStrictEqual(expected[name], actual[name]))
  const only = (from: any) => Object.fromEntries(differing.map(name => [name, from[name]]))
  return { operation: operation.name, side, expected: only(expected), actual: only(actual) }
}
