/** Key pairs, security groups and tags: what succeeds, what is refused, and that a refusal changes nothing. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { code, openBench, type Bench } from './kit.ts'

let bench: Bench
before(async () => { bench = await openBench() })
after(() => bench.close())

const send = (name: string, input: object): Promise<any> => bench.ec2.send(new (sdk as Record<string, any>)[`${name}Command`](input))
const group = async (GroupName: string): Promise<string> => (await send('CreateSecurityGroup', { GroupName, Description: 'x' })).GroupId
const value = 'InvalidParameterValue'

test('key pairs of both types and formats are created, and ssh-keygen agrees on their fingerprints', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-keys-'))
  try {
    for (const KeyType of ['rsa', 'ed25519'] as const) {
      const { KeyMaterial, KeyFingerprint } = await send('CreateKeyPair', { KeyName: KeyType, KeyType })
      const file = join(dir, KeyType)
      writeFileSync(file, KeyMaterial, { mode: 0o600 })
      const line = execFileSync('ssh-keygen', ['-l', '-E', 'sha256', '-f', file]).toString()
      if (KeyType === 'ed25519') assert.equal(KeyFingerprint.replace(/=+$/, ''), line.split(' ')[1]!.replace('SHA256:', ''))
      else assert.match(KeyFingerprint, /^([0-9a-f]{2}:){19}[0-9a-f]{2}$/)
      const { KeyMaterial: ppk } = await send('CreateKeyPair', { KeyName: `${KeyType}-ppk`, KeyType, KeyFormat: 'ppk' })
      assert.match(ppk, /^PuTTY-User-Key-File-\d: /)
    }
  } finally {
    rmSync(dir, { recursive: true })
  }
  const { KeyPairs } = await send('DescribeKeyPairs', { KeyNames: ['rsa', 'ed25519-ppk'] })
  assert.deepEqual(KeyPairs.map((k: sdk.KeyPairInfo) => k.KeyName).sort(), ['ed25519-ppk', 'rsa'])
})

test('key pairs that AWS refuses', async () => {
  await bench.refuses(sdk.CreateKeyPairCommand, [
    [{ KeyName: 'rsa' }, 'InvalidKeyPair.Duplicate'], [{ KeyName: '' }, value], [{ KeyName: 'x'.repeat(256) }, value], [{ KeyName: 'é' }, value],
    [{ KeyName: 'new', KeyType: 'dsa' }, value], [{ KeyName: 'new', KeyFormat: 'der' }, value],
    [{ KeyName: 'new', TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'a', Value: 'b' }] }] }, value],
  ])
  await bench.refuses(sdk.ImportKeyPairCommand, [
    [{ KeyName: 'new', PublicKeyMaterial: Buffer.from('nonsense') }, 'InvalidKey.Format'],
    [{ KeyName: 'new', PublicKeyMaterial: Buffer.from('ssh-rsa AAAA') }, 'InvalidKey.Format'],
    [{ KeyName: 'new', PublicKeyMaterial: Buffer.alloc(0) }, 'InvalidKey.Format'],
  ])
  await bench.refuses(sdk.DescribeKeyPairsCommand, [
    [{ KeyNames: ['nobody'] }, 'InvalidKeyPair.NotFound'], [{ KeyPairIds: ['key-0123456789abcdef0'] }, 'InvalidKeyPair.NotFound'],
  ])
  await bench.refuses(sdk.DeleteKeyPairCommand, [[{}, 'MissingParameter']])
  assert.equal((await send('DeleteKeyPair', { KeyName: 'nobody' })).Return, true)
})

test('groups and rules that AWS refuses, the whole request with them', async () => {
  const GroupId = await group('strict')
  const plain = { IpProtocol: 'tcp', FromPort: 1, ToPort: 1, IpRanges: [{ CidrIp: '10.0.0.0/8' }] }
  const rule = (more: object) => ({ GroupId, IpPermissions: [{ ...plain, ...more }] })
  await bench.refuses(sdk.CreateSecurityGroupCommand, [
    [{ GroupName: 'strict', Description: 'x' }, 'InvalidGroup.Duplicate'], [{ GroupName: 'default', Description: 'x' }, 'InvalidGroup.Reserved'],
    [{ GroupName: 'sg-x', Description: 'x' }, value], [{ GroupName: 'x', Description: 'é' }, value],
    [{ GroupName: 'x'.repeat(256), Description: 'x' }, value],
  ])
  const blocks = ['10.0.0.0', '10.0.0.0/33', '10.0.0/8', '256.0.0.0/8', 'x/8', '10.0.0.0/-1', '10.0.0.0/08x', '0x0a.0.0.0/8', ' 10.0.0.0/8',
    '::/0', '']
  await bench.refuses(sdk.AuthorizeSecurityGroupIngressCommand, [
    ...blocks.map(CidrIp => [rule({ IpRanges: [{ CidrIp: '192.0.2.0/24' }, { CidrIp }] }), value] as [object, string]),
    ...['::/129', '10.0.0.0/8', ':::/0', 'g::/8'].map(CidrIpv6 => [rule({ Ipv6Ranges: [{ CidrIpv6 }] }), value] as [object, string]),
    [rule({ FromPort: 2 }), value], [rule({ ToPort: 65_536 }), value], [rule({ FromPort: -2 }), value], [rule({ IpProtocol: 'tpc' }), value],
    [rule({ IpProtocol: '300' }), value], [rule({ IpRanges: [{ CidrIp: '10.0.0.0/8', Description: 'x'.repeat(256) }] }), value],
    [rule({ IpRanges: [{ CidrIp: '10.0.0.0/8' }, { CidrIp: '10.1.0.0/8' }] }), value],
    [rule({ UserIdGroupPairs: [{ GroupId: 'sg-0123456789abcdef0' }] }), 'InvalidGroup.NotFound'],
    [rule({ UserIdGroupPairs: [{ GroupId: 'nonsense' }] }), 'InvalidGroupId.Malformed'],
    [rule({ PrefixListIds: [{ PrefixListId: 'pl-0123456789abcdef0' }] }), 'InvalidPrefixListID.NotFound'],
    [rule({ IpRanges: Array.from({ length: 61 }, (_, i) => ({ CidrIp: `10.0.${i}.0/24` })) }), 'RulesPerSecurityGroupLimitExceeded'],
    [{ GroupId }, 'MissingParameter'], [{ GroupId, IpPermissions: [{ IpProtocol: 'tcp', FromPort: 1, ToPort: 1 }] }, 'MissingParameter'],
    [{ GroupName: 'nobody', IpProtocol: 'tcp', FromPort: 1, ToPort: 1, CidrIp: '10.0.0.0/8' }, 'InvalidGroup.NotFound'],
  ])
  await bench.refuses(sdk.AuthorizeSecurityGroupEgressCommand, [
    [{ GroupId, IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }] }, 'InvalidPermission.Duplicate'],
  ])
  await bench.refuses(sdk.RevokeSecurityGroupIngressCommand, [
    [rule({}), 'InvalidPermission.NotFound'], [{ GroupId, SecurityGroupRuleIds: ['sgr-0123456789abcdef0'] }, 'InvalidSecurityGroupRuleId.NotFound'],
  ])
  await send('DeleteSecurityGroup', { GroupId })
})

test('a group in use is kept, whoever uses it', async () => {
  const [used, peer] = [await group('used'), await group('peer')]
  const { InstanceId } = await bench.launch({ SecurityGroupIds: [used] })
  const allow = { GroupId: used, IpPermissions: [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: peer }] }] }
  await send('AuthorizeSecurityGroupIngress', allow)
  const [first] = (await send('DescribeSecurityGroups', { GroupNames: ['default'] })).SecurityGroups
  await bench.refuses(sdk.DeleteSecurityGroupCommand, [
    [{ GroupId: used }, 'DependencyViolation'], [{ GroupId: peer }, 'DependencyViolation'], [{ GroupId: first.GroupId }, 'CannotDelete'],
    [{ GroupName: 'nobody' }, 'InvalidGroup.NotFound'], [{}, 'MissingParameter'],
  ])
  await bench.terminate(InstanceId!)
  await send('RevokeSecurityGroupIngress', allow)
  for (const GroupId of [used, peer]) await send('DeleteSecurityGroup', { GroupId })
})

test('tags come and go on every kind of resource, all or none', async () => {
  const { InstanceId, NetworkInterfaces, BlockDeviceMappings, SubnetId, SecurityGroups } = await bench.launch()
  const [table] = (await send('DescribeRouteTables', {})).RouteTables
  const [key] = (await send('DescribeKeyPairs', {})).KeyPairs
  const Resources = [
    InstanceId, NetworkInterfaces![0]!.NetworkInterfaceId, BlockDeviceMappings![0]!.Ebs!.VolumeId, SubnetId, bench.vpcId, SecurityGroups![0]!.GroupId,
    table.RouteTableId, key.KeyPairId,
  ]
  const tagged = async () => (await send('DescribeTags', { Filters: [{ Name: 'key', Values: ['colour'] }] })).Tags as sdk.TagDescription[]
  await send('CreateTags', { Resources, Tags: [{ Key: 'colour', Value: 'red' }] })
  assert.deepEqual((await tagged()).map(t => t.ResourceId).sort(), [...Resources].sort())
  await send('CreateTags', { Resources: [InstanceId], Tags: [{ Key: 'colour', Value: 'blue' }] })
  assert.equal((await tagged()).find(t => t.ResourceId === InstanceId)!.Value, 'blue')
  const many = (count: number) => Array.from({ length: count }, (_, i) => ({ Key: `k${i}`, Value: '' }))
  await bench.refuses(sdk.CreateTagsCommand, [
    [{ Resources: [InstanceId, 'i-0123456789abcdef0'], Tags: many(1) }, 'InvalidInstanceID.NotFound'],
    [{ Resources: [InstanceId, 'nonsense'], Tags: many(1) }, 'InvalidID'], [{ Resources: [InstanceId], Tags: many(50) }, 'TagLimitExceeded'],
    [{ Resources: [InstanceId], Tags: [{ Key: 'aws:a', Value: '' }] }, value], [{ Resources: [InstanceId], Tags: [{ Key: '', Value: '' }] }, value],
    [{ Resources: [InstanceId], Tags: [{ Key: 'x'.repeat(129), Value: '' }] }, value],
    [{ Resources: [InstanceId], Tags: [{ Key: 'a', Value: 'x'.repeat(257) }] }, value],
    [{ Resources: [InstanceId], Tags: [] }, 'MissingParameter'], [{ Resources: [], Tags: many(1) }, 'MissingParameter'],
    [{ Resources: [bench.imageId], Tags: many(1) }, 'UnsupportedOperation'],
  ])
  await send('DeleteTags', { Resources, Tags: [{ Key: 'colour', Value: 'red' }] })
  assert.deepEqual((await tagged()).map(t => [t.ResourceId, t.Value]), [[InstanceId, 'blue']])
  await send('DeleteTags', { Resources: [InstanceId] })
  assert.deepEqual(await tagged(), [])
  await bench.terminate(InstanceId!)
})

test('an instance\'s attributes are changed where its state allows', async () => {
  const { InstanceId } = await bench.launch()
  const modify = (more: object) => ({ InstanceId, ...more })
  await bench.refuses(sdk.ModifyInstanceAttributeCommand, [
    [modify({}), 'InvalidParameterCombination'], [modify({ Attribute: 'userData' }), 'InvalidParameterCombination'],
    [modify({ Groups: [] }), 'InvalidParameterCombination'],
    [modify({ DisableApiStop: { Value: true }, DisableApiTermination: { Value: true } }), 'InvalidParameterCombination'],
    [modify({ InstanceType: { Value: 't3.small' } }), 'IncorrectInstanceState'],
    [modify({ UserData: { Value: Buffer.from('x') } }), 'IncorrectInstanceState'],
    [modify({ EbsOptimized: { Value: true } }), 'IncorrectInstanceState'], [modify({ Kernel: { Value: 'aki-1' } }), 'UnsupportedOperation'],
    [modify({ InstanceInitiatedShutdownBehavior: { Value: 'x' } }), value], [modify({ Attribute: 'nonsense', Value: 'x' }), value],
    [modify({ Groups: ['sg-0123456789abcdef0'] }), 'InvalidGroup.NotFound'],
    [modify({ BlockDeviceMappings: [{ DeviceName: '/dev/sdz', Ebs: { DeleteOnTermination: false } }] }), 'InvalidInstanceAttributeValue'],
  ])
  await bench.refuses(sdk.DescribeInstanceAttributeCommand, [[modify({ Attribute: 'nonsense' }), value]])
  await send('ModifyInstanceAttribute', modify({ SourceDestCheck: { Value: false } }))
  assert.equal((await bench.one(InstanceId!)).NetworkInterfaces![0]!.SourceDestCheck, false)
  await send('ModifyInstanceAttribute', modify({ InstanceInitiatedShutdownBehavior: { Value: 'terminate' } }))
  await send('ModifyInstanceAttribute', modify({ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } }] }))
  assert.equal((await bench.one(InstanceId!)).BlockDeviceMappings![0]!.Ebs!.DeleteOnTermination, false)
  await send('ModifyInstanceAttribute', modify({ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: true } }] }))
  for (const Attribute of Object.values(sdk.InstanceAttributeName)) {
    assert.equal((await send('DescribeInstanceAttribute', { InstanceId, Attribute })).InstanceId, InstanceId, Attribute)
  }
  await bench.terminate(InstanceId!)
  for (const name of ['StartInstances', 'StopInstances', 'RebootInstances']) {
    await assert.rejects(send(name, { InstanceIds: [InstanceId] }), code('IncorrectInstanceState'), name)
  }
  const again = await send('TerminateInstances', { InstanceIds: [InstanceId] })
  assert.equal(again.TerminatingInstances[0].CurrentState.Name, 'terminated')
})

test('credits are changed instance by instance; one that has none is told apart', async () => {
  const [burst, fixed] = [await bench.launch(), await bench.launch({ InstanceType: 'm5.large' })]
  const ids = [burst.InstanceId, fixed.InstanceId, 'i-0123456789abcdef0', 'nonsense']
  const answer = await send('ModifyInstanceCreditSpecification', {
    InstanceCreditSpecifications: ids.map(InstanceId => ({ InstanceId, CpuCredits: 'standard' })),
  })
  assert.deepEqual(answer.SuccessfulInstanceCreditSpecifications, [{ InstanceId: burst.InstanceId }])
  assert.deepEqual(answer.UnsuccessfulInstanceCreditSpecifications.map((u: any) => u.Error.Code),
    ['InstanceCreditSpecification.NotSupported', 'InvalidInstanceID.NotFound', 'InvalidInstanceID.Malformed'])
  await bench.refuses(sdk.ModifyInstanceCreditSpecificationCommand, [
    [{ InstanceCreditSpecifications: [{ InstanceId: burst.InstanceId, CpuCredits: 'nonsense' }] }, value],
  ])
  await bench.terminate(burst.InstanceId!, fixed.InstanceId!)
})
