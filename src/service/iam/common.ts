/** What IAM's actions share: its errors, the form of names and paths, tags, and pages. */
import type * as Sdk from '@aws-sdk/client-iam'
import type { Actions, Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { tagList } from '#kit/resource'
import type { Identity } from '#identity/identity'
import { users, type UserRow } from '#identity/records'
import type { Reader } from '#store/store'

export type IamActions = Actions<typeof Sdk>
export type IamContext = { identity: Identity }
export type Tags = Record<string, string>

/** Limits of an account (IAM User Guide, "IAM and AWS STS quotas"; IamQuotas of GetAccountSummary). */
export const QUOTA = {
  users: 5000, groups: 300, roles: 1000, policies: 1500, profiles: 1000, keysOfUser: 2, groupsOfUser: 10, devicesOfUser: 8, attached: 10,
  versions: 5, userPolicyBytes: 2048, rolePolicyBytes: 10_240, groupPolicyBytes: 5120, policyBytes: 6144, trustBytes: 2048, tags: 50, providers: 100,
  sshKeysOfUser: 5,
}

export const noSuch = (what: string, name: string) => new ApiError('NoSuchEntityException', `The ${what} with name ${name} cannot be found.`, 404)
export const gone = (words: string) => new ApiError('NoSuchEntityException', words, 404)
export const exists = (what: string, name: string) => new ApiError('EntityAlreadyExistsException', `${what} with name ${name} already exists.`, 409)
export const conflict = (words: string) => new ApiError('DeleteConflictException', words, 409)
export const exceeded = (quota: string, most: number) => new ApiError('LimitExceededException', `Cannot exceed quota for ${quota}: ${most}`, 409)
export const invalidInput = (words: string) => new ApiError('InvalidInputException', words)

/** As IAM words what its model refuses. */
export const violation = (member: string, value: string, constraint: string) => new ApiError('ValidationError',
  `1 validation error detected: Value '${value}' at '${member[0]!.toLowerCase()}${member.slice(1)}' failed to satisfy constraint: ${constraint}`)

const NAME = /^[\w+=,.@-]+$/
/** API Reference: names of users are at most 64 characters, of everything else 128. */
export function checkName(member: string, name: string, most = 128): string {
  if (name.length > most) throw violation(member, name, `Member must have length less than or equal to ${most}`)
  if (name.length === 0) throw violation(member, name, 'Member must have length greater than or equal to 1')
  if (!NAME.test(name)) throw new ApiError('ValidationError', `The specified value for ${member[0]!.toLowerCase()}${member.slice(1)} is invalid. `
    + 'It must contain only alphanumeric characters and/or the following: +=,.@_-')
  return name
}

/** A path begins and ends with a slash (API Reference: 1 to 512 characters of \u0021-\u007e between them). */
export function checkPath(path = '/'): string {
  if (!/^\/(?:[\x21-\x7e]*\/)?$/.test(path) || path.length > 512) {
    throw new ApiError('ValidationError',
      'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters '
      + 'and/or / characters.')
  }
  return path
}

/** Tags of IAM: unlike elsewhere, keys that differ by case alone are the same (IAM User Guide, "Tags for IAM resources"). */
export function readTags(given: readonly { Key?: string; Value?: string }[] = [], before: Tags = {}): Tags {
  // A map: a key may be named like a member of every object.
  const tags = new Map(Object.entries(before))
  const seen = new Set<string>()
  for (const { Key: key = '', Value: value = '' } of given) {
    if (key === '' || key.length > 128) throw violation('tags', key, 'Member must have length between 1 and 128')
    if (value.length > 256) throw violation('tags', value, 'Member must have length less than or equal to 256')
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(key + value)) {
      throw violation('tags', key, 'Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+')
    }
    if (/^aws:/i.test(key)) throw invalidInput('Tag keys beginning with aws: are reserved.')
    if (seen.has(key.toLowerCase())) throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
    seen.add(key.toLowerCase())
    const same = [...tags.keys()].find(other => other.toLowerCase() === key.toLowerCase())
    if (same !== undefined) tags.delete(same)
    tags.set(key, value)
  }
  if (tags.size > QUOTA.tags) throw exceeded('TagsPerResource', QUOTA.tags)
  return Object.fromEntries(tags)
}

export function withoutTags(tags: Tags, keys: readonly string[]): Tags {
  const gone = new Set(keys.map(key => key.toLowerCase()))
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key.toLowerCase())))
}
export const tagsOf = (tags: Tags) => (Object.keys(tags).length > 0 ? tagList(tags) : undefined)

type Paged = { Marker?: string; MaxItems?: number }
const PAGE = 100

/** A page of a list: items in their order, after the marker. A marker names the last item given, so removals repeat nothing. */
export function page<T>(items: readonly T[], { Marker, MaxItems = PAGE }: Paged, keyOf: (item: T) => string) {
  if (!Number.isInteger(MaxItems) || MaxItems < 1 || MaxItems > 1000) {
    throw violation('MaxItems', String(MaxItems), 'Member must have value between 1 and 1000')
  }
  let start = 0
  if (Marker !== undefined) {
    const after = Buffer.from(Marker, 'base64url').toString()
    if (Buffer.from(after).toString('base64url') !== Marker) throw violation('Marker', Marker, 'Member must be a marker of an earlier answer')
    const next = items.findIndex(item => keyOf(item) > after)
    start = next < 0 ? items.length : next
  }
  const given = items.slice(start, start + MaxItems)
  const more = start + given.length < items.length
  return { items: given, IsTruncated: more, Marker: more ? Buffer.from(keyOf(given.at(-1)!)).toString('base64url') : undefined }
}

export const under = (prefix = '/') => ({ spec }: { spec: { path: string } }): boolean => spec.path.startsWith(prefix)

export async function getUser(reader: Reader, account: string, name: string): Promise<UserRow> {
  const row = await users.byName(reader, account, name)
  if (!row) throw noSuch('user', name)
  return row
}

/** The user that is named, or who calls (API Reference: "If you do not specify a user name, IAM determines the user name implicitly"). */
export async function userOrCaller(call: Pick<Call<object>, 'account' | 'caller'> & { reader: Reader }, name: string | undefined): Promise<UserRow> {
  if (name !== undefined) return getUser(call.reader, call.account, name)
  const { principal } = call.caller
  const row = principal.user === undefined ? undefined : await users.get(call.reader, principal.user)
  if (!row) throw new ApiError('ValidationError', 'Must specify userName when calling with non-User credentials')
  return row
}
