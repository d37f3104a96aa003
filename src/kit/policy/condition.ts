/**
 * Condition blocks as tests: every operator of IAM, with IfExists, ForAllValues and ForAnyValue.
 *
 * Invariant: a value that is not of the operator's type matches nothing, and so satisfies only what is negated
 * (IAM User Guide, "IAM JSON policy elements: Condition operators").
 */
import { BlockList, isIP } from 'node:net'
import { pattern, type Keys } from '#kit/policy/pattern'

export type Condition = (keys: Keys) => boolean
/** Whether one value of the request matches one of the policy's. */
type Match = (value: string, keys: Keys) => boolean
type Operator = { negated: boolean; compile(wanted: string, variables: boolean): Match }

const texts = (options: { wildcards: boolean; ignoreCase?: boolean }) => (wanted: string, variables: boolean): Match =>
  pattern(wanted, { ...options, variables }).matches

function arn(wanted: string, variables: boolean): Match {
  // Each of the six parts is matched by itself; a variable may bring colons of its own, so the parts are split before it is resolved.
  const parts = splitArn(wanted).map(part => pattern(part, { wildcards: true, variables }))
  return (value, keys) => {
    const found = splitArn(value)
    return found.length === 6 && parts.length === 6 && parts.every((part, i) => part.matches(found[i]!, keys))
  }
}

/** Six parts at colons outside of variables; the last keeps its own. */
function splitArn(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < text.length && parts.length < 5; i++) {
    if (text.startsWith('${', i)) depth += 1
    else if (text[i] === '}' && depth > 0) depth -= 1
    else if (text[i] === ':' && depth === 0) { parts.push(text.slice(start, i)); start = i + 1 }
  }
  return [...parts, text.slice(start)]
}

const numberOf = (text: string): number => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : NaN)
/** ISO 8601, or seconds since 1970. */
const timeOf = (text: string): number => (/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : /^\d{4}(-\d\d){0,2}(T.*)?$/.test(text)
  ? Date.parse(text) : NaN)

const ordered = (read: (text: string) => number, compare: (a: number, b: number) => boolean) => (wanted: string): Match => {
  const b = read(wanted)
  return value => compare(read(value), b)
}

function address(wanted: string): Match {
  const [net = '', length] = wanted.split('/')
  const family = isIP(net)
  const most = family === 6 ? 128 : 32
  const bits = length === undefined ? most : Number(length)
  if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > most) return () => false
  const list = new BlockList()
  list.addSubnet(net, bits, family === 6 ? 'ipv6' : 'ipv4')
  return value => isIP(value) === family && list.check(value, family === 6 ? 'ipv6' : 'ipv4')
}

const less = (a: number, b: number) => a < b
const atMost = (a: number, b: number) => a <= b
const more = (a: number, b: number) => a > b
const atLeast = (a: number, b: number) => a >= b
const equal = (a: number, b: number) => a === b

const both = (name: string, negation: string, compile: Operator['compile']): [string, Operator][] =>
  [[name, { negated: false, compile }], [negation, { negated: true, compile }]]
const numbers = (name: string, read: (text: string) => number): [string, Operator][] => [
  ...both(`${name}Equals`, `${name}NotEquals`, ordered(read, equal)),
  ...Object.entries({ LessThan: less, LessThanEquals: atMost, GreaterThan: more, GreaterThanEquals: atLeast })
    .map(([suffix, compare]): [string, Operator] => [`${name}${suffix}`, { negated: false, compile: ordered(read, compare) }]),
]

const TABLE: [string, Operator][] = [
  ...both('StringEquals', 'StringNotEquals', texts({ wildcards: false })),
  ...both('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', texts({ wildcards: false, ignoreCase: true })),
  ...both('StringLike', 'StringNotLike', texts({ wildcards: true })),
  ...numbers('Numeric', numberOf),
  ...numbers('Date', timeOf),
  ['Bool', { negated: false, compile: wanted => value => value.toLowerCase() === wanted.toLowerCase() }],
  ['BinaryEquals', { negated: false, compile: wanted => value => value === wanted }],
  ...both('IpAddress', 'NotIpAddress', address),
  // ArnEquals and ArnLike behave alike (IAM User Guide, "ARN condition operators").
  ...both('ArnEquals', 'ArnNotEquals', arn),
  ...both('ArnLike', 'ArnNotLike', arn),
]
const OPERATORS = new Map(TABLE.map(([name, operator]) => [name.toLowerCase(), operator]))

type Read = { operator: Operator; set?: 'all' | 'any'; ifExists: boolean }

function readOperator(name: string): Read | 'null' | undefined {
  const [, set, base = '', ifExists] = /^(?:(forallvalues|foranyvalue):)?(.*?)(ifexists)?$/.exec(name.toLowerCase()) ?? []
  if (base === 'null') return set || ifExists ? undefined : 'null'
  const operator = OPERATORS.get(base)
  return operator && { operator, ifExists: ifExists !== undefined, ...(set && { set: set === 'forallvalues' ? 'all' : 'any' }) }
}

export const isOperator = (name: string): boolean => readOperator(name) !== undefined

/** One line of a condition block: an operator, a key, and the values any of which will do. */
export function condition(name: string, key: string, { wanted, variables }: { wanted: readonly string[]; variables: boolean }): Condition {
  const read = readOperator(name)
  const lower = key.toLowerCase()
  if (read === undefined) throw new Error(`no condition operator ${name}`)
  if (read === 'null') return keys => wanted.some(value => (value.toLowerCase() === 'true') === (keys.get(lower) === undefined))
  const { operator: { negated, compile }, set, ifExists } = read
  const matches = wanted.map(value => compile(value, variables))
  const holds = (value: string, keys: Keys) => matches.some(match => match(value, keys)) !== negated
  return keys => {
    const values = keys.get(lower)
    if (values === undefined || (set && values.length === 0)) return ifExists || (set ? set === 'all' : negated)
    if (set === 'all') return values.every(value => holds(value, keys))
    if (set === 'any') return values.some(value => holds(value, keys))
    return negated ? values.every(value => holds(value, keys)) : values.some(value => holds(value, keys))
  }
}
