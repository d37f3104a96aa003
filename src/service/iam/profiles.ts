/** Instance profiles: how a role reaches an instance. A profile has one role at most (IAM User Guide, "Instance profiles"). */
import type { InstanceProfile } from '@aws-sdk/client-iam'
import { profiles, roles, type ProfileRow } from '#identity/records'
import {
  checkName, checkPath, conflict, exceeded, exists, gone, page, QUOTA, readTags, tagsOf, under, withoutTags, type IamActions,
} from '#service/iam/common'
import { getRole, roleView } from '#service/iam/roles'
import type { Reader } from '#store/store'

type View = InstanceProfile & {
  Path: string; InstanceProfileName: string; InstanceProfileId: string; Arn: string; CreateDate: Date; Roles: ReturnType<typeof roleView>[]
}

async function view(reader: Reader, row: ProfileRow): Promise<View> {
  const role = row.spec.role === undefined ? undefined : await roles.get(reader, row.spec.role)
  return {
    Path: row.spec.path, InstanceProfileName: row.spec.name, InstanceProfileId: row.id, Arn: profiles.arn(row), CreateDate: new Date(row.created),
    Roles: role ? [roleView(role)] : [], Tags: tagsOf(row.tags),
  }
}

async function getProfile(reader: Reader, account: string, name: string): Promise<ProfileRow> {
  const row = await profiles.byName(reader, account, name)
  if (!row) throw gone(`Instance Profile ${name} cannot be found.`)
  return row
}
const views = (reader: Reader, rows: ProfileRow[]): Promise<View[]> => Promise.all(rows.map(row => view(reader, row)))

export const profileActions: IamActions = {
  async CreateInstanceProfile({ tx, input, account, now }) {
    const name = checkName('InstanceProfileName', input.InstanceProfileName!)
    const path = checkPath(input.Path)
    const tags = readTags(input.Tags)
    if ((await profiles.list(tx, account)).length >= QUOTA.profiles) throw exceeded('InstanceProfilesPerAccount', QUOTA.profiles)
    const row = await profiles.create(tx, { account }, { spec: { name, path }, now, tags })
    if (!row) throw exists('Instance Profile', name)
    return { InstanceProfile: await view(tx, row) }
  },
  async GetInstanceProfile({ tx, input, account }) {
    return { InstanceProfile: await view(tx, await getProfile(tx, account, input.InstanceProfileName!)) }
  },
  async ListInstanceProfiles({ tx, input, account }) {
    const { items, ...rest } = page((await profiles.list(tx, account)).filter(under(input.PathPrefix)), input, row => row.spec.name)
    return { InstanceProfiles: await views(tx, items), ...rest }
  },
  async ListInstanceProfilesForRole({ tx, input, account }) {
    const role = await getRole(tx, account, input.RoleName!)
    const { items, ...rest } = page((await profiles.list(tx, account)).filter(row => row.spec.role === role.id), input, row => row.spec.name)
    return { InstanceProfiles: await views(tx, items), ...rest }
  },
  async AddRoleToInstanceProfile({ tx, input, account, permit }) {
    const row = await getProfile(tx, account, input.InstanceProfileName!)
    const role = await getRole(tx, account, input.RoleName!)
    await permit({ action: 'iam:PassRole', resource: roles.arn(role), keys: { 'iam:PassedToService': ['ec2.amazonaws.com'] } })
    if (row.spec.role !== undefined) throw exceeded('InstanceSessionsPerInstanceProfile', 1)
    await profiles.update(tx, row, { role: role.id })
    return {}
  },
  async RemoveRoleFromInstanceProfile({ tx, input, account }) {
    const row = await getProfile(tx, account, input.InstanceProfileName!)
    const role = await getRole(tx, account, input.RoleName!)
    if (row.spec.role !== role.id) throw gone(`Role ${role.spec.name} is not in instance profile ${row.spec.name}.`)
    await profiles.update(tx, row, { role: undefined })
    return {}
  },
  async DeleteInstanceProfile({ tx, input, account }) {
    const row = await getProfile(tx, account, input.InstanceProfileName!)
    if (row.spec.role !== undefined) throw conflict('Cannot delete entity, must remove roles from instance profile first.')
    await tx.remove(row, 'deleted')
    return {}
  },
  async TagInstanceProfile({ tx, input, account }) {
    const row = await getProfile(tx, account, input.InstanceProfileName!)
    await profiles.update(tx, row, {}, readTags(input.Tags, row.tags))
    return {}
  },
  async UntagInstanceProfile({ tx, input, account }) {
    const row = await getProfile(tx, account, input.InstanceProfileName!)
    await profiles.update(tx, row, {}, withoutTags(row.tags, input.TagKeys!))
    return {}
  },
  async ListInstanceProfileTags({ tx, input, account }) {
    const row = await getProfile(tx, account, input.InstanceProfileName!)
    const { items, ...rest } = page(tagsOf(row.tags) ?? [], input, tag => tag.Key)
    return { Tags: items, ...rest }
  },
}
