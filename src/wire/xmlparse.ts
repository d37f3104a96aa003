/**
 * Reads an XML document into a tree.
 *
 * Invariants: it knows elements, attributes, text, CDATA, comments and the five entities with character references, and
 * nothing that reaches outside or grows (no document types, no entities of one's own). Depth and number are bounded.
 */
export type Element = { name: string; attributes: Map<string, string>; children: Element[]; text: string }

/** What is wrong with a document; the protocol has words of its own for it. */
export class XmlError extends Error {}

const DEPTH = 32
const ELEMENTS = 100_000
const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const NAME = /[A-Za-z_][\w.:-]*/y
const ATTRIBUTE = /\s+([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y
// eslint-disable-next-line no-control-regex -- these may not stand in XML 1.0
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/

const local = (name: string): string => name.slice(name.indexOf(':') + 1)

function unescape(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&([^;\s]{0,10});?/g, (whole, name: string) => {
    if (!whole.endsWith(';')) throw new XmlError('an ampersand stands by itself')
    if (Object.hasOwn(ENTITIES, name)) return ENTITIES[name]!
    const code = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name)
    const point = code ? parseInt(code[1] ?? code[2]!, code[1] ? 16 : 10) : -1
    if (point < 1 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw new XmlError(`&${name}; is unknown`)
    return String.fromCodePoint(point)
  })
}

/** The document's root element; names without their prefixes. Throws XmlError. */
export function parseXml(source: string): Element {
  const text = source.replace(/\r\n?/g, '\n').replace(/^\ufeff/, '')
  if (FORBIDDEN.test(text)) throw new XmlError('a character is not allowed')
  const top: Element = { name: '', attributes: new Map(), children: [], text: '' }
  const open = [top]
  let count = 0
  let at = 0
  while (at < text.length) {
    const holder = open.at(-1)!
    const next = text.indexOf('<', at)
    const words = text.slice(at, next < 0 ? text.length : next)
    if (open.length > 1) holder.text += unescape(words)
    else if (words.trim() !== '') throw new XmlError('there is text outside of the root element')
    if (next < 0) break
    at = next
    if (text.startsWith('<!--', at)) at = after(text, '-->', at + 4)
    else if (text.startsWith('<![CDATA[', at) && open.length > 1) {
      const end = after(text, ']]>', at)
      holder.text += text.slice(at + 9, end - 3)
      at = end
    } else if (text.startsWith('<?', at)) at = after(text, '?>', at)
    else if (text.startsWith('</', at)) {
      const end = after(text, '>', at)
      if (open.length === 1 || local(text.slice(at + 2, end - 1).trim()) !== holder.name) throw new XmlError('an element is closed that is not open')
      open.pop()
      at = end
    } else {
      if (++count > ELEMENTS) throw new XmlError('there are too many elements')
      const { element, end, empty } = startTag(text, at)
      holder.children.push(element)
      if (!empty) open.push(element)
      if (open.length > DEPTH) throw new XmlError('it is nested too deep')
      at = end
    }
  }
  if (open.length !== 1 || top.children.length !== 1) throw new XmlError('it has not exactly one whole root element')
  return top.children[0]!
}

function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  if (found < 0) throw new XmlError('it ends too soon')
  return found + mark.length
}

function startTag(text: string, at: number): { element: Element; end: number; empty: boolean } {
  NAME.lastIndex = at + 1
  const name = NAME.exec(text)?.[0]
  if (!name) throw new XmlError('an element has no name')
  const attributes = new Map<string, string>()
  ATTRIBUTE.lastIndex = at + 1 + name.length
  let end = ATTRIBUTE.lastIndex
  for (let match = ATTRIBUTE.exec(text); match; match = ATTRIBUTE.exec(text)) {
    attributes.set(match[1]!, unescape(match[2] ?? match[3]!))
    end = ATTRIBUTE.lastIndex
  }
  while (/\s/.test(text[end] ?? '')) end += 1
  const empty = text[end] === '/'
  if (empty) end += 1
  if (text[end] !== '>') throw new XmlError('an element\'s beginning is malformed')
  return { element: { name: local(name), attributes, children: [], text: '' }, end: end + 1, empty }
}
