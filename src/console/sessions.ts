/**
 * Who is signed in: sessions as records, so that they outlive the server.
 *
 * Invariants: the store knows a session by a digest of its cookie, never the cookie; a session ends at its time, or at logout, at once.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '#base/clock'
import type { Principal } from '#kit/caller'
import type { Row, Store } from '#store/store'

/** `mfa`: when its second factor was shown. */
export type SignedIn = { principal: Principal; name: string; mfa?: string }
export type Session = SignedIn & { id: string; expires: string }
type SessionRow = Row<Omit<Session, 'id'>, object>

const KIND = 'console-session'
/** A session of the AWS console lasts twelve hours at most (AWS Sign-In User Guide). */
export const SESSION_MS = 12 * 3_600_000
const digest = (token: string): string => createHash('sha256').update(token).digest('hex')

export type Sessions = {
  /** Begins one; the answer is its cookie's value. */
  open(who: SignedIn): Promise<string>
  find(token: string | undefined): Promise<Session | undefined>
  end(session: Session): Promise<void>
  /** Called when a session ends by logout. Returns what ends it. */
  watch(callback: (id: string) => void): () => void
}

export function openSessions(store: Store, clock: Clock): Sessions {
  const watchers = new Set<(id: string) => void>()
  const live = (row: SessionRow): boolean => row.spec.expires > clock().toISOString()
  return {
    async open({ principal, name, mfa }) {
      const token = randomBytes(32).toString('base64url')
      const now = clock()
      const expires = new Date(now.getTime() + SESSION_MS).toISOString()
      await store.transact(async tx => {
        for (const old of await tx.list<SessionRow>({ kind: KIND })) if (!live(old)) await tx.remove(old, 'expired')
        await tx.put<SessionRow>({
          kind: KIND, id: digest(token), account: principal.account, region: '', generation: 0, created: now.toISOString(),
          spec: { principal, name, expires, ...(mfa !== undefined && { mfa }) }, status: {}, tags: {},
        }, 'opened')
      })
      return token
    },
    async find(token) {
      if (!token || token.length > 100) return undefined
      const row = await store.get<SessionRow>(KIND, digest(token))
      return row && live(row) ? { id: row.id, ...row.spec } : undefined
    },
    async end({ id }) {
      await store.transact(async tx => {
        const row = await tx.get<SessionRow>(KIND, id)
        if (row) await tx.remove(row, 'ended')
      })
      for (const watcher of watchers) watcher(id)
    },
    watch(callback) {
      watchers.add(callback)
      return () => watchers.delete(callback)
    },
  }
}
