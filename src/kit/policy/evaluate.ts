/**
 * Whether policies allow a request (IAM User Guide, "Policy evaluation logic"). Pure.
 *
 * Invariants: one matching Deny anywhere wins; without an Allow nothing is allowed; boundaries, session policies and service control
 * policies only narrow, and so does the policy of the VPC endpoint by which a request came.
 */
import type { Policy, Statement } from '#kit/policy/document'
import type { Keys } from '#kit/policy/pattern'
import type { Asker, Reach } from '#kit/policy/principal'

export type Question = {
  action: string
  /** An ARN, or `*` for an action on no resource. */
  resource: string
  keys: Keys
  asker: Asker
  /** Who has the resource, where that is another account than the asker's. */
  foreign?: boolean
}
export type Layer = 'identity' | 'resource' | 'boundary' | 'session' | 'scp' | 'endpoint'
export type Layers = {
  identity: Policy[]
  /** The resource's own policies. */
  resource?: Policy[]
  /** Roles and keys: nothing is allowed unless their own policy does. */
  resourceDecides?: boolean
  boundary?: Policy[]
  session?: Policy[]
  /** By level from the organisation's root down: each must allow. */
  scps?: Policy[][]
  /** Of the VPC endpoint: whoever asks, and whosever the resource is (PrivateLink Guide, "Control access to VPC endpoints"). */
  endpoint?: Policy[]
}
export type Matched = { layer: Layer; policy: string; statement: Statement }
export type Verdict = {
  decision: 'allowed' | 'explicitDeny' | 'implicitDeny'
  /** Which kind of policy denies, or lacks what would allow. */
  by: Layer
  matched: Matched[]
}

const LAYERS = ['scp', 'endpoint', 'resource', 'identity', 'boundary', 'session'] as const

/** How far a statement speaks of the request; undefined where it does not. */
function applies(statement: Statement, { action, resource, keys, asker }: Question): Reach | undefined {
  if (statement.actions.some(one => one.matches(action, keys)) === statement.notActions) return undefined
  if (statement.resources && statement.resources.some(one => one.matches(resource, keys)) === statement.notResources) return undefined
  let reach: Reach | undefined = 'itself'
  if (statement.principal) {
    reach = statement.principal(asker)
    if (statement.notPrincipal) reach = reach ? undefined : 'itself'
    if (!reach) return undefined
  }
  for (const test of statement.conditions) if (!test(keys)) return undefined
  return reach
}

type Result = { denied: Matched[]; allowed: Matched[]; reach?: Reach }
const RANK: Record<Reach, number> = { account: 0, role: 1, itself: 2 }

function ask(policies: readonly Policy[], layer: Layer, question: Question): Result {
  const result: Result = { denied: [], allowed: [] }
  for (const policy of policies) {
    for (const statement of policy.statements) {
      const reach = applies(statement, question)
      if (!reach) continue
      result[statement.allow ? 'allowed' : 'denied'].push({ layer, policy: policy.name, statement })
      if (statement.allow && (!result.reach || RANK[reach] > RANK[result.reach])) result.reach = reach
    }
  }
  return result
}

export function evaluate(layers: Layers, given: Question): Verdict {
  const question = { ...given, action: given.action.toLowerCase() }
  const scps = (layers.scps ?? []).map(level => ask(level, 'scp', question))
  const none: Result = { denied: [], allowed: [] }
  const results = {
    scp: { denied: scps.flatMap(level => level.denied), allowed: scps.flatMap(level => level.allowed) },
    endpoint: layers.endpoint ? ask(layers.endpoint, 'endpoint', question) : none,
    resource: layers.resource ? ask(layers.resource, 'resource', question) : none,
    identity: ask(layers.identity, 'identity', question),
    boundary: layers.boundary ? ask(layers.boundary, 'boundary', question) : none,
    session: layers.session ? ask(layers.session, 'session', question) : none,
  }
  for (const layer of LAYERS) {
    if (results[layer].denied.length > 0) return { decision: 'explicitDeny', by: layer, matched: results[layer].denied }
  }
  const lacking = (by: Layer): Verdict => ({ decision: 'implicitDeny', by, matched: [] })
  if (scps.some(level => level.allowed.length === 0)) return lacking('scp')
  if (layers.endpoint && results.endpoint.allowed.length === 0) return lacking('endpoint')
  const { reach } = results.resource as Result
  if (layers.resourceDecides && !reach) return lacking('resource')
  const granted = (...from: Layer[]): Verdict => ({ decision: 'allowed', by: from[0]!, matched: from.flatMap(layer => results[layer].allowed) })
  // In one account a resource's policy that names the principal itself suffices, whatever bounds that principal.
  if (reach === 'itself' && !question.foreign) return granted('resource')
  const bounded = layers.boundary && results.boundary.allowed.length === 0 ? 'boundary' : undefined
  const narrowed = layers.session && results.session.allowed.length === 0 ? 'session' : undefined
  const own = results.identity.allowed.length > 0
  if (reach === 'role' && !question.foreign) return bounded || narrowed ? lacking(bounded ?? narrowed!) : granted('resource')
  if (!own) return lacking('identity')
  if (question.foreign && !reach) return lacking('resource')
  if (bounded) return lacking('boundary')
  if (narrowed) return lacking('session')
  return granted('identity', 'resource')
}
