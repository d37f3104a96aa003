/**
 * Signing in with a name and a password, for the console.
 *
 * Invariants: what is refused does not say why, and takes as long whether there is such a user or not; whoever has a device signs in with
 * its code only, and a code counts once; a password that must be changed signs nobody in, but with a new one beside it.
 */
import { isPassword, hashPassword, type PasswordHash } from '#base/password'
import type { Principal } from '#kit/caller'
import { devicesOf, ownerOf, proveDevice } from '#identity/device'
import { userPrincipal, type Identity } from '#identity/identity'
import { accountOf, users, type UserRow } from '#identity/records'
import type { Store } from '#store/store'

export type SignIn = { account: string; user: string; password: string; mfa?: string; newPassword?: string }
export type SignedIn = { principal: Principal; name: string; mfa?: string }
/** Changes the password of whoever proved to be this principal. */
export type Change = (principal: Principal, passwords: { OldPassword: string; NewPassword: string }) => Promise<void>

/** The console's own sessions end after twelve hours; the keys that its page signs with are renewed every hour. */
const KEYS_LAST_S = 3600

/** An account by its number, or by its alias. */
async function accountNamed(store: Store, name: string): Promise<string | undefined> {
  return /^\d{12}$/.test(name) ? name : store.holder('iam-account-alias', name)
}

let decoy: Promise<PasswordHash> | undefined

/** Who signs in so; undefined is refused, 'change' asks for a new password, 'mfa' for a device's code. */
export async function verifySignIn({ store, identity, change }: { store: Store; identity: Identity; change: Change },
  { account: name, user, password, mfa, newPassword, now }: SignIn & { now: Date }): Promise<SignedIn | 'mfa' | 'change' | undefined> {
  const account = await accountNamed(store, name)
  const row = account === undefined ? undefined : await users.byName(store, account, user)
  const kept = row?.spec.password
  const right = await isPassword(password, kept ? JSON.parse(kept.hash) as PasswordHash : await (decoy ??= hashPassword('nobody')))
  if (!row || !kept || !right) return undefined
  const principal = userPrincipal(row)
  if (kept.reset && !newPassword) return 'change'
  if ((await devicesOf(store, row.account, ownerOf(principal))).length > 0) {
    if (mfa === undefined || mfa === '') return 'mfa'
    if (!await store.transact(tx => proveDevice(identity.sealer, tx, { principal, serial: undefined, code: mfa, now }))) return undefined
  }
  const proved = mfa ? now.toISOString() : undefined
  // With a session's principal, as policies may want its device.
  if (kept.reset) await change(consoleKeys(identity, principal, proved).principal, { OldPassword: password, NewPassword: newPassword! })
  await store.transact(async tx => {
    const fresh = await users.get(tx, row.id) as UserRow | undefined
    if (fresh?.spec.password) await users.update(tx, fresh, { password: { ...fresh.spec.password, used: now.toISOString() } })
  })
  return { principal, name: row.spec.name, ...(proved !== undefined && { mfa: proved }) }
}

/** Keys for the console's page: unlike those of GetSessionToken they may be used with IAM. */
export const consoleKeys = (identity: Identity, principal: Principal, mfa?: string): ReturnType<Identity['issue']> =>
  identity.issue(principal, { kind: 'console', name: 'console', lastsS: KEYS_LAST_S, ...(mfa !== undefined && { mfa }) })

/** The alias that users sign in by, where the account has one. */
export const aliasOf = async (store: Store, account: string): Promise<string | undefined> => (await accountOf(store, account)).spec.alias
