/**
 * AssumeRole, GetFederationToken and DecodeAuthorizationMessage.
 *
 * Invariant: a role is assumed only by whom its trust policy names; in one account a principal that it names suffices, one that it
 * reaches by its account must be allowed by its own policies too (IAM User Guide, "Policy evaluation logic").
 */
import type * as Sdk from '@aws-sdk/client-sts'
import type { Actions, Call } from '#kit/action'
import type { Session } from '#kit/caller'
import { ApiError } from '#kit/error'
import { Malformed, parsePolicy, policyOf } from '#kit/policy/document'
import { evaluate } from '#kit/policy/evaluate'
import { assumedPrincipal, roleOf } from '#identity/assume'
import { askerOf, globalKeys } from '#identity/context-keys'
import { openDenial } from '#identity/denial'
import { proveDevice } from '#identity/device'
import { holdingsReader } from '#identity/holdings'
import type { Identity } from '#identity/identity'
import { findPolicy } from '#identity/managed'
import { roles, type RoleRow } from '#identity/records'
import { packedPercent } from '#identity/session'
import { checkDuration, credentialsOf, HOUR_S } from '#service/sts/session'
import type { Reader } from '#store/store'

type Tag = { Key?: string; Value?: string }
const invalid = (words: string) => new ApiError('ValidationError', words)
const violation = (value: string, constraint: string) =>
  invalid(`1 validation error detected: Value ${value} failed to satisfy constraint: ${constraint}`)
const tooLong = (member: string, most: number) => violation(`at '${member}'`, `Member must have length less than or equal to ${most}`)
const misnamed = (member: string, value: string) =>
  violation(`'${value}' at '${member}'`, 'Member must satisfy regular expression pattern: [\\w+=,.@-]*')

export function sessionTags(given: readonly Tag[] = []): Record<string, string> {
  const tags = new Map<string, string>()
  if (given.length > 50) throw tooLong('tags', 50)
  for (const { Key: key = '', Value: value = '' } of given) {
    if (key === '' || key.length > 128 || value.length > 256) {
      throw invalid('A session tag has a key of 1 to 128 and a value of up to 256 characters.')
    }
    if (/^aws:/i.test(key)) throw new ApiError('InvalidParameterValue', 'Session tag keys beginning with aws: are reserved.')
    const same = [...tags.keys()].some(other => other.toLowerCase() === key.toLowerCase())
    if (same) throw invalid('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
    tags.set(key, value)
  }
  return Object.fromEntries(tags)
}

const SESSION_POLICY_MOST = 2048

/** Session policies of a request: a document, and managed policies of the caller's or the role's account. */
export async function sessionPolicies(reader: Reader, account: string,
  { Policy: text, PolicyArns: arns = [] }: { Policy?: string; PolicyArns?: { arn?: string }[] }) {
  if (text !== undefined) {
    if (text.length > SESSION_POLICY_MOST) throw tooLong('policy', SESSION_POLICY_MOST)
    try {
      parsePolicy(text, { kind: 'identity', name: '' })
    } catch (error) {
      if (error instanceof Malformed) throw new ApiError('MalformedPolicyDocumentException', error.message)
      throw error
    }
  }
  if (arns.length > 10) throw tooLong('policyArns', 10)
  for (const { arn = '' } of arns) {
    if (!await findPolicy(reader, account, arn)) throw invalid(`The policy ${arn} does not exist or cannot be used as a session policy.`)
  }
  return { ...(text !== undefined && { policies: [text] }), ...(arns.length > 0 && { policyArns: arns.map(one => one.arn!) }) }
}

export function checkSessionName(name: string): string {
  if (!/^[\w+=,.@-]{2,64}$/.test(name)) {
    throw misnamed('roleSessionName', name)
  }
  return name
}

type Assume = Call<Parameters<NonNullable<AssumeAction>>[0]['input']>
type AssumeAction = Extract<Actions<typeof Sdk>['AssumeRole'], (...a: never) => unknown>

/** What the new session inherits of the caller's: transitive tags, and whose doing it is. */
function inherited({ principal: { session } }: Assume['caller'], input: Assume['input']) {
  const own = sessionTags(input.Tags)
  const transitive = session?.transitive ?? []
  const kept = Object.fromEntries(Object.entries(session?.tags ?? {}).filter(([key]) => transitive.includes(key)))
  const clash = Object.keys(own).find(key => transitive.some(other => other.toLowerCase() === key.toLowerCase()))
  if (clash !== undefined) throw new ApiError('InvalidParameterValue',
    `One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session: ${clash}`)
  const lacking = (input.TransitiveTagKeys ?? []).find(key => !Object.keys(own).includes(key))
  if (lacking !== undefined) throw new ApiError('InvalidParameterValue', `The transitive tag key ${lacking} is not among the session's tags.`)
  if (session?.sourceIdentity !== undefined && input.SourceIdentity !== undefined && input.SourceIdentity !== session.sourceIdentity) {
    throw new ApiError('AccessDenied', 'The source identity of a session cannot be changed.', 403)
  }
  return { own, tags: { ...kept, ...own }, transitive: [...transitive, ...input.TransitiveTagKeys ?? []],
    sourceIdentity: input.SourceIdentity ?? session?.sourceIdentity }
}

type Asking = { tags: Record<string, string>; sourceIdentity: string | undefined; device: boolean }

const denied = (caller: Assume['caller'], arn: string, action = 'sts:AssumeRole') =>
  new ApiError('AccessDenied', `User: ${caller.principal.arn} is not authorized to perform: ${action} on resource: ${arn}`, 403)

export function assumeActions(identity: Identity): Actions<typeof Sdk> {
  const holdingsOf = holdingsReader(identity)

  async function mayAssume({ tx, input, caller, now }: Assume, row: RoleRow, { tags, sourceIdentity, device }: Asking) {
    const holdings = await holdingsOf(tx, caller.principal)
    const keys = globalKeys(caller, holdings, now)
    const set = (key: string, value: string | undefined) => { if (value !== undefined) keys.set(key, [value]) }
    if (device) { set('aws:multifactorauthpresent', 'true'); set('aws:multifactorauthage', '0') }
    set('sts:externalid', input.ExternalId)
    set('sts:rolesessionname', input.RoleSessionName)
    set('sts:sourceidentity', sourceIdentity)
    for (const [key, value] of Object.entries(row.tags)) {
      for (const prefix of ['iam', 'aws']) set(`${prefix}:resourcetag/${key.toLowerCase()}`, value)
    }
    for (const [key, value] of Object.entries(tags)) set(`aws:requesttag/${key.toLowerCase()}`, value)
    if (Object.keys(tags).length > 0) keys.set('aws:tagkeys', Object.keys(tags))
    if (input.TransitiveTagKeys?.length) keys.set('sts:transitivetagkeys', input.TransitiveTagKeys)
    const layers = { ...holdings, resource: [policyOf(row.spec.trust, { kind: 'trust', name: row.spec.name })], resourceDecides: true }
    const asked = ['sts:AssumeRole']
    if (Object.keys(tags).length > 0) asked.push('sts:TagSession')
    if (input.SourceIdentity !== undefined) asked.push('sts:SetSourceIdentity')
    const asker = askerOf(caller, holdings.roleArn)
    const foreign = row.account !== caller.principal.account
    for (const action of asked) {
      const question = { action, resource: roles.arn(row), keys, asker, foreign }
      if (evaluate(layers, question).decision !== 'allowed') throw denied(caller, input.RoleArn!, action)
    }
  }

  return {
    async AssumeRole(call) {
      const { tx, input, caller, now } = call
      const { principal } = caller
      const name = checkSessionName(input.RoleSessionName!)
      if (input.ProvidedContexts?.length) throw new ApiError('UnsupportedOperation', 'Enclume does not implement ProvidedContexts of AssumeRole.')
      // The root user has no policies that could let it assume a role (API Reference, AssumeRole).
      if (principal.root) throw new ApiError('AccessDenied', 'Roles may not be assumed by root accounts.', 403)
      const row = await roleOf(tx, input.RoleArn!)
      if (!row) throw denied(caller, input.RoleArn!)
      const more = inherited(caller, input)
      const device = input.SerialNumber !== undefined || input.TokenCode !== undefined
      if (device && !await proveDevice(identity.sealer, tx, { principal, serial: input.SerialNumber, code: input.TokenCode, now })) {
        throw new ApiError('AccessDenied', 'MultiFactorAuthentication failed with invalid MFA one time pass code.', 403)
      }
      await mayAssume(call, row, { tags: more.own, sourceIdentity: more.sourceIdentity, device })
      const lastsS = checkDuration(input.DurationSeconds ?? HOUR_S, { least: 900, most: 12 * HOUR_S })
      if (lastsS > row.spec.longestS) throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
      // A role by which a role is assumed: an hour at most (IAM User Guide, "Role chaining").
      if (principal.role && lastsS > HOUR_S) {
        throw invalid('The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining')
      }
      const session: Omit<Session, 'issued' | 'expires'> = {
        kind: 'assumed-role', name, ...await sessionPolicies(tx, row.account, input), tags: more.tags, transitive: more.transitive,
        ...(more.sourceIdentity !== undefined && { sourceIdentity: more.sourceIdentity }),
        ...(device && { mfa: now.toISOString() }),
      }
      const made = identity.issue(assumedPrincipal(row, name), { ...session, lastsS })
      await tx.put({ ...row, status: { used: { time: now.toISOString(), region: call.region } } }, 'used')
      return {
        Credentials: credentialsOf(made), AssumedRoleUser: { AssumedRoleId: made.principal.userId, Arn: made.principal.arn },
        PackedPolicySize: session.policies || session.policyArns || input.Tags ? packedPercent(made.principal) : undefined,
        SourceIdentity: more.sourceIdentity,
      }
    },
  }
}

/** What needs no role: a user in another's name, and the explanation of a denial. */
export const federationActions = (identity: Identity): Actions<typeof Sdk> => ({
  async GetFederationToken({ tx, input, caller: { principal }, account }) {
    if (principal.session) throw new ApiError('AccessDenied', 'Cannot call GetFederationToken with session credentials', 403)
    const name = input.Name!
    if (!/^[\w+=,.@-]{2,32}$/.test(name)) throw misnamed('name', name)
    const asked = checkDuration(input.DurationSeconds ?? 12 * HOUR_S, { least: 900, most: 36 * HOUR_S })
    const narrowed = await sessionPolicies(tx, account, input)
    const federated = { ...principal, arn: `arn:aws:sts::${account}:federated-user/${name}`, userId: `${account}:${name}` }
    const made = identity.issue(federated, {
      kind: 'federated-user', name, ...narrowed, tags: sessionTags(input.Tags), lastsS: Math.min(asked, principal.root ? HOUR_S : 36 * HOUR_S),
    })
    return {
      Credentials: credentialsOf(made), FederatedUser: { FederatedUserId: federated.userId, Arn: federated.arn },
      PackedPolicySize: packedPercent(made.principal),
    }
  },

  async DecodeAuthorizationMessage({ input, account }) {
    const message = openDenial(identity.sealer, account, input.EncodedMessage!)
    if (message === undefined) {
      throw new ApiError('InvalidAuthorizationMessageException', 'Message could not be decoded: it is not one of this account\'s.')
    }
    return { DecodedMessage: message }
  },
})
