/** Users and their access keys. A key's secret is answered once, when the key is made; what is kept is sealed. */
import { randomBytes } from 'node:crypto'
import type { AccessKeyMetadata, User } from '@aws-sdk/client-iam'
import { ApiError } from '#kit/error'
import { makeAccessKey, type Identity } from '#identity/identity'
import { accessKeysOf, devices, findAccessKey, users, type AccessKeyRow, type UserRow } from '#identity/records'
import { uniqueId } from '#identity/session'
import {
  checkName, checkPath, conflict, exceeded, exists, getUser, gone, page, QUOTA, readTags, tagsOf, under, userOrCaller, withoutTags,
  type IamActions, type IamContext,
} from '#service/iam/common'
import { boundaryOf, checkBoundary } from '#service/iam/boundary'
import type { Reader, Tx } from '#store/store'

const NAME_MOST = 64

export const userView = (row: UserRow): User & { Path: string; UserName: string; UserId: string; Arn: string; CreateDate: Date } => ({
  Path: row.spec.path, UserName: row.spec.name, UserId: row.id, Arn: users.arn(row), CreateDate: new Date(row.created),
  PasswordLastUsed: row.spec.password?.used === undefined ? undefined : new Date(row.spec.password.used),
})
const detail = (row: UserRow): ReturnType<typeof userView> =>
  ({ ...userView(row), PermissionsBoundary: boundaryOf(row.spec.boundary), Tags: tagsOf(row.tags) })

const keyView = (row: AccessKeyRow, user: UserRow): AccessKeyMetadata =>
  ({ UserName: user.spec.name, AccessKeyId: row.id, Status: row.spec.status, CreateDate: new Date(row.created) })

/** What must go before a user does (API Reference: DeleteUser). */
async function checkFree(reader: Reader, row: UserRow): Promise<void> {
  const { spec } = row
  const first = (what: string) => conflict(`Cannot delete entity, must ${what} first.`)
  if ((await accessKeysOf(reader, row.account, row.id)).length > 0) throw first('delete access keys')
  if (spec.password) throw first('delete login profile')
  if ((spec.sshKeys ?? []).length > 0) throw first('delete SSH public keys')
  if ((await devices.list(reader, row.account)).some(device => device.spec.owner === row.id)) throw first('deactivate MFA device')
  if (Object.keys(spec.inline).length > 0) throw first('delete policies')
  if (spec.attached.length > 0) throw first('detach all policies')
  if (spec.groups.length > 0) throw first('remove users from group')
}

async function keyOf(tx: Tx, user: UserRow, id: string): Promise<AccessKeyRow> {
  const row = await findAccessKey(tx, id)
  if (row?.spec.user !== user.id) throw gone(`The Access Key with id ${id} cannot be found.`)
  return row
}

const userActions: IamActions = {
  async CreateUser({ tx, input, account, now }) {
    const name = checkName('UserName', input.UserName!, NAME_MOST)
    const boundary = await checkBoundary(tx, account, input.PermissionsBoundary)
    const spec = { name, path: checkPath(input.Path), boundary, groups: [], inline: {}, attached: [] }
    const tags = readTags(input.Tags)
    if ((await users.list(tx, account)).length >= QUOTA.users) throw exceeded('UsersPerAccount', QUOTA.users)
    const row = await users.create(tx, { account }, { spec, now, tags })
    if (!row) throw exists('User', name)
    return { User: detail(row) }
  },
  async GetUser({ tx, input, account, caller }) {
    const { principal } = caller
    if (input.UserName === undefined && principal.root) {
      return { User: { Path: '/', UserName: '', UserId: account, Arn: principal.arn, CreateDate: new Date(0) } }
    }
    return { User: detail(await userOrCaller({ reader: tx, account, caller }, input.UserName)) }
  },
  async ListUsers({ tx, input, account }) {
    const { items, ...rest } = page((await users.list(tx, account)).filter(under(input.PathPrefix)), input, row => row.spec.name)
    return { Users: items.map(userView), ...rest }
  },
  async UpdateUser({ tx, input, account }) {
    const row = await getUser(tx, account, input.UserName!)
    const name = input.NewUserName === undefined ? row.spec.name : checkName('NewUserName', input.NewUserName, NAME_MOST)
    const path = input.NewPath === undefined ? row.spec.path : checkPath(input.NewPath)
    if (!await users.rename(tx, row, name)) throw exists('User', name)
    await users.update(tx, row, { name, path })
    return {}
  },
  async DeleteUser({ tx, input, account }) {
    const row = await getUser(tx, account, input.UserName!)
    await checkFree(tx, row)
    await tx.remove(row, 'deleted')
    return {}
  },
  async TagUser({ tx, input, account }) {
    const row = await getUser(tx, account, input.UserName!)
    await users.update(tx, row, {}, readTags(input.Tags, row.tags))
    return {}
  },
  async UntagUser({ tx, input, account }) {
    const row = await getUser(tx, account, input.UserName!)
    await users.update(tx, row, {}, withoutTags(row.tags, input.TagKeys!))
    return {}
  },
  async ListUserTags({ tx, input, account }) {
    const row = await getUser(tx, account, input.UserName!)
    const { items, ...rest } = page(tagsOf(row.tags) ?? [], input, tag => tag.Key)
    return { Tags: items, ...rest }
  },
}

const keyActions = (identity: Identity): IamActions => ({
  async CreateAccessKey({ tx, input, account, caller, now }) {
    const user = await userOrCaller({ reader: tx, account, caller }, input.UserName)
    if ((await accessKeysOf(tx, account, user.id)).length >= QUOTA.keysOfUser) throw exceeded('AccessKeysPerUser', QUOTA.keysOfUser)
    const secret = randomBytes(30).toString('base64')
    const row = await tx.put(makeAccessKey(identity.sealer, { id: uniqueId('AKIA'), secret, user, now }), 'created')
    return { AccessKey: { ...keyView(row, user), SecretAccessKey: secret } as Required<AccessKeyMetadata> & { SecretAccessKey: string } }
  },
  async ListAccessKeys({ tx, input, account, caller }) {
    if (input.UserName === undefined && caller.principal.root) throw rootKeys()
    const user = await userOrCaller({ reader: tx, account, caller }, input.UserName)
    const { items, ...rest } = page(await accessKeysOf(tx, account, user.id), input, row => row.id)
    return { AccessKeyMetadata: items.map(row => keyView(row, user)), ...rest }
  },
  async UpdateAccessKey({ tx, input, account, caller }) {
    const user = await userOrCaller({ reader: tx, account, caller }, input.UserName)
    const row = await keyOf(tx, user, input.AccessKeyId!)
    const status = input.Status
    if (status !== 'Active' && status !== 'Inactive') {
      throw new ApiError('ValidationError',
        `Value '${status}' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]`)
    }
    await tx.put({ ...row, spec: { ...row.spec, status } }, 'changed')
    return {}
  },
  async DeleteAccessKey({ tx, input, account, caller }) {
    const user = await userOrCaller({ reader: tx, account, caller }, input.UserName)
    await tx.remove(await keyOf(tx, user, input.AccessKeyId!), 'deleted')
    return {}
  },
  async GetAccessKeyLastUsed({ tx, input, account }) {
    const row = await findAccessKey(tx, input.AccessKeyId!)
    const user = row?.account === account ? await users.get(tx, row.spec.user) : undefined
    if (!row || !user) throw new ApiError('AccessDenied', 'The access key belongs to no user of this account.', 403)
    const used = identity.useOf(row)
    return {
      UserName: user.spec.name,
      // API Reference: a key that was never used has N/A for service and Region, and no date.
      AccessKeyLastUsed: used ? { LastUsedDate: new Date(used.time), ServiceName: used.service, Region: used.region }
        : { LastUsedDate: undefined, ServiceName: 'N/A', Region: 'N/A' },
    }
  },
})

const rootKeys = () => new ApiError('UnsupportedOperation', 'Enclume keeps the root user\'s key in its home; it is not among the keys of IAM.')

export const userAndKeyActions = ({ identity }: IamContext): IamActions => ({ ...userActions, ...keyActions(identity) })
