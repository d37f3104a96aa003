/** What an account has as a whole: alias, summary, everybody's permissions at once, the credential report. */
import type { AttachedPolicy, ManagedPolicyDetail } from '@aws-sdk/client-iam'
import { ApiError } from '#kit/error'
import type { Identity } from '#identity/identity'
import { managedOf, awsManaged, type Managed } from '#identity/managed'
import {
  ACCESS_KEY, accountOf, changeAccount, devices, policies, profiles, users, type AccessKeyRow, type Holding,
  type ProfileRow, type RoleRow, type UserRow,
} from '#identity/records'
import { boundaryOf } from '#service/iam/boundary'
import { exists, gone, page, QUOTA, tagsOf, type IamActions } from '#service/iam/common'
import { encodeDocument } from '#service/iam/documents'
import { groupView } from '#service/iam/groups'
import { attachedView } from '#service/iam/holders'
import { everyone, policyView, type Users } from '#service/iam/policies'
import { roleView } from '#service/iam/roles'
import { userView } from '#service/iam/users'
import type { Reader } from '#store/store'

const ALIASES = 'iam-account-alias'

const aliasActions: IamActions = {
  async CreateAccountAlias({ tx, input, account, now }) {
    const alias = input.AccountAlias!
    if (!/^[a-z0-9](?:(?:[a-z0-9]|-(?!-))*[a-z0-9])?$/.test(alias) || alias.length < 3 || alias.length > 63 || /^\d{12}$/.test(alias)) {
      throw new ApiError('ValidationError',
        `The specified value for accountAlias is invalid: ${alias}. It must have 3 to 63 lowercase letters, digits and single hyphens.`)
    }
    if (!await tx.claim(ALIASES, alias, account)) throw exists('Account alias', alias)
    const row = await accountOf(tx, account)
    if (row.spec.alias !== undefined && row.spec.alias !== alias) await tx.release(ALIASES, row.spec.alias)
    await changeAccount(tx, row, { alias }, now)
    return {}
  },
  async DeleteAccountAlias({ tx, input, account, now }) {
    const row = await accountOf(tx, account)
    if (row.spec.alias !== input.AccountAlias) throw gone(`The account alias ${input.AccountAlias} does not exist.`)
    await tx.release(ALIASES, input.AccountAlias!)
    await changeAccount(tx, row, { alias: undefined }, now)
    return {}
  },
  async ListAccountAliases({ tx, account }) {
    const { alias } = (await accountOf(tx, account)).spec
    return { AccountAliases: alias === undefined ? [] : [alias], IsTruncated: false }
  },
  async GetAccountSummary({ tx, account }) {
    const all = await everyone(tx, account)
    const [own, mfa, profile] = await Promise.all([policies.list(tx, account), devices.list(tx, account), profiles.list(tx, account)])
    return {
      SummaryMap: {
        Users: all.users.length, UsersQuota: QUOTA.users, Groups: all.groups.length, GroupsQuota: QUOTA.groups, Roles: all.roles.length,
        RolesQuota: QUOTA.roles, Policies: own.length, PoliciesQuota: QUOTA.policies, InstanceProfiles: profile.length,
        InstanceProfilesQuota: QUOTA.profiles, MFADevices: mfa.length, MFADevicesInUse: mfa.filter(row => row.spec.owner !== undefined).length,
        PolicyVersionsInUse: own.reduce((sum, row) => sum + row.spec.versions.length, 0), AccessKeysPerUserQuota: QUOTA.keysOfUser,
        GroupsPerUserQuota: QUOTA.groupsOfUser, AttachedPoliciesPerUserQuota: QUOTA.attached, AttachedPoliciesPerGroupQuota: QUOTA.attached,
        AttachedPoliciesPerRoleQuota: QUOTA.attached, VersionsPerPolicyQuota: QUOTA.versions, UserPolicySizeQuota: QUOTA.userPolicyBytes,
        GroupPolicySizeQuota: QUOTA.groupPolicyBytes, RolePolicySizeQuota: QUOTA.rolePolicyBytes, PolicySizeQuota: QUOTA.policyBytes,
        AssumeRolePolicySizeQuota: QUOTA.trustBytes, AccountAccessKeysPresent: 1, AccountMFAEnabled: 0,
      },
    }
  },
}

const inlineOf = ({ inline }: Holding) => Object.entries(inline).map(([PolicyName, text]) => ({ PolicyName, PolicyDocument: encodeDocument(text) }))
const attachedOf = ({ attached }: Holding): AttachedPolicy[] => attached.map(attachedView)

function policyDetail(one: Managed, all: Users): ManagedPolicyDetail {
  const holders = [...all.users, ...all.groups, ...all.roles]
  const uses = { attached: holders.filter(row => row.spec.attached.includes(one.arn)).length, boundary: [...all.users,
    ...all.roles].filter(row => row.spec.boundary === one.arn).length }
  const { Tags: _, ...shown } = policyView(one, uses)
  const versions = one.row?.spec.versions ?? [{ id: 1, document: one.document, created: shown.CreateDate!.toISOString() }]
  return {
    ...shown,
    PolicyVersionList: versions.map(v => ({
      VersionId: `v${v.id}`, IsDefaultVersion: v.id === (one.row?.spec.chosen ?? 1), CreateDate: new Date(v.created),
        Document: encodeDocument(v.document),
    })),
  }
}

function userDetail(row: UserRow, nameOf: (group: string) => string) {
  const { Path, UserName, UserId, Arn, CreateDate } = userView(row)
  return {
    Path, UserName, UserId, Arn, CreateDate, UserPolicyList: inlineOf(row.spec), AttachedManagedPolicies: attachedOf(row.spec),
    GroupList: row.spec.groups.map(nameOf), PermissionsBoundary: boundaryOf(row.spec.boundary), Tags: tagsOf(row.tags),
  }
}

function roleDetail(row: RoleRow, all: ProfileRow[]) {
  const { Path, RoleName, RoleId, Arn, CreateDate, AssumeRolePolicyDocument } = roleView(row)
  return {
    Path, RoleName, RoleId, Arn, CreateDate, AssumeRolePolicyDocument, RolePolicyList: inlineOf(row.spec),
    AttachedManagedPolicies: attachedOf(row.spec),
    Tags: tagsOf(row.tags), PermissionsBoundary: boundaryOf(row.spec.boundary),
    InstanceProfileList: all.filter(one => one.spec.role === row.id).map(one => ({
      Path: one.spec.path, InstanceProfileName: one.spec.name, InstanceProfileId: one.id, Arn: profiles.arn(one), CreateDate: new Date(one.created),
      Roles: [roleView(row)],
    })),
  }
}

const detailActions: IamActions = {
  async GetAccountAuthorizationDetails({ tx, input, account }) {
    const all = await everyone(tx, account)
    const profile = await profiles.list(tx, account)
    const wants = (filter: string) => !input.Filter?.length || (input.Filter as string[]).includes(filter)
    const nameOf = (id: string) => all.groups.find(row => row.id === id)?.spec.name ?? ''
    const aws = awsManaged().filter(one => [...all.users, ...all.groups, ...all.roles].some(row => row.spec.attached.includes(one.arn)))
    const managed = [...(wants('LocalManagedPolicy') ? (await policies.list(tx, account)).map(managedOf) : []),
      ...(wants('AWSManagedPolicy') ? aws : [])]
    const rows = [
      ...(wants('User') ? all.users.map(row => ({ key: `1${row.spec.name}`, user: row })) : []),
      ...(wants('Group') ? all.groups.map(row => ({ key: `2${row.spec.name}`, group: row })) : []),
      ...(wants('Role') ? all.roles.map(row => ({ key: `3${row.spec.name}`, role: row })) : []),
      ...managed.map(one => ({ key: `4${one.arn}`, managed: one })),
    ].sort((a, b) => (a.key < b.key ? -1 : 1))
    const { items, ...rest } = page(rows, input, row => row.key)
    return {
      UserDetailList: items.flatMap(item => ('user' in item ? [userDetail(item.user, nameOf)] : [])),
      GroupDetailList: items.flatMap(item => ('group' in item ? [{
        ...groupView(item.group), GroupPolicyList: inlineOf(item.group.spec), AttachedManagedPolicies: attachedOf(item.group.spec),
      }] : [])),
      RoleDetailList: items.flatMap(item => ('role' in item ? [roleDetail(item.role, profile)] : [])),
      Policies: items.flatMap(item => ('managed' in item ? [policyDetail(item.managed, all)] : [])),
      ...rest,
    }
  },
}

/** IAM User Guide, "Get credential reports": the columns in their order. */
const COLUMNS = [
  'user', 'arn', 'user_creation_time', 'password_enabled', 'password_last_used', 'password_last_changed', 'password_next_rotation', 'mfa_active',
  ...['1', '2'].flatMap(n => ['active', 'last_rotated', 'last_used_date', 'last_used_region',
    'last_used_service'].map(name => `access_key_${n}_${name}`)),
  'cert_1_active', 'cert_1_last_rotated', 'cert_2_active', 'cert_2_last_rotated',
]

async function reportLine(reader: Reader, identity: Identity, user: UserRow, keys: AccessKeyRow[]): Promise<string[]> {
  const { password } = user.spec
  const mfa = (await devices.list(reader, user.account)).some(row => row.spec.owner === user.id)
  const key = (row: AccessKeyRow | undefined): string[] => {
    const used = row && identity.useOf(row)
    return [String(row?.spec.status === 'Active'), row?.created ?? 'N/A', used?.time ?? 'N/A', used?.region ?? 'N/A', used?.service ?? 'N/A']
  }
  return [
    user.spec.name, users.arn(user), user.created, String(password !== undefined), password ? password.used ?? 'no_information' : 'N/A',
      password?.created ?? 'N/A',
    'N/A', String(mfa), ...key(keys[0]), ...key(keys[1]), 'false', 'N/A', 'false', 'N/A',
  ]
}

const reportActions = (identity: Identity): IamActions => ({
  // The report is made when it is fetched; there is nothing to wait for.
  GenerateCredentialReport: { look: async () => ({ State: 'COMPLETE' as const }) },
  GetCredentialReport: {
    async look({ reader, account, now }) {
      const keys = await reader.list<AccessKeyRow>({ kind: ACCESS_KEY, account })
      const rows = await users.list(reader, account)
      const lines = await Promise.all(rows.map(user => reportLine(reader, identity, user, keys.filter(key => key.spec.user === user.id))))
      const text = [COLUMNS, ...lines].map(line => line.join(',')).join('\n')
      return { Content: new Uint8Array(Buffer.from(text)), ReportFormat: 'text/csv' as const, GeneratedTime: now }
    },
  },
})


export const accountActions = (identity: Identity): IamActions => ({ ...aliasActions, ...detailActions, ...reportActions(identity) })

