/**
 * What the HTTP-binding protocols share (restJson1, restXml): which operation a method and path mean, and members that
 * travel in the path, the query string and headers.
 *
 * Invariant: labels are decoded once, after the path was cut at its slashes, so that an encoded slash cuts nothing.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { ApiError } from '#kit/error'
import type { Member, Operation, Shape } from '#kit/schema'
import { parseNumber, readTime, writeTime } from '#wire/scalar'

/** Where each member of a structure travels. */
export type Bindings = {
  labels: Member[]; query: Member[]; headers: Member[]; prefixed: Member[]; body: Member[]
  rest?: Member; payload?: Member; status?: Member
}
const known = new Map<Shape, Bindings>()

export function bindingsOf(shape: Shape): Bindings {
  const found = known.get(shape)
  if (found) return found
  const bindings: Bindings = { labels: [], query: [], headers: [], prefixed: [], body: [] }
  for (const member of shape.members) {
    const { traits } = member
    if (traits.httpLabel) bindings.labels.push(member)
    else if (traits.httpQuery) bindings.query.push(member)
    else if (traits.httpQueryParams) bindings.rest = member
    else if (traits.httpHeader) bindings.headers.push(member)
    else if (traits.httpPrefixHeaders !== undefined) bindings.prefixed.push(member)
    else if (traits.httpPayload) bindings.payload = member
    else if (traits.httpResponseCode) bindings.status = member
    else bindings.body.push(member)
  }
  known.set(shape, bindings)
  return bindings
}

type Segment = { literal?: string; label?: string; greedy?: boolean }
type Route = { operation: Operation; method: string; segments: Segment[]; query: [name: string, value: string][]; needs: Member[]; bucket: boolean }
export type Match = { operation: Operation; labels: Record<string, string> }
export type Sought = {
  method: string; path: string; query: URLSearchParams; headers: IncomingHttpHeaders
  /** restXml: whether a bucket is named, which has left the path already. */
  bucket?: boolean
}
export type Router = (sought: Sought) => Match | undefined

/**
 * A router over operations. The most specific first: more fixed query parameters, then more required ones and headers,
 * then more literal segments (CopyObject before PutObject, GetObjectTagging before GetObject).
 */
export function openRouter(operations: Iterable<Operation>): Router {
  const routes = [...operations].filter(operation => operation.traits.http).map(routeOf)
  const rank = ({ query, needs, segments }: Route) => query.length * 100 + needs.length * 10 + segments.filter(s => s.literal !== undefined).length
  routes.sort((a, b) => rank(b) - rank(a))
  return sought => {
    const parts = sought.path.split('/').slice(1)
    const id = sought.query.get('x-id')
    for (const route of routes) {
      if (route.method !== sought.method || (id && id !== route.operation.name)) continue
      if (sought.bucket !== undefined && sought.bucket !== route.bucket) continue
      if (!route.query.every(([name, value]) => sought.query.has(name) && (value === '' || sought.query.get(name) === value))) continue
      if (!route.needs.every(({ traits }) => (traits.httpQuery
        ? sought.query.has(traits.httpQuery) : sought.headers[traits.httpHeader!.toLowerCase()] !== undefined))) continue
      const labels = labelsOf(route.segments, parts)
      if (labels) return { operation: route.operation, labels }
    }
    return undefined
  }
}

function routeOf(operation: Operation): Route {
  const [method, uri] = operation.traits.http!
  const [path = '', search = ''] = uri.split('?')
  const segments = path.split('/').filter(Boolean).map((part): Segment => {
    const label = /^\{(\w+)(\+)?\}$/.exec(part)
    return label ? { label: label[1]!, greedy: label[2] === '+' } : { literal: part }
  })
  const query = [...new URLSearchParams(search)].filter(([name]) => name !== 'x-id')
  const needs = operation.input.members.filter(({ required, traits }) => required && (traits.httpQuery || traits.httpHeader))
  return { operation, method, segments, query, needs, bucket: operation.input.byName.has('Bucket') }
}

function labelsOf(segments: Segment[], parts: string[]): Record<string, string> | undefined {
  const labels: Record<string, string> = {}
  let at = 0
  for (const { literal, label, greedy } of segments) {
    if (greedy) {
      const rest = parts.slice(at).join('/')
      if (rest === '') return undefined
      return { ...labels, [label!]: decodePart(rest) }
    }
    const part = parts[at++]
    if (part === undefined || part === '') return undefined
    if (literal === undefined) labels[label!] = decodePart(part)
    else if (literal !== part) return undefined
  }
  return at >= parts.length || (at === parts.length - 1 && parts[at] === '') ? labels : undefined
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ApiError('InvalidURI', "Couldn't parse the specified URI.")
  }
}

type Source = { labels: Record<string, string>; query: URLSearchParams; headers: IncomingHttpHeaders }
type Place = 'header' | 'query' | 'label'
export type Invalid = (name: string, value: string) => ApiError

/** A header's text: Node reads its bytes as Latin-1, clients that go beyond ASCII mean UTF-8. */
function textOf(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value.join(', ') : value
  // eslint-disable-next-line no-control-regex -- all that is not ASCII
  return text !== undefined && /[^\x00-\x7f]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text
}

/** The members of a structure that don't travel in its body. `invalid` is the protocol's error for a text of the wrong form. */
export function readBindings(shape: Shape, { labels, query, headers }: Source, invalid: Invalid): Record<string, unknown> {
  const { labels: inPath, query: inQuery, headers: inHeaders, prefixed, rest } = bindingsOf(shape)
  const found: Record<string, unknown> = {}
  for (const { name, target } of inPath) found[name] = fromText(target, labels[name] ?? '', { place: 'label', name, invalid })
  for (const { name, target, traits } of inQuery) {
    const values = query.getAll(traits.httpQuery!)
    if (values.length === 0) continue
    const as = { place: 'query' as const, name, invalid }
    found[name] = target.kind === 'list' ? values.map(value => fromText(target.value!.target, value, as)) : fromText(target, values[0]!, as)
  }
  if (rest) {
    const taken = new Set(inQuery.map(({ traits }) => traits.httpQuery!))
    const names = new Set([...query.keys()].filter(key => !taken.has(key) && key !== 'x-id' && !key.startsWith('X-Amz-')))
    const many = rest.target.value!.target.kind === 'list'
    found[rest.name] = Object.fromEntries([...names].map(name => [name, many ? query.getAll(name) : query.get(name)]))
  }
  for (const { name, target, traits } of inHeaders) {
    const text = textOf(headers[traits.httpHeader!.toLowerCase()] as string | string[] | undefined)
    if (text !== undefined) found[name] = fromText(target, text, { place: 'header', name, invalid })
  }
  for (const { name, traits } of prefixed) {
    const prefix = traits.httpPrefixHeaders!.toLowerCase()
    const entries = Object.keys(headers).filter(key => key.startsWith(prefix)).map(key => [key.slice(prefix.length), textOf(headers[key])!])
    if (entries.length > 0) found[name] = Object.fromEntries(entries)
  }
  return found
}

type As = { place: Place; name: string; invalid: Invalid }

function fromText(shape: Shape, text: string, as: As): unknown {
  const good = <T>(value: T | undefined): T => {
    if (value === undefined) throw as.invalid(as.name, text)
    return value
  }
  switch (shape.kind) {
    case 'number': return good(parseNumber(text))
    case 'bigint': return good(/^-?\d{1,40}$/.test(text) ? BigInt(text) : undefined)
    case 'boolean': return good(/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined)
    case 'timestamp': return good(readTime(text))
    case 'blob': return new Uint8Array(Buffer.from(text, 'base64'))
    case 'list': return items(shape, text).map(item => fromText(shape.value!.target, item, as))
    default: return shape.traits.mediaType && as.place === 'header' ? Buffer.from(text, 'base64').toString() : text
  }
}

const isHttpDate = ({ kind, timestamp }: Shape): boolean => kind === 'timestamp' && (timestamp === 4 || timestamp === 6)
const ITEM = /\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(?:,|$)/g

/** A header's list: parted by commas, items that hold some in quotes; HTTP dates hold one each. */
function items(shape: Shape, text: string): string[] {
  if (isHttpDate(shape.value!.target)) return text.split(/,\s*(?=[A-Z][a-z]{2},)/).map(item => item.trim())
  const found: string[] = []
  for (const match of text.matchAll(ITEM)) {
    if (match.index >= text.length) break
    found.push(match[1]?.replace(/\\(.)/g, '$1') ?? match[2]!.trim())
  }
  return found
}

function toText(shape: Shape, value: any): string {
  switch (shape.kind) {
    case 'timestamp': return writeTime(value, shape.timestamp === 4 ? 6 : shape.timestamp)
    case 'blob': return Buffer.from(value).toString('base64')
    case 'string': return shape.traits.mediaType ? Buffer.from(String(value)).toString('base64') : String(value)
    case 'list': return value.map((item: unknown) => {
      const text = toText(shape.value!.target, item)
      return !isHttpDate(shape.value!.target) && /[",]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text
    }).join(', ')
    default: return String(value)
  }
}

/** Node refuses what may not stand in a header; texts beyond Latin-1 are written as the bytes of UTF-8, as S3 does. */
const headerText = (text: string): string => Buffer.from(text.replace(/[\r\n\0]/g, ' '), 'utf8').toString('latin1')

/** The members of an output or error that travel as headers, by lower-case name. */
export function writeHeaders(shape: Shape, value: Record<string, any>): Record<string, string> {
  const { headers, prefixed } = bindingsOf(shape)
  const found: Record<string, string> = {}
  for (const { name, target, traits } of headers) {
    if (value[name] !== undefined && value[name] !== null) found[traits.httpHeader!.toLowerCase()] = headerText(toText(target, value[name]))
  }
  for (const { name, traits } of prefixed) {
    for (const [key, text] of Object.entries(value[name] ?? {})) {
      found[traits.httpPrefixHeaders!.toLowerCase() + key.toLowerCase()] = headerText(String(text))
    }
  }
  return found
}
