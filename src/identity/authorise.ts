/**
 * The one place that says whether a caller may: every call of every service comes through here, before its action.
 *
 * Invariants: whatever is not allowed is denied; everything that a call is about must be allowed, each by itself; a denial says which
 * kind of policy denied, and what it was asked, but never what another's policy holds.
 */
import type { Clock } from '#base/clock'
import type { Also, Authorise, Place, ServiceDefinition } from '#kit/action'
import type { Caller } from '#kit/caller'
import { ApiError } from '#kit/error'
import { policyOf } from '#kit/policy/document'
import { evaluate, type Layers, type Verdict } from '#kit/policy/evaluate'
import { actionOf, checksOf, type Check } from '#identity/access/derive'
import { askerOf, globalKeys } from '#identity/context-keys'
import { denialMessage, sealDenial } from '#identity/denial'
import { holdingsReader, type Holdings } from '#identity/holdings'
import type { Identity } from '#identity/identity'
import { locate } from '#identity/locate'
import type { Reader } from '#store/store'

type Asked = { service: ServiceDefinition; operation: string; caller: Caller; reader: Reader; input: object; holdings: Holdings; now: Date }

/** What session credentials may never do (API Reference: GetSessionToken and GetFederationToken, "Permissions"). */
function barred({ principal: { session, root } }: Caller, service: string, operation: string): boolean {
  if (session?.kind !== 'session-token' && session?.kind !== 'federated-user') return false
  const sts = session.kind === 'federated-user' ? ['GetCallerIdentity'] : ['GetCallerIdentity', 'AssumeRole']
  if (service === 'sts') return !sts.includes(operation)
  return service === 'iam' && (session.kind === 'federated-user' || (session.mfa === undefined && !root))
}

export function authoriser(identity: Identity, clock: Clock): Authorise {
  const holdingsOf = holdingsReader(identity)
  return async ({ service, operation, input, caller, reader, also }) => {
    if (!also) identity.noteUse(caller, service.id)
    if (barred(caller, service.id, operation)) {
      throw new ApiError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403)
    }
    const { principal, region } = caller
    // The root user of an account needs no policy; only a resource's own policy, or an endpoint's, can stand in its way.
    if (principal.root && principal.session?.kind !== 'federated-user' && !service.access?.policies && !caller.via?.endpoint) return
    const place = { account: principal.account, region }
    const holdings = await holdingsOf(reader, principal)
    const asked: Asked = { service, operation, caller, reader, input, holdings, now: clock() }
    const whole = also || !service.access?.complete ? input : await service.access.complete(reader, place, { operation, input })
    const checks = also ? [alsoCheck(also)] : checksOf(service.id, operation, { input: whole as Record<string, unknown>, place })
    for (const check of checks) await decide(identity, { ...asked, input: whole }, check)
  }
}

const alsoCheck = ({ action, resource, keys = {} }: Also): Check => ({
  action, resource, known: new Set(), given: new Map(Object.entries(keys).map(([key, values]) => [key.toLowerCase(), values])),
})

async function decide(identity: Identity, asked: Asked, check: Check): Promise<void> {
  const { service, caller, reader, holdings } = asked
  const { resource, keys, owner } = await describe(asked, check)
  const own = await service.access?.policies?.(reader, resource)
  if (own) keys.set('aws:resourceaccount', [own.account])
  if (service.access?.keys) {
    const more = await service.access.keys({ operation: asked.operation, action: check.action, resource, input: asked.input, caller, given: keys })
    for (const [key, values] of Object.entries(more)) keys.set(key.toLowerCase(), values)
  }
  const { endpoint } = caller.via ?? {}
  const layers: Layers = {
    ...holdings, ...(own && { resource: own.documents.map(text => policyOf(text, { kind: 'resource', name: resource })) }),
    ...(endpoint && { endpoint: [policyOf(endpoint.policy, { kind: 'resource', name: endpoint.id })] }),
  }
  const account = own?.account ?? owner
  // Another account's resource must let the caller in, and so must the caller's own policies; who has no account has none of these.
  const foreign = own !== undefined && account !== caller.principal.account && caller.principal.account !== ''
  const question = { action: check.action, resource, keys, asker: askerOf(caller, holdings.roleArn), ...(foreign && { foreign }) }
  const verdict = evaluate(layers, question)
  if (verdict.decision !== 'allowed') throw refusal(identity, asked, { action: check.action, resource, keys, verdict })
}

type Described = { resource: string; keys: Map<string, string[]>; owner: string }

/** The resource's whole ARN and every condition key there is a value of. */
async function describe({ caller, holdings, now, reader, input }: Asked, check: Check): Promise<Described> {
  const keys = globalKeys(caller, holdings, now)
  for (const [key, values] of check.given) keys.set(key, values)
  const place: Place = { account: caller.principal.account, region: caller.region }
  keys.set('aws:resourceaccount', [place.account])
  const prefix = check.action.slice(0, check.action.indexOf(':'))
  if (prefix === 'ec2') keys.set('ec2:region', [caller.region])
  if (check.type === undefined || check.id === undefined) return { resource: check.resource, keys, owner: place.account }
  const found = await locate(reader, place, { prefix, type: check.type, id: check.id, input })
  if (!found) return { resource: check.resource, keys, owner: place.account }
  for (const [key, value] of Object.entries(found.tags)) {
    keys.set(`aws:resourcetag/${key.toLowerCase()}`, [value])
    keys.set(`${prefix}:resourcetag/${key.toLowerCase()}`, [value])
  }
  for (const [key, value] of Object.entries(found.keys)) {
    if (value !== undefined && check.known.has(key.toLowerCase()) && !check.given.has(key.toLowerCase())) keys.set(key.toLowerCase(), [String(value)])
  }
  return { resource: found.arn ?? check.resource, keys, owner: found.account }
}

type Denied = { action: string; resource: string; keys: Map<string, string[]>; verdict: Verdict }

function refusal(identity: Identity, { service, caller }: Asked, denied: Denied): ApiError {
  const message = denialMessage(caller.principal.arn, denied)
  if (service.id === 'ec2') {
    // EC2 User Guide, "You are not authorized to perform this operation": the whole is told by sts DecodeAuthorizationMessage.
    const encoded = sealDenial(identity.sealer, caller, denied)
    return new ApiError('UnauthorizedOperation',
      `You are not authorized to perform this operation. ${message}. Encoded authorization failure message: ${encoded}`, 403)
  }
  return service.access?.denied?.(message) ?? new ApiError('AccessDenied', message, 403)
}

/** The name that policies have for an operation. */
export const policyAction = (service: string, operation: string): string => {
  const { prefix, name } = actionOf(service, operation)
  return `${prefix}:${name}`
}
