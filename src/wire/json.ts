/**
 * Typed values to and from plain JSON by schema, for every JSON protocol: one closure per shape, made on first use.
 *
 * Invariants: what is read holds only members of its schema, of the schema's kinds, and unknown names are ignored, as
 * AWS does; what is written holds no member that the schema lacks (an error in development and test).
 */
import { ApiError } from '#kit/error'
import type { Member, Shape } from '#kit/schema'
import { parseNumber, readTime, writeTime } from '#wire/scalar'

type Turn = (value: any) => any
export type Json = {
  /** A structure of the shape's members, or of some of them. Throws SerializationException. */
  read(shape: Shape, value: unknown, members?: readonly Member[]): object
  write(shape: Shape, value: object, members?: readonly Member[]): string
}
export type JsonOptions = { /** restJson1 honours the model's jsonName, awsJson doesn't. */ jsonName: boolean; strict?: boolean }

/** Deeper than any AWS input; JSON itself would let a caller nest until the stack ends. */
const DEPTH = 100
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function unfit(value: unknown, wanted: string): ApiError {
  const kind = Array.isArray(value) ? 'ARRAY' : value === null ? 'NULL' : (typeof value).toUpperCase()
  return new ApiError('SerializationException', `${kind}_VALUE can not be converted to ${wanted}`)
}

/** A body as JSON; an empty one is an empty structure. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {}
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    throw new ApiError('SerializationException', 'The request body is not valid JSON.')
  }
  if (tooDeep(value, DEPTH)) throw new ApiError('SerializationException', `The request body is nested more than ${DEPTH} deep.`)
  return value
}

const tooDeep = (value: unknown, left: number): boolean =>
  typeof value === 'object' && value !== null && (left === 0 || Object.values(value).some(inner => tooDeep(inner, left - 1)))

/** A codec with its own caches of closures; make one per protocol and keep it. */
export function openJson({ jsonName, strict = process.env.NODE_ENV !== 'production' }: JsonOptions): Json {
  const nameOf = (member: Member): string => (jsonName ? member.traits.jsonName : undefined) ?? member.name
  const readers = new Map<Shape, Turn>()
  const writers = new Map<Shape, Turn>()
  const cached = (known: Map<Shape, Turn>, shape: Shape, make: (shape: Shape) => Turn): Turn => {
    const found = known.get(shape)
    if (found) return found
    const turn = make(shape)
    known.set(shape, turn)
    return turn
  }
  const reader = (shape: Shape): Turn => cached(readers, shape, makeReader)
  const writer = (shape: Shape): Turn => cached(writers, shape, makeWriter)

  function makeReader(shape: Shape): Turn {
    if (shape.kind === 'struct' || shape.kind === 'union') return value => readStruct(shape, value, shape.members)
    if (shape.kind === 'list') {
      return value => {
        if (!Array.isArray(value)) throw unfit(value, 'List')
        const kept = shape.traits.sparse ? value : value.filter(item => item !== null)
        return kept.map(item => (item === null ? null : reader(shape.value!.target)(item)))
      }
    }
    if (shape.kind === 'map') {
      return value => {
        if (!isObject(value)) throw unfit(value, 'Map')
        const kept = Object.entries(value).filter(([, item]) => item !== null || shape.traits.sparse)
        return Object.fromEntries(kept.map(([key, item]) => [key, item === null ? null : reader(shape.value!.target)(item)]))
      }
    }
    return scalarReader(shape)
  }

  function readStruct(shape: Shape, value: unknown, members: readonly Member[]): object {
    if (shape.kind === 'unit') return {}
    if (!isObject(value)) throw unfit(value, 'Structure')
    const found: Record<string, unknown> = {}
    for (const member of members) {
      const name = nameOf(member)
      const inner = Object.hasOwn(value, name) ? value[name] : undefined
      if (inner !== undefined && inner !== null) found[member.name] = reader(member.target)(inner)
    }
    return found
  }

  function makeWriter(shape: Shape): Turn {
    if (shape.kind === 'struct' || shape.kind === 'union') return value => writeStruct(shape, value, shape.members)
    if (shape.kind === 'list') {
      return values => {
        if (!Array.isArray(values)) throw new TypeError(`${shape.name}: a list was expected, not ${typeof values}`)
        const kept = shape.traits.sparse ? values : values.filter(item => item !== undefined && item !== null)
        return kept.map(item => (item === null ? null : writer(shape.value!.target)(item)))
      }
    }
    if (shape.kind === 'map') {
      return values => {
        const kept = Object.entries(values).filter(([, item]) => item !== undefined && (item !== null || shape.traits.sparse))
        return Object.fromEntries(kept.map(([key, item]) => [key, item === null ? null : writer(shape.value!.target)(item)]))
      }
    }
    return scalarWriter(shape)
  }

  function writeStruct(shape: Shape, value: Record<string, unknown>, members: readonly Member[]): object {
    if (strict) for (const key in value) if (!shape.byName.has(key)) throw new TypeError(`${shape.name} has no member ${key}`)
    const found: Record<string, unknown> = {}
    for (const member of members) {
      const inner = value[member.name]
      if (inner !== undefined && inner !== null) found[nameOf(member)] = writer(member.target)(inner)
    }
    return found
  }

  return {
    read: (shape, value, members = shape.members) => readStruct(shape, value, members),
    write: (shape, value, members = shape.members) => toText(writeStruct(shape, value as Record<string, unknown>, members)),
  }
}

function scalarReader(shape: Shape): Turn {
  switch (shape.kind) {
    case 'string': return value => {
      if (typeof value === 'string') return value
      if (typeof value === 'number' || typeof value === 'boolean') return String(value)
      throw unfit(value, 'String')
    }
    case 'boolean': return value => {
      if (typeof value === 'boolean') return value
      if (value === 'true' || value === 'false') return value === 'true'
      throw unfit(value, 'Boolean')
    }
    case 'number': return value => {
      const number = typeof value === 'number' ? value : typeof value === 'string' ? parseNumber(value) : undefined
      if (number === undefined) throw unfit(value, 'Number')
      return number
    }
    case 'bigint': return value => {
      if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
      if (typeof value === 'string' && /^-?\d{1,40}$/.test(value)) return BigInt(value)
      throw unfit(value, 'Long')
    }
    case 'timestamp': return value => {
      const date = typeof value === 'number' ? new Date(Math.round(value * 1000)) : typeof value === 'string' ? readTime(value) : undefined
      if (!date || Number.isNaN(date.getTime())) throw unfit(value, 'Timestamp')
      return date
    }
    case 'blob': return value => {
      if (typeof value !== 'string' || !/^[A-Za-z0-9+/\s]*={0,2}$/.test(value)) throw unfit(value, 'Blob')
      return new Uint8Array(Buffer.from(value, 'base64'))
    }
    case 'unit': return () => ({})
    case 'document': return value => value
    default: throw new Error(`JSON requests have no form for ${shape.kind} ${shape.name}`)
  }
}

function scalarWriter(shape: Shape): Turn {
  switch (shape.kind) {
    case 'timestamp': return (value: Date) =>
      (shape.timestamp === 5 || shape.timestamp === 6 ? writeTime(value, shape.timestamp) : value.getTime() / 1000)
    case 'blob': return (value: Uint8Array | string) => Buffer.from(value as Uint8Array).toString('base64')
    case 'number': return value => {
      if (typeof value !== 'number') throw new TypeError(`${shape.name}: a number was expected, not ${typeof value}`)
      return Number.isFinite(value) ? value : String(value)
    }
    case 'string': case 'boolean': return value => {
      if (typeof value !== shape.kind) throw new TypeError(`${shape.name}: a ${shape.kind} was expected, not ${typeof value}`)
      return value
    }
    case 'unit': return () => ({})
    case 'bigint': case 'document': return value => value
    default: throw new Error(`JSON has no form for ${shape.kind} ${shape.name}`)
  }
}

/** JSON of Node 24 writes text as it stands (`rawJSON`), so that a 64-bit integer keeps all its digits. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
const toText = (value: object): string => JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? rawJSON(String(inner)) : inner))
