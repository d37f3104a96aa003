/**
 * Verifies AWS Signature Version 4, in the Authorization header or presigned in the query string.
 *
 * Invariant: a request is let through only if its method, path, query, signed headers and body are those that the holder
 * of the secret signed, no longer ago than the window. The body's real hash is what counts, whatever a header claims.
 * Within the window a request may be repeated, as in AWS; the actions' client tokens make repeats harmless.
 */
import { isRegion } from '#base/region'
import { createHmac, createSecretKey, hash, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** The parts of a request that are signed. `path` and `query` as sent, `query` without its question mark. */
export type Signed = {
  method: string; path: string; query: string; headers: IncomingHttpHeaders; body: Uint8Array
  /** Stands for the body's hash where the service lets a request leave its body out of the signature. */
  payload?: string
  /** S3 signs the path as it is encoded once; the others normalise and encode it a second time. */
  plainPath?: boolean
}
export type Signature = {
  accessKeyId: string; date: string; region: string; service: string; time: string; signedHeaders: string[]; signature: string
  token?: string
  /** Presigned requests: for how many seconds, and that the query carries the signature. */
  expiresS?: number
}
/** Why a request is refused; each protocol has its own words for these. */
export type Refusal = {
  reason:
    'missing' | 'incomplete' | 'unknown key' | 'bad token' | 'expired token' | 'bad region' | 'mismatch' | 'expired' | 'early' | 'unsigned header'
  /** AWS's words, where they depend on the request. */
  detail?: string
  /** The signature stood in the query string. */
  presigned?: boolean
}

export const SKEW_MS = 5 * 60_000
/** S3's window is wider (S3 API Reference, RequestTimeTooSkewed). */
export const S3_SKEW_MS = 15 * 60_000
const ALGORITHM = 'AWS4-HMAC-SHA256'
const LONGEST_S = 7 * 24 * 3600

export const isRefusal = (value: Signature | Refusal): value is Refusal => 'reason' in value
/** A header's text. Node keeps headers in an ordinary object, so a name such as 'constructor' may find something else. */
const headerOf = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value: unknown = headers[name]
  return Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : undefined
}

/** The signature that a request carries, not verified yet. */
export function readSignature({ query, headers }: Pick<Signed, 'query' | 'headers'>): Signature | Refusal {
  if (headers.authorization) return fromHeader(headers.authorization, headers)
  if (query.includes('X-Amz-Signature=')) return fromQuery(new URLSearchParams(query))
  return { reason: 'missing' }
}

function fromHeader(header: string, headers: IncomingHttpHeaders): Signature | Refusal {
  if (!header.startsWith(`${ALGORITHM} `)) return incomplete(`Unsupported authorization type. Use ${ALGORITHM}.`)
  const fields = new Map(header.slice(ALGORITHM.length).split(',').map(part => {
    const equals = part.indexOf('=')
    return [part.slice(0, equals).trim(), part.slice(equals + 1).trim()]
  }))
  for (const name of ['Credential', 'Signature', 'SignedHeaders']) {
    if (!fields.get(name)) return incomplete(`Authorization header requires '${name}' parameter.`)
  }
  const time = headerOf(headers, 'x-amz-date') ?? basic(headers.date)
  if (!time) return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
  const signature = scoped({
    credential: fields.get('Credential')!, signature: fields.get('Signature')!, signedHeaders: fields.get('SignedHeaders')!, time,
    token: headerOf(headers, 'x-amz-security-token'),
  })
  if (isRefusal(signature)) return signature
  // What decides must be signed: AWS asks for the host and every x-amz- header; these are the ones that are read here.
  const must = ['host', headers['x-amz-date'] ? 'x-amz-date' : 'date', ...(signature.token ? ['x-amz-security-token'] : [])]
  const open = must.find(name => !signature.signedHeaders.includes(name))
  return open ? incomplete(`'${open}' must be a 'SignedHeader' in the AWS Authorization.`) : signature
}

function fromQuery(query: URLSearchParams): Signature | Refusal {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) return incomplete(`X-Amz-Algorithm must be ${ALGORITHM}.`)
  for (const name of ['X-Amz-Credential', 'X-Amz-SignedHeaders', 'X-Amz-Date', 'X-Amz-Expires']) {
    if (!query.get(name)) return incomplete(`AWS query-string parameters must include '${name}'.`)
  }
  const expiresS = Number(query.get('X-Amz-Expires'))
  if (!Number.isInteger(expiresS) || expiresS < 1 || expiresS > LONGEST_S) {
    return incomplete(`X-Amz-Expires must be 1 to ${LONGEST_S}.`)
  }
  const signature = scoped({
    credential: query.get('X-Amz-Credential')!, signature: query.get('X-Amz-Signature')!,
    signedHeaders: query.get('X-Amz-SignedHeaders')!, time: query.get('X-Amz-Date')!, token: query.get('X-Amz-Security-Token') ?? undefined,
  })
  if (isRefusal(signature)) return signature
  return signature.signedHeaders.includes('host') ? { ...signature, expiresS } : incomplete("'host' must be a 'SignedHeader'.")
}

type Texts = { credential: string; signature: string; signedHeaders: string; time: string; token?: string }

function scoped({ credential, signature, signedHeaders, time, token }: Texts): Signature | Refusal {
  const parts = credential.split('/')
  const [accessKeyId = '', date = '', region = '', service = '', end] = parts
  if (parts.length !== 5 || end !== 'aws4_request' || !accessKeyId || !service) {
    return incomplete(`Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'.`)
  }
  if (Number.isNaN(parseTime(time))) return incomplete(`Date must be in ISO-8601 'basic format'. Got '${time}'.`)
  if (!time.startsWith(date) || date.length !== 8) {
    const detail = `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${time}'.`
    return { reason: 'mismatch', detail }
  }
  if (!isRegion(region)) return { reason: 'bad region' }
  return { accessKeyId, date, region, service, time, signedHeaders: signedHeaders.split(';'), signature, token }
}

const incomplete = (detail: string): Refusal => ({ reason: 'incomplete', detail })

/** Refused when the signature's time is outside the window, or a presigned request's validity is over. */
export function checkTime({ time, expiresS }: Signature, now: Date, skewMs = SKEW_MS): Refusal | undefined {
  const at = parseTime(time)
  const stamp = (ms: number) => basic(new Date(ms).toISOString())
  const present = stamp(now.getTime())
  if (at > now.getTime() + skewMs) {
    const latest = stamp(now.getTime() + skewMs)
    const detail = `Signature not yet current: ${time} is still later than ${latest} (${present} + ${skewMs / 60_000} min.)`
    return { reason: 'early', detail }
  }
  const lastsMs = expiresS === undefined ? skewMs : expiresS * 1000
  if (at + lastsMs >= now.getTime()) return undefined
  const oldest = stamp(now.getTime() - lastsMs)
  return { reason: 'expired', detail: `Signature expired: ${time} is now earlier than ${oldest} (${present} - ${lastsMs / 60_000} min.)` }
}

/** Whether the request is what the secret's holder signed. Malformed percent encodings never match. */
export function matches(request: Signed, signature: Signature, secret: string): boolean {
  const query = canonicalQuery(request.query, { presigned: signature.expiresS !== undefined })
  if (query === undefined) return false
  const headers = signature.signedHeaders.map(name => {
    const value = headerOf(request.headers, name) ?? ''
    return `${name}:${value.trim().replace(/ +/g, ' ')}\n`
  }).join('')
  const canonical = [
    request.method, request.plainPath ? plainPath(request.path) : canonicalPath(request.path), query, headers, signature.signedHeaders.join(';'),
    request.payload ?? hash('sha256', request.body, 'hex'),
  ].join('\n')
  const { date, region, service, time } = signature
  // Node reads header bytes as Latin-1; hashing them so restores the bytes that were signed.
  const digest = hash('sha256', Buffer.from(canonical, 'latin1'), 'hex')
  const expected = createHmac('sha256', signingKey({ secret, date, region, service }))
    .update(`${ALGORITHM}\n${time}\n${date}/${region}/${service}/aws4_request\n${digest}`).digest('hex')
  return same(expected, signature.signature)
}

/** Compares without telling by its duration where the texts differ. */
export function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}

export type Scope = { secret: string; date: string; region: string; service: string }
const MOST_KEYS = 1000
/** Derived keys by scope. As KeyObjects: an HMAC with a raw buffer costs five times as much in Node 24. */
const keys = new Map<string, KeyObject>()

export function signingKey({ secret, date, region, service }: Scope): KeyObject {
  const id = `${date}/${region}/${service}/${secret}`
  const known = keys.get(id)
  if (known) return known
  const derive = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const key = createSecretKey(derive(derive(derive(derive(`AWS4${secret}`, date), region), service), 'aws4_request'))
  if (keys.size >= MOST_KEYS) keys.clear()
  keys.set(id, key)
  return key
}

const PLAIN = /^[A-Za-z0-9\-_.~]*$/
const encode = (text: string) =>
  (PLAIN.test(text) ? text : encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`))

/** Decoded and encoded again, sorted, without a presigned request's signature itself. */
function canonicalQuery(raw: string, { presigned }: { presigned: boolean }): string | undefined {
  if (!raw) return ''
  const normal = (text: string) => (PLAIN.test(text) ? text : encode(decodeURIComponent(text.replaceAll('+', ' '))))
  try {
    const pairs = raw.split('&').filter(Boolean).map(part => {
      const equals = part.indexOf('=')
      return equals < 0 ? [normal(part), ''] : [normal(part.slice(0, equals)), normal(part.slice(equals + 1))]
    })
    return pairs.filter(([name]) => !(presigned && name === 'X-Amz-Signature')).map(([name, value]) => `${name}=${value}`)
      .sort(byBytes).join('&')
  } catch {
    return undefined // A malformed percent encoding: no client can have signed it.
  }
}

/** By name, then by value. `=` sorts behind digits, so names are compared by themselves. */
function byBytes(a: string, b: string): number {
  const [x, y] = [a.slice(0, a.indexOf('=')), b.slice(0, b.indexOf('='))]
  return x < y ? -1 : x > y ? 1 : a < b ? -1 : a > b ? 1 : 0
}

/** Normalised and encoded a second time, as for every service but S3. */
function canonicalPath(path: string): string {
  if (path === '/' || path === '') return '/'
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part && part !== '.') parts.push(part)
  }
  return `/${parts.map(encode).join('/')}${parts.length && path.endsWith('/') ? '/' : ''}`
}

/** Each part decoded and encoded again: clients leave different characters as they are. */
const plainPath = (path: string): string => path.split('/').map(part => {
  try {
    return PLAIN.test(part) ? part : encode(decodeURIComponent(part))
  } catch {
    return part
  }
}).join('/')

/** 20260930T120000Z in milliseconds, or NaN. */
export function parseTime(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  return match ? Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`) : NaN
}

/** A date's basic form, 20260930T120000Z, or undefined where it is none. */
function basic(date: string | undefined): string | undefined {
  const time = new Date(date ?? NaN)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString().replace(/[-:]|\.\d{3}/g, '')
}
