/** Roles: who may assume them is their trust policy's to say. */
import type { Role } from '@aws-sdk/client-iam'
import { ApiError } from '#kit/error'
import { profiles, roles, type RoleRow } from '#identity/records'
import { boundaryOf, checkBoundary } from '#service/iam/boundary'
import {
  checkName, checkPath, conflict, exceeded, exists, noSuch, page, QUOTA, readTags, tagsOf, under, withoutTags, type IamActions,
} from '#service/iam/common'
import { checkDocument, encodeDocument } from '#service/iam/documents'
import type { Reader } from '#store/store'

const NAME_MOST = 64
const HOUR_S = 3600

export const roleView = (row: RoleRow): Role & { Path: string; RoleName: string; RoleId: string; Arn: string; CreateDate: Date } => ({
  Path: row.spec.path, RoleName: row.spec.name, RoleId: row.id, Arn: roles.arn(row), CreateDate: new Date(row.created),
  AssumeRolePolicyDocument: encodeDocument(row.spec.trust), Description: row.spec.description, MaxSessionDuration: row.spec.longestS,
})
/** What lists leave out (API Reference: ListRoles). */
const detail = (row: RoleRow): ReturnType<typeof roleView> => ({
  ...roleView(row), PermissionsBoundary: boundaryOf(row.spec.boundary), Tags: tagsOf(row.tags),
  RoleLastUsed: row.status.used ? { LastUsedDate: new Date(row.status.used.time), Region: row.status.used.region } : {},
})

export async function getRole(reader: Reader, account: string, name: string): Promise<RoleRow> {
  const row = await roles.byName(reader, account, name)
  if (!row) throw noSuch('role', name)
  return row
}

const checkTrust = (text: string): string => checkDocument(text, { kind: 'trust', quota: 'ACLSizePerRole', most: QUOTA.trustBytes })
function checkLongest(seconds: number): number {
  if (!Number.isInteger(seconds) || seconds < HOUR_S || seconds > 12 * HOUR_S) {
    throw new ApiError('ValidationError',
      `Value '${seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200`)
  }
  return seconds
}
function checkDescription(text: string | undefined): string | undefined {
  if (text !== undefined && text.length > 1000) throw new ApiError('ValidationError', 'description must have length less than or equal to 1000')
  return text
}

/** A service-linked role is its service's (IAM User Guide, "Service-linked roles"). */
function checkOwn(row: RoleRow): RoleRow {
  if (row.spec.linked) {
    throw new ApiError('UnmodifiableEntityException',
      `Cannot perform the operation on the protected role '${row.spec.name}' - this role is only modifiable by AWS`)
  }
  return row
}

async function checkFree(reader: Reader, row: RoleRow): Promise<void> {
  if ((await profiles.list(reader, row.account)).some(profile => profile.spec.role === row.id)) {
    throw conflict('Cannot delete entity, must remove roles from instance profile first.')
  }
  if (Object.keys(row.spec.inline).length > 0) throw conflict('Cannot delete entity, must delete policies first.')
  if (row.spec.attached.length > 0) throw conflict('Cannot delete entity, must detach all policies first.')
}

export const roleActions: IamActions = {
  async CreateRole({ tx, input, account, now }) {
    const name = checkName('RoleName', input.RoleName!, NAME_MOST)
    const path = checkPath(input.Path)
    if (path.startsWith('/aws-service-role/')) throw new ApiError('InvalidInputException',
      'The path /aws-service-role/ is reserved for service-linked roles.')
    const spec = {
      name, path, description: checkDescription(input.Description), trust: checkTrust(input.AssumeRolePolicyDocument!),
      longestS: checkLongest(input.MaxSessionDuration ?? HOUR_S), boundary: await checkBoundary(tx, account, input.PermissionsBoundary), inline: {},
        attached: [],
    }
    const tags = readTags(input.Tags)
    if ((await roles.list(tx, account)).length >= QUOTA.roles) throw exceeded('RolesPerAccount', QUOTA.roles)
    const row = await roles.create(tx, { account }, { spec, now, tags })
    if (!row) throw exists('Role', name)
    return { Role: detail(row) }
  },
  async GetRole({ tx, input, account }) {
    return { Role: detail(await getRole(tx, account, input.RoleName!)) }
  },
  async ListRoles({ tx, input, account }) {
    const { items, ...rest } = page((await roles.list(tx, account)).filter(under(input.PathPrefix)), input, row => row.spec.name)
    return { Roles: items.map(roleView), ...rest }
  },
  async UpdateRole({ tx, input, account }) {
    const row = checkOwn(await getRole(tx, account, input.RoleName!))
    await roles.update(tx, row, {
      description: checkDescription(input.Description) ?? row.spec.description, longestS: checkLongest(input.MaxSessionDuration ?? row.spec.longestS),
    })
    return {}
  },
  async UpdateRoleDescription({ tx, input, account }) {
    const row = checkOwn(await getRole(tx, account, input.RoleName!))
    return { Role: detail(await roles.update(tx, row, { description: checkDescription(input.Description) })) }
  },
  async UpdateAssumeRolePolicy({ tx, input, account }) {
    const row = checkOwn(await getRole(tx, account, input.RoleName!))
    await roles.update(tx, row, { trust: checkTrust(input.PolicyDocument!) })
    return {}
  },
  async DeleteRole({ tx, input, account }) {
    const row = checkOwn(await getRole(tx, account, input.RoleName!))
    await checkFree(tx, row)
    await tx.remove(row, 'deleted')
    return {}
  },
  async TagRole({ tx, input, account }) {
    const row = await getRole(tx, account, input.RoleName!)
    await roles.update(tx, row, {}, readTags(input.Tags, row.tags))
    return {}
  },
  async UntagRole({ tx, input, account }) {
    const row = await getRole(tx, account, input.RoleName!)
    await roles.update(tx, row, {}, withoutTags(row.tags, input.TagKeys!))
    return {}
  },
  async ListRoleTags({ tx, input, account }) {
    const row = await getRole(tx, account, input.RoleName!)
    const { items, ...rest } = page(tagsOf(row.tags) ?? [], input, tag => tag.Key)
    return { Tags: items, ...rest }
  },
}
