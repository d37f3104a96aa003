/** Groups: users that have policies together. A user knows its groups; a group's members are the users that say so. */
import type { Group } from '@aws-sdk/client-iam'
import { groups, users, type GroupRow } from '#identity/records'
import { checkName, checkPath, conflict, exceeded, exists, getUser, gone, noSuch, page, QUOTA, under, type IamActions } from '#service/iam/common'
import { userView } from '#service/iam/users'
import type { Reader } from '#store/store'

export const groupView = (row: GroupRow): Required<Group> =>
  ({ Path: row.spec.path, GroupName: row.spec.name, GroupId: row.id, Arn: groups.arn(row), CreateDate: new Date(row.created) })

async function getGroup(reader: Reader, account: string, name: string): Promise<GroupRow> {
  const row = await groups.byName(reader, account, name)
  if (!row) throw noSuch('group', name)
  return row
}
const membersOf = async (reader: Reader, row: GroupRow) => (await users.list(reader, row.account)).filter(user => user.spec.groups.includes(row.id))

export const groupActions: IamActions = {
  async CreateGroup({ tx, input, account, now }) {
    const name = checkName('GroupName', input.GroupName!)
    const path = checkPath(input.Path)
    if ((await groups.list(tx, account)).length >= QUOTA.groups) throw exceeded('GroupsPerAccount', QUOTA.groups)
    const row = await groups.create(tx, { account }, { spec: { name, path, inline: {}, attached: [] }, now })
    if (!row) throw exists('Group', name)
    return { Group: groupView(row) }
  },
  async GetGroup({ tx, input, account }) {
    const row = await getGroup(tx, account, input.GroupName!)
    const { items, ...rest } = page(await membersOf(tx, row), input, user => user.spec.name)
    return { Group: groupView(row), Users: items.map(userView), ...rest }
  },
  async ListGroups({ tx, input, account }) {
    const { items, ...rest } = page((await groups.list(tx, account)).filter(under(input.PathPrefix)), input, row => row.spec.name)
    return { Groups: items.map(groupView), ...rest }
  },
  async UpdateGroup({ tx, input, account }) {
    const row = await getGroup(tx, account, input.GroupName!)
    const name = input.NewGroupName === undefined ? row.spec.name : checkName('NewGroupName', input.NewGroupName)
    const path = input.NewPath === undefined ? row.spec.path : checkPath(input.NewPath)
    if (!await groups.rename(tx, row, name)) throw exists('Group', name)
    await groups.update(tx, row, { name, path })
    return {}
  },
  async DeleteGroup({ tx, input, account }) {
    const row = await getGroup(tx, account, input.GroupName!)
    if ((await membersOf(tx, row)).length > 0) throw conflict('Cannot delete entity, must remove users from group first.')
    if (Object.keys(row.spec.inline).length > 0) throw conflict('Cannot delete entity, must delete policies first.')
    if (row.spec.attached.length > 0) throw conflict('Cannot delete entity, must detach all policies first.')
    await tx.remove(row, 'deleted')
    return {}
  },
  async AddUserToGroup({ tx, input, account }) {
    const row = await getGroup(tx, account, input.GroupName!)
    const user = await getUser(tx, account, input.UserName!)
    if (user.spec.groups.includes(row.id)) return {}
    if (user.spec.groups.length >= QUOTA.groupsOfUser) throw exceeded('GroupsPerUser', QUOTA.groupsOfUser)
    await users.update(tx, user, { groups: [...user.spec.groups, row.id] })
    return {}
  },
  async RemoveUserFromGroup({ tx, input, account }) {
    const row = await getGroup(tx, account, input.GroupName!)
    const user = await getUser(tx, account, input.UserName!)
    if (!user.spec.groups.includes(row.id)) throw gone(`User ${user.spec.name} is not in group ${row.spec.name}.`)
    await users.update(tx, user, { groups: user.spec.groups.filter(id => id !== row.id) })
    return {}
  },
  async ListGroupsForUser({ tx, input, account }) {
    const user = await getUser(tx, account, input.UserName!)
    const rows = (await groups.list(tx, account)).filter(row => user.spec.groups.includes(row.id))
    const { items, ...rest } = page(rows, input, row => row.spec.name)
    return { Groups: items.map(groupView), ...rest }
  },
}
