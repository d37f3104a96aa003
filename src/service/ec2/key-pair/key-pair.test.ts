/** Through the pipeline and the real store, so that what is kept is looked at where it is kept. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { dispatcher } from '#kit/action'
import type { Caller } from '#kit/caller'
import { ApiError } from '#kit/error'
import { noting } from '#kit/provoked.suite'
import { operationsOf } from '#kit/schema'
import { actions, keyPairByName } from '#service/ec2/key-pair/key-pair'
import { createKey } from '#service/ec2/key-pair/ssh-key'
import { openSqlite } from '#store/sqlite'

const dir = mkdtempSync(join(tmpdir(), 'enclume-keys-'))
const store = openSqlite(join(dir, 'store.db'))
after(async () => {
  await store.close()
  rmSync(dir, { recursive: true })
})
const now = new Date('2026-01-02T03:04:05Z')
const dispatch = noting(dispatcher({
  services: [{
    id: 'ec2', operations: operationsOf(sdk), actions,
    missing: member => new ApiError('MissingParameter', `The request must contain the parameter ${member}`),
  }],
  store, clock: () => now, authorise: async () => {},
}))
const caller = (account: string, region = 'us-east-1'): Caller => ({
  principal: { account, arn: `arn:aws:iam::${account}:root`, userId: account, root: true }, region, requestId: 'r', sourceIp: '127.0.0.1',
  userAgent: 'test',
})
let accounts = 0
/** Calls of an account that nobody else uses. */
function account(region?: string) {
  const who = caller(String(100000000000 + accounts++), region)
  return { who, call: (operation: string, input: object): Promise<any> => dispatch({ service: 'ec2', operation, input, caller: who }) }
}
const line = createKey({ name: 'k', type: 'ed25519', format: 'pem' }).publicKey

test('a created key is described by its public half', async () => {
  const { call } = account()
  const tags = [{ ResourceType: 'key-pair', Tags: [{ Key: 'a', Value: 'b' }] }]
  const made = await call('CreateKeyPair', { KeyName: 'votre-cle', TagSpecifications: tags })
  assert.match(made.KeyMaterial, /^-----BEGIN RSA PRIVATE KEY-----/)
  assert.match(made.KeyPairId, /^key-[0-9a-f]{17}$/)
  const { KeyPairs } = await call('DescribeKeyPairs', { KeyNames: ['votre-cle'], IncludePublicKey: true })
  const { PublicKey, ...rest } = KeyPairs[0]
  assert.match(PublicKey, /^ssh-rsa [A-Za-z0-9+/=]+ votre-cle$/)
  assert.deepEqual(rest, {
    KeyPairId: made.KeyPairId, KeyName: 'votre-cle', KeyType: 'rsa', KeyFingerprint: made.KeyFingerprint, CreateTime: now,
    Tags: [{ Key: 'a', Value: 'b' }],
  })
  const [described] = (await call('DescribeKeyPairs', {})).KeyPairs
  assert.equal('PublicKey' in described, false)
})

test('the private half is nowhere in the store', async () => {
  const { call } = account()
  const made = await Promise.all(['rsa', 'ed25519'].flatMap(KeyType =>
    ['pem', 'ppk'].map(KeyFormat => call('CreateKeyPair', { KeyName: `${KeyType}-${KeyFormat}`, KeyType, KeyFormat }))))
  const kept = readdirSync(dir).map(file => readFileSync(join(dir, file), 'latin1')).join('')
  assert.ok(kept.includes(made[0].KeyFingerprint))
  for (const { KeyMaterial: material, KeyName: name } of made) {
    // The last whole line of base64 is of the private numbers in each of the formats.
    const secret = (material as string).split(/\r?\n/).filter(text => /^[A-Za-z0-9+/=]{20,}$/.test(text)).at(-1)!
    assert.ok(!kept.includes(secret), name)
  }
  assert.ok(!kept.includes('PRIVATE KEY') && !kept.includes('Private-Lines'))
})

test('an imported key keeps its fingerprint and takes the name of the pair', async () => {
  const { call } = account()
  const made = await call('ImportKeyPair', { KeyName: 'mine', PublicKeyMaterial: Buffer.from(line) })
  const { KeyPairs } = await call('DescribeKeyPairs', { KeyPairIds: [made.KeyPairId], IncludePublicKey: true })
  assert.deepEqual([KeyPairs[0].KeyType, KeyPairs[0].PublicKey], ['ed25519', line.replace(/k$/, 'mine')])
  assert.match(made.KeyFingerprint, /^[A-Za-z0-9+/]{43}=$/)
  for (const bad of ['', 'hello', line.slice(0, 40)]) {
    await assert.rejects(call('ImportKeyPair', { KeyName: 'bad', PublicKeyMaterial: Buffer.from(bad) }), { code: 'InvalidKey.Format' })
  }
})

test('a name is one key\'s in an account\'s Region, and free again once that key is deleted', async () => {
  const { who, call } = account()
  const made = await call('CreateKeyPair', { KeyName: 'k', KeyType: 'ed25519' })
  await assert.rejects(call('CreateKeyPair', { KeyName: 'k' }),
    { code: 'InvalidKeyPair.Duplicate', message: "The keypair 'k' already exists." })
  await assert.rejects(call('ImportKeyPair', { KeyName: 'k', PublicKeyMaterial: Buffer.from(line) }), { code: 'InvalidKeyPair.Duplicate' })
  await dispatch({ service: 'ec2', operation: 'CreateKeyPair', input: { KeyName: 'k' }, caller: { ...who, region: 'eu-west-1' } })
  await account().call('CreateKeyPair', { KeyName: 'k' })
  assert.deepEqual(await call('DeleteKeyPair', { KeyName: 'k' }), { Return: true, KeyPairId: made.KeyPairId })
  assert.equal(await keyPairByName(store, { account: who.principal.account, region: 'us-east-1' }, 'k'), undefined)
  await call('CreateKeyPair', { KeyName: 'k', KeyType: 'ed25519' })
})

test('two calls at once for one name make one key', async () => {
  const { call } = account()
  const done = await Promise.allSettled([1, 2, 3].map(() => call('CreateKeyPair', { KeyName: 'race', KeyType: 'ed25519' })))
  assert.deepEqual(done.map(d => d.status).sort(), ['fulfilled', 'rejected', 'rejected'])
})

test('deleting what is not there succeeds, and another account\'s key stays', async () => {
  const [mine, other] = [account(), account()]
  const made = await mine.call('CreateKeyPair', { KeyName: 'k', KeyType: 'ed25519' })
  assert.deepEqual(await other.call('DeleteKeyPair', { KeyPairId: made.KeyPairId }), { Return: true })
  assert.deepEqual(await other.call('DeleteKeyPair', { KeyName: 'k' }), { Return: true })
  assert.equal((await mine.call('DescribeKeyPairs', {})).KeyPairs.length, 1)
  await assert.rejects(other.call('DescribeKeyPairs', { KeyPairIds: [made.KeyPairId] }), { code: 'InvalidKeyPair.NotFound' })
  await assert.rejects(mine.call('DeleteKeyPair', {}), { code: 'MissingParameter' })
})

test('keys are found by name and filter, and a name that is none is an error', async () => {
  const { call } = account()
  for (const KeyName of ['a1', 'a2', 'b1']) await call('CreateKeyPair', { KeyName, KeyType: 'ed25519' })
  const names = async (input: object) => (await call('DescribeKeyPairs', input)).KeyPairs.map((k: { KeyName: string }) => k.KeyName).sort()
  assert.deepEqual(await names({ KeyNames: ['b1', 'a1', 'b1'] }), ['a1', 'b1'])
  assert.deepEqual(await names({ Filters: [{ Name: 'key-name', Values: ['a*'] }] }), ['a1', 'a2'])
  await assert.rejects(call('DescribeKeyPairs', { KeyNames: ['a1', 'c1'] }),
    { code: 'InvalidKeyPair.NotFound', message: "The key pair 'c1' does not exist" })
})

test('names, types and formats that AWS refuses are refused, and nothing is kept', async () => {
  const { call } = account()
  for (const KeyName of ['', ' k', 'k ', 'é', 'a\nb', 'x'.repeat(256)]) {
    await assert.rejects(call('CreateKeyPair', { KeyName }), { code: 'InvalidParameterValue' })
  }
  await assert.rejects(call('CreateKeyPair', {}), { code: 'MissingParameter' })
  await assert.rejects(call('CreateKeyPair', { KeyName: 'k', KeyType: 'dsa' }), { code: 'InvalidParameterValue' })
  await assert.rejects(call('CreateKeyPair', { KeyName: 'k', KeyFormat: 'der' }), { code: 'InvalidParameterValue' })
  await assert.rejects(call('CreateKeyPair', { KeyName: 'k', DryRun: true }), { code: 'DryRunOperation' })
  assert.deepEqual(await call('DescribeKeyPairs', {}), { KeyPairs: [] })
})
