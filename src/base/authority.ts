/**
 * The home's own certificate authority: who vouches, to instances, for the names at which the API answers them, and to other machines for
 * the address at which `up --bind` lets them in.
 *
 * Invariants: its key never leaves the home; whoever trusts it trusts it for names of `DOMAIN` alone (a name constraint, RFC 5280 4.2.1.10)
 * and for addresses, so that a stolen key vouches for no other name. It is made once for each home.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { parseIp } from '#base/cidr'
import { parseIp6 } from '#base/cidr6'
import { bits, field, flags, integer, octets, oid, plain, sequence, set, time, utf8, yes } from '#base/der'

/** Every name that it may vouch for is this one or below it. */
export const DOMAIN = 'amazonaws.com'

export type Authority = { key: KeyObject; certificate: X509Certificate }
/** PEM texts, as TLS servers take them. */
export type Issued = { key: string; cert: string }

const OID = {
  ecdsaSha256: '1.2.840.10045.4.3.2', organisation: '2.5.4.10', commonName: '2.5.4.3', subjectKey: '2.5.29.14', keyUsage: '2.5.29.15',
  names: '2.5.29.17', basic: '2.5.29.19', constraints: '2.5.29.30', issuerKey: '2.5.29.35', extendedUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
}
const ALGORITHM = sequence(oid(OID.ecdsaSha256))
const YEAR_MS = 365 * 86_400_000
const AUTHORITY_MS = 100 * YEAR_MS
/** Of what it issues. A process makes its own anew when it starts. */
const ISSUED_MS = 2 * YEAR_MS
/** Clocks differ. */
const EARLIER_MS = 86_400_000

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [yes] : []), octets(value))
const nameOf = (commonName: string): Buffer => sequence(
  set(sequence(oid(OID.organisation), utf8('Enclume'))), set(sequence(oid(OID.commonName), utf8(commonName))),
)
const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })
const keyId = (key: KeyObject): Buffer => createHash('sha1').update(spki(key)).digest()

type Certificate = { subject: Buffer; issuer: Buffer; publicKey: KeyObject; from: number; until: number; extensions: Buffer[] }

function certificate({ subject, issuer, publicKey, from, until, extensions }: Certificate, key: KeyObject): X509Certificate {
  const serial = randomBytes(16)
  serial[0]! = (serial[0]! & 0x7f) | 0x40
  const body = sequence(
    field(0, integer(2)), integer(serial), ALGORITHM, issuer, sequence(time(new Date(from)), time(new Date(until))), subject, spki(publicKey),
    field(3, sequence(...extensions)),
  )
  return new X509Certificate(sequence(body, ALGORITHM, bits(sign('sha256', body, key))))
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const authorityName = (publicKey: KeyObject): Buffer => nameOf(`Enclume ${keyId(publicKey).toString('hex').slice(0, 12)}`)

function create(now: Date): { privateKey: string; certificate: string } {
  const { privateKey, publicKey } = newKeys()
  const own = authorityName(publicKey)
  const made = certificate({
    subject: own, issuer: own, publicKey, from: now.getTime() - EARLIER_MS, until: now.getTime() + AUTHORITY_MS,
    extensions: [
      extension(OID.basic, sequence(yes, integer(0)), true),
      extension(OID.keyUsage, flags(0b0000011, 7), true),
      extension(OID.subjectKey, octets(keyId(publicKey))),
      extension(OID.constraints, sequence(field(0, sequence(plain(2, Buffer.from(DOMAIN))))), true),
    ],
  }, privateKey)
  return { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, certificate: made.toString() }
}

/** Opens a home's authority, which is made first where there is none. */
export function openAuthority(dir: string, now: Date): Authority {
  const file = join(dir, 'authority.json')
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true })
    writeFileSync(`${file}.new`, JSON.stringify(create(now)), { mode: 0o600, flush: true })
    renameSync(`${file}.new`, file)
  }
  const kept = JSON.parse(readFileSync(file, 'utf8')) as { privateKey: string; certificate: string }
  const authority = { key: createPrivateKey(kept.privateKey), certificate: new X509Certificate(kept.certificate) }
  if (!authority.certificate.publicKey.equals(createPublicKey(authority.key))) throw new Error(`${file}: the certificate is not of its key`)
  return authority
}

/** A name or an address as a certificate says it (RFC 5280 4.2.1.6). */
function alternative(name: string): Buffer {
  const kind = isIP(name)
  if (kind === 0) return plain(2, Buffer.from(name))
  const digits = kind === 4 ? parseIp(name)!.toString(16).padStart(8, '0') : parseIp6(name)!.toString(16).padStart(32, '0')
  return plain(7, Buffer.from(digits, 'hex'))
}

/** OpenSSL takes a common name for a host's name wherever no other is there, and an address would be one outside of the domain. */
const commonName = (name: string): string => (isIP(name) === 0 ? name.slice(0, 64) : `Enclume at ${name}`)

/** A certificate for a server of these names or addresses, with a key of its own. */
export function issue(authority: Authority, names: readonly string[], now: Date): Issued {
  const { privateKey, publicKey } = newKeys()
  const of = authority.certificate.publicKey
  const made = certificate({
    subject: nameOf(commonName(names[0]!)), issuer: authorityName(of), publicKey,
    from: now.getTime() - EARLIER_MS, until: now.getTime() + ISSUED_MS,
    extensions: [
      extension(OID.basic, sequence(), true),
      extension(OID.keyUsage, flags(1, 1), true),
      extension(OID.extendedUsage, sequence(oid(OID.serverAuth))),
      extension(OID.names, sequence(...names.map(alternative))),
      extension(OID.subjectKey, octets(keyId(publicKey))),
      extension(OID.issuerKey, sequence(plain(0, keyId(of)))),
    ],
  }, authority.key)
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, cert: made.toString() }
}
