/**
 * Signing in with a name and a password, for the console.
 *
 * Invariants: what is refused does not say why, and takes as long whether there is such a user or not; whoever has a device signs in with
 * its code only, and a code counts once.
 */
import { isPassword, hashPassword, type PasswordHash } from '#base/password'
import type { Principal } from '#kit/caller'
import { devicesOf, ownerOf, proveDevice } from '#identity/device'
import { userPrincipal, type Identity } from '#identity/identity'
import { accountOf, users, type UserRow } from '#identity/records'
import type { Temporary } from '#identity/session'
import type { Store } from '#store/store'

export type SignIn = { account: string; user: string; password: string; mfa?: string }
export type SignedIn = { principal: Principal; name: string; mfa?: string; reset: boolean }

/** The console's own sessions end after twelve hours; the keys that its page signs with are renewed every hour. */
const KEYS_LAST_S = 3600

/** An account by its number, or by its alias. */
async function accountNamed(store: Store, name: string): Promise<string | undefined> {
  return /^\d{12}$/.test(name) ? name : store.holder('iam-account-alias', name)
}

let decoy: Promise<PasswordHash> | undefined

/** Who signs in so; undefined is refused, 'mfa' asks for a device's code. */
export async function verifySignIn(store: Store, identity: Identity, { account: name, user, password, mfa,
  now }: SignIn & { now: Date }): Promise<SignedIn | 'mfa' | undefined> {
  const account = await accountNamed(store, name)
  const row = account === undefined ? undefined : await users.byName(store, account, user)
  const kept = row?.spec.password
  const right = await isPassword(password, kept ? JSON.parse(kept.hash) as PasswordHash : await (decoy ??= hashPassword('nobody')))
  if (!row || !kept || !right) return undefined
  const principal = userPrincipal(row)
  if ((await devicesOf(store, row.account, ownerOf(principal))).length > 0) {
    if (mfa === undefined || mfa === '') return 'mfa'
    if (!await store.transact(tx => proveDevice(identity.sealer, tx, { principal, serial: undefined, code: mfa, now }))) return undefined
  }
  await store.transact(async tx => {
    const fresh = await users.get(tx, row.id) as UserRow | undefined
    if (fresh?.spec.password) await users.update(tx, fresh, { password: { ...fresh.spec.password, used: now.toISOString() } })
  })
  return { principal, name: row.spec.name, reset: kept.reset, ...(mfa && { mfa: now.toISOString() }) }
}

/** Keys for the console's page: unlike those of GetSessionToken they may be used with IAM. */
export const consoleKeys = (identity: Identity, principal: Principal, mfa?: string): Temporary =>
  identity.issue(principal, { kind: 'console', name: 'console', lastsS: KEYS_LAST_S, ...(mfa !== undefined && { mfa }) })

/** The alias that users sign in by, where the account has one. */
export const aliasOf = async (store: Store, account: string): Promise<string | undefined> => (await accountOf(store, account)).spec.alias
