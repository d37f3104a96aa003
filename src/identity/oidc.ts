/**
 * Tokens of OpenID Connect providers: whether one is the provider's, for a client that it is registered for, and not over.
 *
 * Invariants: only a provider that the account registered is ever asked, over HTTPS, and is believed when the host's authorities vouch for
 * it or its certificate chain ends in a registered thumbprint; answers are bounded in size and time.
 */
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { request } from 'node:https'
import type { TLSSocket, DetailedPeerCertificate } from 'node:tls'
import { ApiError } from '#kit/error'
import { PROVIDER, type ProviderRow } from '#identity/records'
import type { Reader } from '#store/store'

export type Claims = { iss: string; sub: string; aud: string; azp?: string; exp: number } & Record<string, unknown>
const MOST_BYTES = 1 << 16
const TIMEOUT_MS = 5000
const invalid = (words: string) => new ApiError('InvalidIdentityTokenException', words)
const unreachable = (words: string) => new ApiError('IDPCommunicationErrorException', words)

export const providerArn = ({ account, spec }: ProviderRow): string => `arn:aws:iam::${account}:oidc-provider/${spec.url}`
export const providersOf = (reader: Reader, account: string): Promise<ProviderRow[]> => reader.list<ProviderRow>({ kind: PROVIDER, account })

/** SHA-1 of the chain's last certificate, as IAM takes thumbprints. */
function topThumbprint(socket: TLSSocket): string {
  let certificate: DetailedPeerCertificate = socket.getPeerCertificate(true)
  while (certificate.issuerCertificate && certificate.issuerCertificate !== certificate) certificate = certificate.issuerCertificate
  return certificate.fingerprint.replaceAll(':', '').toLowerCase()
}

function fetchJson(url: string, thumbprints: readonly string[]): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const fail = (words: string) => reject(unreachable(`${url}: ${words}`))
    const asked = request(url, { rejectUnauthorized: false, agent: false, timeout: TIMEOUT_MS }, response => {
      const socket = response.socket as TLSSocket
      if (!socket.authorized && !thumbprints.includes(topThumbprint(socket))) {
        asked.destroy()
        return reject(invalid('OpenIDConnect provider\'s HTTPS certificate doesn\'t match configured thumbprint'))
      }
      if (response.statusCode !== 200) { asked.destroy(); return fail(`answered ${response.statusCode}`) }
      const parts: Buffer[] = []
      let size = 0
      response.on('data', (part: Buffer) => {
        size += part.length
        if (size > MOST_BYTES) { asked.destroy(); fail('its answer is too long') } else parts.push(part)
      })
      response.on('error', error => fail(error.message))
      response.on('end', () => {
        try {
          resolve(JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>)
        } catch {
          fail('its answer is no JSON')
        }
      })
    })
    // The whole of it, not the pause between two packets.
    const timer = setTimeout(() => asked.destroy(new Error('no answer in time')), TIMEOUT_MS)
    asked.on('close', () => clearTimeout(timer))
    asked.on('error', error => fail(error.message))
    asked.end()
  })
}

type Key = JsonWebKey & { kid?: string; alg?: string }

async function keysOf({ spec }: ProviderRow): Promise<Key[]> {
  const found = await fetchJson(`https://${spec.url}/.well-known/openid-configuration`, spec.thumbprints)
  const uri = found.jwks_uri
  if (typeof uri !== 'string' || !uri.startsWith('https://')) throw unreachable(`${spec.url} names no keys`)
  const { keys } = await fetchJson(uri, spec.thumbprints)
  return Array.isArray(keys) ? keys as Key[] : []
}

const ALGORITHMS: Record<string, { digest: string; dsaEncoding?: 'ieee-p1363' }> = {
  RS256: { digest: 'sha256' }, RS384: { digest: 'sha384' }, RS512: { digest: 'sha512' }, ES256: { digest: 'sha256', dsaEncoding: 'ieee-p1363' },
  ES384: { digest: 'sha384', dsaEncoding: 'ieee-p1363' }, ES512: { digest: 'sha512', dsaEncoding: 'ieee-p1363' },
}

function isSigned(text: string, signature: Buffer, { key, alg }: { key: Key; alg: string }): boolean {
  const { digest, dsaEncoding } = ALGORITHMS[alg]!
  // A key says what it is for: an RSA key proves no ES token.
  if (key.kty !== (alg.startsWith('RS') ? 'RSA' : 'EC')) return false
  try {
    return verify(digest, Buffer.from(text), { key: createPublicKey({ key, format: 'jwk' }), ...(dsaEncoding && { dsaEncoding }) }, signature)
  } catch {
    return false // A key that is none.
  }
}

function parse(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Falls through: what is no JSON is no token.
  }
  throw invalid('The token is not a JSON Web Token.')
}

/** The claims of a token that its provider, registered in this account, signed and that holds now. */
export async function verifyToken(reader: Reader, { account, token,
  now }: { account: string; token: string; now: Date }): Promise<{ claims: Claims; provider: ProviderRow }> {
  const [head = '', body = '', signature, ...more] = token.split('.')
  if (signature === undefined || more.length > 0) throw invalid('The token is not a JSON Web Token.')
  const { alg, kid } = parse(head)
  const claims = parse(body)
  if (typeof alg !== 'string' || !Object.hasOwn(ALGORITHMS, alg)) throw invalid('The token is signed by no algorithm that is accepted.')
  const url = String(claims.iss).replace(/^https:\/\//, '')
  const provider = (await providersOf(reader, account)).find(row => row.spec.url === url)
  if (!provider) throw invalid(`No OpenIDConnect provider found in your account for ${String(claims.iss)}`)
  const audiences = [claims.aud].flat()
  const audience = audiences.find(one => typeof one === 'string' && provider.spec.clientIds.includes(one))
  if (audience === undefined || typeof claims.sub !== 'string') throw invalid('Incorrect token audience')
  const seconds = now.getTime() / 1000
  if (typeof claims.exp !== 'number' || claims.exp <= seconds) {
    throw new ApiError('ExpiredTokenException', 'Token expired: the token\'s time is over.')
  }
  if (typeof claims.nbf === 'number' && claims.nbf > seconds + 60) throw invalid('The token is not valid yet.')
  const keys = (await keysOf(provider)).filter(key => kid === undefined || key.kid === kid)
  if (!keys.some(key => isSigned(`${head}.${body}`, Buffer.from(signature, 'base64url'), { key, alg }))) {
    throw invalid('Couldn\'t retrieve verification key from your identity provider, or the token is not signed by it.')
  }
  return { claims: { ...claims, aud: audience } as Claims, provider }
}
