/**
 * Texts with wildcards and policy variables, compiled once.
 *
 * Invariants: matching takes time in proportion to pattern and text, whatever they are; a variable's value is only ever literal text, so
 * that nobody widens a policy by being named `*`.
 */

/** Condition keys to their values, keys in lower case. */
export type Keys = { get(key: string): readonly string[] | undefined }
export type Pattern = {
  /** Undefined where it holds wildcards or variables. */
  literal?: string
  matches(text: string, keys: Keys): boolean
}
export type PatternOptions = {
  wildcards: boolean
  variables: boolean
  ignoreCase?: boolean
  /**
   * ARNs of resources: `*` stays within its segment unless it ends one (IAM User Guide, "IAM JSON policy elements: Resource":
   * as the last character of a segment it can match beyond the colon).
   */
  segments?: boolean
}

const STAR = -1
const STAR_WITHIN = -2
const ANY = -3
const COLON = 58
type Variable = { key: string; fallback?: string }
type Token = number | Variable

/** `${aws:username, 'nobody'}`: a condition key, and what stands for it where the request has none. */
const VARIABLE = /^\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}/

function tokens(text: string, { wildcards, variables }: PatternOptions): Token[] {
  const found: Token[] = []
  for (let i = 0; i < text.length; i++) {
    const variable = variables && text[i] === '$' ? VARIABLE.exec(text.slice(i)) : null
    if (variable) {
      const [whole, key = '', fallback] = variable
      // `${*}`, `${?}` and `${$}` are those characters themselves.
      found.push(/^[*?$]$/.test(key) ? key.charCodeAt(0) : { key: key.toLowerCase(), ...(fallback !== undefined && { fallback }) })
      i += whole.length - 1
    } else if (wildcards && text[i] === '*') {
      if (found.at(-1) !== STAR) found.push(STAR)
    } else found.push(wildcards && text[i] === '?' ? ANY : text.charCodeAt(i))
  }
  return found
}

/** Stars that stand before more of their own segment. */
const confine = (found: Token[]): Token[] => found.map((token, i) => {
  const next = found[i + 1]
  return token === STAR && next !== undefined && next !== COLON ? STAR_WITHIN : token
})

function resolve(found: Token[], keys: Keys): number[] | undefined {
  const codes: number[] = []
  for (const token of found) {
    if (typeof token === 'number') codes.push(token)
    else {
      const values = keys.get(token.key)
      // A variable stands for one value; a key with several has none to stand for.
      const value = values?.length === 1 ? values[0]! : token.fallback
      if (value === undefined) return undefined
      for (let i = 0; i < value.length; i++) codes.push(value.charCodeAt(i))
    }
  }
  return codes
}

/** Keeps every place in the pattern that the text read so far may have led to. */
function glob(codes: number[], text: string): boolean {
  let places = new Uint8Array(codes.length + 1)
  const open = (at: Uint8Array, i: number): void => {
    for (let j = i; ; j++) {
      at[j] = 1
      if (codes[j] !== STAR && codes[j] !== STAR_WITHIN) return
    }
  }
  open(places, 0)
  for (let t = 0; t < text.length; t++) {
    const char = text.charCodeAt(t)
    const next = new Uint8Array(codes.length + 1)
    let some = false
    for (let i = 0; i < codes.length; i++) {
      if (!places[i]) continue
      const code = codes[i]!
      if (code === STAR || (code === STAR_WITHIN && char !== COLON)) { open(next, i); some = true }
      else if (code === ANY || code === char) { open(next, i + 1); some = true }
    }
    if (!some) return false
    places = next
  }
  return places[codes.length] === 1
}

/** A matcher of resolved codes, with the cheap cases apart. */
function matcher(codes: number[]): (text: string) => boolean {
  const first = codes.findIndex(code => code < 0)
  const prefix = String.fromCharCode(...codes.slice(0, first < 0 ? codes.length : first))
  if (first < 0) return text => text === prefix
  if (first === codes.length - 1 && codes[first] === STAR) return text => text.startsWith(prefix)
  const rest = codes.slice(first)
  return text => text.startsWith(prefix) && glob(rest, text.slice(prefix.length))
}

export function pattern(source: string, options: PatternOptions): Pattern {
  const fold = (text: string): string => (options.ignoreCase ? text.toLowerCase() : text)
  const plain = tokens(options.variables ? source : fold(source), options)
  const found = options.segments ? confine(plain) : plain
  if (found.every(token => typeof token === 'number')) {
    const codes = found as number[]
    const match = matcher(codes.map(code => (options.ignoreCase && code > 0 ? fold(String.fromCharCode(code)).charCodeAt(0) : code)))
    const literal = codes.every(code => code >= 0) ? String.fromCharCode(...codes) : undefined
    return { ...(literal !== undefined && { literal }), matches: text => match(fold(text)) }
  }
  return {
    matches(text, keys) {
      const codes = resolve(found, keys)
      if (!codes) return false
      const folded = options.ignoreCase ? codes.map(code => (code > 0 ? fold(String.fromCharCode(code)).charCodeAt(0) : code)) : codes
      return matcher(folded)(fold(text))
    },
  }
}
