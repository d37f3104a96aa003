/**
 * Form bodies and query strings as trees: `Filter.1.Name=x` becomes Filter > 1 > Name.
 *
 * Invariant: what a caller sends cannot cost more than its bytes. Depth, keys and list positions are bounded before
 * anything is built, and names live in Maps, so that no name is special.
 */
import { ApiError } from '#kit/error'

/** One name in the tree. `key` is the whole dotted name as sent, for error messages. */
export type Field = { key: string; value?: string; children?: Map<string, Field> }
export type FormLimits = { depth: number; keys: number }

/** The deepest EC2 input has eleven parts; an SDK writes one key per leaf, and the longest lists of AWS's hold thousands. */
const LIMITS: FormLimits = { depth: 16, keys: 20_000 }

/** Reads the texts (a query string, a body) into one tree; of a name sent twice the last holds. Throws MalformedQueryString. */
export function parseForm(texts: string[], limits: FormLimits = LIMITS): Field {
  const root: Field = { key: '' }
  let keys = 0
  for (const text of texts) {
    for (let start = 0; start < text.length;) {
      const found = text.indexOf('&', start)
      const end = found < 0 ? text.length : found
      if (end > start) {
        if (++keys > limits.keys) throw malformed(`it has more than ${limits.keys} parameters`)
        const equals = text.indexOf('=', start)
        const middle = equals < 0 || equals > end ? end : equals
        put(root, { key: decode(text.slice(start, middle)), value: decode(text.slice(middle + 1, end)), depth: limits.depth })
      }
      start = end + 1
    }
  }
  return root
}

export type Call = { action?: string; version?: string; root: Field }

/** A Query request's action, version and input fields: from the query string and, in a POST, the body. */
export function readCall({ method, query, body }: { method: string; query: string; body: Buffer }): Call {
  if (method !== 'GET' && method !== 'POST') throw new ApiError('MethodNotAllowed', `The method ${method} is not allowed.`, 405)
  const root = parseForm(method === 'POST' ? [query, body.toString('utf8')] : [query])
  for (const name of root.children?.keys() ?? []) if (name.startsWith('X-Amz-')) root.children!.delete(name) // a presigned request's
  return { action: take(root, 'Action'), version: take(root, 'Version'), root }
}

/** Takes a top-level value out of the tree, so that what remains is the operation's input. */
function take(root: Field, name: string): string | undefined {
  const field = root.children?.get(name)
  root.children?.delete(name)
  return field?.value
}

function put(root: Field, { key, value, depth }: { key: string; value: string; depth: number }): void {
  let field = root
  let level = 0
  for (let start = 0; start <= key.length;) {
    if (++level > depth) throw malformed(`a parameter has more than ${depth} parts`)
    const found = key.indexOf('.', start)
    const end = found < 0 ? key.length : found
    const part = key.slice(start, end)
    field.children ??= new Map()
    let child = field.children.get(part)
    if (!child) field.children.set(part, child = { key: key.slice(0, end) })
    field = child
    start = end + 1
  }
  field.value = value
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    throw malformed('it contains an invalid percent encoding')
  }
}

const malformed = (why: string) => new ApiError('MalformedQueryString', `The query string is malformed: ${why}.`)
