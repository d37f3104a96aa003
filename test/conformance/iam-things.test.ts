/** IAM's own things through the SDK: names, limits, tags, pages, passwords, devices, reports, and AWS's errors. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-iam'
import { STSClient, GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { consoleKeys, verifySignIn } from '#identity/sign-in'
import { codeAt, stepAt } from '#identity/totp'
import { fromBase32 } from '../authenticator.ts'
import { code } from './kit.ts'
import { keys, openServer, type TestServer } from './server.ts'

let server: TestServer
let now = new Date()
const clients: { destroy(): void }[] = []
let iam: (name: string, input?: object) => Promise<any>

type Keys = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
function client(credentials: Keys = keys) {
  const made = new sdk.IAMClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1,
    systemClockOffset: now.getTime() - Date.now() })
  clients.push(made)
  return (name: string, input: object = {}): Promise<any> => made.send(new (sdk as Record<string, any>)[`${name}Command`](input))
}
before(async () => {
  server = await openServer({ clock: () => now })
  iam = client()
})
after(async () => { for (const one of clients) one.destroy(); await server.close() })

const refuses = async (name: string, cases: [input: object, wanted: string][]) => {
  for (const [input, wanted] of cases) await assert.rejects(iam(name, input), code(wanted), `${name} ${JSON.stringify(input)}`)
}
const document = (Statement: object) => JSON.stringify({ Version: '2012-10-17', Statement })
const everything = document({ Effect: 'Allow', Action: '*', Resource: '*' })
const trust = document({ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' })

test('users: names are one\'s whatever their case, paths are listed by, and what still has something stays', async () => {
  const { User } = await iam('CreateUser', { UserName: 'Ada', Path: '/eng/', Tags: [{ Key: 'team', Value: 'red' }] })
  assert.match(User.UserId, /^AIDA[A-Z2-7]{16}$/)
  assert.equal(User.Arn, `arn:aws:iam::${keys.account}:user/eng/Ada`)
  await refuses('CreateUser', [
    [{ UserName: 'ada' }, 'EntityAlreadyExistsException'], [{ UserName: 'a b' }, 'ValidationError'], [{ UserName: 'x'.repeat(65) },
      'ValidationError'],
    [{ UserName: 'x', Path: 'no' }, 'ValidationError'], [{ UserName: 'x', Tags: [{ Key: 'a', Value: '' }, { Key: 'A', Value: '' }] },
      'InvalidInputException'],
    [{ UserName: 'x', PermissionsBoundary: 'arn:aws:iam::aws:policy/Nothing' }, 'NoSuchEntityException'], [{ UserName: 'x',
      PermissionsBoundary: 'a' }, 'ValidationError'],
  ])
  await iam('CreateUser', { UserName: 'bob' })
  assert.deepEqual((await iam('ListUsers', { PathPrefix: '/eng/' })).Users.map((u: any) => u.UserName), ['Ada'])
  const first = await iam('ListUsers', { MaxItems: 1 })
  assert.deepEqual([first.Users.length, first.IsTruncated], [1, true])
  const second = await iam('ListUsers', { Marker: first.Marker })
  assert.deepEqual([second.Users.map((u: any) => u.UserName), second.IsTruncated], [['bob'], false])
  await refuses('ListUsers', [[{ MaxItems: 0 }, 'ValidationError'], [{ Marker: '?' }, 'ValidationError']])
  await iam('TagUser', { UserName: 'Ada', Tags: [{ Key: 'TEAM', Value: 'blue' }] })
  assert.deepEqual((await iam('ListUserTags', { UserName: 'Ada' })).Tags, [{ Key: 'TEAM', Value: 'blue' }])
  await iam('UntagUser', { UserName: 'Ada', TagKeys: ['team'] })
  await iam('UpdateUser', { UserName: 'bob', NewUserName: 'Bob', NewPath: '/eng/' })
  assert.equal((await iam('GetUser', { UserName: 'bOB' })).User.Path, '/eng/')
  await refuses('UpdateUser', [[{ UserName: 'Bob', NewUserName: 'ada' }, 'EntityAlreadyExistsException'], [{ UserName: 'nobody' },
    'NoSuchEntityException']])
  for (const _ of [1, 2]) await iam('CreateAccessKey', { UserName: 'Bob' })
  await refuses('CreateAccessKey', [[{ UserName: 'Bob' }, 'LimitExceededException'], [{ UserName: 'nobody' }, 'NoSuchEntityException']])
  await refuses('DeleteUser', [[{ UserName: 'Bob' }, 'DeleteConflictException'], [{ UserName: 'nobody' }, 'NoSuchEntityException']])
  for (const { AccessKeyId } of (await iam('ListAccessKeys', { UserName: 'Bob' })).AccessKeyMetadata) await iam('DeleteAccessKey',
    { UserName: 'Bob', AccessKeyId })
  await iam('DeleteUser', { UserName: 'Bob' })
})

test('policies: documents are read strictly, versions are five at most, one counts', async () => {
  await refuses('CreatePolicy', [
    [{ PolicyName: 'p', PolicyDocument: '{' }, 'MalformedPolicyDocumentException'], [{ PolicyName: 'p', PolicyDocument: trust },
      'MalformedPolicyDocumentException'],
    [{ PolicyName: 'p', PolicyDocument: document({ Effect: 'Allow', Action: '*', Resource: `arn:aws:s3:::${'x'.repeat(6144)}` }) },
      'LimitExceededException'],
  ])
  const { Policy: { Arn: PolicyArn } } = await iam('CreatePolicy', { PolicyName: 'p', PolicyDocument: everything, Description: 'd' })
  await refuses('CreatePolicy', [[{ PolicyName: 'P', PolicyDocument: everything }, 'EntityAlreadyExistsException']])
  for (const _ of [2, 3, 4, 5]) await iam('CreatePolicyVersion', { PolicyArn, PolicyDocument: everything })
  await refuses('CreatePolicyVersion', [[{ PolicyArn, PolicyDocument: everything }, 'LimitExceededException']])
  await refuses('DeletePolicyVersion', [[{ PolicyArn, VersionId: 'v1' }, 'DeleteConflictException'], [{ PolicyArn, VersionId: 'v9' },
    'NoSuchEntityException']])
  await iam('SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v5' })
  for (const VersionId of ['v1', 'v2', 'v3', 'v4']) await iam('DeletePolicyVersion', { PolicyArn, VersionId })
  const next = await iam('CreatePolicyVersion', { PolicyArn, PolicyDocument: everything, SetAsDefault: true })
  assert.equal(next.PolicyVersion.VersionId, 'v6', 'numbers are never used again')
  const { Document } = (await iam('GetPolicyVersion', { PolicyArn, VersionId: 'v6' })).PolicyVersion
  assert.equal(decodeURIComponent(Document), everything)
  await iam('AttachUserPolicy', { UserName: 'Ada', PolicyArn })
  assert.equal((await iam('GetPolicy', { PolicyArn })).Policy.AttachmentCount, 1)
  assert.deepEqual((await iam('ListEntitiesForPolicy', { PolicyArn })).PolicyUsers.map((u: any) => u.UserName), ['Ada'])
  assert.deepEqual((await iam('ListPolicies', { Scope: 'Local' })).Policies.map((one: any) => one.PolicyName), ['p'])
  assert.deepEqual((await iam('ListPolicies', { OnlyAttached: true })).Policies.map((one: any) => one.PolicyName), ['p'])
  await iam('DetachUserPolicy', { UserName: 'Ada', PolicyArn })
  await iam('DeletePolicyVersion', { PolicyArn, VersionId: 'v5' })
  await iam('DeletePolicy', { PolicyArn })
  await refuses('GetPolicy', [[{ PolicyArn }, 'NoSuchEntityException']])
  await refuses('DeletePolicy', [[{ PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }, 'AccessDenied']])
})

test('inline policies, ten attached ones, groups of a user: each has its errors', async () => {
  await iam('PutUserPolicy', { UserName: 'Ada', PolicyName: 'own', PolicyDocument: everything })
  assert.deepEqual((await iam('ListUserPolicies', { UserName: 'Ada' })).PolicyNames, ['own'])
  assert.equal(decodeURIComponent((await iam('GetUserPolicy', { UserName: 'Ada', PolicyName: 'own' })).PolicyDocument), everything)
  await iam('DeleteUserPolicy', { UserName: 'Ada', PolicyName: 'own' })
  await refuses('GetUserPolicy', [[{ UserName: 'Ada', PolicyName: 'own' }, 'NoSuchEntityException'], [{ UserName: 'Ada',
    PolicyName: 'constructor' }, 'NoSuchEntityException']])
  const aws: string[] = (await iam('ListPolicies', { Scope: 'AWS' })).Policies.map((one: any) => one.Arn)
  assert.ok(aws.includes('arn:aws:iam::aws:policy/AdministratorAccess') && aws.length >= 20)
  for (const PolicyArn of aws.slice(0, 10)) await iam('AttachUserPolicy', { UserName: 'Ada', PolicyArn })
  await refuses('AttachUserPolicy', [
    [{ UserName: 'Ada', PolicyArn: aws[10] }, 'LimitExceededException'], [{ UserName: 'Ada', PolicyArn: 'arn:aws:iam::aws:policy/No' },
      'NoSuchEntityException'],
  ])
  for (const PolicyArn of aws.slice(0, 10)) await iam('DetachUserPolicy', { UserName: 'Ada', PolicyArn })
  await refuses('DetachUserPolicy', [[{ UserName: 'Ada', PolicyArn: aws[0] }, 'NoSuchEntityException']])
  await iam('CreateGroup', { GroupName: 'g' })
  await iam('AddUserToGroup', { GroupName: 'g', UserName: 'Ada' })
  assert.deepEqual((await iam('GetGroup', { GroupName: 'G' })).Users.map((u: any) => u.UserName), ['Ada'])
  await refuses('DeleteGroup', [[{ GroupName: 'g' }, 'DeleteConflictException']])
  await iam('RemoveUserFromGroup', { GroupName: 'g', UserName: 'Ada' })
  await refuses('RemoveUserFromGroup', [[{ GroupName: 'g', UserName: 'Ada' }, 'NoSuchEntityException']])
  await iam('DeleteGroup', { GroupName: 'g' })
})

test('roles and instance profiles: a profile holds one role, and a role in a profile stays', async () => {
  await refuses('CreateRole', [
    [{ RoleName: 'r', AssumeRolePolicyDocument: everything }, 'MalformedPolicyDocumentException'],
    [{ RoleName: 'r', AssumeRolePolicyDocument: trust, MaxSessionDuration: 60 }, 'ValidationError'],
    [{ RoleName: 'r', AssumeRolePolicyDocument: trust, Path: '/aws-service-role/x/' }, 'InvalidInputException'],
  ])
  const { Role } = await iam('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: trust, Description: 'd', Tags: [{ Key: 'a', Value: 'b' }] })
  assert.match(Role.RoleId, /^AROA/)
  assert.deepEqual([decodeURIComponent(Role.AssumeRolePolicyDocument), Role.MaxSessionDuration, Role.Description], [trust, 3600, 'd'])
  await iam('CreateInstanceProfile', { InstanceProfileName: 'p' })
  await iam('AddRoleToInstanceProfile', { InstanceProfileName: 'p', RoleName: 'r' })
  await refuses('AddRoleToInstanceProfile', [[{ InstanceProfileName: 'p', RoleName: 'r' }, 'LimitExceededException']])
  assert.equal((await iam('ListInstanceProfilesForRole', { RoleName: 'r' })).InstanceProfiles[0].Roles[0].RoleName, 'r')
  await refuses('DeleteRole', [[{ RoleName: 'r' }, 'DeleteConflictException']])
  await refuses('DeleteInstanceProfile', [[{ InstanceProfileName: 'p' }, 'DeleteConflictException'], [{ InstanceProfileName: 'x' },
    'NoSuchEntityException']])
  const details = await iam('GetAccountAuthorizationDetails')
  assert.deepEqual([details.RoleDetailList[0].InstanceProfileList[0].InstanceProfileName, details.UserDetailList[0].UserName], ['p', 'Ada'])
  await iam('RemoveRoleFromInstanceProfile', { InstanceProfileName: 'p', RoleName: 'r' })
  await iam('DeleteInstanceProfile', { InstanceProfileName: 'p' })
  await iam('DeleteRole', { RoleName: 'r' })
})

test('a password signs in, a device\'s code once besides, and its session has IAM and MFA', async () => {
  const changed: unknown[] = []
  const change = async (_: unknown, passwords: unknown) => { changed.push(passwords) }
  const { store, cloud: { identity } } = server
  const verify = (password: string, mfa?: string, newPassword?: string) => verifySignIn({ store, identity, change },
    { account: keys.account, user: 'ada', password, mfa, newPassword, now })
  await refuses('CreateLoginProfile', [
    [{ UserName: 'Ada', Password: 'short' }, 'PasswordPolicyViolationException'], [{ UserName: 'Ada', Password: 'onlylowercase' },
      'PasswordPolicyViolationException'],
  ])
  assert.equal(await verify(''), undefined)
  await iam('CreateLoginProfile', { UserName: 'Ada', Password: 'Correct-Horse-1', PasswordResetRequired: true })
  assert.ok(!JSON.stringify(await server.store.list({ kind: 'iam-user' })).includes('Correct-Horse'))
  assert.equal(await verify('Correct-Horse-2'), undefined)
  const signed = await verify('Correct-Horse-1')
  assert.deepEqual([signed, changed], ['change', []])
  const signedIn = await verify('Correct-Horse-1', undefined, 'Correct-Horse-3')
  assert.ok(typeof signedIn === 'object' && signedIn.name === 'Ada')
  assert.deepEqual(changed, [{ OldPassword: 'Correct-Horse-1', NewPassword: 'Correct-Horse-3' }])
  await iam('UpdateLoginProfile', { UserName: 'Ada', PasswordResetRequired: false })
  const { VirtualMFADevice: device } = await iam('CreateVirtualMFADevice', { VirtualMFADeviceName: 'phone' })
  const seed = fromBase32(Buffer.from(device.Base32StringSeed).toString())
  const at = (offset: number) => codeAt(seed, stepAt(now) + offset)
  const enable = { UserName: 'Ada', SerialNumber: device.SerialNumber, AuthenticationCode1: at(-1), AuthenticationCode2: at(0) }
  await refuses('EnableMFADevice', [[{ ...enable, AuthenticationCode2: at(5) }, 'InvalidAuthenticationCodeException']])
  await iam('EnableMFADevice', enable)
  assert.equal(await verify('Correct-Horse-1'), 'mfa')
  assert.equal(await verify('Correct-Horse-1', at(0)), undefined, 'a code counts once')
  now = new Date(now.getTime() + 30_000)
  const proved = await verify('Correct-Horse-1', at(0))
  assert.ok(typeof proved === 'object')
  await iam('PutUserPolicy', {
    UserName: 'Ada', PolicyName: 'mfa', PolicyDocument: document({ Effect: 'Allow', Action: 'iam:*', Resource: '*',
      Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }),
  })
  const ofSession = (mfa?: string) => { const c = consoleKeys(server.cloud.identity, proved.principal, mfa); return client(c) }
  assert.ok((await ofSession(proved.mfa)('ListUsers')).Users)
  await assert.rejects(ofSession()('ListUsers'), code('AccessDenied'))
  now = new Date(now.getTime() + 30_000)
  const { AccessKey } = await iam('CreateAccessKey', { UserName: 'Ada' })
  const own = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }
  await assert.rejects(client(own)('ListUsers'), code('AccessDenied'))
  const sts = new STSClient({ endpoint: server.url, region: 'us-east-1', credentials: own, maxAttempts: 1,
    systemClockOffset: now.getTime() - Date.now() })
  clients.push(sts)
  await assert.rejects(sts.send(new GetSessionTokenCommand({ SerialNumber: device.SerialNumber, TokenCode: '000000' })), code('AccessDenied'))
  const { Credentials: c } = await sts.send(new GetSessionTokenCommand({ SerialNumber: device.SerialNumber, TokenCode: at(0) }))
  assert.ok((await client({ accessKeyId: c!.AccessKeyId!, secretAccessKey: c!.SecretAccessKey!, sessionToken: c!.SessionToken })('ListUsers')).Users)
  await iam('DeactivateMFADevice', { UserName: 'Ada', SerialNumber: device.SerialNumber })
  await iam('DeleteVirtualMFADevice', { SerialNumber: device.SerialNumber })
  await iam('DeleteLoginProfile', { UserName: 'Ada' })
  assert.equal(await verify('Correct-Horse-1'), undefined)
})

test('the account\'s alias, password policy, summary and report', async () => {
  await iam('CreateAccountAlias', { AccountAlias: 'forge' })
  assert.deepEqual((await iam('ListAccountAliases')).AccountAliases, ['forge'])
  await refuses('CreateAccountAlias', [[{ AccountAlias: 'No' }, 'ValidationError'], [{ AccountAlias: 'a--b' }, 'ValidationError']])
  await iam('DeleteAccountAlias', { AccountAlias: 'forge' })
  await refuses('GetAccountPasswordPolicy', [[{}, 'NoSuchEntityException']])
  await iam('UpdateAccountPasswordPolicy', { MinimumPasswordLength: 20, RequireSymbols: true })
  assert.equal((await iam('GetAccountPasswordPolicy')).PasswordPolicy.MinimumPasswordLength, 20)
  await refuses('CreateLoginProfile', [[{ UserName: 'Ada', Password: 'Correct-Horse-1' }, 'PasswordPolicyViolationException']])
  await refuses('UpdateAccountPasswordPolicy', [[{ MaxPasswordAge: 90 }, 'UnsupportedOperation'], [{ MinimumPasswordLength: 5 }, 'ValidationError']])
  await iam('DeleteAccountPasswordPolicy')
  assert.equal((await iam('GetAccountSummary')).SummaryMap.Users, 1)
  assert.equal((await iam('GenerateCredentialReport')).State, 'COMPLETE')
  const [columns, ada] = Buffer.from((await iam('GetCredentialReport')).Content).toString().split('\n')
  assert.deepEqual([columns!.split(',').length, ada!.split(',').length, ada!.split(',')[0]], [22, 22, 'Ada'])
})

test('the simulator says what policies would, and which keys they ask', async () => {
  const results = async (name: string, input: object) => (await iam(name, input)).EvaluationResults.map((one: any) =>
    [one.EvalActionName, one.EvalDecision])
  const PolicyInputList = [document({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*',
    Condition: { StringEquals: { 'aws:PrincipalTag/a': 'b' } } })]
  const ask = { PolicyInputList, ActionNames: ['s3:GetObject', 's3:PutObject'], ResourceArns: ['arn:aws:s3:::b/k'] }
  assert.deepEqual(await results('SimulateCustomPolicy', ask), [['s3:GetObject', 'implicitDeny'], ['s3:PutObject', 'implicitDeny']])
  const ContextEntries = [{ ContextKeyName: 'aws:PrincipalTag/a', ContextKeyValues: ['b'], ContextKeyType: 'string' }]
  assert.deepEqual(await results('SimulateCustomPolicy', { ...ask, ContextEntries }), [['s3:GetObject', 'allowed'], ['s3:PutObject', 'implicitDeny']])
  assert.deepEqual((await iam('GetContextKeysForCustomPolicy', { PolicyInputList })).ContextKeyNames, ['aws:PrincipalTag/a'])
  await iam('PutUserPolicy', { UserName: 'Ada', PolicyName: 'ec2', PolicyDocument: document({ Effect: 'Allow', Action: 'ec2:*', Resource: '*' }) })
  const PolicySourceArn = `arn:aws:iam::${keys.account}:user/eng/Ada`
  const principal = { PolicySourceArn, ActionNames: ['ec2:RunInstances', 's3:ListBucket'] }
  assert.deepEqual(await results('SimulatePrincipalPolicy', principal), [['ec2:RunInstances', 'allowed'], ['s3:ListBucket', 'implicitDeny']])
  await refuses('SimulateCustomPolicy', [
    [{ ...ask, ActionNames: ['s3:Nonsense'] }, 'InvalidInputException'], [{ ...ask, PolicyInputList: ['{'] }, 'InvalidInputException'],
    [{ ...ask, ResourceOwner: 'x' }, 'InvalidInputException'], [{ ...ask, ResourceHandlingOption: 'EC2-VPC-EBS' }, 'UnsupportedOperation'],
  ])
  const other = { ...ask, ContextEntries, ActionNames: ['s3:GetObject'], ResourceOwner: 'arn:aws:iam::111122223333:root', CallerArn: PolicySourceArn }
  const ResourcePolicy = document({ Effect: 'Allow', Principal: { AWS: keys.account }, Action: 's3:*', Resource: '*' })
  const both = [(await iam('SimulateCustomPolicy', other)).EvaluationResults[0], (await iam('SimulateCustomPolicy', { ...other,
    ResourcePolicy })).EvaluationResults[0]]
  assert.deepEqual(both.map(one => [one.EvalDecision, one.EvalDecisionDetails]), [
    ['implicitDeny', { 'IAM Policy': 'allowed', 'Resource Policy': 'implicitDeny' }],
    ['allowed', { 'IAM Policy': 'allowed', 'Resource Policy': 'allowed' }],
  ])
})

test('SSH public keys are kept in both of their forms, once each, and before their user goes', async () => {
  await iam('CreateUser', { UserName: 'ssh' })
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const { SSHPublicKey: made } = await iam('UploadSSHPublicKey', { UserName: 'ssh', SSHPublicKeyBody: pem })
  const which = { UserName: 'ssh', SSHPublicKeyId: made.SSHPublicKeyId }
  const [ssh, again] = [(await iam('GetSSHPublicKey', { ...which, Encoding: 'SSH' })).SSHPublicKey, (await iam('GetSSHPublicKey', { ...which,
    Encoding: 'PEM' })).SSHPublicKey]
  assert.equal(again.SSHPublicKeyBody, pem)
  const file = join(mkdtempSync(join(tmpdir(), 'enclume-ssh-')), 'key.pub')
  writeFileSync(file, `${ssh.SSHPublicKeyBody} comment\n`)
  const told = execFileSync('ssh-keygen', ['-l', '-E', 'md5', '-f', file], { encoding: 'utf8' })
  rmSync(dirname(file), { recursive: true })
  assert.ok(told.startsWith(`2048 MD5:${made.Fingerprint} `), told)
  const other = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const { publicKey: curve } = generateKeyPairSync('ed25519')
  await refuses('UploadSSHPublicKey', [
    [{ UserName: 'ssh', SSHPublicKeyBody: ssh.SSHPublicKeyBody }, 'DuplicateSSHPublicKeyException'],
    ...['nonsense', 'ssh-rsa AAAA', other(1024), curve.export({ format: 'pem', type: 'spki' }).toString()]
      .map(SSHPublicKeyBody => [{ UserName: 'ssh', SSHPublicKeyBody }, 'InvalidPublicKeyException'] as [object, string]),
    [{ UserName: 'nobody', SSHPublicKeyBody: pem }, 'NoSuchEntityException'],
  ])
  await refuses('GetSSHPublicKey', [[{ ...which, Encoding: 'HEX' }, 'UnrecognizedPublicKeyEncodingException']])
  await iam('UpdateSSHPublicKey', { ...which, Status: 'Inactive' })
  assert.deepEqual((await iam('ListSSHPublicKeys', { UserName: 'ssh' })).SSHPublicKeys.map((key: any) => [key.SSHPublicKeyId, key.Status]),
    [[made.SSHPublicKeyId, 'Inactive']])
  assert.deepEqual([(await iam('ListSigningCertificates', { UserName: 'ssh' })).Certificates,
    (await iam('ListServiceSpecificCredentials', { UserName: 'ssh' })).ServiceSpecificCredentials], [[], []])
  await refuses('DeleteUser', [[{ UserName: 'ssh' }, 'DeleteConflictException']])
  await iam('DeleteSSHPublicKey', which)
  await iam('DeleteUser', { UserName: 'ssh' })
})

test('a service-linked role is its service\'s alone', async () => {
  const { Role } = await iam('CreateServiceLinkedRole', { AWSServiceName: 'spot.amazonaws.com' })
  assert.equal(Role.Arn, `arn:aws:iam::${keys.account}:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot`)
  await refuses('CreateServiceLinkedRole', [[{ AWSServiceName: 'spot.amazonaws.com' }, 'InvalidInputException'], [{ AWSServiceName: 'x' },
    'InvalidInputException']])
  await refuses('DeleteRole', [[{ RoleName: Role.RoleName }, 'UnmodifiableEntityException']])
  const { DeletionTaskId } = await iam('DeleteServiceLinkedRole', { RoleName: Role.RoleName })
  assert.equal((await iam('GetServiceLinkedRoleDeletionStatus', { DeletionTaskId })).Status, 'SUCCEEDED')
})
