/**
 * What a call asks of policies: the action, each resource it is about, and the condition keys that the request itself has.
 * Derived from AWS's facts and the request's members; what they leave open is in data/remainder.ts.
 */
import { factsOf, type ActionFacts, type TypeFacts } from '#identity/access/facts'
import { ACTIONS, ALWAYS, FREE, ID_PREFIXES, KEYS, NOT_MEANT, ON_VERSIONS, PARTS, PREFIXES, VARIABLES, WITHIN } from '#identity/access/data/remainder'

export type Place = { account: string; region: string }
/** One thing that must be allowed. */
export type Check = {
  action: string
  resource: string
  /** The type and name of a resource that may exist already. */
  type?: string
  id?: string
  /** Lower-case condition keys that this action knows for this resource, and those that the request gives. */
  known: Set<string>
  given: Map<string, string[]>
}
type Input = Record<string, unknown>
type Tag = { Key?: string; Value?: string }

/** Service of ours and operation to the action of policies. */
export function actionOf(service: string, operation: string, input: Input = {}): { prefix: string; name: string } {
  const prefix = PREFIXES[service] ?? service
  const name = ACTIONS[service]?.[operation] ?? operation
  const version = service === 's3' && input.VersionId !== undefined && ON_VERSIONS.has(name)
  return { prefix, name: version ? name.replace('Object', 'ObjectVersion') : name }
}

const isFree = (prefix: string, name: string): boolean => FREE.has(`${prefix}:${name}`)

/** DeleteObjects asks for each of its keys by itself: one that is denied is an error among its answers (API Reference, DeleteObjects). */
const asksItself = (operation: string, input: Input): boolean =>
  operation === 'DeleteObjects' && ((input.Delete as { Objects?: unknown[] } | undefined)?.Objects ?? []).length > 0

const texts = (value: unknown): string[] => [value].flat().filter(item => typeof item === 'string')

/** Every value of members of these names, here and in the structures that belong to the call. */
function valuesOf(input: Input, names: readonly string[]): string[] {
  const found = names.flatMap(name => texts(input[name]))
  for (const within of WITHIN) {
    for (const inner of [input[within]].flat()) {
      if (typeof inner === 'object' && inner !== null) found.push(...valuesOf(inner as Input, names))
    }
  }
  return [...new Set(found)]
}

const VARIABLE = /\$\{(\w+)\}/g
const plural = (name: string): string[] => [name, `${name}s`]

/** The ARN of a type's resource; '*' for what the request does not name. */
function arnOf({ arn }: TypeFacts, { account, region }: Place, values: Record<string, string>): string {
  return arn.replace(VARIABLE, (_, name: string) =>
    ({ Partition: 'aws', Region: region, Account: account }[name] ?? values[name] ?? '*'))
}

type Named = { id?: string; arn: string }

function resourcesOf(type: TypeFacts, input: Input, place: Place): Named[] {
  const variables = [...type.arn.matchAll(VARIABLE)].map(match => match[1]!).filter(name => !['Partition', 'Region', 'Account'].includes(name))
  const last = variables.at(-1)
  if (last === undefined) return []
  const named = (variable: string) => valuesOf(input, [...plural(variable), ...VARIABLES[variable] ?? []])
  const fixed = Object.fromEntries(variables.slice(0, -1).map(name => [name, named(name)[0] ?? '*']))
  return named(last).map(id => ({
    id, arn: /^arn:[^:]*:[^:]*:/.test(id) ? id : arnOf(type, place, { ...fixed, [last]: last.endsWith('WithoutLeadingSlash') ? id.replace(/^\//, '')
      : id }),
  }))
}

/** Tags that the request puts on what it is about; EC2 says by TagSpecifications on which of the types. */
function tagsOf(input: Input, type: string | undefined): Tag[] {
  const specified = (input.TagSpecifications as { ResourceType?: string; Tags?: Tag[] }[] | undefined) ?? []
  const of = specified.filter(one => type === undefined || one.ResourceType === type).flatMap(one => one.Tags ?? [])
  return [...of, ...(Array.isArray(input.Tags) ? input.Tags as Tag[] : [])]
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')
const scalar = (value: unknown): string | undefined =>
  (['string', 'number', 'boolean'].includes(typeof value) ? String(value) : value instanceof Date ? value.toISOString()
    : typeof value === 'object' && value !== null && 'Value' in value ? scalar((value as { Value: unknown }).Value) : undefined)

function members(input: Input): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>()
  const add = (object: Input): void => {
    for (const [name, value] of Object.entries(object)) {
      found.set(plain(name), [...found.get(plain(name)) ?? [], ...[value].flat()])
      if (WITHIN.includes(name)) for (const inner of [value].flat()) if (typeof inner === 'object' && inner !== null) add(inner as Input)
    }
  }
  add(input)
  return found
}

/** The condition keys of a list that the request gives a value. */
function given(keys: readonly string[], input: Input, { type, prefix, place }: { type: string | undefined; prefix: string; place: Place }) {
  const found = new Map<string, string[]>()
  const all = members(input)
  for (const key of keys) {
    const lower = key.toLowerCase()
    const [service, name = ''] = lower.split(':')
    if (service !== prefix || name.includes('$')) continue
    const names = KEYS[lower]?.map(plain) ?? [plain(name)]
    let values = names.flatMap(one => all.get(one) ?? []).map(scalar).filter(value => value !== undefined)
    // Keys that are ARNs of what the request names by its id.
    const types = factsOf(prefix).types
    const about = types.get(name)
    if (values.length === 0 && about && prefix === 'ec2') values = resourcesOf(about, input, place).map(one => one.arn)
    if (values.length > 0) found.set(lower, [...new Set(values)])
  }
  const tags = tagsOf(input, type)
  const tagKeys = [...tags.map(tag => tag.Key ?? ''), ...texts(input.TagKeys)]
  for (const { Key = '', Value = '' } of tags) found.set(`aws:requesttag/${Key.toLowerCase()}`, [Value])
  if (tagKeys.length > 0) found.set('aws:tagkeys', tagKeys)
  return found
}

function checkOf({ facts, prefix, input, place, action }: Ask, use: { name?: string; conditionKeys: string[] }, { arn, id }: Named): Check {
  const keys = [...facts?.conditionKeys ?? [], ...use.conditionKeys]
  return {
    action, resource: arn, ...(use.name !== undefined && id !== undefined && { type: use.name, id }),
    known: new Set(keys.map(key => key.toLowerCase())), given: given(keys, input, { type: use.name, prefix, place }),
  }
}
type Ask = { facts: ActionFacts | undefined; prefix: string; input: Input; place: Place; action: string }

/** Tagging what an EC2 call makes needs CreateTags too (EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation"). */
function tagging({ input, place }: Ask, operation: string): Check[] {
  const specified = (input.TagSpecifications as { ResourceType?: string; Tags?: Tag[] }[] | undefined) ?? []
  const facts = factsOf('ec2')
  return specified.filter(one => (one.Tags ?? []).length > 0).map(({ ResourceType: type = '', Tags = [] }) => {
    const about = facts.types.get(type)
    const ask: Ask = { facts: facts.actions.get('createtags'), prefix: 'ec2', input: { Tags }, place, action: 'ec2:CreateTags' }
    const check = checkOf(ask, { conditionKeys: ['aws:RequestTag/${TagKey}', 'aws:TagKeys', 'ec2:CreateAction'] }, { arn: about
      ? arnOf(about, place, {}) : '*' })
    check.given.set('ec2:createaction', [operation])
    return check
  })
}

/** Ids of any kind, told apart by what they begin with. */
function anyKind(ask: Ask): Check[] {
  const { types } = factsOf('ec2')
  return texts(ask.input.Resources).map(id => {
    const name = ID_PREFIXES[id.slice(0, id.lastIndexOf('-'))]
    const type = name === undefined ? undefined : types.get(name)
    const use = ask.facts?.resourceTypes.find(one => one.name === name) ?? { name, conditionKeys: [] }
    const variable = [...type?.arn.matchAll(VARIABLE) ?? []].at(-1)?.[1]
    return checkOf(ask, { ...use, conditionKeys: use.conditionKeys }, { id, arn: type && variable ? arnOf(type, ask.place, { [variable]: id })
      : '*' })
  })
}

/** The resource that one item of a list makes, or names: an interface that is there already. */
function partOf(ask: Ask, use: { name: string; conditionKeys: string[] }, type: TypeFacts): Check {
  return checkOf(ask, use, resourcesOf(type, ask.input, ask.place)[0] ?? { arn: arnOf(type, ask.place, {}) })
}

/** Everything that a call needs to be allowed. Empty for what is asked of nobody. */
export function checksOf(service: string, operation: string, { input, place }: { input: Input; place: Place }): Check[] {
  const { prefix, name } = actionOf(service, operation, input)
  if (isFree(prefix, name) || asksItself(operation, input)) return []
  const { actions, types } = factsOf(prefix)
  const facts = actions.get(name.toLowerCase())
  const ask: Ask = { facts, prefix, input, place, action: `${prefix}:${facts?.name ?? name}` }
  if (prefix === 'ec2' && Array.isArray(input.Resources)) return anyKind(ask)
  const checks: Check[] = []
  for (const use of facts?.resourceTypes ?? []) {
    const type = types.get(use.name)
    if (!type || NOT_MEANT[prefix]?.includes(use.name)) continue
    const found = resourcesOf(type, input, place)
    const list = PARTS[ask.action]?.[use.name]
    const parts = list === undefined ? [] : [input[list] ?? []].flat() as object[]
    if (parts.length > 0) checks.push(...parts.map(part => partOf({ ...ask, input: { ...input, [list!]: [part] } }, use, type)))
    else if (found.length > 0) checks.push(...found.map(one => checkOf(ask, use, one)))
    else if (use.required || ALWAYS[ask.action]?.includes(use.name)) checks.push(checkOf(ask, use, { arn: arnOf(type, place, {}) }))
  }
  if (checks.length === 0) checks.push(checkOf(ask, { conditionKeys: [] }, { arn: '*' }))
  return prefix === 'ec2' ? [...checks, ...tagging(ask, operation)] : checks
}
