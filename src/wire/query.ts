/**
 * Trees of form fields to typed inputs by schema, for ec2Query and awsQuery: one closure per shape, made on first use.
 *
 * Invariant: an input holds only members of its schema, of the schema's kinds. Whether required ones are there is the
 * kit's business, since older clients know fewer of them.
 */
import type { ApiError } from '#kit/error'
import type { Member, Shape } from '#kit/schema'
import type { Field } from '#wire/form'
import { parseNumber, readTime } from '#wire/scalar'

/** Where the two protocols differ. */
export type QueryDialect = {
  /** A structure member's name on the wire. */
  nameOf(member: Member): string
  /** Lists are never wrapped in `.member` (ec2Query). */
  flat: boolean
  /** The error for a name the schema lacks; without it such names are ignored. */
  unknown?(key: string): ApiError
  invalid(field: { key: string; value: string; expected: string }): ApiError
}
export type QueryDecoder = (shape: Shape, root: Field) => object
type Read = (field: Field) => unknown

/** Lists name their positions; more digits than this are no position. */
const POSITION = /^\d{1,6}$/

/** A decoder with its own cache of closures; make one per protocol and keep it. */
export function openQuery(dialect: QueryDialect): QueryDecoder {
  const structs = new Map<Shape, Read>()
  const unknown = (field: Field) => { if (dialect.unknown) throw dialect.unknown(firstLeaf(field).key) }

  function reader({ target, traits }: Member): Read {
    if (target.kind === 'struct' || target.kind === 'union') return struct(target)
    const flat = dialect.flat || Boolean(traits.xmlFlattened ?? target.traits.xmlFlattened)
    if (target.kind === 'list') return list(target, flat)
    if (target.kind === 'map') return map(target, flat)
    const parse = scalar(target, dialect.invalid)
    return field => {
      if (field.children) unknown(field.children.values().next().value!)
      return parse(field.value ?? '', field.key)
    }
  }

  function struct(shape: Shape): Read {
    const known = structs.get(shape)
    if (known) return known
    let members: Map<string, { name: string; read: Read }> | undefined
    const read: Read = field => {
      members ??= new Map(shape.members.map(member => [dialect.nameOf(member), { name: member.name, read: reader(member) }]))
      if (field.value) unknown(field)
      const value: Record<string, unknown> = {}
      for (const [name, child] of field.children ?? []) {
        const member = members.get(name)
        if (member) value[member.name] = member.read(child)
        else unknown(child)
      }
      return value
    }
    structs.set(shape, read)
    return read
  }

  function list(shape: Shape, flat: boolean): Read {
    let item: Read | undefined
    const wrapper = shape.value!.traits.xmlName ?? 'member'
    return field => {
      item ??= reader(shape.value!)
      const holder = flat ? field : field.children?.get(wrapper) ?? field
      if (field.value) unknown(field)
      return positions(holder).map(item)
    }
  }

  function map(shape: Shape, flat: boolean): Read {
    let key: Read | undefined
    let value: Read | undefined
    const { xmlName: keyName = 'key' } = shape.key!.traits
    const { xmlName: valueName = 'value' } = shape.value!.traits
    return field => {
      key ??= reader(shape.key!)
      value ??= reader(shape.value!)
      const entries = positions(flat ? field : field.children?.get('entry') ?? field).map(entry => {
        const k = entry.children?.get(keyName)
        const v = entry.children?.get(valueName)
        if (!k || !v) throw dialect.invalid({ key: entry.key, value: '', expected: 'a key and a value' })
        return [key!(k), value!(v)]
      })
      return Object.fromEntries(entries) // Defines own properties, '__proto__' included.
    }
  }

  /** A list's items in the order of their positions; gaps close, as in AWS. */
  function positions(field: Field): Field[] {
    const found: [number, Field][] = []
    for (const [name, child] of field.children ?? []) {
      if (POSITION.test(name)) found.push([Number(name), child])
      else unknown(child)
    }
    return found.sort(([a], [b]) => a - b).map(([, child]) => child)
  }

  return (shape, root) => (shape.kind === 'unit' ? {} : struct(shape)(root) as object)
}

function firstLeaf(field: Field): Field {
  let leaf = field
  while (leaf.value === undefined && leaf.children) leaf = leaf.children.values().next().value!
  return leaf
}

const INTEGER = /^[+-]?\d{1,40}$/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function scalar(shape: Shape, invalid: QueryDialect['invalid']): (value: string, key: string) => unknown {
  switch (shape.kind) {
    case 'string': return value => value
    case 'number': return (value, key) => {
      const number = parseNumber(value) ?? Infinity
      if (!Number.isFinite(number)) throw invalid({ key, value, expected: 'a number' })
      return number
    }
    case 'bigint': return (value, key) => {
      if (!INTEGER.test(value)) throw invalid({ key, value, expected: 'an integer' })
      return BigInt(value)
    }
    case 'boolean': return (value, key) => {
      const lower = value.toLowerCase()
      if (lower !== 'true' && lower !== 'false' && value !== '1' && value !== '0') throw invalid({ key, value, expected: 'true or false' })
      return lower === 'true' || value === '1'
    }
    case 'timestamp': return (value, key) => {
      const date = readTime(value)
      if (!date) throw invalid({ key, value, expected: 'a date and time' })
      return date
    }
    case 'blob': return (value, key) => {
      const text = value.replace(/\s/g, '')
      if (!BASE64.test(text)) throw invalid({ key, value: '', expected: 'base64' })
      return new Uint8Array(Buffer.from(text, 'base64'))
    }
    default: throw new Error(`query requests have no form for ${shape.kind} ${shape.name}`)
  }
}
