import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { dispatcher } from '#kit/action'
import { noting } from '#kit/provoked.suite'
import { openIdentity } from '#identity/identity'
import { sealer } from '#identity/seal'
import { iam } from '#service/iam/index'
import { sts } from '#service/sts/sts'
import { openSqlite } from '#store/sqlite'

const principal = { account: '111122223333', arn: 'arn:aws:iam::111122223333:root', userId: '111122223333', root: true }
const origin = { region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
let now = new Date('2026-05-01T10:00:00Z')
const store = openSqlite(':memory:')
const clock = () => now
const identity = openIdentity({ store, clock, sealer: sealer(randomBytes(32)) })
const services = [sts({ identity }), iam({ identity })]
const dispatch = noting(dispatcher({ services: services.map(s => s.definition), store, clock, authorise: async () => {} }))
const call = (operation: string, input: object, who = principal, service = 'sts'): Promise<any> =>
  dispatch({ service, operation, input, caller: { principal: who, ...origin } })

test('the caller is told who it is', async () => {
  assert.deepEqual(await call('GetCallerIdentity', {}),
    { UserId: '111122223333', Account: '111122223333', Arn: 'arn:aws:iam::111122223333:root' })
})

test('a missing member is named as STS names it', () => {
  const { code, message } = sts({ identity }).definition.missing('RoleArn')
  assert.deepEqual({ code, message }, {
    code: 'ValidationError',
    message: "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
  })
})

test('a session is its principal until it ends, and opens with its own token alone', async () => {
  const { Credentials: c } = await call('GetSessionToken', { DurationSeconds: 900 })
  assert.equal(c.Expiration.toISOString(), '2026-05-01T10:15:00.000Z')
  const holder = await identity.credentials(c.AccessKeyId, c.SessionToken)
  assert.deepEqual([holder!.secret, holder!.principal.arn, holder!.expired], [c.SecretAccessKey, principal.arn, undefined])
  const { Credentials: other } = await call('GetSessionToken', {})
  for (const token of [undefined, '', 'x', other.SessionToken, `${c.SessionToken.slice(0, -8)}AAAAAAAA`]) {
    assert.equal(await identity.credentials(c.AccessKeyId, token), undefined)
  }
  now = new Date('2026-05-01T10:15:00Z')
  assert.equal((await identity.credentials(c.AccessKeyId, c.SessionToken))!.expired, true)
})

test('how long a session lasts has bounds, and a session makes no session', async () => {
  for (const DurationSeconds of [899, 129_601, 900.5]) await assert.rejects(call('GetSessionToken', { DurationSeconds }), { code: 'ValidationError' })
  const { Credentials: c } = await call('GetSessionToken', {})
  assert.equal(c.Expiration.getTime() - now.getTime(), 3_600_000)
  const holder = await identity.credentials(c.AccessKeyId, c.SessionToken)
  await assert.rejects(call('GetSessionToken', {}, holder!.principal as typeof principal), { code: 'AccessDenied' })
})

test('a user\'s key is its user\'s as long as it is active, and its sessions end with the user', async () => {
  const { User } = await call('CreateUser', { UserName: 'ada' }, principal, 'iam')
  const { AccessKey: key } = await call('CreateAccessKey', { UserName: 'ada' }, principal, 'iam')
  const holder = await identity.credentials(key.AccessKeyId, undefined)
  assert.deepEqual([holder!.secret, holder!.principal.arn, holder!.principal.userId], [key.SecretAccessKey, User.Arn, User.UserId])
  const raw = JSON.stringify(await store.list({ kind: 'iam-access-key' }))
  assert.ok(!raw.includes(key.SecretAccessKey), 'the secret is not in the store')
  const { Credentials: c } = await call('GetSessionToken', {}, holder!.principal as typeof principal)
  await call('UpdateAccessKey', { UserName: 'ada', AccessKeyId: key.AccessKeyId, Status: 'Inactive' }, principal, 'iam')
  assert.equal(await identity.credentials(key.AccessKeyId, undefined), undefined)
  assert.ok(await identity.credentials(c.AccessKeyId, c.SessionToken))
  await call('DeleteAccessKey', { UserName: 'ada', AccessKeyId: key.AccessKeyId }, principal, 'iam')
  await call('DeleteUser', { UserName: 'ada' }, principal, 'iam')
  assert.equal(await identity.credentials(c.AccessKeyId, c.SessionToken), undefined)
})
