/**
 * The policy simulator: what policies would say, asked of the same evaluator that every call asks.
 *
 * Invariant: only what the request gives counts as context; nothing of the caller's own call gets in (API Reference: SimulateCustomPolicy).
 */
import type { ContextEntry, EvaluationResult, PolicySourceType } from '@aws-sdk/client-iam'
import { ApiError } from '#kit/error'
import { Malformed, parsePolicy, type Kind, type Policy } from '#kit/policy/document'
import { evaluate, type Layer, type Layers } from '#kit/policy/evaluate'
import type { Asker } from '#kit/policy/principal'
import { factsOf } from '#identity/access/facts'
import { holdingsOfGroup, holdingsOfRole, holdingsOfUser, type Holdings } from '#identity/holdings'
import { groups, roles, users } from '#identity/records'
import { invalidInput, noSuch, page, type IamActions } from '#service/iam/common'
import type { Reader } from '#store/store'

type Asked = {
  ActionNames?: string[]; PolicyInputList?: string[]; PermissionsBoundaryPolicyInputList?: string[]; ResourceArns?: string[]; ResourcePolicy?: string
  ResourceOwner?: string; CallerArn?: string; ContextEntries?: ContextEntry[]; Marker?: string; MaxItems?: number
}

function read(text: string, name: string, kind: Kind = 'identity'): Policy {
  try {
    return parsePolicy(text, { kind, name })
  } catch (error) {
    if (error instanceof Malformed) throw invalidInput(`Invalid policy ${name}: ${error.message}`)
    throw error
  }
}
const readAll = (texts: readonly string[], name: string): Policy[] => texts.map((text, i) => read(text, `${name}.${i + 1}`))

function checkAction(name: string): string {
  const [prefix = '', action] = name.split(':')
  const facts = factsOf(prefix.toLowerCase()).actions
  if (action === undefined || (facts.size > 0 && !facts.has(action.toLowerCase()))) throw invalidInput(`Invalid Action: ${name}`)
  return name
}

function refuse(input: object, members: readonly string[], operation: string): void {
  const given = input as Record<string, unknown>
  const asked = members.find(name => (Array.isArray(given[name]) ? given[name].length > 0 : given[name] !== undefined))
  if (asked) throw new ApiError('UnsupportedOperation', `Enclume does not implement ${asked} of ${operation}.`)
}

function askerNamed(arn: string | undefined, account: string): Asker {
  const role = arn && /^arn:aws:sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn)
  const owner = arn?.split(':')[4] ?? account
  return { account: owner, arn: arn ?? `arn:aws:iam::${account}:root`, ...(role && { roleArn: `arn:aws:iam::${role[1]}:role/${role[2]}` }) }
}

/** Whose resources are that do not say it themselves (API Reference: by default the caller's account). */
function ownerOf(arn: string | undefined, asker: Asker): string {
  const [, owner] = /^(?:arn:aws:iam::)?(\d{12})(?::root)?$/.exec(arn ?? asker.account) ?? []
  if (owner === undefined) throw invalidInput(`Invalid ResourceOwner: ${arn}`)
  return owner
}

/** Keys that the policies ask and the request does not give. */
function missing(policies: readonly Policy[], keys: ReadonlyMap<string, string[]>): string[] {
  const asked = new Set(policies.flatMap(policy => policy.statements.flatMap(statement => statement.keys)))
  return [...asked].filter(key => !keys.has(key.toLowerCase())).sort()
}

const sourceOf = (policy: string, layer: Layer): PolicySourceType | undefined =>
  (layer === 'resource' ? 'resource' : policy.startsWith('arn:aws:iam::aws:') ? 'aws-managed' : undefined)

const ALL = read('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', 'all')

function simulate(input: Asked, { layers, account, caller }: { layers: Layers; account: string; caller: string | undefined }) {
  const actions = input.ActionNames ?? []
  if (actions.length === 0) throw invalidInput('At least one action must be specified.')
  const keys = new Map((input.ContextEntries ?? []).map(({ ContextKeyName: key = '', ContextKeyValues: values = [] }) => [key.toLowerCase(), values]))
  const all = [...layers.identity, ...layers.boundary ?? [], ...layers.resource ?? []]
  const asker = askerNamed(caller, account)
  const foreign = ownerOf(input.ResourceOwner, asker) !== asker.account
  const results: EvaluationResult[] = []
  for (const action of actions.map(checkAction)) {
    for (const resource of input.ResourceArns?.length ? input.ResourceArns : ['*']) {
      const question = { action, resource, keys, asker }
      const { decision, by, matched } = evaluate(layers, { ...question, foreign })
      results.push({
        // Where two accounts have a say, what each says (API Reference: EvaluationResult).
        ...(foreign && { EvalDecisionDetails: {
          'IAM Policy': evaluate({ ...layers, resource: undefined }, question).decision,
          'Resource Policy': evaluate({ identity: [ALL], resource: layers.resource ?? [] }, { ...question, foreign }).decision,
        } }),
        EvalActionName: action, EvalResourceName: resource, EvalDecision: decision, MissingContextValues: missing(all, keys),
        MatchedStatements: matched.map(({ policy, layer }) => ({ SourcePolicyId: policy, SourcePolicyType: sourceOf(policy, layer) })),
        PermissionsBoundaryDecisionDetail: layers.boundary && { AllowedByPermissionsBoundary: !(by === 'boundary' && decision !== 'allowed') },
      })
    }
  }
  const { items, ...rest } = page(results, input, result => key(results.indexOf(result)))
  return { EvaluationResults: items, ...rest }
}
const key = (index: number): string => String(index).padStart(6, '0')

async function holdingsOf(reader: Reader, account: string, arn: string): Promise<{ holdings: Holdings; caller: string | undefined }> {
  const [, owner, kind, name = ''] = /^arn:aws:iam::(\d{12}):(user|group|role)\/(?:[^]*\/)?([^/]+)$/.exec(arn) ?? []
  if (owner !== account) throw invalidInput(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`)
  const user = kind === 'user' ? await users.byName(reader, account, name) : undefined
  if (user) return { holdings: await holdingsOfUser(reader, user), caller: users.arn(user) }
  const role = kind === 'role' ? await roles.byName(reader, account, name) : undefined
  if (role) return { holdings: await holdingsOfRole(reader, role), caller: roles.arn(role) }
  const group = kind === 'group' ? await groups.byName(reader, account, name) : undefined
  if (group) return { holdings: await holdingsOfGroup(reader, group), caller: undefined }
  throw noSuch(kind!, name)
}

const resourceOf = (text: string | undefined) => (text === undefined ? {} : { resource: [read(text, 'ResourcePolicy', 'resource')] })

export const simulateActions: IamActions = {
  async SimulateCustomPolicy({ input, account }) {
    refuse(input, ['ResourceHandlingOption', 'OrderedOrganizationPolicyInputList'], 'SimulateCustomPolicy')
    const bounds = input.PermissionsBoundaryPolicyInputList ?? []
    const layers: Layers = {
      identity: readAll(input.PolicyInputList!, 'PolicyInputList'), ...(bounds.length > 0 && { boundary: readAll(bounds,
        'PermissionsBoundaryPolicyInputList') }),
      ...resourceOf(input.ResourcePolicy),
    }
    return simulate(input, { layers, account, caller: input.CallerArn })
  },
  async SimulatePrincipalPolicy({ tx, input, account }) {
    refuse(input, ['ResourceHandlingOption', 'PolicyExclusionList'], 'SimulatePrincipalPolicy')
    const { holdings, caller } = await holdingsOf(tx, account, input.PolicySourceArn!)
    const given = readAll(input.PermissionsBoundaryPolicyInputList ?? [], 'PermissionsBoundaryPolicyInputList')
    const boundary = given.length > 0 ? given : holdings.boundary
    const layers: Layers = {
      identity: [...holdings.identity, ...readAll(input.PolicyInputList ?? [], 'PolicyInputList')], ...(boundary && { boundary }),
        ...resourceOf(input.ResourcePolicy),
    }
    return simulate(input, { layers, account, caller: input.CallerArn ?? caller })
  },
  async GetContextKeysForCustomPolicy({ input }) {
    return { ContextKeyNames: missing(readAll(input.PolicyInputList!, 'PolicyInputList'), new Map()) }
  },
  async GetContextKeysForPrincipalPolicy({ tx, input, account }) {
    const { holdings } = await holdingsOf(tx, account, input.PolicySourceArn!)
    return { ContextKeyNames: missing([...holdings.identity, ...readAll(input.PolicyInputList ?? [], 'PolicyInputList')], new Map()) }
  },
}
