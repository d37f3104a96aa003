/**
 * Random values of any shape, from a seed.
 *
 * Invariant: the same seed gives the same values, so that a failure can be looked at again.
 */
import type { Member, Shape } from '#kit/schema'

/** Another: FUZZ_SEED=7. `./enclume test fuzz` takes a new one and prints it. */
export const seed = Number(process.env.FUZZ_SEED ?? 1)
/** How much is tried: 5,000 requests of all services, or FUZZ_ROUNDS, and of each other thing a share of as many. */
export const roundsOf = (share = 1): number => Math.ceil(Number(process.env.FUZZ_ROUNDS ?? 5000) * share)
/** Of one test: a whole night's. */
export const NIGHT_MS = 10 * 3_600_000

export type Random = { next(): number; pick<T>(from: readonly T[]): T; below(n: number): number }

/** A linear congruential generator: enough for choosing test values, and the same everywhere. */
export function openRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const below = (n: number) => Math.floor(next() * n)
  return { next, below, pick: from => from[below(from.length)]! }
}

const TEXTS = [
  'a', 'hello world', 'a+b&c=d%20;e', '<x>&"\'</x>', 'ünïcödé – 日本 😀', 'i-0123456789abcdef0', 'one\ntwo', 'one\r\ntwo', '10.0.0.0/16',
  ' lead', 'trail ', 'true', '0', 'a\tb', '__proto__', 'constructor', 'Filter.1', ']]>', '\u0085\u2028', 'x'.repeat(300),
]
const PLAIN = ['a', 'hello world', 'a+b&c=d%20;e', 'x'.repeat(300), 'a/b', '"quoted", it is']
const NUMBERS = [0, 1, -1, 42, 65535, 2147483647, 9007199254740991, 0.5, 1e-7, 3.25]
const NAMES = ['k1', 'key two', 'K&3', 'é', 'k.5', '__proto__']

/** Structures that hold themselves end here. */
const DEEPEST = 14

/** How full structures are: required members always, others by chance, less the deeper. */
const leaveOut = (random: Random, depth: number) => depth > 6 || random.next() < (depth > 2 ? 0.6 : 0.25)

/** A value of this shape. With `full`, every member of every structure and two items in every list. */
export function valueOf(shape: Shape, random: Random, { depth = 0, full = false, plain = false } = {}): unknown {
  const inner = ({ target, traits }: Member) => valueOf(target, random, {
    depth: depth + 1, full: full && depth < DEEPEST,
    // Headers, paths and attributes carry fewer characters than bodies.
    plain: plain || Boolean(traits.httpHeader ?? traits.httpLabel ?? traits.httpPrefixHeaders ?? traits.xmlAttribute),
  })
  switch (shape.kind) {
    case 'string': return random.pick(plain ? PLAIN : TEXTS)
    case 'number': return random.pick(NUMBERS)
    case 'boolean': return random.next() < 0.5
    case 'bigint': return 9223372036854775807n
    case 'timestamp': return new Date(random.below(4e9) * 1000 + (plain || shape.timestamp === 6 ? 0 : random.pick([0, 123])))
    case 'blob': return new Uint8Array(Buffer.from(random.pick(TEXTS) + '\u0000\u0001'))
    case 'list': return depth > DEEPEST ? [] : Array.from({ length: full ? 2 : depth > 5 ? 1 : 1 + random.below(3) }, () => inner(shape.value!))
    case 'map': return Object.fromEntries([random.pick(NAMES), 'k2'].map(name => [name, inner(shape.value!)]))
    case 'union': { const member = random.pick(shape.members); return { [member.name]: inner(member) } }
    case 'struct': {
      const must = (member: Member) => member.required || member.traits.httpPayload || member.name === 'AcceptRanges'
      const chosen = shape.members.filter(member => full || must(member) || !leaveOut(random, depth))
      // A structure with nothing in it leaves no trace in a form, so each has one member at least.
      const members = chosen.length || !shape.members.length ? chosen : shape.members.slice(0, 1)
      return Object.fromEntries(members.map(member => [member.name, inner(member)]))
    }
    case 'unit': return {}
    default: throw new Error(`no random ${shape.kind}`)
  }
}
