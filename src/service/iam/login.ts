/** Passwords of users for the console, and what the account asks of passwords. */
import type { LoginProfile, PasswordPolicy } from '@aws-sdk/client-iam'
import { ApiError } from '#kit/error'
import { hashNow, isPasswordNow, passwordFault } from '#identity/password'
import { accountOf, changeAccount, users, type UserRow } from '#identity/records'
import { exists, getUser, gone, userOrCaller, violation, type IamActions } from '#service/iam/common'
import type { Reader } from '#store/store'

const weak = (words: string) => new ApiError('PasswordPolicyViolationException', words)
const view = (row: UserRow): LoginProfile & { UserName: string; CreateDate: Date } =>
  ({ UserName: row.spec.name, CreateDate: new Date(row.spec.password!.created), PasswordResetRequired: row.spec.password!.reset })

async function hashed(reader: Reader, account: string, password: string): Promise<string> {
  const fault = passwordFault(password, (await accountOf(reader, account)).spec.passwordPolicy)
  if (fault) throw weak(fault)
  return JSON.stringify(hashNow(password))
}
const having = (row: UserRow): NonNullable<UserRow['spec']['password']> => {
  if (!row.spec.password) throw gone(`Login Profile for User ${row.spec.name} cannot be found.`)
  return row.spec.password
}

const profileActions: IamActions = {
  async CreateLoginProfile({ tx, input, account, caller, now }) {
    const row = await userOrCaller({ reader: tx, account, caller }, input.UserName)
    if (row.spec.password) throw exists('Login Profile for User', row.spec.name)
    if (input.Password === undefined) throw violation('Password', '', 'Member must not be null')
    const password = { hash: await hashed(tx, account, input.Password), created: now.toISOString(), reset: input.PasswordResetRequired ?? false }
    return { LoginProfile: view(await users.update(tx, row, { password })) }
  },
  async GetLoginProfile({ tx, input, account, caller }) {
    const row = await userOrCaller({ reader: tx, account, caller }, input.UserName)
    having(row)
    return { LoginProfile: view(row) }
  },
  async UpdateLoginProfile({ tx, input, account }) {
    const row = await getUser(tx, account, input.UserName!)
    const before = having(row)
    const hash = input.Password === undefined ? before.hash : await hashed(tx, account, input.Password)
    await users.update(tx, row, { password: { ...before, hash, reset: input.PasswordResetRequired ?? before.reset } })
    return {}
  },
  async DeleteLoginProfile({ tx, input, account, caller }) {
    const row = await userOrCaller({ reader: tx, account, caller }, input.UserName)
    having(row)
    await users.update(tx, row, { password: undefined })
    return {}
  },
  async ChangePassword({ tx, input, account, caller }) {
    const row = await userOrCaller({ reader: tx, account, caller }, undefined)
    const before = having(row)
    if (!isPasswordNow(input.OldPassword!, JSON.parse(before.hash))) throw new ApiError('AccessDenied', 'The old password was incorrect.', 403)
    await users.update(tx, row, { password: { ...before, hash: await hashed(tx, account, input.NewPassword!), reset: false } })
    return {}
  },
}

/** Rules that need old passwords or their age, which are not kept. */
const NOT_KEPT = ['MaxPasswordAge', 'PasswordReusePrevention', 'HardExpiry'] as const
const DEFAULTS = {
  MinimumPasswordLength: 6, RequireSymbols: false, RequireNumbers: false, RequireUppercaseCharacters: false, RequireLowercaseCharacters: false,
  AllowUsersToChangePassword: false,
}

const policyActions: IamActions = {
  async UpdateAccountPasswordPolicy({ tx, input, account, now }) {
    const asked = NOT_KEPT.find(name => input[name])
    if (asked) throw new ApiError('UnsupportedOperation', `Enclume does not implement ${asked} of UpdateAccountPasswordPolicy.`)
    const least = input.MinimumPasswordLength ?? DEFAULTS.MinimumPasswordLength
    if (!Number.isInteger(least) || least < 6 || least > 128) {
      throw violation('MinimumPasswordLength', String(least), 'Member must have value between 6 and 128')
    }
    const given = Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, input[name as keyof typeof DEFAULTS] ?? value]))
    await changeAccount(tx, await accountOf(tx, account), { passwordPolicy: given }, now)
    return {}
  },
  async GetAccountPasswordPolicy({ tx, account }) {
    const { passwordPolicy } = (await accountOf(tx, account)).spec
    if (!passwordPolicy) throw gone(`The Password Policy with domain name ${account} cannot be found.`)
    return { PasswordPolicy: { ...passwordPolicy, ExpirePasswords: false } as PasswordPolicy }
  },
  async DeleteAccountPasswordPolicy({ tx, account, now }) {
    const row = await accountOf(tx, account)
    if (!row.spec.passwordPolicy) throw gone('The account policy with name PasswordPolicy cannot be found.')
    await changeAccount(tx, row, { passwordPolicy: undefined }, now)
    return {}
  },
}

export const loginActions: IamActions = { ...profileActions, ...policyActions }
