/** Who may do what, through official clients: users, groups, roles, sessions, conditions, and instances with a role. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'
import * as sts from '@aws-sdk/client-sts'
import { roleReader } from '#service/ec2/instance-profile/role'
import type { InstanceRow } from '#service/ec2/instance/instance'
import { code, openBench, type Bench } from './kit.ts'
import { keys } from './server.ts'

type Keys = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
let bench: Bench
const clients: { destroy(): void }[] = []

before(async () => { bench = await openBench() })
after(async () => { for (const client of clients) client.destroy(); await bench.close() })

function as(credentials: Keys = keys) {
  const options = { endpoint: bench.server.url, region: 'us-east-1', credentials, maxAttempts: 1 }
  const made = { ec2: new ec2.EC2Client(options), iam: new iam.IAMClient(options), sts: new sts.STSClient(options) }
  clients.push(...Object.values(made))
  const run = (client: { send(command: any): Promise<any> }, sdk: object) => (name: string, input: object = {}): Promise<any> =>
    client.send(new (sdk as Record<string, any>)[`${name}Command`](input))
  return { ec2: run(made.ec2, ec2), iam: run(made.iam, iam), sts: run(made.sts, sts) }
}
const keysOf = (c: { AccessKeyId?: string; SecretAccessKey?: string; SessionToken?: string }): Keys =>
  ({ accessKeyId: c.AccessKeyId!, secretAccessKey: c.SecretAccessKey!, sessionToken: c.SessionToken })
const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const allow = (Action: string | string[], more: object = {}) => ({ Effect: 'Allow', Action, Resource: '*', ...more })

/** A user with a policy of its own, and clients that sign as it. */
async function user(UserName: string, ...statements: object[]) {
  const root = as()
  await root.iam('CreateUser', { UserName })
  const set = (...given: object[]) => root.iam('PutUserPolicy', { UserName, PolicyName: 'own', PolicyDocument: document(...given) })
  if (statements.length > 0) await set(...statements)
  const { AccessKey } = await root.iam('CreateAccessKey', { UserName })
  return { ...as(keysOf(AccessKey)), set, keys: keysOf(AccessKey) }
}
const trust = (Principal: object, more: object = {}) => document({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole', ...more })
const arnOf = (what: string) => `arn:aws:iam::${keys.account}:${what}`

test('a user that may only describe can start nothing, and DryRun says so', async () => {
  const reader = await user('reader', allow('ec2:Describe*'))
  assert.equal((await reader.sts('GetCallerIdentity')).Arn, arnOf('user/reader'))
  const { Reservations } = await reader.ec2('DescribeInstances')
  assert.deepEqual(Reservations, [])
  const launch = { ImageId: bench.imageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 }
  for (const DryRun of [true, false]) {
    await assert.rejects(reader.ec2('RunInstances', { ...launch, DryRun }), code('UnauthorizedOperation',
      /user\/reader is not authorized to perform: ec2:RunInstances/))
  }
  await assert.rejects(as().ec2('RunInstances', { ...launch, DryRun: true }), code('DryRunOperation'))
  await assert.rejects(reader.iam('ListUsers'), code('AccessDenied', /no identity-based policy allows the iam:ListUsers action/))
})

test('the message of a denial is told to who may decode it, and to no one else', async () => {
  const curious = await user('curious', allow('sts:DecodeAuthorizationMessage'))
  const error: Error = await curious.ec2('CreateKeyPair', { KeyName: 'k' }).then(() => assert.fail('allowed'), (e: Error) => e)
  const EncodedMessage = /failure message: (\S+)/.exec(error.message)![1]!
  const told = JSON.parse((await curious.sts('DecodeAuthorizationMessage', { EncodedMessage })).DecodedMessage)
  assert.deepEqual([told.allowed, told.explicitDeny, told.context.action, told.context.resource, told.context.principal.arn],
    [false, false, 'ec2:CreateKeyPair', `arn:aws:ec2:us-east-1:${keys.account}:key-pair/k`, arnOf('user/curious')])
  await assert.rejects(curious.sts('DecodeAuthorizationMessage', { EncodedMessage: 'nonsense' }), code('InvalidAuthorizationMessageException'))
  await curious.set(allow('ec2:*'))
  await assert.rejects(curious.sts('DecodeAuthorizationMessage', { EncodedMessage }), code('AccessDenied'))
})

test('conditions on the instance type, on tags of the request and on tags of the resource hold', async () => {
  const some = await user('some', allow(['ec2:RunInstances', 'ec2:CreateTags']), allow('ec2:Describe*'),
    { Effect: 'Deny', Action: 'ec2:RunInstances', Resource: 'arn:aws:ec2:*:*:instance/*',
      Condition: { StringNotEquals: { 'ec2:InstanceType': 't3.micro' } } },
    { Effect: 'Deny', Action: 'ec2:RunInstances', Resource: 'arn:aws:ec2:*:*:instance/*', Condition: { Null: { 'aws:RequestTag/team': 'true' } } },
    allow('ec2:TerminateInstances', { Condition: { StringEquals: { 'aws:ResourceTag/team': '${aws:username}' } } }))
  const launch = (InstanceType: string, team?: string) => some.ec2('RunInstances', {
    ImageId: bench.imageId, InstanceType, MinCount: 1, MaxCount: 1,
    TagSpecifications: team === undefined ? [] : [{ ResourceType: 'instance', Tags: [{ Key: 'team', Value: team }] }],
  })
  await assert.rejects(launch('t3.small', 'some'), code('UnauthorizedOperation', /explicit deny in an identity-based policy/))
  await assert.rejects(launch('t3.micro'), code('UnauthorizedOperation'))
  const [own, others] = [(await launch('t3.micro', 'some')).Instances[0].InstanceId, (await launch('t3.micro', 'others')).Instances[0].InstanceId]
  for (const id of [own, others]) await bench.until(id, 'running')
  await assert.rejects(some.ec2('TerminateInstances', { InstanceIds: [own, others] }), code('UnauthorizedOperation', new RegExp(others)))
  await some.ec2('TerminateInstances', { InstanceIds: [own] })
  await bench.terminate(others)
})

test('tagging at a launch needs CreateTags, and passing a role needs PassRole', async () => {
  const root = as()
  await root.iam('CreateRole', { RoleName: 'passed', AssumeRolePolicyDocument: trust({ Service: 'ec2.amazonaws.com' }) })
  await root.iam('CreateInstanceProfile', { InstanceProfileName: 'passed' })
  await root.iam('AddRoleToInstanceProfile', { InstanceProfileName: 'passed', RoleName: 'passed' })
  const launcher = await user('launcher', allow('ec2:RunInstances'))
  const launch = { ImageId: bench.imageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1, DryRun: true }
  const tagged = { ...launch, TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'a', Value: 'b' }] }] }
  const passing = { ...launch, IamInstanceProfile: { Name: 'passed' } }
  await assert.rejects(launcher.ec2('RunInstances', launch), code('DryRunOperation'))
  await assert.rejects(launcher.ec2('RunInstances', tagged), code('UnauthorizedOperation', /ec2:CreateTags/))
  await assert.rejects(launcher.ec2('RunInstances', passing), code('UnauthorizedOperation', /iam:PassRole on resource: \S+role\/passed/))
  await launcher.set(allow('ec2:RunInstances'),
    { Effect: 'Allow', Action: 'iam:PassRole', Resource: arnOf('role/passed'),
      Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } } },
    allow('ec2:CreateTags', { Condition: { StringEquals: { 'ec2:CreateAction': 'RunInstances' } } }))
  await assert.rejects(launcher.ec2('RunInstances', tagged), code('DryRunOperation'))
  await assert.rejects(launcher.ec2('RunInstances', passing), code('DryRunOperation'))
})

test('an instance has its profile\'s role: at launch, later, replaced, and no more', async () => {
  const root = as()
  const roleOf = roleReader(bench.server.cloud.identity, () => new Date())
  const offered = async (id: string) => roleOf(bench.server.store, (await bench.server.store.get<InstanceRow>('instance', id))!, '2.0')
  const launched = await bench.launch({ IamInstanceProfile: { Name: 'passed' } })
  const id = launched.InstanceId!
  assert.equal(launched.IamInstanceProfile!.Arn, arnOf('instance-profile/passed'))
  const first = (await offered(id))!
  const instance = as({ accessKeyId: first.credentials!.accessKeyId, secretAccessKey: first.credentials!.secretAccessKey,
    sessionToken: first.credentials!.token })
  assert.equal((await instance.sts('GetCallerIdentity')).Arn, `arn:aws:sts::${keys.account}:assumed-role/passed/${id}`)
  await assert.rejects(instance.ec2('DescribeVpcs'), code('UnauthorizedOperation'))
  await root.iam('PutRolePolicy', { RoleName: 'passed', PolicyName: 'look', PolicyDocument: document(allow('ec2:DescribeVpcs')) })
  assert.equal((await instance.ec2('DescribeVpcs')).Vpcs.length, 1)
  assert.deepEqual((await offered(id))!.credentials, first.credentials, 'they are kept until they are renewed')
  await root.iam('DeleteRolePolicy', { RoleName: 'passed', PolicyName: 'look' })
  await assert.rejects(instance.ec2('DescribeVpcs'), code('UnauthorizedOperation'))
  const [association] = (await root.ec2('DescribeIamInstanceProfileAssociations', { Filters: [{ Name: 'instance-id',
    Values: [id] }] })).IamInstanceProfileAssociations
  assert.equal(association.State, 'associated')
  await assert.rejects(root.ec2('AssociateIamInstanceProfile', { InstanceId: id, IamInstanceProfile: { Name: 'passed' } }), code('IncorrectState'))
  const next = (await root.ec2('ReplaceIamInstanceProfileAssociation', {
    AssociationId: association.AssociationId, IamInstanceProfile: { Arn: arnOf('instance-profile/passed') },
  })).IamInstanceProfileAssociation
  await assert.rejects(root.ec2('DisassociateIamInstanceProfile', { AssociationId: association.AssociationId }),
    code('InvalidAssociationID.NotFound'))
  await root.ec2('DisassociateIamInstanceProfile', { AssociationId: next.AssociationId })
  assert.equal(await offered(id), undefined)
  await bench.refuses(ec2.AssociateIamInstanceProfileCommand, [
    [{ InstanceId: id, IamInstanceProfile: { Name: 'nobody' } }, 'InvalidParameterValue'], [{ InstanceId: id, IamInstanceProfile: {} },
      'MissingParameter'],
    [{ InstanceId: id, IamInstanceProfile: { Name: 'passed', Arn: 'x' } }, 'InvalidParameterCombination'],
    [{ InstanceId: 'i-0123456789abcdef0', IamInstanceProfile: { Name: 'passed' } }, 'InvalidInstanceID.NotFound'],
  ])
  await root.ec2('AssociateIamInstanceProfile', { InstanceId: id, IamInstanceProfile: { Name: 'passed' } })
  await root.iam('UpdateAssumeRolePolicy', { RoleName: 'passed', PolicyDocument: trust({ AWS: keys.account }) })
  assert.equal((await offered(id))!.untrusted, true)
  await bench.terminate(id)
})

test('a role is assumed by whom it trusts, within what the session allows, until it is gone', async () => {
  const root = as()
  const ada = await user('ada')
  const role = { RoleName: 'work', AssumeRolePolicyDocument: trust({ AWS: arnOf('user/ada') },
    { Condition: { StringEquals: { 'sts:ExternalId': 'x' } } }) }
  const { Role } = await root.iam('CreateRole', role)
  await root.iam('AttachRolePolicy', { RoleName: 'work', PolicyArn: 'arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess' })
  const assume = { RoleArn: Role.Arn, RoleSessionName: 's1', ExternalId: 'x' }
  await assert.rejects(ada.sts('AssumeRole', { ...assume, ExternalId: 'yy' }), code('AccessDenied', /sts:AssumeRole/))
  await assert.rejects(as().sts('AssumeRole', assume), code('AccessDenied', /root accounts/))
  await assert.rejects(ada.sts('AssumeRole', { ...assume, DurationSeconds: 7200 }), code('ValidationError', /MaxSessionDuration/))
  await assert.rejects(ada.sts('AssumeRole', { ...assume, Tags: [{ Key: 'a', Value: 'b' }] }), code('AccessDenied', /sts:TagSession/))
  const given = await ada.sts('AssumeRole', assume)
  assert.equal(given.AssumedRoleUser.Arn, `arn:aws:sts::${keys.account}:assumed-role/work/s1`)
  const session = as(keysOf(given.Credentials))
  assert.ok((await session.ec2('DescribeVpcs')).Vpcs)
  await assert.rejects(session.ec2('CreateVpc', { CidrBlock: '10.0.0.0/16' }), code('UnauthorizedOperation'))
  const narrow = as(keysOf((await ada.sts('AssumeRole', { ...assume, Policy: document(allow('ec2:DescribeSubnets')) })).Credentials))
  assert.ok((await narrow.ec2('DescribeSubnets')).Subnets)
  await assert.rejects(narrow.ec2('DescribeVpcs'), code('UnauthorizedOperation', /no session policy allows/))
  // Trusting the account leaves it to the principal's own policies.
  await root.iam('UpdateAssumeRolePolicy', { RoleName: 'work', PolicyDocument: trust({ AWS: keys.account }) })
  await assert.rejects(ada.sts('AssumeRole', assume), code('AccessDenied'))
  await ada.set(allow('sts:AssumeRole', { Resource: Role.Arn }))
  assert.ok(await ada.sts('AssumeRole', assume))
  await root.iam('DetachRolePolicy', { RoleName: 'work', PolicyArn: 'arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess' })
  await assert.rejects(session.ec2('DescribeVpcs'), code('UnauthorizedOperation'))
  await root.iam('DeleteRole', { RoleName: 'work' })
  await assert.rejects(session.sts('GetCallerIdentity'), code('InvalidClientTokenId'))
})

test('a chain of roles lasts an hour, and carries transitive tags', async () => {
  const root = as()
  const eve = await user('eve')
  const tagging = (principal: object) => document({ Effect: 'Allow', Principal: principal, Action: ['sts:AssumeRole', 'sts:TagSession'] })
  await root.iam('CreateRole', { RoleName: 'one', MaxSessionDuration: 43_200, AssumeRolePolicyDocument: tagging({ AWS: arnOf('user/eve') }) })
  await root.iam('CreateRole', { RoleName: 'two', MaxSessionDuration: 43_200, AssumeRolePolicyDocument: tagging({ AWS: arnOf('role/one') }) })
  await root.iam('PutRolePolicy', {
    RoleName: 'two', PolicyName: 'p', PolicyDocument: document(allow('ec2:DescribeVpcs',
      { Condition: { StringEquals: { 'aws:PrincipalTag/team': 'red' } } })),
  })
  const assume = (who: ReturnType<typeof as>, name: string, more: object = {}) =>
    who.sts('AssumeRole', { RoleArn: arnOf(`role/${name}`), RoleSessionName: 'ss', ...more })
  const tags = { Tags: [{ Key: 'team', Value: 'red' }] }
  const one = as(keysOf((await assume(eve, 'one', { ...tags, TransitiveTagKeys: ['team'], DurationSeconds: 43_200 })).Credentials))
  await assert.rejects(assume(one, 'two', { DurationSeconds: 3601 }), code('ValidationError', /1 hour/))
  await assert.rejects(assume(one, 'two', tags), code('InvalidParameterValue', /transitive/))
  assert.ok((await as(keysOf((await assume(one, 'two')).Credentials)).ec2('DescribeVpcs')).Vpcs)
  const plain = as(keysOf((await assume(eve, 'one', tags)).Credentials))
  await assert.rejects(as(keysOf((await assume(plain, 'two')).Credentials)).ec2('DescribeVpcs'), code('UnauthorizedOperation'))
})

test('sessions may not do what their kind may not, and a federated user has what both give', async () => {
  const full = await user('full', allow('*'))
  const session = as(keysOf((await full.sts('GetSessionToken')).Credentials))
  assert.ok((await session.ec2('DescribeVpcs')).Vpcs)
  await assert.rejects(session.iam('ListUsers'), code('InvalidClientTokenId'))
  await assert.rejects(session.sts('GetSessionToken'), code('InvalidClientTokenId'))
  const federated = async (more: object) => as(keysOf((await full.sts('GetFederationToken', { Name: 'guest', ...more })).Credentials))
  await assert.rejects((await federated({})).ec2('DescribeVpcs'), code('UnauthorizedOperation', /session policy/))
  const guest = await federated({ Policy: document(allow('ec2:DescribeVpcs')) })
  assert.ok((await guest.ec2('DescribeVpcs')).Vpcs)
  assert.equal((await guest.sts('GetCallerIdentity')).Arn, `arn:aws:sts::${keys.account}:federated-user/guest`)
  await assert.rejects(guest.ec2('DescribeSubnets'), code('UnauthorizedOperation'))
})

test('groups give, boundaries bound, and a key that is off is nobody\'s', async () => {
  const root = as()
  const bob = await user('bob')
  await root.iam('CreateGroup', { GroupName: 'lookers' })
  await root.iam('AttachGroupPolicy', { GroupName: 'lookers', PolicyArn: 'arn:aws:iam::aws:policy/AmazonEC2FullAccess' })
  await assert.rejects(bob.ec2('DescribeVpcs'), code('UnauthorizedOperation'))
  await root.iam('AddUserToGroup', { GroupName: 'lookers', UserName: 'bob' })
  assert.ok((await bob.ec2('DescribeVpcs')).Vpcs)
  const { Policy } = await root.iam('CreatePolicy', { PolicyName: 'bound', PolicyDocument: document(allow('ec2:DescribeSubnets')) })
  await root.iam('PutUserPermissionsBoundary', { UserName: 'bob', PermissionsBoundary: Policy.Arn })
  await assert.rejects(bob.ec2('DescribeVpcs'), code('UnauthorizedOperation', /no permissions boundary allows/))
  assert.ok((await bob.ec2('DescribeSubnets')).Subnets)
  const version = await root.iam('CreatePolicyVersion', { PolicyArn: Policy.Arn, PolicyDocument: document(allow('ec2:DescribeVpcs')),
    SetAsDefault: true })
  assert.equal(version.PolicyVersion.VersionId, 'v2')
  assert.ok((await bob.ec2('DescribeVpcs')).Vpcs)
  await assert.rejects(root.iam('DeletePolicy', { PolicyArn: Policy.Arn }), code('DeleteConflictException'))
  const used = await root.iam('GetAccessKeyLastUsed', { AccessKeyId: bob.keys.accessKeyId })
  assert.deepEqual([used.UserName, used.AccessKeyLastUsed.ServiceName], ['bob', 'ec2'])
  await root.iam('UpdateAccessKey', { UserName: 'bob', AccessKeyId: bob.keys.accessKeyId, Status: 'Inactive' })
  await assert.rejects(bob.sts('GetCallerIdentity'), code('InvalidClientTokenId'))
  await assert.rejects(root.iam('DeleteUser', { UserName: 'bob' }), code('DeleteConflictException'))
})
