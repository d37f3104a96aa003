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

/** After so many steps the greedy way gives up; the other takes its fixed time. */
const PATIENCE = 20_000

/**
 * The common way: as few characters as possible for each star, and more when the rest does not fit. Only the last star that may cross
 * segments and the last one after it that may not can still help: whatever an earlier one could take, a later one can.
 */
function matches(codes: readonly number[], text: string): boolean {
  let i = 0
  let t = 0
  let steps = 0
  let star = -1
  let starAt = 0
  let within = -1
  let withinAt = 0
  while (t < text.length || i < codes.length) {
    if (++steps > PATIENCE) return glob([...codes], text)
    const code = codes[i]
    if (code === STAR) {
      if (i === codes.length - 1) return true
      star = i++; starAt = t; within = -1
    } else if (code === STAR_WITHIN) { within = i++; withinAt = t }
    else if (t < text.length && (code === ANY || code === text.charCodeAt(t))) { i++; t++ }
    else if (within >= 0 && withinAt < text.length && text.charCodeAt(withinAt) !== COLON) { i = within + 1; t = ++withinAt }
    else if (star >= 0 && starAt < text.length) { within = -1; i = star + 1; t = ++starAt }
    else return false
  }
  return true
}

/** The text before the first wildcard or variable. */
function prefixOf(found: readonly Token[]): string {
  const first = found.findIndex(token => typeof token !== 'number' || token < 0)
  return String.fromCharCode(...found.slice(0, first < 0 ? found.length : first) as number[])
}

const foldCode = (code: number): number => (code < 0 ? code : String.fromCharCode(code).toLowerCase().charCodeAt(0))

export function pattern(source: string, options: PatternOptions): Pattern {
  const { ignoreCase = false } = options
  const plain = tokens(source, options)
  const found = (options.segments ? confine(plain) : plain).map(token => (ignoreCase && typeof token === 'number' ? foldCode(token) : token))
  const prefix = prefixOf(found)
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text)
  if (found.every(token => typeof token === 'number')) {
    const codes = found as number[]
    if (prefix.length === codes.length) return { literal: prefix, matches: text => fold(text) === prefix }
    if (prefix.length === codes.length - 1 && codes.at(-1) === STAR) return { matches: text => fold(text).startsWith(prefix) }
    return { matches: text => { const given = fold(text); return given.startsWith(prefix) && matches(codes, given) } }
  }
  return {
    matches(text, keys) {
      const given = fold(text)
      if (!given.startsWith(prefix)) return false
      const codes = resolve(found, keys)
      return codes !== undefined && matches(ignoreCase ? codes.map(foldCode) : codes, given)
    },
  }
}
