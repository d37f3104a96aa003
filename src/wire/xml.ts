/**
 * Values to XML by schema: one closure per shape, made on first use, so that encoding is string building alone.
 *
 * Invariants: the XML is compact, because clients trip over white space between elements, and well formed whatever the
 * values hold. In development and test a member that the schema lacks is an error: TypeScript does not flag misspelt
 * members of returned literals.
 */
import type { Member, Shape } from '#kit/schema'
import { writeTime } from '#wire/scalar'

type Write = (value: any) => string
/** Writes what stands inside a structure's element. */
export type XmlEncoder = (shape: Shape, value: object) => string
/** `millis`: date-times always carry milliseconds (EC2) or only where there are some (the Query services). */
export type XmlOptions = { millis: boolean; strict?: boolean }

const SPECIAL = /[&<>\r\u0085\u2028\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/ // eslint-disable-line no-control-regex
const SPECIALS = new RegExp(SPECIAL, 'g')
const ENTITIES: Record<string, string> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;', '\u0085': '&#x85;', '\u2028': '&#x2028;',
}

/** Text for an element. Characters that XML 1.0 cannot carry at all become U+FFFD. */
export function escapeXml(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, c => ENTITIES[c] ?? '\ufffd') : text
}

/** An encoder with its own cache of closures; make one per protocol and keep it. */
export function openXml({ millis, strict = process.env.NODE_ENV !== 'production' }: XmlOptions): XmlEncoder {
  const structs = new Map<Shape, Write>()

  function struct(shape: Shape): Write {
    const known = structs.get(shape)
    if (known) return known
    let members: { name: string; write: Write }[] | undefined
    const write: Write = value => {
      members ??= shape.members.filter(({ traits }) => !traits.xmlAttribute)
        .map(member => ({ name: member.name, write: element(member, member.traits.xmlName ?? member.name) }))
      if (strict) refuseUnknown(shape, value)
      let text = ''
      for (const { name, write } of members) {
        const inner = value[name]
        if (inner !== undefined && inner !== null) text += write(inner)
      }
      return text
    }
    structs.set(shape, write)
    return write
  }

  function element(member: Member, name: string): Write {
    const shape = member.target
    const open = `<${name}>`
    const close = `</${name}>`
    if (shape.kind === 'struct' || shape.kind === 'union') {
      const body = struct(shape)
      const attributes = attributesOf(member)
      return attributes ? value => `<${name}${attributes(value)}>${body(value)}${close}` : value => open + body(value) + close
    }
    if (shape.kind === 'list') {
      const flat = member.traits.xmlFlattened ?? shape.traits.xmlFlattened
      const items = each(shape.value!, flat ? name : shape.value!.traits.xmlName ?? 'member')
      return flat ? items : value => open + items(value) + close
    }
    if (shape.kind === 'map') {
      const flat = member.traits.xmlFlattened ?? shape.traits.xmlFlattened
      const entries = pairs(shape, flat ? name : 'entry')
      return flat ? entries : value => open + entries(value) + close
    }
    const text = scalar(shape, millis)
    return value => open + text(value) + close
  }

  function each(member: Member, name: string): Write {
    const write = element(member, name)
    return values => {
      if (!Array.isArray(values)) throw new TypeError(`${member.target.name}: a list was expected, not ${typeof values}`)
      let text = ''
      for (const value of values) if (value !== undefined && value !== null) text += write(value)
      return text
    }
  }

  function pairs(shape: Shape, name: string): Write {
    const key = element(shape.key!, shape.key!.traits.xmlName ?? 'key')
    const value = element(shape.value!, shape.value!.traits.xmlName ?? 'value')
    return map => Object.entries(map).filter(([, v]) => v !== undefined && v !== null)
      .map(([k, v]) => `<${name}>${key(k)}${value(v)}</${name}>`).join('')
  }

  return (shape, value) => (shape.kind === 'unit' ? '' : struct(shape)(value))
}

/** Members that stand in the start tag (S3's grantees have one), with the namespace of their prefix. */
function attributesOf({ target: shape, traits: own }: Member): Write | undefined {
  const members = shape.members.filter(({ traits }) => traits.xmlAttribute)
  if (members.length === 0) return undefined
  const [prefix, uri] = own.xmlNamespace ?? shape.traits.xmlNamespace ?? []
  const namespace = prefix ? ` xmlns:${prefix}="${uri}"` : ''
  return value => namespace + members.filter(({ name }) => value[name] !== undefined)
    .map(({ name, traits }) => ` ${traits.xmlName ?? name}="${escapeXml(String(value[name])).replaceAll('"', '&quot;')}"`).join('')
}

function refuseUnknown(shape: Shape, value: object): void {
  if (typeof value !== 'object' || Array.isArray(value)) throw new TypeError(`${shape.name}: a structure was expected, not ${typeof value}`)
  for (const key in value) if (!shape.byName.has(key)) throw new TypeError(`${shape.name} has no member ${key}`)
}

function scalar(shape: Shape, millis: boolean): Write {
  switch (shape.kind) {
    case 'string': return value => {
      if (typeof value === 'object') throw new TypeError(`${shape.name}: a text was expected, not ${JSON.stringify(value)}`)
      return escapeXml(String(value))
    }
    case 'number': case 'boolean': case 'bigint': return value => {
      if (typeof value !== shape.kind) throw new TypeError(`${shape.name}: a ${shape.kind} was expected, not ${typeof value}`)
      return String(value)
    }
    case 'timestamp': return value => writeTime(value, shape.timestamp, millis)
    case 'blob': return (value: Uint8Array) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    default: throw new Error(`XML has no form for ${shape.kind} ${shape.name}`)
  }
}
