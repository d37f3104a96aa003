/** Managed policies and their versions: at most five, one of which counts. */
import type { Policy, PolicyVersion } from '@aws-sdk/client-iam'
import { ApiError } from '#kit/error'
import { awsManaged, findPolicy, managedOf, type Managed } from '#identity/managed'
import { groups, policies, roles, users, type PolicyRow, type Version } from '#identity/records'
import { checkArn } from '#service/iam/boundary'
import {
  checkName, checkPath, conflict, exceeded, gone, page, QUOTA, readTags, tagsOf, under, withoutTags, type IamActions,
} from '#service/iam/common'
import { checkDocument, encodeDocument } from '#service/iam/documents'
import { byText } from '#service/iam/holders'
import type { Reader } from '#store/store'

type Uses = { attached: number; boundary: number }
/** When the facts of AWS's own policies were written down here: their only version's date. */
const AWS_DATE = new Date('2026-11-01T00:00:00Z')

export type Users = Awaited<ReturnType<typeof everyone>>
export async function everyone(reader: Reader, account: string) {
  const [u, g, r] = await Promise.all([users.list(reader, account), groups.list(reader, account), roles.list(reader, account)])
  return { users: u, groups: g, roles: r }
}
const usesOf = ({ users: u, groups: g, roles: r }: Users, arn: string): Uses => ({
  attached: [...u, ...g, ...r].filter(row => row.spec.attached.includes(arn)).length,
  boundary: [...u, ...r].filter(row => row.spec.boundary === arn).length,
})

export function policyView({ arn, name, path, row, aws }: Managed, uses: Uses): Policy & { PolicyName: string; Arn: string } {
  return {
    PolicyName: name, PolicyId: row?.id ?? aws!.id, Arn: arn, Path: path, DefaultVersionId: `v${row?.spec.chosen ?? 1}`,
      AttachmentCount: uses.attached,
    PermissionsBoundaryUsageCount: uses.boundary, IsAttachable: true, Description: row ? row.spec.description : aws!.description,
    CreateDate: row ? new Date(row.created) : AWS_DATE, UpdateDate: row ? new Date(row.spec.updated) : AWS_DATE, Tags: row && tagsOf(row.tags),
  }
}

async function get(reader: Reader, account: string, arn: string): Promise<Managed> {
  checkArn('PolicyArn', arn)
  const found = await findPolicy(reader, account, arn)
  if (!found) throw gone(`Policy ${arn} was not found.`)
  return found
}
async function getOwn(reader: Reader, account: string, arn: string): Promise<PolicyRow> {
  const { row } = await get(reader, account, arn)
  if (!row) throw new ApiError('AccessDenied', `The policy ${arn} is AWS's own and cannot be changed.`, 403)
  return row
}

const versionsOf = ({ row, document }: Managed): Version[] => row?.spec.versions ?? [{ id: 1, document, created: AWS_DATE.toISOString() }]
const versionView = (version: Version, chosen: number): PolicyVersion =>
  ({ VersionId: `v${version.id}`, IsDefaultVersion: version.id === chosen, CreateDate: new Date(version.created) })
function find(versions: readonly Version[], id: string, arn: string): Version {
  const found = versions.find(version => `v${version.id}` === id)
  if (!found) throw gone(`Policy ${arn} version ${id} does not exist or is not attachable.`)
  return found
}
const read = (text: string): string => checkDocument(text, { kind: 'identity', quota: 'PolicySize', most: QUOTA.policyBytes })

const plainActions: IamActions = {
  async CreatePolicy({ tx, input, account, now }) {
    const name = checkName('PolicyName', input.PolicyName!)
    const created = now.toISOString()
    const spec = {
      name, path: checkPath(input.Path), description: input.Description, versions: [{ id: 1, document: read(input.PolicyDocument!), created }],
      chosen: 1, last: 1, updated: created,
    }
    const tags = readTags(input.Tags)
    if ((await policies.list(tx, account)).length >= QUOTA.policies) throw exceeded('PoliciesPerAccount', QUOTA.policies)
    const row = await policies.create(tx, { account }, { spec, now, tags })
    if (!row) throw new ApiError('EntityAlreadyExistsException', `A policy called ${name} already exists. Duplicate names are not allowed.`, 409)
    return { Policy: policyView(managedOf(row), { attached: 0, boundary: 0 }) }
  },
  async GetPolicy({ tx, input, account }) {
    const found = await get(tx, account, input.PolicyArn!)
    return { Policy: policyView(found, usesOf(await everyone(tx, account), found.arn)) }
  },
  async ListPolicies({ tx, input, account }) {
    const all = await everyone(tx, account)
    const own = (await policies.list(tx, account)).map(managedOf)
    const scope = input.Scope ?? 'All'
    const rows = [...(scope === 'AWS' ? [] : own), ...(scope === 'Local' ? [] : awsManaged())].map(one => ({ one, uses: usesOf(all, one.arn) }))
    const wanted = rows.filter(({ one, uses }) => under(input.PathPrefix)({ spec: one })
      && (!input.OnlyAttached || uses.attached + uses.boundary > 0)
      && (input.PolicyUsageFilter !== 'PermissionsBoundary' || uses.boundary > 0) && (input.PolicyUsageFilter !== 'PermissionsPolicy'
        || uses.attached > 0))
    const { items, ...rest } = page(wanted.sort((a, b) => byText(a.one.arn, b.one.arn)), input, ({ one }) => one.arn)
    return { Policies: items.map(({ one, uses }) => policyView(one, uses)), ...rest }
  },
  async DeletePolicy({ tx, input, account }) {
    const row = await getOwn(tx, account, input.PolicyArn!)
    const uses = usesOf(await everyone(tx, account), policies.arn(row))
    if (uses.attached + uses.boundary > 0) throw conflict('Cannot delete a policy attached to entities.')
    if (row.spec.versions.length > 1) {
      throw conflict('This policy has more than one version. Before you delete a policy, you must delete the policy\'s versions.')
    }
    await tx.remove(row, 'deleted')
    return {}
  },
  async ListEntitiesForPolicy({ tx, input, account }) {
    const { arn } = await get(tx, account, input.PolicyArn!)
    const all = await everyone(tx, account)
    if (input.Marker !== undefined || input.PathPrefix !== undefined || input.PolicyUsageFilter !== undefined) {
      throw new ApiError('UnsupportedOperation', 'Enclume does not implement Marker, PathPrefix and PolicyUsageFilter of ListEntitiesForPolicy.')
    }
    const wants = (filter: string) => input.EntityFilter === undefined || input.EntityFilter === filter
    const uses = (row: { spec: { attached: string[]; boundary?: string } }) => row.spec.attached.includes(arn) || row.spec.boundary === arn
    return {
      PolicyUsers: wants('User') ? all.users.filter(uses).map(row => ({ UserName: row.spec.name, UserId: row.id })) : [],
      PolicyGroups: wants('Group') ? all.groups.filter(uses).map(row => ({ GroupName: row.spec.name, GroupId: row.id })) : [],
      PolicyRoles: wants('Role') ? all.roles.filter(uses).map(row => ({ RoleName: row.spec.name, RoleId: row.id })) : [], IsTruncated: false,
    }
  },
  async TagPolicy({ tx, input, account }) {
    const row = await getOwn(tx, account, input.PolicyArn!)
    await policies.update(tx, row, {}, readTags(input.Tags, row.tags))
    return {}
  },
  async UntagPolicy({ tx, input, account }) {
    const row = await getOwn(tx, account, input.PolicyArn!)
    await policies.update(tx, row, {}, withoutTags(row.tags, input.TagKeys!))
    return {}
  },
  async ListPolicyTags({ tx, input, account }) {
    const { row } = await get(tx, account, input.PolicyArn!)
    const { items, ...rest } = page(tagsOf(row?.tags ?? {}) ?? [], input, tag => tag.Key)
    return { Tags: items, ...rest }
  },
}

const versionActions: IamActions = {
  async CreatePolicyVersion({ tx, input, account, now }) {
    const row = await getOwn(tx, account, input.PolicyArn!)
    const { spec } = row
    if (spec.versions.length >= QUOTA.versions) {
      throw new ApiError('LimitExceededException',
        `A managed policy can have up to ${QUOTA.versions} versions. Before you create a new version, you must delete an `
        + 'existing version.', 409)
    }
    const version = { id: spec.last + 1, document: read(input.PolicyDocument!), created: now.toISOString() }
    const chosen = input.SetAsDefault ? version.id : spec.chosen
    await policies.update(tx, row, { versions: [...spec.versions, version], last: version.id, chosen, updated: version.created })
    return { PolicyVersion: versionView(version, chosen) }
  },
  async GetPolicyVersion({ tx, input, account }) {
    const found = await get(tx, account, input.PolicyArn!)
    const version = find(versionsOf(found), input.VersionId!, found.arn)
    return { PolicyVersion: { ...versionView(version, found.row?.spec.chosen ?? 1), Document: encodeDocument(version.document) } }
  },
  async ListPolicyVersions({ tx, input, account }) {
    const found = await get(tx, account, input.PolicyArn!)
    const newest = [...versionsOf(found)].reverse()
    const { items, ...rest } = page(newest, input, version => String(999_999 - version.id))
    return { Versions: items.map(version => versionView(version, found.row?.spec.chosen ?? 1)), ...rest }
  },
  async SetDefaultPolicyVersion({ tx, input, account, now }) {
    const row = await getOwn(tx, account, input.PolicyArn!)
    await policies.update(tx, row, { chosen: find(row.spec.versions, input.VersionId!, input.PolicyArn!).id, updated: now.toISOString() })
    return {}
  },
  async DeletePolicyVersion({ tx, input, account }) {
    const row = await getOwn(tx, account, input.PolicyArn!)
    const version = find(row.spec.versions, input.VersionId!, input.PolicyArn!)
    if (version.id === row.spec.chosen) throw conflict('Cannot delete the default version of a policy.')
    await policies.update(tx, row, { versions: row.spec.versions.filter(one => one !== version) })
    return {}
  },
}

export const policyActions: IamActions = { ...plainActions, ...versionActions }
