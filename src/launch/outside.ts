/**
 * The API for other machines: one further address of this host, over TLS alone, with a certificate of the user's own or of the home's authority.
 *
 * Invariants: without being asked nothing listens but loopback; no address is ever spoken to in the clear for being asked so; what is served
 * there is the signed API and none of the pages beside it (main.ts gives it no routes).
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { issue, openAuthority, type Issued } from '#base/authority'
import type { Home } from '#base/home'
import type { Args } from '#launch/args'
import { writeWhole } from '#launch/config'
import { Failure, misuse } from '#launch/failure'

/** Where, and the files of a certificate of the user's own. */
export type Outside = { address: string; cert?: string; key?: string }

/** What `up` was asked: undefined says nothing, null closes it. Files are looked at now, not when a client comes. */
export function readOutside({ options }: Pick<Args, 'options'>, now = new Date()): Outside | null | undefined {
  const [address, cert, key] = ['bind', 'tls-cert', 'tls-key'].map(name => options[name] as string | undefined)
  if ((cert === undefined) !== (key === undefined)) throw misuse('--tls-cert and --tls-key go together')
  if (address === undefined || address === 'off') {
    if (cert !== undefined) throw misuse('--tls-cert is the certificate of an address: --bind ADDRESS')
    return address === undefined ? undefined : null
  }
  if (isIP(address) === 0) throw misuse(`--bind takes an IP address of this host, or off, not '${address}'`)
  if (/^[0:.]+$/.test(address)) throw misuse('--bind takes one address of this host, not all of them')
  if (address === '127.0.0.1') throw misuse('the API listens at 127.0.0.1 as it is')
  if (cert === undefined) return { address }
  const outside = { address, cert: resolve(cert), key: resolve(key!) }
  readOwn(outside, now)
  return outside
}

/** The user's own certificate, or a Failure that says why it can't be one. */
function readOwn({ cert, key }: Required<Outside>, now: Date): Issued {
  try {
    const read = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
    const first = new X509Certificate(read.cert)
    if (!first.checkPrivateKey(createPrivateKey(read.key))) throw new Error('the key is not that of the certificate')
    if (first.validToDate < now) throw new Error(`the certificate ended on ${first.validTo}`)
    return read
  } catch (error) {
    throw new Failure(`${cert} and ${key} can't serve: ${(error as Error).message}`, 1, { cause: error })
  }
}

/** What the server shows: the user's own certificate, or one made now for the address. */
export function outsideCertificate(home: Pick<Home, 'dir'>, outside: Outside, now: Date): Issued {
  const { address, cert, key } = outside
  return cert && key ? readOwn({ address, cert, key }, now) : issue(openAuthority(home.dir, now), [address], now)
}

/** For clients to trust; absent where the certificate is the user's own. Everybody may read it: it is no secret. */
export function writeTrust(home: Pick<Home, 'dir'>, outside: Outside, now: Date): string | undefined {
  if (outside.cert) return undefined
  const file = join(home.dir, 'endpoint-ca.pem')
  writeWhole(file, openAuthority(home.dir, now).certificate.toString(), 0o644)
  return file
}

export const outsideEndpoint = ({ address }: Outside, port: number): string => `https://${isIP(address) === 6 ? `[${address}]` : address}:${port}`

/** Throws where the address is not this host's, or its port is taken. */
export function checkAddress({ address }: Outside, port: number): Promise<void> {
  return new Promise((done, failed) => {
    const probe = createServer().once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRNOTAVAIL' ? 'it is no address of this host' : error.message
      failed(new Failure(`the API can't listen at ${outsideEndpoint({ address }, port)}: ${why}`))
    })
    probe.listen({ port, host: address, ipv6Only: true }, () => probe.close(() => done()))
  })
}
