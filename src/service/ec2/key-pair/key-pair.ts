/**
 * A key pair: its public half, for good.
 *
 * Invariants: the private half is in the answer to CreateKeyPair and nowhere else; a name is one key's in an account's Region, which
 * the claim decides.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { KeyPairInfo } from '@aws-sdk/client-ec2'
import type { Actions, Call, Place } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { createKey, importedFingerprint, openSshLine, parsePublicKey, type KeyType } from '#service/ec2/key-pair/ssh-key'
import type { Reader, Row } from '#store/store'

export type Spec = { name: string; type: KeyType; publicKey: string; fingerprint: string; imported: boolean }
export type KeyPairRow = Row<Spec, object>

export const keyPair = resource<Spec, object, KeyPairInfo>({
  kind: 'key-pair', prefix: 'key', label: 'key pair ID', missing: 'InvalidKeyPair.NotFound', malformed: 'InvalidKeyPair.NotFound',
  view: ({ id, created, spec, tags }) => ({
    KeyPairId: id, KeyName: spec.name, KeyType: spec.type, KeyFingerprint: spec.fingerprint, CreateTime: new Date(created),
    Tags: tagList(tags),
  }),
  filters: { 'key-pair-id': 'KeyPairId', 'key-name': 'KeyName', fingerprint: 'KeyFingerprint' },
})

const scope = ({ account, region }: Place): string => `key-name/${account}/${region}`
const at = ({ account, region }: Place): Place => ({ account, region })

/** The key of a name in an account's Region. */
export async function keyPairByName(reader: Reader, place: Place, name: string): Promise<KeyPairRow | undefined> {
  const id = await reader.holder(scope(place), name)
  return id === undefined ? undefined : keyPair.find(reader, id)
}

/** The same for a caller who says that there is one; AWS's error where there is none. */
export async function keyPairForLaunch(reader: Reader, place: Place, name: string): Promise<KeyPairRow> {
  const row = await keyPairByName(reader, place, name)
  if (!row) throw new ApiError('InvalidKeyPair.NotFound', `The key pair '${name}' does not exist`)
  return row
}

/** API Reference: up to 255 ASCII characters; User Guide: no spaces before or after. A line of authorized_keys ends with it. */
function checkName(name: string): string {
  if (!/^(?! )[\x20-\x7e]{1,255}(?<! )$/.test(name)) {
    throw new ApiError('InvalidParameterValue', 'Value for parameter KeyName is invalid. Expecting 1 to 255 ASCII characters.')
  }
  return name
}

async function keep(call: Call<object>, spec: Spec): Promise<KeyPairRow> {
  const row = keyPair.make({ ...at(call), now: call.now, spec, status: {}, tags: call.tags('key-pair') })
  if (!await call.tx.claim(scope(call), spec.name, row.id)) {
    throw new ApiError('InvalidKeyPair.Duplicate', `The keypair '${spec.name}' already exists.`)
  }
  return call.tx.put(row, 'created')
}

const answer = ({ id, spec, tags }: KeyPairRow) =>
  ({ KeyPairId: id, KeyName: spec.name, KeyFingerprint: spec.fingerprint, Tags: tagList(tags) })

const invalid = (value: string, name: string) => new ApiError('InvalidParameterValue', `Value (${value}) for parameter ${name} is invalid.`)

export const actions = {
  async CreateKeyPair(call) {
    const { KeyName = '', KeyType: type = 'rsa', KeyFormat: format = 'pem' } = call.input
    const name = checkName(KeyName)
    if (type !== 'rsa' && type !== 'ed25519') throw invalid(type, 'KeyType')
    if (format !== 'pem' && format !== 'ppk') throw invalid(format, 'KeyFormat')
    const { material, publicKey, fingerprint } = createKey({ name, type, format })
    const row = await keep(call, { name, type, publicKey, fingerprint, imported: false })
    return { ...answer(row), KeyMaterial: material }
  },

  async ImportKeyPair(call) {
    const name = checkName(call.input.KeyName ?? '')
    const key = parsePublicKey(call.input.PublicKeyMaterial ?? '')
    if (!key) throw new ApiError('InvalidKey.Format', 'Key is not in valid OpenSSH public key format')
    const fingerprint = importedFingerprint(key)
    return answer(await keep(call, { name, type: key.type, publicKey: openSshLine(key, name), fingerprint, imported: true }))
  },

  async DescribeKeyPairs(call) {
    const { KeyNames: names = [], KeyPairIds: ids = [], IncludePublicKey: whole } = call.input
    const named = await Promise.all(names.map(async name => (await keyPairForLaunch(call.tx, call, name)).id))
    const { hits } = await select(call, keyPair, { ids: [...ids, ...named] })
    return { KeyPairs: hits.map(({ view, row }) => (whole ? { ...view, PublicKey: row.spec.publicKey } : view)) }
  },

  /** Deleting what is not there succeeds (API Reference, DeleteKeyPair), and says no id. */
  async DeleteKeyPair(call) {
    const { KeyName: name, KeyPairId: id } = call.input
    if (name === undefined && id === undefined) throw new ApiError('MissingParameter', 'The request must contain the parameter KeyName')
    const row = name === undefined ? await keyPair.find(call.tx, id!) : await keyPairByName(call.tx, call, name)
    if (!row || row.account !== call.account || row.region !== call.region) return { Return: true }
    await call.tx.remove(row, 'deleted')
    return { Return: true, KeyPairId: row.id }
  },
} satisfies Actions<typeof sdk>
