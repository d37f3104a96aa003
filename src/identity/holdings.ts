/**
 * The policies that a principal has: of its own, of its groups, its boundary, its session's.
 *
 * Invariant: they are those of the newest commit; what is kept goes when any record of identity changes.
 */
import type { Principal } from '#kit/caller'
import { policyOf, type Policy } from '#kit/policy/document'
import { findPolicy } from '#identity/managed'
import { accountOf, groups, roles, users, type GroupRow, type Holding, type RoleRow, type UserRow } from '#identity/records'
import type { Identity } from '#identity/identity'
import type { Reader } from '#store/store'

export type Holdings = { identity: Policy[]; boundary?: Policy[]; session?: Policy[]; tags: Record<string, string>; name?: string; roleArn?: string }

const identityPolicy = (document: string, name: string): Policy => policyOf(document, { kind: 'identity', name })
/** The root user may everything in its account; policies attach to nobody else's behalf (IAM User Guide, "Root user"). */
const ALL = identityPolicy('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', 'root')

/** What an account's password policy gives each user for itself (API Reference, UpdateAccountPasswordPolicy, AllowUsersToChangePassword). */
const CHANGE_OWN = identityPolicy(JSON.stringify({ Version: '2012-10-17', Statement: [
  { Effect: 'Allow', Action: 'iam:ChangePassword', Resource: 'arn:aws:iam::*:user/*' },
  { Effect: 'Allow', Action: 'iam:GetAccountPasswordPolicy', Resource: '*' },
] }), 'account password policy')

async function held(reader: Reader, account: string, { inline, attached }: Holding): Promise<Policy[]> {
  const own = Object.entries(inline).map(([name, document]) => identityPolicy(document, name))
  const managed = await Promise.all(attached.map(arn => findPolicy(reader, account, arn)))
  return [...own, ...managed.filter(one => one !== undefined).map(one => identityPolicy(one.document, one.arn))]
}

async function boundaryOf(reader: Reader, { account, spec }: UserRow | RoleRow): Promise<Policy[] | undefined> {
  if (spec.boundary === undefined) return undefined
  const found = await findPolicy(reader, account, spec.boundary)
  // A boundary that is gone bounds everything: unknown is not absent.
  return found ? [identityPolicy(found.document, found.arn)] : []
}

export async function holdingsOfUser(reader: Reader, row: UserRow): Promise<Holdings> {
  const rows = (await Promise.all(row.spec.groups.map(id => groups.get(reader, id)))).filter(one => one !== undefined)
  const all = await Promise.all([row, ...rows].map(one => held(reader, row.account, one.spec)))
  const { passwordPolicy } = (await accountOf(reader, row.account)).spec
  const free = passwordPolicy?.AllowUsersToChangePassword === true ? [CHANGE_OWN] : []
  return { identity: [...all.flat(), ...free], boundary: await boundaryOf(reader, row), tags: row.tags, name: row.spec.name }
}

export async function holdingsOfRole(reader: Reader, row: RoleRow): Promise<Holdings> {
  return { identity: await held(reader, row.account, row.spec), boundary: await boundaryOf(reader, row), tags: row.tags, roleArn: roles.arn(row) }
}

export const holdingsOfGroup = async (reader: Reader, row: GroupRow): Promise<Holdings> =>
  ({ identity: await held(reader, row.account, row.spec), tags: {} })

async function own(reader: Reader, { root, user, role }: Principal): Promise<Holdings> {
  if (root) return { identity: [ALL], tags: {} }
  if (role !== undefined) {
    const row = await roles.get(reader, role)
    return row ? holdingsOfRole(reader, row) : { identity: [], tags: {} }
  }
  const row = user === undefined ? undefined : await users.get(reader, user)
  return row ? holdingsOfUser(reader, row) : { identity: [], tags: {} }
}

async function session(reader: Reader, { account, session: one }: Principal): Promise<Policy[] | undefined> {
  if (!one) return undefined
  const documents = (one.policies ?? []).map((document, i) => identityPolicy(document, `session policy ${i + 1}`))
  const managed = await Promise.all((one.policyArns ?? []).map(arn => findPolicy(reader, account, arn)))
  const all = [...documents, ...managed.filter(found => found !== undefined).map(found => identityPolicy(found.document, found.arn))]
  const asked = documents.length + managed.length > 0
  // A federated user has nothing but what its session policies give it (API Reference, GetFederationToken).
  return asked || one.kind === 'federated-user' ? all : undefined
}

/** Reads holdings, and keeps them until identity changes. */
export function holdingsReader(identity: Pick<Identity, 'version'>) {
  let at = -1
  let kept = new Map<string, Holdings>()
  return async (reader: Reader, principal: Principal): Promise<Holdings> => {
    const version = identity.version()
    if (version !== at) { kept = new Map(); at = version }
    const key = principal.role ?? principal.user ?? principal.account
    const mine = kept
    let found = mine.get(key)
    if (!found) {
      found = await own(reader, principal)
      mine.set(key, found)
    }
    return principal.session ? { ...found, session: await session(reader, principal), tags: { ...found.tags, ...principal.session.tags } } : found
  }
}
