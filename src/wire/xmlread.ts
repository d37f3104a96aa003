/** XML elements to typed values by schema: one closure per shape, made on first use. Elements that a schema lacks are ignored, as S3 does. */
import type { Member, Shape } from '#kit/schema'
import { parseNumber, readTime } from '#wire/scalar'
import { XmlError, type Element } from '#wire/xmlparse'

type Read = (element: Element) => unknown
const nameOf = ({ name, traits }: Member): string => (traits.xmlName ?? name)
const isFlat = ({ traits, target }: Member): boolean => Boolean(traits.xmlFlattened ?? target.traits.xmlFlattened)
const structs = new Map<Shape, (element: Element) => Record<string, unknown>>()

/** A structure from the element that stands for it. Throws XmlError. */
export function readXml(shape: Shape, element: Element): Record<string, unknown> {
  const known = structs.get(shape)
  if (known) return known(element)
  let members: { name: string; wire: string; attribute: boolean; flat: boolean; read: Read; item?: Read }[] | undefined
  const read = (from: Element): Record<string, unknown> => {
    members ??= shape.members.map(member => ({
      name: member.name, wire: nameOf(member), attribute: Boolean(member.traits.xmlAttribute), read: reader(member.target),
      flat: member.target.kind === 'list' && isFlat(member),
      item: member.target.kind === 'list' ? reader(member.target.value!.target) : undefined,
    }))
    const value: Record<string, unknown> = {}
    for (const { name, wire, attribute, flat, read, item } of members) {
      if (attribute) {
        const text = from.attributes.get(wire)
        if (text !== undefined) value[name] = text
        continue
      }
      const found = from.children.filter(child => child.name === wire)
      if (flat && found.length > 0) value[name] = found.map(child => item!(child))
      else if (found.length > 0) value[name] = read(found[0]!)
    }
    return value
  }
  structs.set(shape, read)
  return read(element)
}

function reader(shape: Shape): Read {
  const bad = (text: string): never => { throw new XmlError(`${JSON.stringify(text)} is no ${shape.kind}`) }
  switch (shape.kind) {
    case 'struct': case 'union': return element => readXml(shape, element)
    case 'list': {
      const wire = shape.value!.traits.xmlName ?? 'member'
      return element => element.children.filter(child => child.name === wire).map(child => reader(shape.value!.target)(child))
    }
    case 'string': return element => element.text
    case 'number': return ({ text }) => parseNumber(text.trim()) ?? bad(text)
    case 'bigint': return ({ text }) => (/^\s*-?\d{1,40}\s*$/.test(text) ? BigInt(text) : bad(text))
    case 'boolean': return ({ text }) => (/^\s*(true|false)\s*$/i.test(text) ? text.trim().toLowerCase() === 'true' : bad(text))
    case 'timestamp': return ({ text }) => readTime(text.trim()) ?? readTime(`${text.trim()}T00:00:00Z`) ?? bad(text)
    case 'blob': return ({ text }) => new Uint8Array(Buffer.from(text, 'base64'))
    default: throw new Error(`XML requests have no form for ${shape.kind} ${shape.name}`)
  }
}
