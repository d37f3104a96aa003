/**
 * Metric math, as far as it is arithmetic: numbers, ids of other queries, + - * / ^, parentheses (CloudWatch User Guide, "Using math
 * expressions with CloudWatch metrics"). Functions, arrays, comparisons and Metrics Insights are refused by name. Pure.
 */
import { unsupported, validation } from '#service/monitoring/metric'

export type Expression = { number: number } | { id: string } | { negated: Expression } | { operator: string; left: Expression; right: Expression }
type Values = { times: number[]; values: number[] }

const LONGEST = 1024
const DEEPEST = 50
const TOKEN = /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|([-+*/^()])|(\S))/y
const POWERS: Record<string, number> = { '+': 1, '-': 1, '*': 2, '/': 2, '^': 3 }

function tokensOf(text: string): string[] {
  const found: string[] = []
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    if (match[4] !== undefined) throw unsupported(`${match[4]} in metric math expressions`)
    found.push(match[1] ?? match[2] ?? match[3]!)
  }
  return found
}

/** Throws CloudWatch's error for what is none, and a refusal for what Enclume does not calculate. */
export function parse(text: string): Expression {
  if (/^\s*(SELECT|SEARCH)\b/i.test(text)) throw unsupported(`${text.trim().slice(0, 6).toUpperCase()} in GetMetricData`)
  if (text.length > LONGEST) throw validation(`An expression may have ${LONGEST} characters.`)
  const tokens = tokensOf(text)
  let at = 0
  const wrong = () => validation(`Error in expression '${text}': unexpected ${tokens[at] ?? 'end'}.`)

  function atom(depth: number): Expression {
    if (depth > DEEPEST) throw validation(`Error in expression '${text}': nested too deep.`)
    const token = tokens[at]
    if (token === undefined) throw wrong()
    if (token === '-' || token === '+') {
      at++
      const inner = chain(2, depth + 1)
      return token === '-' ? { negated: inner } : inner
    }
    if (token === '(') {
      at++
      const inner = chain(1, depth + 1)
      if (tokens[at++] !== ')') throw wrong()
      return inner
    }
    if (/^[\d.]/.test(token)) { at++; return { number: Number(token) } }
    if (!/^\w/.test(token)) throw wrong()
    if (tokens[at + 1] === '(') throw unsupported(`the function ${token} in metric math expressions`)
    at++
    return { id: token }
  }
  function chain(power: number, depth: number): Expression {
    let left = atom(depth)
    for (let operator = tokens[at]; operator !== undefined && (POWERS[operator] ?? 0) >= power; operator = tokens[at]) {
      at++
      const own = POWERS[operator]!
      left = { operator, left, right: chain(operator === '^' ? own : own + 1, depth + 1) }
    }
    return left
  }
  const whole = chain(1, 0)
  if (at < tokens.length) throw wrong()
  return whole
}

export function idsIn(expression: Expression): string[] {
  if ('id' in expression) return [expression.id]
  if ('negated' in expression) return idsIn(expression.negated)
  return 'operator' in expression ? [...new Set([...idsIn(expression.left), ...idsIn(expression.right)])] : []
}

function valueAt(expression: Expression, of: (id: string) => number): number {
  if ('number' in expression) return expression.number
  if ('id' in expression) return of(expression.id)
  if ('negated' in expression) return -valueAt(expression.negated, of)
  const [left, right] = [valueAt(expression.left, of), valueAt(expression.right, of)]
  switch (expression.operator) {
    case '+': return left + right
    case '-': return left - right
    case '*': return left * right
    case '/': return left / right
    default: return left ** right
  }
}

/** There is a value where all series have one, and where it is a number: none for a division by zero. */
export function calculate(expression: Expression, series: ReadonlyMap<string, Values>): Values {
  const byTime = new Map([...series].map(([id, { times, values }]) => [id, new Map(times.map((time, i) => [time, values[i]!]))]))
  const [first] = byTime.values()
  const found = [...first?.keys() ?? []].filter(time => [...byTime.values()].every(one => one.has(time)))
    .map(time => ({ time, value: valueAt(expression, id => byTime.get(id)!.get(time)!) })).filter(({ value }) => Number.isFinite(value))
  return { times: found.map(one => one.time), values: found.map(one => one.value) }
}
