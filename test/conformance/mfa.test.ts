/** A virtual MFA device whose clock is not this host's: what its two codes told of it holds for the console's sign-in and for STS. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-iam'
import { AssumeRoleCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts'
import { devices } from '#identity/records'
import { verifySignIn } from '#identity/sign-in'
import { codeAt, stepAt } from '#identity/totp'
import { fromBase32 } from '../authenticator.ts'
import { code } from './kit.ts'
import { keys, openServer, type TestServer } from './server.ts'

const STEP_MS = 30_000
const started = Date.now()
let now = new Date(started)
let server: TestServer
let iam: sdk.IAMClient
let serial: string
let seed: Buffer
/** By how many steps the device's clock is ahead. */
let ahead = 0
const shown = (later = 0): string => codeAt(seed, stepAt(now) + ahead + later)
const pass = (steps: number): void => { now = new Date(now.getTime() + steps * STEP_MS) }
const opened: { destroy(): void }[] = []
const at = <T extends { destroy(): void }>(client: T): T => { opened.push(client); return client }
/** Clients sign by this test's clock. */
const options = (credentials: { accessKeyId: string; secretAccessKey: string }) =>
  ({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1, systemClockOffset: now.getTime() - Date.now() })

before(async () => {
  server = await openServer({ clock: () => now })
  iam = at(new sdk.IAMClient(options(keys)))
  await iam.send(new sdk.CreateUserCommand({ UserName: 'Ada' }))
  await iam.send(new sdk.CreateLoginProfileCommand({ UserName: 'Ada', Password: 'Correct-Horse-1' }))
  const { VirtualMFADevice: made } = await iam.send(new sdk.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }))
  serial = made!.SerialNumber!
  seed = fromBase32(Buffer.from(made!.Base32StringSeed!).toString())
})
after(async () => { for (const one of opened) one.destroy(); await server.close() })

const pair = () => ({ UserName: 'Ada', SerialNumber: serial, AuthenticationCode1: shown(-1), AuthenticationCode2: shown() })
const enable = (codes = pair()) => iam.send(new sdk.EnableMFADeviceCommand(codes))
const resync = (codes = pair()) => iam.send(new sdk.ResyncMFADeviceCommand(codes))
const refused = code('InvalidAuthenticationCodeException')
async function signsIn(mfa: string): Promise<boolean> {
  const { store, cloud: { identity } } = server
  const input = { account: keys.account, user: 'Ada', password: 'Correct-Horse-1', mfa, newPassword: undefined, now }
  return typeof await verifySignIn({ store, identity, change: async () => {} }, input) === 'object'
}

test('a device whose clock is off is taken within an hour either way, and not beyond', async () => {
  for (const off of [121, -121]) {
    ahead = off
    await assert.rejects(enable(), refused, `${off} steps`)
  }
  ahead = 120
  await assert.rejects(enable({ ...pair(), AuthenticationCode2: shown(1) }), refused, 'the codes must follow each other')
  await enable()
})

test('what it says then signs in, once each, and codes by this host\'s clock do not', async () => {
  assert.equal(await signsIn(shown()), false, 'it was used to tie the device')
  pass(2)
  assert.equal(await signsIn(codeAt(seed, stepAt(now))), false, 'by this host\'s clock')
  assert.equal(await signsIn(shown()), true)
  assert.equal(await signsIn(shown()), false, 'a code counts once')
  pass(1)
  assert.equal(await signsIn(shown(-1)), false, 'used before')
  assert.equal(await signsIn(shown()), true)
})

test('STS counts by the device\'s clock too', async () => {
  const { AccessKey: key } = await iam.send(new sdk.CreateAccessKeyCommand({ UserName: 'Ada' }))
  await iam.send(new sdk.CreateRoleCommand({ RoleName: 'guarded', AssumeRolePolicyDocument: JSON.stringify({
    Version: '2012-10-17', Statement: [{
      Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${keys.account}:user/Ada` }, Action: 'sts:AssumeRole',
      Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } },
    }],
  }) }))
  pass(3)
  const sts = at(new STSClient(options({ accessKeyId: key!.AccessKeyId!, secretAccessKey: key!.SecretAccessKey! })))
  const session = (TokenCode: string) => sts.send(new GetSessionTokenCommand({ SerialNumber: serial, TokenCode }))
  const assume = (TokenCode: string) => sts.send(new AssumeRoleCommand({
    RoleArn: `arn:aws:iam::${keys.account}:role/guarded`, RoleSessionName: 'ada', SerialNumber: serial, TokenCode,
  }))
  await assert.rejects(session(codeAt(seed, stepAt(now))), code('AccessDenied'))
  assert.ok((await session(shown(-1))).Credentials)
  await assert.rejects(assume(shown(-1)), code('AccessDenied'), 'it gave a session')
  assert.ok((await assume(shown())).Credentials)
})

test('a clock that was set since signs nobody in until two more codes tell of it; used codes tell nothing', async () => {
  const used = { ...pair() }
  ahead = -40
  pass(2)
  assert.equal(await signsIn(shown()), false)
  await assert.rejects(resync(used), refused, 'they were used')
  await resync()
  pass(1)
  assert.equal(await signsIn(shown()), true)
  ahead = 0
  await resync()
  pass(1)
  assert.equal(await signsIn(shown()), true)
})

test('a device of an older record, that tells nothing of its clock, is taken to be in step', async () => {
  const { store } = server
  const [row] = await devices.list(store, keys.account)
  const { ahead: _, recent: __, ...older } = row!.spec
  await store.transact(tx => tx.put({ ...row!, spec: older }, 'changed'))
  pass(1)
  assert.equal(await signsIn(shown()), true)
  assert.equal(await signsIn(shown()), false)
})
