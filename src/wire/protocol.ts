/**
 * What a wire protocol is: how one operation's request is read, and how its reply or error is written.
 *
 * Invariant: a protocol knows schemas and no service. It is chosen for each request, because some services speak several.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Principal } from '#kit/caller'
import type { ApiError } from '#kit/error'
import type { Operation, Shape } from '#kit/schema'
import { awsJson } from '#wire/awsjson'
import { awsQuery } from '#wire/awsquery'
import { ec2Query } from '#wire/ec2query'
import { restJson } from '#wire/restjson'
import { restXml } from '#wire/restxml'
import type { Refusal } from '#wire/sigv4'
import { escapeXml } from '#wire/xml'

export type WireService = {
  id: string
  signingName: string
  /** The API's date, in every Query request; the REST and JSON services don't send it. */
  version: string
  xmlns: string
  protocol: 'ec2Query' | 'awsQuery' | 'awsJson' | 'restJson' | 'restXml'
  /** awsQuery: newer clients speak JSON to it, and are told the older protocol's codes too (Smithy, "awsQueryCompatible"). */
  json?: boolean
  /** Bodies may be left out of the signature, where the request says so (EBS direct, S3). */
  unsignedPayload?: boolean
  operations: Map<string, Operation>
  errors: Map<string, Shape>
  /** restXml: what the service says to browsers. */
  front?: Front
  /** Who asks unsigned, where that is let through: to be authorised (restXml), or for these operations, which have a proof of their own. */
  anonymous?: { principal: Principal; region: string; operations?: readonly string[] }
}

type Head = { method: string; path: string; query: string; headers: IncomingHttpHeaders }
/** Answers beside the API: both are asked before the request is authenticated, and tell only what anybody may know. */
export type Front = {
  /** The whole answer to what is no call (a preflight, a website's page); `call` runs an operation as nobody. */
  page(asked: Head, call: (operation: string, input: object) => Promise<object>): Promise<Reply | undefined>
  /** Headers for the answer to a call. */
  headers(asked: Head): Promise<Record<string, string>>
}

/** A request as a protocol reads it: authentic, inflated, not understood yet. */
export type WireRequest = { method: string; path: string; query: string; headers: IncomingHttpHeaders; body: Buffer }
export type Decoded = { operation: Operation; input: object }
export type Reply = { status: number; contentType: string; headers?: Record<string, string>; body: string | Uint8Array | AsyncIterable<Uint8Array> }

export type Protocol = {
  /** The operation that is asked for and its input. Throws ApiError. */
  decode(service: WireService, request: WireRequest): Decoded
  encode(service: WireService, answer: { operation: Operation; output: object; requestId: string }): Reply
  fail(service: WireService, failure: { error: ApiError; requestId: string }): Reply
  /** AWS's error for a request whose signature is refused. */
  refuse(refusal: Refusal): ApiError
  /** AWS's error for whatever is our own fault. */
  internal(): ApiError
}

const protocols: Record<WireService['protocol'], Protocol> = { ec2Query, awsQuery, awsJson: awsJson('1.1'), restJson, restXml }
const awsJson10 = awsJson('1.0')

/** The protocol of a request to this service. */
export function protocolFor({ protocol, json }: WireService, headers: IncomingHttpHeaders = {}): Protocol {
  const speaksJson = protocol === 'awsJson' || json
  return speaksJson && headers['content-type']?.startsWith('application/x-amz-json-1.0') ? awsJson10 : protocols[protocol]
}

/**
 * The answer to a request for a service that isn't there, before any protocol is known: JSON where the request speaks it,
 * otherwise the XML that every XML client reads.
 */
export function unknownService({ name, json, requestId }: { name: string; json: boolean; requestId: string }): Reply {
  const message = `Enclume has no service ${JSON.stringify(name)}.`
  const code = 'UnsupportedOperation'
  if (json) return { status: 400, contentType: 'application/x-amz-json-1.1', body: JSON.stringify({ __type: code, message }) }
  const error = `<Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message>`
  return {
    status: 400, contentType: 'text/xml', body: `<ErrorResponse><Error>${error}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
  }
}
