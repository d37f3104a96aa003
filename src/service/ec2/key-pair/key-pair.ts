/** A key pair: the public half, for good; the private half is answered once and never kept. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { KeyPairInfo } from '@aws-sdk/client-ec2'
import type { Actions, Call, Place } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { createKey, importedFingerprint, openSshLine, parsePublicKey, type KeyType } from '#service/ec2/key-pair/ssh-key'
import type { Reader, Row } from '#store/store'

export type Spec = { name: string; type: KeyType; publicKey: string; fingerprint: string }
export type KeyPairRow = Row<Spec, object>

export const keyPair = resource<Spec, object, KeyPairInfo>({
  kind: 'key-pair', prefix: 'key', label: 'key pair ID', missing: 'InvalidKeyPair.NotFound', malformed: 'InvalidKeyPair.NotFound',
  view: ({ id, created, spec, tags }) => ({
    KeyPairId: id, KeyName: spec.name, KeyType: spec.type, KeyFingerprint: spec.fingerprint, Tags: tagList(tags), CreateTime: new Date(created),
  }),
  filters: { 'key-pair-id': 'KeyPairId', 'key-name': 'KeyName', 'fingerprint': 'KeyFingerprint' },
})

const scope = ({ account, region }: Place): string => `key-name/${account}/${region}`
const noKey = (name: string) => new ApiError('InvalidKeyPair.NotFound', `The key pair '${name}' does not exist`)

export async function keyPairByName(reader: Reader, place: Place, name: string): Promise<KeyPairRow | undefined> {
  const id = await reader.holder(scope(place), name)
  return id === undefined ? undefined : keyPair.find(reader, id)
}

export async function keyPairForLaunch(reader: Reader, place: Place, name: string): Promise<KeyPairRow> {
  const row = await keyPairByName(reader, place, name)
  if (!row) throw noKey(name)
  return row
}

function checkName(name: string): string {
  if (name.length > 255 || !/^[\x20-\x7e]+$/.test(name)) {
    throw new ApiError('InvalidParameterValue', `Invalid value for parameter KeyName: at most 255 ASCII characters`)
  }
  return name
}

async function keep(call: Call<object>, spec: Spec): Promise<KeyPairRow> {
  const row = keyPair.make({ account: call.account, region: call.region, now: call.now, spec, status: {}, tags: call.tags('key-pair') })
  if (!await call.tx.claim(scope(call), spec.name, row.id)) {
    throw new ApiError('InvalidKeyPair.Duplicate', `The keypair '${spec.name}' already exists.`)
  }
  return call.tx.put(row, 'created')
}

export const actions: Actions<typeof sdk> = {
  async CreateKeyPair(call) {
    const { KeyType: type = 'rsa', KeyFormat: format = 'pem' } = call.input
    const name = checkName(call.input.KeyName!)
    if (type !== 'rsa' && type !== 'ed25519') throw new ApiError('InvalidParameterValue', `Invalid value '${type}' for KeyType`)
    if (format !== 'pem' && format !== 'ppk') throw new ApiError('InvalidParameterValue', `Invalid value '${format}' for KeyFormat`)
    const made = createKey({ name, type, format })
    const row = await keep(call, { name, type, publicKey: made.publicKey, fingerprint: made.fingerprint })
    return { ...view(row), KeyMaterial: made.material }
  },
  async ImportKeyPair(call) {
    const name = checkName(call.input.KeyName!)
    const key = parsePublicKey(call.input.PublicKeyMaterial!)
    if (!key) throw new ApiError('InvalidKey.Format', 'Key is not in valid OpenSSH public key format')
    const row = await keep(call, { name, type: key.type, publicKey: openSshLine(key, name), fingerprint: importedFingerprint(key) })
    return view(row)
  },
  async DescribeKeyPairs(call) {
    const ids = await Promise.all((call.input.KeyNames ?? []).map(async name => (await keyPairForLaunch(call.tx, call, name)).id))
    const all = describe<object, { KeyPairs?: KeyPairInfo[] }, Spec, object, KeyPairInfo>(keyPair, 'KeyPairIds' as never, 'KeyPairs')
    const { KeyPairs = [] } = await all({ ...call, input: { ...call.input, KeyPairIds: [...call.input.KeyPairIds ?? [], ...ids] } })
    if (!call.input.IncludePublicKey) return { KeyPairs }
    const rows = await keyPair.getAll(call.tx, call, KeyPairs.map(k => k.KeyPairId!))
    return { KeyPairs: KeyPairs.map((k, i) => ({ ...k, PublicKey: rows[i]!.spec.publicKey })) }
  },
  async DeleteKeyPair(call) {
    const { KeyName: name, KeyPairId: id } = call.input
    const row = name !== undefined ? await keyPairByName(call.tx, call, name) : id === undefined ? undefined : await keyPair.find(call.tx, id)
    // Deleting what is not there succeeds (EC2 API Reference, DeleteKeyPair).
    if (row?.account === call.account && row.region === call.region) await call.tx.remove(row)
    return { Return: true, KeyPairId: row?.id }
  },
}

const view = ({ id, spec, tags }: KeyPairRow) => ({ KeyPairId: id, KeyName: spec.name, KeyFingerprint: spec.fingerprint, Tags: tagList(tags) })
