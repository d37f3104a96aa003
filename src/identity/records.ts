/**
 * The records of identity: users, groups, roles, policies, instance profiles, access keys, devices and what an account has.
 *
 * Invariants: a name is one's in its account and kind whatever its case, which the claim decides; unique ids are never used again,
 * so that a user made anew under an old name is somebody else. IAM is one for all Regions.
 */
import type { Place } from '#kit/action'
import type { Reader, Row, Tx } from '#store/store'
import { uniqueId } from '#identity/session'

export const GLOBAL = 'aws-global'

/** Who has permissions: documents of its own, by name, and managed policies by ARN, in the order they were attached. */
export type Holding = { inline: Record<string, string>; attached: string[] }
export type Password = { hash: string; created: string; reset: boolean; used?: string }
/** An RSA key in OpenSSH's encoding. */
export type SshKey = { id: string; blob: string; fingerprint: string; status: 'Active' | 'Inactive'; uploaded: string }
export type UserSpec = Holding & { name: string; path: string; boundary?: string; groups: string[]; password?: Password; sshKeys?: SshKey[] }
export type GroupSpec = Holding & { name: string; path: string }
export type RoleSpec = Holding & {
  name: string; path: string; boundary?: string; description?: string; trust: string; longestS: number
  /** Service-linked roles: the service that may assume and delete it. */
  linked?: string
}
export type Version = { id: number; document: string; created: string }
export type PolicySpec = { name: string; path: string; description?: string; versions: Version[]; chosen: number; last: number; updated: string }
export type ProfileSpec = { name: string; path: string; role?: string }
export type AccessKeySpec = { user: string; status: 'Active' | 'Inactive'; secret: string }
export type Use = { time: string; service: string; region: string }
/**
 * A TOTP device: its seed sealed; the last step that was used and the newest of all (none in older records), since a code counts once; by how
 * many steps its clock is ahead of this host's (none in older records, where nobody had asked).
 */
export type DeviceSpec = {
  name: string; path: string; seed: string; owner?: string; enabled?: string; step: number; recent?: number[]; ahead?: number
}
export type AccountSpec = { alias?: string; password?: Password; passwordPolicy?: Record<string, number | boolean> }
export type ProviderSpec = { url: string; clientIds: string[]; thumbprints: string[] }

export type UserRow = Row<UserSpec, object>
export type GroupRow = Row<GroupSpec, object>
export type RoleRow = Row<RoleSpec, { used?: { time: string; region: string } }>
export type PolicyRow = Row<PolicySpec, object>
export type ProfileRow = Row<ProfileSpec, object>
export type AccessKeyRow = Row<AccessKeySpec, { used?: Use }>
export type DeviceRow = Row<DeviceSpec, object>
export type AccountRow = Row<AccountSpec, object>
export type ProviderRow = Row<ProviderSpec, object>

type Named = { name: string; path: string }
type Kind = { kind: string; prefix: string; arn: string }

function entity<Spec extends Named, Status extends object = object>({ kind, prefix, arn }: Kind) {
  type R = Row<Spec, Status>
  const scope = (account: string) => `${kind}/${account}`
  return {
    kind,
    arn: ({ account, spec }: { account: string; spec: Named }): string => `arn:aws:iam::${account}:${arn}${spec.path}${spec.name}`,
    get: (reader: Reader, id: string): Promise<R | undefined> => reader.get<R>(kind, id),
    async byName(reader: Reader, account: string, name: string): Promise<R | undefined> {
      const id = await reader.holder(scope(account), name.toLowerCase())
      return id === undefined ? undefined : reader.get<R>(kind, id)
    },
    /** In the order of names, as IAM lists. */
    list: async (reader: Reader, account: string): Promise<R[]> =>
      (await reader.list<R>({ kind, account })).sort((a, b) => byText(a.spec.name, b.spec.name)),
    /** Undefined where the name is another's. */
    async create(tx: Tx, { account }: Pick<Place, 'account'>, { spec, now, tags = {} }: { spec: Spec; now: Date; tags?: Record<string, string> }) {
      const id = uniqueId(prefix)
      if (!await tx.claim(scope(account), spec.name.toLowerCase(), id)) return undefined
      const row = { kind, id, account, region: GLOBAL, generation: 0, created: now.toISOString(), spec, status: {} as Status, tags }
      return tx.put<R>(row, 'created')
    },
    /** Takes a new name; false where it is another's. */
    async rename(tx: Tx, row: R, name: string): Promise<boolean> {
      if (!await tx.claim(scope(row.account), name.toLowerCase(), row.id)) return false
      if (name.toLowerCase() !== row.spec.name.toLowerCase()) await tx.release(scope(row.account), row.spec.name.toLowerCase())
      return true
    },
    update: (tx: Tx, row: R, spec: Partial<Spec>, tags = row.tags): Promise<R> =>
      tx.put<R>({ ...row, spec: { ...row.spec, ...spec }, tags }, 'changed'),
  }
}
export type Entity<S extends Named> = ReturnType<typeof entity<S>>

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const users = entity<UserSpec>({ kind: 'iam-user', prefix: 'AIDA', arn: 'user' })
export const groups = entity<GroupSpec>({ kind: 'iam-group', prefix: 'AGPA', arn: 'group' })
export const roles = entity<RoleSpec, RoleRow['status']>({ kind: 'iam-role', prefix: 'AROA', arn: 'role' })
export const policies = entity<PolicySpec>({ kind: 'iam-policy', prefix: 'ANPA', arn: 'policy' })
export const profiles = entity<ProfileSpec>({ kind: 'iam-instance-profile', prefix: 'AIPA', arn: 'instance-profile' })
export const devices = entity<DeviceSpec>({ kind: 'iam-mfa-device', prefix: 'AMFA', arn: 'mfa' })

export const ACCESS_KEY = 'iam-access-key'
export const findAccessKey = (reader: Reader, id: string): Promise<AccessKeyRow | undefined> => reader.get<AccessKeyRow>(ACCESS_KEY, id)
export const accessKeysOf = async (reader: Reader, account: string, user: string): Promise<AccessKeyRow[]> =>
  (await reader.list<AccessKeyRow>({ kind: ACCESS_KEY, account })).filter(row => row.spec.user === user)

const ACCOUNT = 'iam-account'
/** What an account has of its own; a row not yet written where there is nothing. */
export async function accountOf(reader: Reader, account: string): Promise<AccountRow> {
  const row = { kind: ACCOUNT, id: account, account, region: GLOBAL, generation: 0, created: '', spec: {}, status: {}, tags: {} }
  return await reader.get<AccountRow>(ACCOUNT, account) ?? row
}
export const changeAccount = (tx: Tx, row: AccountRow, spec: Partial<AccountSpec>, now: Date): Promise<AccountRow> =>
  tx.put({ ...row, created: row.created || now.toISOString(), spec: { ...row.spec, ...spec } }, 'changed')

export const PROVIDER = 'iam-oidc-provider'
export const IAM_KINDS = [users, groups, roles, policies, profiles, devices].map(e => e.kind).concat(ACCESS_KEY, ACCOUNT, PROVIDER)
