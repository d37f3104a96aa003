/**
 * SSH keys as EC2 makes, takes, writes and fingerprints them. Nothing here keeps a private key: it is returned once.
 *
 * Sources: "Create a key pair" and "Verify the fingerprint of your key pair" in the EC2 User Guide, API reference of CreateKeyPair
 * (PEM is PKCS#1 for RSA; ED25519 has no PKCS#1 form and comes as OpenSSH's own) and ImportKeyPair.
 */
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { writePpk } from '#service/ec2/key-pair/ppk'
import { mpint, Reader, str, u32 } from '#service/ec2/key-pair/ssh-wire'

export type KeyType = 'rsa' | 'ed25519'
export type KeyFormat = 'pem' | 'ppk'
/** A public key. `blob` is RFC 4253's encoding, the base64 part of an OpenSSH line; `key` is the same for node:crypto. */
export type PublicKey = { type: KeyType; blob: Buffer; key: KeyObject }
export type Created = { type: KeyType; publicKey: string; fingerprint: string; material: string }

const RSA_BITS = 2048
/** ImportKeyPair: "Supported lengths: 1024, 2048, and 4096". */
const IMPORTED_RSA_BITS = [1024, 2048, 4096]
/** Room for RSA 4096 in any of the encodings, with a long comment. */
const MAX_MATERIAL = 8192
const SSH_NAME: Record<KeyType, string> = { rsa: 'ssh-rsa', ed25519: 'ssh-ed25519' }

const number = (base64url: string): Buffer => Buffer.from(base64url, 'base64url')
const colons = (digest: Buffer): string => digest.toString('hex').replace(/..(?!$)/g, '$&:')
const wrap = (base64: string, columns: number): string => base64.replace(new RegExp(`.{${columns}}(?=.)`, 'g'), '$&\n')

function blobOf(type: KeyType, key: KeyObject): Buffer {
  const jwk = key.export({ format: 'jwk' })
  return type === 'rsa'
    ? Buffer.concat([str('ssh-rsa'), mpint(number(jwk.e!)), mpint(number(jwk.n!))])
    : Buffer.concat([str('ssh-ed25519'), str(number(jwk.x!))])
}

/** One line for authorized_keys; EC2 ends it with the key pair's name. */
export const openSshLine = (key: Pick<PublicKey, 'type' | 'blob'>, name: string): string =>
  `${SSH_NAME[key.type]} ${key.blob.toString('base64')} ${name}`

/** An unencrypted OpenSSH private key (OpenSSH's PROTOCOL.key): two equal check words, then the key, padded by 1, 2, 3 … to eights. */
function openSshPrivate(blob: Buffer, seed: Buffer, comment: string): string {
  const check = randomBytes(4)
  const point = blob.subarray(-32)
  const body = Buffer.concat([check, check, str('ssh-ed25519'), str(point), str(Buffer.concat([seed, point])), str(comment)])
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, i) => i + 1))
  const none = str('none')
  const secret = str(Buffer.concat([body, padding]))
  const whole = Buffer.concat([Buffer.from('openssh-key-v1\0'), none, none, str(''), u32(1), str(blob), secret])
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${wrap(whole.toString('base64'), 70)}\n-----END OPENSSH PRIVATE KEY-----\n`
}

function rsa(name: string, format: KeyFormat): Created {
  const pair = generateKeyPairSync('rsa', { modulusLength: RSA_BITS })
  const blob = blobOf('rsa', pair.publicKey)
  // EC2's digest is of the DER of PKCS#8 although it hands out PKCS#1 (User Guide: openssl pkcs8 … -topk8 -outform DER | openssl sha1 -c).
  const fingerprint = colons(createHash('sha1').update(pair.privateKey.export({ type: 'pkcs8', format: 'der' })).digest())
  const jwk = pair.privateKey.export({ format: 'jwk' })
  const material = format === 'pem'
    // EC2's PEM ends without a line break.
    ? (pair.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string).trimEnd()
    : writePpk('ssh-rsa', { blob, secret: Buffer.concat([jwk.d, jwk.p, jwk.q, jwk.qi].map(n => mpint(number(n!)))), comment: name })
  return { type: 'rsa', publicKey: openSshLine({ type: 'rsa', blob }, name), fingerprint, material }
}

function ed25519(name: string, format: KeyFormat): Created {
  const pair = generateKeyPairSync('ed25519')
  const blob = blobOf('ed25519', pair.publicKey)
  const seed = number(pair.privateKey.export({ format: 'jwk' }).d!)
  // PuTTY reads the private exponent as a little-endian mpint; it writes the 32 bytes as they are.
  const material = format === 'pem' ? openSshPrivate(blob, seed, name) : writePpk('ssh-ed25519', { blob, secret: str(seed), comment: name })
  return { type: 'ed25519', publicKey: openSshLine({ type: 'ed25519', blob }, name), fingerprint: sha256(blob), material }
}

/** A new key pair. `material` is the private key, which the caller passes on and forgets. */
export const createKey = (options: { name: string; type: KeyType; format: KeyFormat }): Created =>
  (options.type === 'rsa' ? rsa : ed25519)(options.name, options.format)

/** ED25519, created or imported: as `ssh-keygen -l`, without its "SHA256:" and with base64's padding (User Guide). */
const sha256 = (blob: Buffer): string => createHash('sha256').update(blob).digest('base64')

/** The fingerprint of an imported key: MD5 of the DER SubjectPublicKeyInfo for RSA. */
export const importedFingerprint = ({ type, blob, key }: PublicKey): string =>
  type === 'rsa' ? colons(createHash('md5').update(key.export({ type: 'spki', format: 'der' })).digest()) : sha256(blob)

const fromJwk = (type: KeyType, jwk: Record<string, string>): PublicKey => {
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return { type, key, blob: blobOf(type, key) }
}

function fromBlob(blob: Buffer): PublicKey | undefined {
  const reader = new Reader(blob)
  const name = reader.next().toString('latin1')
  const text = () => reader.next().toString('base64url')
  const type = name === SSH_NAME.rsa ? 'rsa' : name === SSH_NAME.ed25519 ? 'ed25519' : undefined
  if (!type) return undefined
  const jwk: Record<string, string> = type === 'rsa' ? { kty: 'RSA', e: text(), n: text() } : { kty: 'OKP', crv: 'Ed25519', x: text() }
  return reader.done ? fromJwk(type, jwk) : undefined
}

function fromDer(der: Buffer): PublicKey | undefined {
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  const type = key.asymmetricKeyType === 'rsa' ? 'rsa' : key.asymmetricKeyType === 'ed25519' ? 'ed25519' : undefined
  return type && { type, key, blob: blobOf(type, key) }
}

/** Strict base64: Buffer's own decoder skips what it does not know, which would take prose for a key. */
function base64(text: string): Buffer | undefined {
  const compact = text.replace(/\s/g, '')
  return compact.length > 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(compact) ? Buffer.from(compact, 'base64') : undefined
}

const SSH2_BEGIN = '---- BEGIN SSH2 PUBLIC KEY ----'
const SSH2_END = '---- END SSH2 PUBLIC KEY ----'

/** RFC 4716: headers are "Tag: value", going on over lines that end in a backslash; then base64. */
function ssh2Body(text: string): Buffer | undefined {
  const lines = text.slice(SSH2_BEGIN.length, -SSH2_END.length).trim().split(/\r?\n/)
  let at = 0
  while (at < lines.length && lines[at]!.includes(':')) {
    while (lines[at]?.endsWith('\\')) at += 1
    at += 1
  }
  return base64(lines.slice(at).join(''))
}

function decode(text: string): PublicKey | undefined {
  const line = /^(ssh-rsa|ssh-ed25519)[ \t]+([A-Za-z0-9+/=]+)([ \t][^\n]*)?$/.exec(text)
  if (line) return fromBlob(base64(line[2]!) ?? Buffer.alloc(0))
  if (text.startsWith(SSH2_BEGIN) && text.endsWith(SSH2_END)) return fromBlob(ssh2Body(text) ?? Buffer.alloc(0))
  const der = base64(text)
  return der && fromDer(der)
}

/**
 * The key in ImportKeyPair's PublicKeyMaterial (already once decoded by the wire): an OpenSSH line, base64 of a DER
 * SubjectPublicKeyInfo, or RFC 4716. Undefined for everything else, which the action answers with InvalidKey.Format.
 */
export function parsePublicKey(material: string | Uint8Array): PublicKey | undefined {
  const text = Buffer.from(material as Uint8Array).toString('utf8').trim()
  if (text.length > MAX_MATERIAL) return undefined
  try {
    const key = decode(text)
    const bits = key?.key.asymmetricKeyDetails?.modulusLength
    return key?.type === 'rsa' && !IMPORTED_RSA_BITS.includes(bits!) ? undefined : key
  } catch {
    // Malformed lengths, numbers and DER all mean the same to the caller: not a key.
    return undefined
  }
}
