/**
 * Identity as the rest of the cloud sees it: whose an access key is, credentials for a while, and what a caller may.
 *
 * Invariants: a key that is inactive, or whose user or role is gone, is nobody's; a principal's records are read anew once a
 * commit has touched any record of identity.
 */
import type { Clock } from '#base/clock'
import type { Caller, Principal, Session } from '#kit/caller'
import { rootPrincipal, type RootKeys } from '#identity/root-keys'
import { ACCESS_KEY, findAccessKey, IAM_KINDS, roles, users, type AccessKeyRow, type UserRow, type Use } from '#identity/records'
import { issue, openSession, type Temporary } from '#identity/session'
import type { Sealer } from '#identity/seal'
import type { Reader, Store } from '#store/store'

export type Holder = { secret: string; sessionToken?: string; principal: Principal; expired?: boolean }
export type NewSession = Omit<Session, 'issued' | 'expires'> & { lastsS: number }

export type Identity = {
  sealer: Sealer
  /** Counts the changes of any record of identity: what was derived from them is old when it moves. */
  version(): number
  /** Whose an access key is; the token as it was sent with it. */
  credentials(accessKeyId: string, token: string | undefined): Promise<Holder | undefined>
  /** Credentials for a while, for a principal that `session` narrows. */
  issue(principal: Principal, session: NewSession): Temporary & { principal: Principal & { session: Session } }
  /** When and where a key was used last, also what is not yet written. */
  useOf(row: AccessKeyRow): Use | undefined
  noteUse(caller: Caller, service: string): void
  /** Writes down what noteUse saw. */
  flush(): Promise<void>
  close(): void
}
export type IdentityOptions = { store: Store; clock: Clock; sealer: Sealer; root?: RootKeys }

export const userPrincipal = (row: UserRow): Principal =>
  ({ account: row.account, arn: users.arn(row), userId: row.id, user: row.id })

/** The principal of temporary credentials: its session says for how long, its ARN how STS names it. */
export function sessionPrincipal(of: Principal, session: Session): Principal & { session: Session } {
  const { accessKeyId: _, ...rest } = of
  return { ...rest, session }
}

const SECRET_LIMIT = 500

export function openIdentity({ store, clock, sealer, root }: IdentityOptions): Identity {
  let changes = 0
  const used = new Map<string, Use>()
  const kept = new Map<string, { at: number; holder: Holder | undefined }>()
  const unwatch = store.watch(events => { if (events.some(event => IAM_KINDS.includes(event.kind))) changes += 1 })

  async function longTerm(id: string): Promise<Holder | undefined> {
    const row = await findAccessKey(store, id)
    if (row?.spec.status !== 'Active') return undefined
    const user = await users.get(store, row.spec.user)
    const secret = sealer.open('access-key', id, Buffer.from(row.spec.secret, 'base64'))?.toString()
    return user && secret !== undefined ? { secret, principal: { ...userPrincipal(user), accessKeyId: id } } : undefined
  }

  async function temporary(id: string, token: string): Promise<Holder | undefined> {
    const opened = openSession(sealer, id, token)
    if (!opened || !await lives(store, opened.principal)) return undefined
    return { secret: opened.secret, principal: opened.principal, sessionToken: token }
  }

  return {
    sealer,
    version: () => changes,
    async credentials(id, token) {
      if (root && id === root.accessKeyId) return { secret: root.secretAccessKey, principal: { ...rootPrincipal(root), accessKeyId: id } }
      const key = `${id} ${token ?? ''}`
      const before = kept.get(key)
      const at = changes
      const holder = before?.at === at ? before.holder : token === undefined ? await longTerm(id) : await temporary(id, token)
      if (kept.size >= SECRET_LIMIT) kept.clear()
      if (holder) kept.set(key, { at, holder })
      const expires = holder?.principal.session?.expires
      return holder && expires !== undefined && Date.parse(expires) <= clock().getTime() ? { ...holder, expired: true } : holder
    },
    issue(of, { lastsS, ...session }) {
      const now = clock().getTime()
      const whole = { ...session, issued: new Date(now).toISOString(), expires: new Date(now + lastsS * 1000).toISOString() }
      const principal = sessionPrincipal(of, whole)
      return { ...issue(sealer, principal), principal }
    },
    useOf: row => used.get(row.id) ?? row.status.used,
    noteUse({ principal, region }, service) {
      if (principal.accessKeyId && principal.user && !principal.session) {
        used.set(principal.accessKeyId, { time: clock().toISOString(), service, region })
      }
    },
    async flush() {
      const seen = [...used]
      if (seen.length === 0) return
      await store.transact(async tx => {
        for (const [id, use] of seen) {
          const row = await findAccessKey(tx, id)
          if (row) await tx.put<AccessKeyRow>({ ...row, status: { used: use } }, 'used')
        }
      })
      for (const [id, use] of seen) if (used.get(id) === use) used.delete(id)
    },
    close: unwatch,
  }
}

/** Whether the principal's user or role is still there. */
async function lives(reader: Reader, { role, user }: Principal): Promise<boolean> {
  if (role !== undefined) return await roles.get(reader, role) !== undefined
  return user === undefined || await users.get(reader, user) !== undefined
}

/** A new access key's record, its secret sealed, and the secret. */
export function makeAccessKey(sealer: Sealer, { id, secret, user, now }: { id: string; secret: string; user: UserRow; now: Date }): AccessKeyRow {
  const sealed = sealer.seal('access-key', id, Buffer.from(secret)).toString('base64')
  return {
    kind: ACCESS_KEY, id, account: user.account, region: user.region, generation: 0, created: now.toISOString(),
    spec: { user: user.id, status: 'Active', secret: sealed }, status: {}, tags: {},
  }
}
