/**
 * restXml, S3's protocol: the operation by method, bucket and path; members in the path, query, headers and an XML body.
 *
 * Invariant: a bucket that the host names (virtual-host style) has left the path before anything is matched, as one in
 * the path has, so that both styles mean the same.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { ApiError } from '#kit/error'
import { bindingsOf, readBindings, writeHeaders, type Match } from '#wire/bindings'
import type { Protocol, Reply, WireService } from '#wire/protocol'
import { routerOf } from '#wire/restjson'
import { escapeXml, openXml } from '#wire/xml'
import { parseXml, XmlError } from '#wire/xmlparse'
import { readXml } from '#wire/xmlread'

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
const contentType = 'application/xml'
const writeMembers = openXml({ millis: true })

/** Hosts that name no bucket are addresses, localhost itself and S3's own endpoints. */
const VIRTUAL = /^(.+?)\.(?:s3(?:[.-][a-z0-9-]+)*\.(?:localhost|amazonaws\.com(?:\.cn)?)|localhost)$/i
const ENDPOINT = /^s3(?:[.-][a-z0-9-]+)*$/i

/** An interface endpoint's names: what is below `bucket` is a bucket (S3 User Guide, "AWS PrivateLink for Amazon S3"). */
const INSIDE = /^(?:(?:(.+)\.)?bucket\.)?(?:[a-z]+\.)?vpce-[0-9a-z-]+\.s3\.[a-z0-9-]+\.vpce\.amazonaws\.com$/i

/** The bucket that a Host header names, if it does. */
export function bucketOfHost(given: string | undefined): string | undefined {
  const host = (given ?? '').replace(/:\d+$/, '')
  const inside = INSIDE.exec(host)
  if (inside) return inside[1]
  const bucket = VIRTUAL.exec(host)?.[1]
  return bucket === undefined || ENDPOINT.test(bucket) ? undefined : bucket
}

export type Addressed = { bucket: string | undefined; path: string }

/** Which bucket a request is for, and its path within it. */
export function addressOf({ path, headers }: { path: string; headers: IncomingHttpHeaders }): Addressed {
  const named = bucketOfHost(headers.host)
  if (named !== undefined) return { bucket: named, path }
  const end = path.indexOf('/', 1)
  const text = end < 0 ? path.slice(1) : path.slice(1, end)
  if (text === '') return { bucket: undefined, path: '/' }
  try {
    return { bucket: decodeURIComponent(text), path: end < 0 ? '/' : path.slice(end) }
  } catch {
    throw new ApiError('InvalidURI', "Couldn't parse the specified URI.")
  }
}

type Asked = { method: string; path: string; query: string; headers: IncomingHttpHeaders }

/** The operation that is asked for. Throws MethodNotAllowed. */
export function routeXml(service: WireService, { method, path, query, headers }: Asked): Match {
  const { bucket, path: rest } = addressOf({ path, headers })
  const match = routerOf(service)({ method, path: rest, query: new URLSearchParams(query), headers, bucket: bucket !== undefined })
  if (!match) throw new ApiError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405)
  return { operation: match.operation, labels: bucket === undefined ? match.labels : { ...match.labels, Bucket: bucket } }
}

const invalid = (name: string, value: string) => new ApiError('InvalidArgument', `The value ${JSON.stringify(value)} of ${name} is invalid.`)
const malformed = () =>
  new ApiError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema')

/** What a presigned request's query says in a header's stead. */
function hoisted(query: URLSearchParams, headers: IncomingHttpHeaders): IncomingHttpHeaders {
  if (!query.has('X-Amz-Signature')) return headers
  const more = [...query].filter(([name]) => name.startsWith('x-amz-') && headers[name] === undefined)
  return more.length > 0 ? { ...Object.fromEntries(more), ...headers } : headers
}

/** The input of a routed request; a body that streams is not among it. */
export function decodeXml({ operation, labels }: Match, asked: Asked & { body: Buffer }): Record<string, unknown> {
  const shape = operation.input
  if (shape.kind === 'unit') return {}
  const query = new URLSearchParams(asked.query)
  const input = readBindings(shape, { labels, query, headers: hoisted(query, asked.headers) }, invalid)
  const { payload, body: members } = bindingsOf(shape)
  const { body } = asked
  if (payload?.target.kind === 'blob') input[payload.name] = new Uint8Array(body)
  else if (payload?.target.kind === 'string') input[payload.name] = body.toString('utf8')
  else if (body.length > 0 && (payload || members.length > 0)) {
    try {
      const root = parseXml(body.toString('utf8'))
      if (payload) input[payload.name] = readXml(payload.target, root)
      else Object.assign(input, readXml(shape, root))
    } catch (error) {
      if (error instanceof XmlError) throw malformed()
      throw error
    }
  }
  return input
}

const tail = (requestId: string): Record<string, string> =>
  ({ 'x-amz-request-id': requestId, 'x-amz-id-2': Buffer.from(requestId).toString('base64') })

export const restXml: Protocol = {
  decode(service, request) {
    const match = routeXml(service, request)
    return { operation: match.operation, input: decodeXml(match, request) }
  },

  encode(service, { operation, output, requestId }): Reply {
    const shape = operation.output
    const status = operation.traits.http?.[2] ?? 200
    if (shape.kind === 'unit') return { status, contentType, headers: tail(requestId), body: '' }
    const given = output as Record<string, any>
    const headers = { ...tail(requestId), ...writeHeaders(shape, given) }
    const { payload, body: members, status: own } = bindingsOf(shape)
    // A part of an object has a status of its own, which the schemas don't tell.
    const common = { status: (own && given[own.name]) ?? (given.ContentRange === undefined ? status : 206), headers }
    const open = (name: string) => `${DECLARATION}<${name} xmlns="${service.xmlns}">`
    if (payload) {
      const value = given[payload.name]
      const { kind, traits, name } = payload.target
      if (kind === 'blob') return { ...common, contentType: headers['content-type'] ?? 'binary/octet-stream', body: value ?? '' }
      if (kind === 'string') return { ...common, contentType: headers['content-type'] ?? 'text/plain', body: value ?? '' }
      if (value === undefined) return { ...common, contentType, body: '' }
      const root = payload.traits.xmlName ?? traits.xmlName ?? name
      return { ...common, contentType, body: `${open(root)}${writeMembers(payload.target, value)}</${root}>` }
    }
    if (members.length === 0) return { ...common, contentType: headers['content-type'] ?? contentType, body: '' }
    // Its result is the element itself (the trait s3UnwrappedXmlOutput, which the schemas lack).
    if (operation.name === 'GetBucketLocation') {
      return { ...common, contentType, body: `${open('LocationConstraint')}${escapeXml(given.LocationConstraint ?? '')}</LocationConstraint>` }
    }
    const root = shape.traits.xmlName ?? shape.name
    const inBody = Object.fromEntries(members.map(({ name }) => [name, given[name]]))
    for (const name in given) if (!shape.byName.has(name)) throw new TypeError(`${shape.name} has no member ${name}`)
    return { ...common, contentType, body: `${open(root)}${writeMembers(shape, inBody)}</${root}>` }
  },

  fail(_service, { error, requestId }) {
    // S3 has a name of its own for what is not there (API Reference, "Error responses").
    const [code, status] = error.code === 'UnsupportedOperation' ? ['NotImplemented', 501] : [error.code, error.status]
    const headers = tail(requestId)
    if (status === 304) return { status, contentType, headers: { ...headers, etag: String(error.fields.ETag ?? '') }, body: '' }
    const fields = Object.entries(error.fields).map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`).join('')
    const detail = `<Code>${escapeXml(code)}</Code><Message>${escapeXml(error.message)}</Message>${fields}`
    const ids = `<RequestId>${requestId}</RequestId><HostId>${headers['x-amz-id-2']}</HostId>`
    return { status, contentType, headers, body: `${DECLARATION}<Error>${detail}${ids}</Error>` }
  },

  refuse({ reason, detail, presigned }) {
    switch (reason) {
      case 'missing': return new ApiError('AccessDenied', 'Access Denied', 403)
      case 'incomplete': return new ApiError(presigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed', detail ?? '')
      case 'bad region': return new ApiError('AuthorizationHeaderMalformed', 'The authorization header is malformed; the region is wrong')
      case 'expired': case 'early':
        return presigned ? new ApiError('AccessDenied', 'Request has expired', 403)
          : new ApiError('RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.', 403)
      case 'unsigned header': return new ApiError('AccessDenied', 'There were headers present in the request which were not signed', 403,
        { HeadersNotSigned: detail })
      case 'unknown key':
        return new ApiError('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', 403)
      case 'bad token': return new ApiError('InvalidToken', 'The provided token is malformed or otherwise invalid.')
      case 'expired token': return new ApiError('ExpiredToken', 'The provided token has expired.')
      case 'mismatch': return new ApiError('SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.', 403)
    }
  },

  internal: () => new ApiError('InternalError', 'We encountered an internal error. Please try again.', 500),
}
