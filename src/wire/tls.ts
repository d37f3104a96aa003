/**
 * TLS for the names at which the API answers instances: a certificate for each name that a client asks for, made when it is first asked.
 *
 * Invariant: a name that is not served gets no certificate, and the handshake ends.
 */
import { createSecureContext, type SecureContext } from 'node:tls'
import { issue, type Authority, type Issued } from '#base/authority'
import type { Clock } from '#base/clock'

/** Whoever asks for ever new names must not fill the memory. */
const MOST_KEPT = 1000

/** One certificate for whoever comes, or one for each name. */
export type Secure = Issued | { SNICallback(name: string, answer: (error: Error | null, context?: SecureContext) => void): void }

/** `served`: domains; what is below them is served too. */
export function secureNames(authority: Authority, served: readonly string[], clock: Clock): Exclude<Secure, Issued> {
  const domains = new Set(served)
  const kept = new Map<string, SecureContext>()

  function contextOf(names: string[]): SecureContext {
    const key = names.join()
    const known = kept.get(key)
    if (known) return known
    if (kept.size >= MOST_KEPT) kept.clear()
    const made = createSecureContext(issue(authority, names, clock()))
    kept.set(key, made)
    return made
  }

  return {
    SNICallback(asked, answer) {
      const names = namesFor(asked.toLowerCase(), domains)
      if (names) answer(null, contextOf(names))
      else answer(new Error(`no certificate for ${JSON.stringify(asked.slice(0, 255))}`))
    },
  }
}

/** One certificate serves a domain and all that is one label below it; what is deeper has its own. */
function namesFor(asked: string, domains: ReadonlySet<string>): string[] | undefined {
  if (asked.length > 253 || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(asked)) return undefined
  if (domains.has(asked)) return [asked, `*.${asked}`]
  const labels = asked.split('.')
  for (let depth = 1; depth < labels.length; depth++) {
    const domain = labels.slice(depth).join('.')
    if (domains.has(domain)) return depth === 1 ? [domain, `*.${domain}`] : [asked]
  }
  return undefined
}
