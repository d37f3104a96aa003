/** The host's clock jumps by hours and days: what may be used for a time ends at its time, and nobody is kept out for longer than was meant. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud, type Cloud } from '#cloud'
import { openLockout } from '#console/lockout'
import { openSessions } from '#console/sessions'
import { openFake } from '#engine/fake'
import { seedOf } from '#identity/device'
import { devices } from '#identity/records'
import { verifySignIn } from '#identity/sign-in'
import { codeAt, stepAt } from '#identity/totp'
import { roleReader } from '#service/ec2/instance-profile/role'
import { instance } from '#service/ec2/instance/instance'
import { openSqlite } from '#store/sqlite'
import type { Store } from '#store/store'

const START = Date.parse('2026-05-02T10:00:00Z')
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]
const principal = { account: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', root: true }
const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
let now = START
const clock = () => new Date(now)
let store: Store
let cloud: Cloud
const call = async (service: string, operation: string, input: object): Promise<any> => cloud.dispatch({ service, operation, input, caller })

before(async () => {
  store = openSqlite(':memory:', clock)
  cloud = await openCloud({ home: homeAt({ dir: '/nonexistent' }), engine: openFake(), store, log: silent, clock })
})
beforeEach(() => { now = START })
after(async () => { await cloud.close(); await store.close() })

/** Whether a session's credentials are good now. */
async function holds({ AccessKeyId, SessionToken }: { AccessKeyId: string; SessionToken: string }): Promise<boolean> {
  const found = await cloud.identity.credentials(AccessKeyId, SessionToken)
  return found !== undefined && !found.expired
}

test('a session of STS ends where the clock has passed its end, and is good again where that was a mistake', async () => {
  const { Credentials } = await call('sts', 'GetSessionToken', { DurationSeconds: 3600 })
  assert.equal(new Date(Credentials.Expiration).getTime(), START + HOUR)
  const seen: boolean[] = []
  for (const jump of [0, HOUR - 1, HOUR, 3 * DAY, 0, -3 * DAY]) {
    now = START + jump
    seen.push(await holds(Credentials))
  }
  assert.deepEqual(seen, [true, true, false, false, true, true])
})

test('an instance is offered credentials of its role that are good for six hours at most, whichever way the clock jumped', async () => {
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }] }
  await call('iam', 'CreateRole', { RoleName: 'clock', AssumeRolePolicyDocument: JSON.stringify(trust) })
  await call('iam', 'CreateInstanceProfile', { InstanceProfileName: 'clock' })
  await call('iam', 'AddRoleToInstanceProfile', { InstanceProfileName: 'clock', RoleName: 'clock' })
  const { Images } = await call('ec2', 'DescribeImages', {})
  const { Instances } = await call('ec2', 'RunInstances', {
    ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1, IamInstanceProfile: { Name: 'clock' },
  })
  const row = (await instance.find(store, Instances[0].InstanceId))!
  const roleOf = roleReader(cloud.identity, clock)
  const offered = async (jump: number) => {
    now = START + jump
    const found = (await roleOf(store, row, '2.0'))!.credentials!
    assert.ok(await holds({ AccessKeyId: found.accessKeyId, SessionToken: found.token }))
    return found
  }
  const first = await offered(0)
  assert.deepEqual(await offered(4 * HOUR), first, 'they last')
  for (const jump of [5 * HOUR + MINUTE, 3 * DAY, -3 * DAY, 0]) {
    const { expiration, lastUpdated } = await offered(jump)
    assert.deepEqual([Date.parse(lastUpdated), Date.parse(expiration)], [now, now + 6 * HOUR], `after ${jump / HOUR} hours`)
  }
})

test('a console session ends at its time; a clock that was put back neither ends nor renews it', async () => {
  const sessions = openSessions(store, clock)
  const token = await sessions.open({ principal, name: 'root' })
  const seen: boolean[] = []
  for (const jump of [12 * HOUR - 1, 12 * HOUR, -DAY, 12 * HOUR]) {
    now = START + jump
    seen.push(await sessions.find(token) !== undefined)
  }
  assert.deepEqual(seen, [true, false, true, false])
})

test('a name that failed sign-ins have locked is free after its five minutes, or where the clock was put back', () => {
  const locked = (jump: number): number => {
    const lockout = openLockout(clock)
    now = START
    for (let n = 0; n < 5; n++) lockout.failed('root')
    now = START + jump
    return lockout.left('root')
  }
  assert.deepEqual([0, MINUTE, 5 * MINUTE, DAY, -MINUTE, -DAY].map(locked), [300, 240, 0, 0, 0, 0])
})

test('codes of an MFA device count once, whichever way the clock jumped, and keep nobody out until it is so late again', async () => {
  await call('iam', 'CreateUser', { UserName: 'Ada' })
  await call('iam', 'CreateLoginProfile', { UserName: 'Ada', Password: 'Correct-Horse-1' })
  const { VirtualMFADevice: { SerialNumber } } = await call('iam', 'CreateVirtualMFADevice', { VirtualMFADeviceName: 'phone' })
  const seed = seedOf(cloud.identity.sealer, (await devices.list(store, principal.account))[0]!)
  const code = () => codeAt(seed, stepAt(clock()))
  now = START - MINUTE
  const first = code()
  now += MINUTE / 2
  await call('iam', 'EnableMFADevice', { UserName: 'Ada', SerialNumber, AuthenticationCode1: first, AuthenticationCode2: code() })
  const signsIn = async (at: number): Promise<boolean> => {
    now = at
    const input = { account: principal.account, user: 'Ada', password: 'Correct-Horse-1', mfa: code(), newPassword: undefined, now: clock() }
    return typeof await verifySignIn({ store, identity: cloud.identity, change: async () => {} }, input) === 'object'
  }
  // Forwards, back by days, and on from there until it is so late again.
  const times = [0, DAY, DAY + MINUTE, MINUTE, MINUTE, 2 * MINUTE, DAY, DAY + MINUTE, DAY + 2 * MINUTE, DAY + MINUTE]
  const seen: boolean[] = []
  for (const jump of times) seen.push(await signsIn(START + jump))
  assert.deepEqual(seen, [true, true, true, true, false, true, false, false, true, false])
})
