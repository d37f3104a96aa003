/**
 * Users' SSH public keys, kept and shown in both of their encodings. No service here (CodeCommit, on AWS) signs in by them.
 *
 * Invariant: what is kept is an RSA key of at least 2048 bits, in OpenSSH's form, once for each user.
 */
import { createHash, createPublicKey } from 'node:crypto'
import type { SSHPublicKeyMetadata } from '@aws-sdk/client-iam'
import { ApiError } from '#kit/error'
import { users, type SshKey, type UserRow } from '#identity/records'
import { uniqueId } from '#identity/session'
import { exceeded, getUser, gone, page, QUOTA, userOrCaller, violation, type IamActions } from '#service/iam/common'

const LEAST_BITS = 2048
const invalid = () => new ApiError('InvalidPublicKeyException', 'The public key is malformed or is not an RSA key of 2048 bits or more.')

const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from(Uint32Array.of(bytes.length).buffer).swap32(), bytes])
/** A positive number as SSH writes it: with a zero before a leading bit (RFC 4251, mpint). */
const mpint = (base64url: string): Buffer => {
  const bytes = Buffer.from(base64url, 'base64url')
  return field(bytes[0]! & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

/** The fields of RFC 4253's encoding; undefined where it does not end with its last field. */
function fieldsOf(blob: Buffer): Buffer[] | undefined {
  const found: Buffer[] = []
  let at = 0
  while (at + 4 <= blob.length) {
    const end = at + 4 + blob.readUInt32BE(at)
    if (end > blob.length) return undefined
    found.push(blob.subarray(at + 4, end))
    at = end
  }
  return at === blob.length ? found : undefined
}

/** A key in either form, as its numbers. */
function numbersOf(body: string): { n: string; e: string } {
  const [, base64] = /^ssh-rsa\s+([A-Za-z0-9+/]+=*)(?:\s+.*)?$/.exec(body) ?? []
  if (base64 !== undefined) {
    const [type, e, n, more] = fieldsOf(Buffer.from(base64, 'base64')) ?? []
    if (type?.toString() !== 'ssh-rsa' || !e || !n || more) throw invalid()
    const plain = (bytes: Buffer) => bytes.subarray(bytes[0] === 0 ? 1 : 0).toString('base64url')
    return { n: plain(n), e: plain(e) }
  }
  try {
    const { kty, n, e } = createPublicKey(body).export({ format: 'jwk' })
    if (kty === 'RSA') return { n: n!, e: e! }
  } catch {
    // Whatever it is, it is no key.
  }
  throw invalid()
}

function read(body: string): { blob: string; fingerprint: string } {
  const { n, e } = numbersOf(body.trim())
  const modulus = Buffer.from(n, 'base64url')
  if (modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24 < LEAST_BITS) throw invalid()
  const blob = Buffer.concat([field(Buffer.from('ssh-rsa')), mpint(e), mpint(n)])
  return { blob: blob.toString('base64'), fingerprint: createHash('md5').update(blob).digest('hex').match(/../g)!.join(':') }
}

function encoded({ blob }: SshKey, encoding: string): string {
  if (encoding === 'SSH') return `ssh-rsa ${blob}`
  if (encoding !== 'PEM') {
    throw new ApiError('UnrecognizedPublicKeyEncodingException', 'The public key encoding format is unsupported or unrecognized.')
  }
  return createPublicKey({ format: 'jwk', key: { kty: 'RSA', ...numbersOf(`ssh-rsa ${blob}`) } }).export({ format: 'pem', type: 'spki' }).toString()
}

const keysOf = ({ spec }: UserRow): SshKey[] => spec.sshKeys ?? []
const view = (row: UserRow, { id, status, uploaded }: SshKey): SSHPublicKeyMetadata & { UserName: string; SSHPublicKeyId: string } =>
  ({ UserName: row.spec.name, SSHPublicKeyId: id, Status: status, UploadDate: new Date(uploaded) })
const whole = (row: UserRow, key: SshKey, encoding: string) =>
  ({ ...view(row, key), Status: key.status, Fingerprint: key.fingerprint, SSHPublicKeyBody: encoded(key, encoding) })

function keyOf(row: UserRow, id: string): SshKey {
  const key = keysOf(row).find(one => one.id === id)
  if (!key) throw gone(`The Public Key with id ${id} cannot be found.`)
  return key
}

export const sshKeyActions: IamActions = {
  async UploadSSHPublicKey({ tx, input, account, now }) {
    const row = await getUser(tx, account, input.UserName!)
    const found = read(input.SSHPublicKeyBody!)
    if (keysOf(row).some(one => one.blob === found.blob)) {
      throw new ApiError('DuplicateSSHPublicKeyException', 'The SSH public key is already associated with the specified IAM user.')
    }
    if (keysOf(row).length >= QUOTA.sshKeysOfUser) throw exceeded('SSHPublicKeysPerUser', QUOTA.sshKeysOfUser)
    const key: SshKey = { id: uniqueId('APKA'), status: 'Active', uploaded: now.toISOString(), ...found }
    await users.update(tx, row, { sshKeys: [...keysOf(row), key] })
    return { SSHPublicKey: whole(row, key, 'SSH') }
  },
  async GetSSHPublicKey({ tx, input, account }) {
    const row = await getUser(tx, account, input.UserName!)
    return { SSHPublicKey: whole(row, keyOf(row, input.SSHPublicKeyId!), input.Encoding!) }
  },
  async ListSSHPublicKeys({ tx, input, account, caller }) {
    const row = await userOrCaller({ reader: tx, account, caller }, input.UserName)
    const { items, ...rest } = page(keysOf(row).toSorted((a, b) => (a.id < b.id ? -1 : 1)), input, key => key.id)
    return { SSHPublicKeys: items.map(key => view(row, key) as Required<SSHPublicKeyMetadata>), ...rest }
  },
  async UpdateSSHPublicKey({ tx, input, account }) {
    const row = await getUser(tx, account, input.UserName!)
    const { id } = keyOf(row, input.SSHPublicKeyId!)
    const status = input.Status
    if (status !== 'Active' && status !== 'Inactive') {
      throw violation('Status', String(status), 'Member must satisfy enum value set: [Active, Inactive]')
    }
    await users.update(tx, row, { sshKeys: keysOf(row).map(key => (key.id === id ? { ...key, status } : key)) })
    return {}
  },
  async DeleteSSHPublicKey({ tx, input, account }) {
    const row = await getUser(tx, account, input.UserName!)
    const { id } = keyOf(row, input.SSHPublicKeyId!)
    await users.update(tx, row, { sshKeys: keysOf(row).filter(key => key.id !== id) })
    return {}
  },
  // Nobody has any, as none can be made here; tools ask before they delete a user.
  async ListSigningCertificates({ tx, input, account, caller }) {
    await userOrCaller({ reader: tx, account, caller }, input.UserName)
    return { Certificates: [], IsTruncated: false }
  },
  async ListServiceSpecificCredentials({ tx, input, account, caller }) {
    if (!input.AllUsers) await userOrCaller({ reader: tx, account, caller }, input.UserName)
    return { ServiceSpecificCredentials: [], IsTruncated: false }
  },
}
