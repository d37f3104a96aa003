/**
 * Reads the AWS SDK's runtime schemas into a plain graph of shapes.
 *
 * The arrays are an implementation detail of the SDK: no other file knows their layout, versions are pinned, and the
 * fuzzers run at every upgrade. Layout (design/wire.md): operation `[9, ns, name, traits, in, out]`, struct 3, error -3,
 * union 4, list 1, map 2, simple 0; a member is a reference or `[reference, traits]`; numeric traits are bits.
 */
import { translateTraits } from '@smithy/core/schema'

export type Kind =
  | 'string' | 'number' | 'boolean' | 'bigint' | 'bigdecimal' | 'timestamp' | 'blob' | 'document'
  | 'list' | 'map' | 'struct' | 'union' | 'unit'
export type Traits = {
  xmlName?: string; ec2QueryName?: string; xmlFlattened?: 1; xmlAttribute?: 1; xmlNamespace?: [string | undefined, string]
  jsonName?: string; http?: [method: string, uri: string, code: number]; httpLabel?: 1; httpQuery?: string; httpQueryParams?: 1
  httpHeader?: string; httpPrefixHeaders?: string; httpPayload?: 1; httpResponseCode?: 1; streaming?: 1; sparse?: 1
  idempotencyToken?: 1; sensitive?: 1; mediaType?: string; error?: 'client' | 'server'; httpError?: number
  awsQueryError?: [code: string, status: number]
}
export type Shape = {
  kind: Kind
  name: string
  namespace: string
  traits: Traits
  members: Member[]
  byName: Map<string, Member>
  /** Lists and maps: what they hold. Maps: what they are keyed by. */
  value?: Member
  key?: Member
  /** 4 the protocol's default, 5 date-time, 6 http-date, 7 epoch seconds. */
  timestamp: 4 | 5 | 6 | 7
  isError: boolean
}
export type Member = { name: string; target: Shape; traits: Traits; required: boolean }
export type Operation = { name: string; traits: Traits; readonly input: Shape; readonly output: Shape }

type Raw = any // The SDK's arrays have no types of their own; this file is where they get some.

const shapes = new Map<Raw, Shape>()
const follow = (reference: Raw): Raw => (typeof reference === 'function' ? follow(reference()) : reference)
const traitsOf = (raw: Raw): Traits => (raw ? (translateTraits(raw) as Traits) : {})
const make = (kind: Kind, more: Partial<Shape> = {}): Shape =>
  ({ kind, name: kind, namespace: 'smithy.api', traits: {}, members: [], byName: new Map(), timestamp: 4, isError: false, ...more })

const SIMPLE: Record<number, Kind> = {
  0: 'string', 1: 'number', 2: 'boolean', 4: 'timestamp', 5: 'timestamp', 6: 'timestamp', 7: 'timestamp',
  15: 'document', 17: 'bigint', 19: 'bigdecimal', 21: 'blob', 42: 'blob',
}
const LIST_OF = 64
const MAP_OF = 128
const SIMPLE_BITS = 63

function simple(code: number): Shape {
  if (code >= MAP_OF) return make('map', { key: memberOf('key', 0, false), value: memberOf('value', code & SIMPLE_BITS, false) })
  if (code >= LIST_OF) return make('list', { value: memberOf('member', code & SIMPLE_BITS, false) })
  const kind = SIMPLE[code]
  if (!kind) throw new Error(`unknown simple schema ${code}`)
  const shape = make(kind)
  if (kind === 'timestamp') shape.timestamp = code as Shape['timestamp']
  if (code === 42) shape.traits = { streaming: 1 }
  return shape
}

function compound(raw: Raw): Shape {
  const [id, namespace, name, traits] = raw
  const common = { name, namespace, traits: traitsOf(traits) }
  if (id === 0) {
    const target = shapeOf(raw[4])
    return { ...target, ...common, traits: { ...target.traits, ...common.traits } }
  }
  // Recursive shapes meet themselves while their members are read: each is remembered before it is filled.
  const shape = make(id === 1 ? 'list' : id === 2 ? 'map' : id === 4 ? 'union' : 'struct', { ...common, isError: id === -3 })
  shapes.set(raw, shape)
  if (id === 1) shape.value = memberOf('member', raw[4], false)
  else if (id === 2) { shape.key = memberOf('key', raw[4], false); shape.value = memberOf('value', raw[5], false) }
  else if (id === 3 || id === -3 || id === 4) {
    const required: number = raw[6] ?? 0
    shape.members = raw[4].map((member: string, i: number) => memberOf(member, raw[5][i], i < required))
    for (const member of shape.members) shape.byName.set(member.name, member)
  } else throw new Error(`unknown schema ${id}`)
  return shape
}

function memberOf(name: string, reference: Raw, required: boolean): Member {
  const layers: Traits[] = []
  let target = reference
  while (Array.isArray(target) && target.length === 2) { layers.unshift(traitsOf(target[1])); target = target[0] }
  const shape = shapeOf(target)
  return { name, target: shape, required, traits: Object.assign({}, ...layers) as Traits }
}

/** The shape behind a reference of the SDK's. */
export function shapeOf(reference: Raw): Shape {
  const raw = follow(reference)
  const known = shapes.get(raw)
  if (known) return known
  const shape = typeof raw === 'string' ? make('unit') : typeof raw === 'number' ? simple(raw) : compound(raw)
  shapes.set(raw, shape)
  return shape
}

/** Every operation in a module of the SDK's, by name. Inputs and outputs are read when first asked for. */
export function operationsOf(sdk: object): Map<string, Operation> {
  const found = new Map<string, Operation>()
  for (const raw of Object.values(sdk) as Raw[]) {
    if (!Array.isArray(raw) || raw[0] !== 9) continue
    const operation: Operation = {
      name: raw[2], traits: traitsOf(raw[3]), get input() { return shapeOf(raw[4]) }, get output() { return shapeOf(raw[5]) },
    }
    found.set(operation.name, operation)
  }
  return found
}

/** The modelled errors of a module of the SDK's, by shape name. */
export function errorsOf(sdk: object): Map<string, Shape> {
  const errors = (Object.values(sdk) as Raw[]).filter(raw => Array.isArray(raw) && raw[0] === -3)
  return new Map(errors.map(raw => [raw[2], shapeOf(raw)]))
}

/** Operation names, inputs and outputs of one SDK client module, by its Command classes. Types only: no code generation. */
export type Name<M> = { [K in keyof M]: K extends `${infer N}Command` ? N : never }[keyof M] & string
type CommandOf<M, N extends string> =
  `${N}Command` extends keyof M ? (M[`${N}Command`] extends abstract new (...a: never) => infer C ? C : never) : never
export type Input<M, N extends string> = CommandOf<M, N> extends { readonly input: infer I } ? I : never
export type Output<M, N extends string> =
  CommandOf<M, N> extends { resolveMiddleware(...a: never): (x: never) => Promise<{ output: infer O }> } ? Omit<O, '$metadata'> : never
