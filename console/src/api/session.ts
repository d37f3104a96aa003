/**
 * The door's own requests: sign-in, session, credentials.
 *
 * Invariant: the page never keeps a password, and its credentials only in memory.
 */
export type Facts = {
  account: string
  arn: string
  name: string
  root: boolean
  region: string
  engine: string
  version: string
  endpoint: string
  hostAddress: string
}
export type Refusal = { error: string; seconds?: number; message?: string }
export type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string; expiration: Date }

/** The door's answer; throws only where there is none. */
async function post<T>(name: string, body: object = {}): Promise<{ status: number; body: T & Refusal }> {
  const response = await fetch(`/_console/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-enclume-console': '1' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as T & Refusal }
}

export type SignIn = { kind: 'root' | 'user'; account: string; user: string; password: string; mfa: string; newPassword: string }
export const signIn = async (asked: SignIn): Promise<Facts | Refusal> => (await post<Facts>('sign-in', asked)).body
export const signOut = (): Promise<unknown> => post('sign-out')
export async function findSession(): Promise<Facts | undefined> {
  const { status, body } = await post<Facts>('session')
  return status === 200 ? body : undefined
}

const endings = new Set<() => void>()
/** Called when the door says that there is no session any more. */
export const onSessionEnd = (callback: () => void): void => {
  endings.add(callback)
}

const EARLY_MS = 60_000
let held: Promise<Credentials> | undefined
let until = 0

export function forgetCredentials(): void {
  held = undefined
}

/** Credentials that last a minute at least. */
export async function credentials(): Promise<Credentials> {
  if (!held || Date.now() > until - EARLY_MS) {
    held = fetchCredentials()
    until = Number.POSITIVE_INFINITY
    held.then(
      ({ expiration }) => {
        until = expiration.getTime()
      },
      () => {
        held = undefined
      },
    )
  }
  return held
}

async function fetchCredentials(): Promise<Credentials> {
  const { status, body } = await post<Omit<Credentials, 'expiration'> & { expiration: string }>('credentials')
  if (status === 401) for (const end of endings) end()
  if (status !== 200) throw new Error(body.error)
  return { ...body, expiration: new Date(body.expiration) }
}
