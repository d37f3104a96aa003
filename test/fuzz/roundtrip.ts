/**
 * The SDK as oracle: its own client writes a random input, the wire reads it; the wire writes a random output, the client
 * reads it. Nothing goes over a network: the client's request handler is this file.
 *
 * Invariant: what arrives is what was sent, for every operation and member.
 */
import { isDeepStrictEqual } from 'node:util'
import { HttpResponse } from '@smithy/core/protocols'
import type { Operation } from '#kit/schema'
import { protocolFor } from '#wire/protocol'
import type { Subject } from './services.ts'

type Sent = { method: string; body: string }
type Side = { side: 'input' | 'output'; expected: any; actual: any }
export type Failure = Side & { operation: string }
export type Tripper = {
  /** Sends an input and an output through both; lists what differs. */
  trip(operation: Operation, values: { input: object; output: object }): Promise<Failure[]>
  /** The form body that the SDK writes for an input. */
  bodyOf(operation: Operation, input: object): Promise<string>
}

export function openTripper({ sdk, client, service }: Subject): Tripper {
  const protocol = protocolFor(service)
  let handle: (sent: Sent) => string
  const requestHandler = {
    handle: async (request: Sent) => {
      const body = Buffer.from(handle(request))
      return { response: new HttpResponse({ statusCode: 200, headers: { 'content-type': 'text/xml' }, body }) }
    },
  }
  const speaker = new sdk[client]({
    region: 'us-east-1', endpoint: 'http://127.0.0.1:1', maxAttempts: 1, requestHandler,
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
  })
  const decode = (sent: Sent) => protocol.decode(service, { method: sent.method, query: '', body: Buffer.from(sent.body) })
  const send = async (operation: Operation, input: object): Promise<Record<string, unknown>> => {
    const answer = { ...await speaker.send(new sdk[`${operation.name}Command`](input)) }
    delete answer.$metadata
    return answer
  }
  return {
    async trip(operation, { input, output }) {
      let received: Record<string, unknown> = {}
      handle = sent => {
        const decoded = decode(sent)
        if (decoded.operation !== operation) throw new Error(`${operation.name} was read as ${decoded.operation.name}`)
        received = { ...decoded.input }
        return protocol.encode(service, { operation, output, requestId: 'request-1' }).body
      }
      const answer = await send(operation, input)
      for (const name of Object.keys(received)) if (!(name in input) && isAdded(operation, name)) delete received[name]
      const sides: Side[] = [
        { side: 'input', expected: plain(input), actual: plain(received) },
        { side: 'output', expected: plain(output), actual: plain(answer) },
      ]
      return sides.filter(({ expected, actual }) => !isDeepStrictEqual(actual, expected)).map(side => fail(operation, side))
    },
    async bodyOf(operation, input) {
      let body = ''
      handle = sent => {
        body = sent.body
        return protocol.encode(service, { operation, output: {}, requestId: 'request-1' }).body
      }
      await send(operation, input)
      return body
    },
  }
}

/** What the SDK adds by itself: idempotency tokens, and CopySnapshot's presigned request. */
const isAdded = (operation: Operation, name: string) =>
  operation.input.byName.get(name)!.traits.idempotencyToken
  || (operation.name === 'CopySnapshot' && (name === 'DestinationRegion' || name === 'PresignedUrl'))

/** The same data without the classes that the SDK wraps some of it in. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).map(([k, v]) => [k, plain(v)]))
}

/** Only the members that differ, so that a failure can be read. */
function fail(operation: Operation, { side, expected, actual }: Side): Failure {
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)])
  const differing = [...names].filter(name => !isDeepStrictEqual(expected[name], actual[name]))
  const only = (from: any) => Object.fromEntries(differing.map(name => [name, from[name]]))
  return { operation: operation.name, side, expected: only(expected), actual: only(actual) }
}
