/**
 * The console's door: its pages, sign-in, live events and terminals, and the API's own door for what the page asks of AWS's APIs.
 *
 * Invariants: it answers this machine's own names only; nothing but the page's files and the sign-in is there for who has no session; API
 * requests go to the wire as they came, signed by the page, and answers of the API can't be opened as pages of this origin.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '#base/clock'
import type { Log } from '#base/log'
import { openEvents, type Watch } from '#console/events'
import { openFiles } from '#console/files'
import { cookie, hasOurHeader, isOurHost, isOurPage, readJson, secure, sendJson } from '#console/http'
import type { Reach } from '#console/reach'
import { openLockout } from '#console/lockout'
import { openSessions, SESSION_MS, type Session, type SignedIn } from '#console/sessions'
import { openTerminals, turnAway, type TerminalOptions } from '#console/terminals'
import type { Store } from '#store/store'

export type SignInRequest = { kind: 'root' | 'user'; account: string; user: string; password: string; mfa?: string; newPassword?: string }
export type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string; expiration: string }
/** Where a sign-in comes from. */
export type Origin = { sourceIp: string; userAgent: string }
export type DoorOptions = {
  store: Store
  /** What the live stream tells. */
  watch: Watch
  log: Log
  clock: Clock
  /** The API's server, which answers signed requests. */
  wire: Pick<Server, 'emit'>
  /**
   * Who signs in so, or undefined: nothing says what was wrong. 'mfa' asks for a code, 'change' for a new password, and
   * `refused` says why that one does not do.
   */
  verify(request: SignInRequest, origin: Origin): Promise<SignedIn | 'mfa' | 'change' | { refused: string } | undefined>
  /** Credentials of a short life for the page to sign with. */
  issue(session: SignedIn): Promise<Credentials>
  /** What a page may know of this Enclume before anything else. */
  facts(): object
  /** The built console; absent when it is not built. */
  dir?: string
  terminals: Omit<TerminalOptions, 'log'>
  reach: Reach
}
export type ConsoleDoor = {
  listen(port: number, host: string): Promise<AddressInfo>
  close(): Promise<void>
}

const COOKIE = 'enclume-console'

export function openDoor(options: DoorOptions): ConsoleDoor {
  const { store, log, clock } = options
  const sessions = openSessions(store, clock)
  const events = openEvents(options.watch)
  const lockout = openLockout(clock)
  const files = openFiles(options.dir)
  const terminals = openTerminals({ ...options.terminals, log })
  sessions.watch(id => { events.end(id); terminals.end(id) })
  const sessionOf = (request: IncomingMessage) => sessions.find(cookie(request, COOKIE))
  const setCookie = (response: ServerResponse, value: string, seconds: number) =>
    response.setHeader('set-cookie', `${COOKIE}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`)

  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = readSignIn(await readJson(request))
    if (!asked) return sendJson(response, 400, { error: 'malformed' })
    const name = `${asked.kind}:${asked.account}:${asked.user}`
    const seconds = lockout.left(name)
    if (seconds > 0) return sendJson(response, 429, { error: 'locked', seconds })
    // Counted before it is looked at, so that many at once are not many tries.
    lockout.failed(name)
    const origin = { sourceIp: request.socket.remoteAddress ?? '', userAgent: request.headers['user-agent'] ?? '' }
    const found = await options.verify(asked, origin)
    if (found === 'mfa' || found === 'change') return sendJson(response, 401, { error: found })
    if (found && 'refused' in found) return sendJson(response, 401, { error: 'password', message: found.refused })
    if (!found) {
      log.warn('console.refused', { kind: asked.kind })
      return sendJson(response, 401, { error: 'refused' })
    }
    lockout.succeeded(name)
    setCookie(response, await sessions.open(found), SESSION_MS / 1000)
    log.info('console.signed-in', { arn: found.principal.arn })
    sendJson(response, 200, { ...describe({ id: '', expires: '', ...found }), ...options.facts() })
  }

  async function own(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    if (!isOurPage(request)) return sendJson(response, 403, { error: 'cross-site' })
    const posts = name !== 'events'
    if (request.method !== (posts ? 'POST' : 'GET')) return sendJson(response, 405, { error: 'method' })
    if (posts && !hasOurHeader(request)) return sendJson(response, 403, { error: 'cross-site' })
    if (name === 'sign-in') return signIn(request, response)
    const session = await sessionOf(request)
    if (!session) return sendJson(response, 401, { error: 'session' })
    if (name === 'events') {
      const query = urlOf(request)!.searchParams
      return query.has('port') ? options.reach(request, response, { session, query }) : events.stream(request, response, session.id)
    }
    if (name === 'session') return sendJson(response, 200, { ...describe(session), ...options.facts() })
    if (name === 'credentials') return sendJson(response, 200, await options.issue(session))
    if (name === 'sign-out') {
      await sessions.end(session)
      setCookie(response, '', 0)
      return sendJson(response, 200, {})
    }
    sendJson(response, 404, { error: 'unknown' })
  }

  async function api(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOurPage(request) || !await sessionOf(request)) return sendJson(response, 403, { error: 'session' })
    response.setHeader('content-security-policy', 'sandbox; default-src \'none\'')
    options.wire.emit('request', request, response)
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    secure(response)
    if (!isOurHost(request)) return sendJson(response, 421, { error: 'host' })
    const path = urlOf(request)?.pathname
    if (path === undefined) return sendJson(response, 400, { error: 'malformed' })
    if (path.startsWith('/_console/')) return own(request, response, path.slice('/_console/'.length))
    if (request.headers.authorization?.startsWith('AWS4-HMAC-SHA256')) return api(request, response)
    if (request.method === 'GET' || request.method === 'HEAD') return files(request, response, path)
    sendJson(response, 405, { error: 'method' })
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const session = isOurPage(request) && request.headers.origin !== undefined ? await sessionOf(request) : undefined
    const url = urlOf(request)
    if (!session || url?.pathname !== '/_console/terminal') return turnAway(socket, '403 Forbidden')
    await terminals.open({ request, socket, head, session, query: url.searchParams })
  }

  const server = createServer({ headersTimeout: 10_000, requestTimeout: 60_000, connectionsCheckingInterval: 1000 }, (request, response) => {
    handle(request, response).catch(cause => {
      if (cause !== request.errored) log.error('console.failed', { cause }) // Who went away in the middle of a request is no error.
      response.destroy()
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // From here on it is nobody's but ours: an answer to one that an earlier request on it had end already is an error that would end the process.
    socket.on('error', () => socket.destroy())
    upgrade(request, socket, head).catch(cause => {
      log.error('console.terminal', { cause })
      socket.destroy()
    })
  })
  return {
    listen: (port, host) => new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        resolve(server.address() as AddressInfo)
      })
    }),
    async close() {
      events.end()
      terminals.end()
      await new Promise<void>(resolve => { server.close(() => resolve()); server.closeAllConnections() })
    },
  }
}

/** What was asked for; undefined where that is no URL, as `//` is none. */
const urlOf = (request: IncomingMessage): URL | undefined => URL.parse(request.url ?? '/', 'http://console') ?? undefined

const describe = ({ principal, name }: Session) => ({ account: principal.account, arn: principal.arn, name, root: principal.root === true })

function readSignIn(body: Record<string, unknown> | undefined): SignInRequest | undefined {
  if (!body) return undefined
  const { kind, account, user = '', password, mfa, newPassword } = body
  const short = (value: unknown): value is string => typeof value === 'string' && value.length <= 256
  if ((kind !== 'root' && kind !== 'user') || !short(account) || !short(user) || !short(password)) return undefined
  const optional = (value: unknown): string | undefined => (short(value) && value !== '' ? value : undefined)
  if ([mfa, newPassword].some(value => value !== undefined && !short(value))) return undefined
  return { kind, account, user, password, mfa: optional(mfa), newPassword: optional(newPassword) }
}
