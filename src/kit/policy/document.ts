/**
 * Policy documents, read strictly and compiled once.
 *
 * Invariants: what AWS refuses as malformed never becomes a policy; a compiled policy holds nothing of a request.
 */
import { condition, isOperator, type Condition } from '#kit/policy/condition'
import { pattern, type Pattern } from '#kit/policy/pattern'
import { principalFault, principalTest, type PrincipalTest } from '#kit/policy/principal'

export type Kind = 'identity' | 'resource' | 'trust'
export type Statement = {
  sid: string
  /** Its number in its policy, from 0. */
  index: number
  allow: boolean
  /** In lower case. */
  actions: Pattern[]
  notActions: boolean
  resources: Pattern[] | undefined
  notResources: boolean
  principal?: PrincipalTest
  notPrincipal: boolean
  conditions: Condition[]
  /** Condition keys that it asks, as written. */
  keys: string[]
}
export type Policy = { name: string; statements: Statement[] }

/** Why a text is no policy. The services have their own names for it. */
export class Malformed extends Error {}

const fault = (words: string): never => { throw new Malformed(words) }
const ELEMENTS = new Set([
  'Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Principal', 'NotPrincipal', 'Condition',
])
const MOST_DEPTH = 20

type Raw = Record<string, unknown>
const isObject = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value)

function strings(value: unknown, name: string): string[] {
  const list = Array.isArray(value) ? value : [value]
  if (list.length === 0) fault(`Policy statement must contain ${name.toLowerCase()}s.`)
  if (list.some(item => typeof item !== 'string')) fault('Syntax errors in policy.')
  return list as string[]
}

function oneOf(raw: Raw, name: string): { values: string[] | undefined; not: boolean } {
  const not = `Not${name}`
  if (name in raw && not in raw) fault(`Statement must not contain both ${name} and ${not}.`)
  if (not in raw) return { values: strings(raw[not], name), not: true }
  return { values: name in raw ? strings(raw[name], name) : undefined, not: false }
}

function conditionsOf(block: unknown, variables: boolean): Condition[] {
  if (block === undefined) return []
  if (!isObject(block)) return fault('Syntax errors in policy.')
  return Object.entries(block).flatMap(([operator, lines]) => {
    if (!isOperator(operator)) fault(`Invalid Condition type : ${operator}.`)
    if (!isObject(lines)) return fault('Syntax errors in policy.')
    return Object.entries(lines).map(([key, given]) => {
      const wanted = [given].flat()
      if (wanted.some(value => !['string', 'number', 'boolean'].includes(typeof value))) fault('Syntax errors in policy.')
      if (!/^[^\s]+$/.test(key)) fault(`Invalid Condition key: ${key}`)
      return condition(operator, key, { wanted: wanted.map(String), variables })
    })
  })
}

const ACTION = /^(\*|[a-z0-9-]+:[a-z0-9*?]+)$/i
const RESOURCE = /^(\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:[^]+)$/

function actionsOf(raw: Raw, kind: Kind): { actions: Pattern[]; notActions: boolean } {
  const { values, not } = oneOf(raw, 'Action')
  if (!values) return fault('Policy statement must contain actions.')
  for (const action of values) {
    if (!ACTION.test(action)) fault(action.includes(':') ? 'Actions/Conditions can contain only one colon.'
      : 'Actions/Conditions must be prefaced by a vendor, '
      + 'e.g., iam, sdb, ec2, etc.')
    if (kind === 'trust' && !/^(\*|sts:)/i.test(action)) fault('AssumeRole policy may only specify STS AssumeRole actions.')
  }
  return { actions: values.map(value => pattern(value.toLowerCase(), { wildcards: true, variables: false })), notActions: not }
}

function resourcesOf(raw: Raw, kind: Kind, variables: boolean): { resources: Pattern[] | undefined; notResources: boolean } {
  const { values, not } = oneOf(raw, 'Resource')
  if (kind === 'trust') {
    if (values) fault('Has prohibited field Resource.')
    return { resources: undefined, notResources: false }
  }
  if (!values) return fault('Policy statement must contain resources.')
  for (const resource of values) {
    if (!RESOURCE.test(resource) && !/^arn:.*\*$/.test(resource)) fault(`Resource ${resource} must be in ARN format or "*".`)
  }
  return { resources: values.map(value => pattern(value, { wildcards: true, variables, segments: true })), notResources: not }
}

function statementOf(raw: unknown, { index, kind, variables }: { index: number; kind: Kind; variables: boolean }): Statement {
  if (!isObject(raw)) return fault('Syntax errors in policy.')
  const stranger = Object.keys(raw).find(name => !ELEMENTS.has(name))
  if (stranger !== undefined) fault('Syntax errors in policy.')
  const { Effect: effect, Sid: sid = '' } = raw
  if (effect !== 'Allow' && effect !== 'Deny') fault(`Invalid effect: ${String(effect)}.`)
  if (typeof sid !== 'string' || !(kind === 'identity' ? /^[A-Za-z0-9]*$/ : /^[^]*$/).test(sid)) {
    fault('Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*')
  }
  const named = 'Principal' in raw || 'NotPrincipal' in raw
  if (kind === 'identity' && named) fault('Policy document should not specify a principal.')
  if (kind !== 'identity' && !named) fault('Missing required field Principal')
  if ('Principal' in raw && 'NotPrincipal' in raw) fault('Statement must not contain both Principal and NotPrincipal.')
  const principal = raw.Principal ?? raw.NotPrincipal
  const wrong = named ? principalFault(principal) : undefined
  if (wrong) fault(wrong)
  return {
    sid: sid as string, index, allow: effect === 'Allow', ...actionsOf(raw, kind), ...resourcesOf(raw, kind, variables),
    ...(named && { principal: principalTest(principal) }), notPrincipal: 'NotPrincipal' in raw,
    conditions: conditionsOf(raw.Condition, variables),
    keys: Object.values((raw.Condition ?? {}) as Record<string, object>).flatMap(Object.keys),
  }
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

/** A policy of a text; throws Malformed for what AWS would refuse. */
export function parsePolicy(text: string, { kind, name }: { kind: Kind; name: string }): Policy {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    fault('This policy contains invalid Json')
  }
  if (!isObject(raw) || depthOf(raw) > MOST_DEPTH) return fault('Syntax errors in policy.')
  const { Version: version = '2008-10-17', Statement: given, Id: id, ...rest } = raw
  if (version !== '2012-10-17' && version !== '2008-10-17') fault('The policy must contain a valid version string')
  if (Object.keys(rest).length > 0 || (id !== undefined && typeof id !== 'string')) fault('Syntax errors in policy.')
  const statements = Array.isArray(given) ? given : given === undefined ? [] : [given]
  if (statements.length === 0) fault('Syntax errors in policy.')
  // Variables came with the second version of the language; in the first they are text (IAM User Guide, "Version").
  const variables = version === '2012-10-17'
  const parsed = statements.map((one, index) => statementOf(one, { index, kind, variables }))
  const sids = parsed.map(one => one.sid).filter(sid => sid !== '')
  if (new Set(sids).size < sids.length) fault('Statement IDs (SID) in a single policy must be unique.')
  return { name, statements: parsed }
}

const MOST_KEPT = 2000
const kept = new Map<string, Policy>()

/** The same, kept by its text: documents are written seldom and asked at every call. */
export function policyOf(text: string, options: { kind: Kind; name: string }): Policy {
  const key = `${options.kind} ${options.name} ${text}`
  const known = kept.get(key)
  if (known) return known
  const policy = parsePolicy(text, options)
  if (kept.size >= MOST_KEPT) kept.clear()
  kept.set(key, policy)
  return policy
}
