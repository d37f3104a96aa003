/** Launch templates: their versions, what is refused, and launches by them, by the SDK for JavaScript. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { GetResourcesCommand, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api'
import type { TemplateRow } from '#service/ec2/launch-template/launch-template'
import { code, openBench, type Bench } from './kit.ts'
import { keys } from './server.ts'

let bench: Bench
before(async () => { bench = await openBench() })
after(() => bench.close())

const send = (name: string, input: object): Promise<any> => bench.ec2.send(new (sdk as Record<string, any>)[`${name}Command`](input))
const create = async (LaunchTemplateName: string, LaunchTemplateData: Data, more: object = {}): Promise<string> =>
  (await send('CreateLaunchTemplate', { LaunchTemplateName, LaunchTemplateData, ...more })).LaunchTemplate.LaunchTemplateId
type Data = sdk.RequestLaunchTemplateData
const add = async (LaunchTemplateId: string, LaunchTemplateData: Data, more: object = {}): Promise<sdk.LaunchTemplateVersion> =>
  (await send('CreateLaunchTemplateVersion', { LaunchTemplateId, LaunchTemplateData, ...more })).LaunchTemplateVersion
const versions = async (input: object): Promise<number[]> =>
  (await send('DescribeLaunchTemplateVersions', input)).LaunchTemplateVersions.map((one: sdk.LaunchTemplateVersion) => one.VersionNumber)
const value = 'InvalidParameterValue'

test('a template is made with its first version, described by id, name and tag, and its name is free when it is gone', async () => {
  const Tags = [{ Key: 'team', Value: 'a' }]
  const data = { ImageId: bench.imageId, InstanceType: 't3.micro' as const }
  const made = await send('CreateLaunchTemplate', {
    LaunchTemplateName: 'web/(1)', VersionDescription: 'first', LaunchTemplateData: { ...data, UserData: '' },
    TagSpecifications: [{ ResourceType: 'launch-template', Tags }],
  })
  const { LaunchTemplateId: id, CreateTime } = made.LaunchTemplate
  assert.match(id, /^lt-[0-9a-f]{17}$/)
  const CreatedBy = `arn:aws:iam::${keys.account}:root`
  const whole = {
    LaunchTemplateId: id, LaunchTemplateName: 'web/(1)', CreateTime, CreatedBy, DefaultVersionNumber: 1, LatestVersionNumber: 1, Tags,
    Operator: { Managed: false },
  }
  assert.deepEqual([made.LaunchTemplate, made.Warning], [whole, undefined])
  for (const input of [{ LaunchTemplateIds: [id] }, { LaunchTemplateNames: ['web/(1)'] }, { Filters: [{ Name: 'tag:team', Values: ['a'] }] },
    { Filters: [{ Name: 'launch-template-name', Values: ['web*'] }] }]) {
    assert.deepEqual((await send('DescribeLaunchTemplates', input)).LaunchTemplates, [whole])
  }
  assert.deepEqual((await send('DescribeLaunchTemplateVersions', { LaunchTemplateId: id })).LaunchTemplateVersions, [{
    LaunchTemplateId: id, LaunchTemplateName: 'web/(1)', VersionNumber: 1, VersionDescription: 'first', CreateTime, CreatedBy, DefaultVersion: true,
    LaunchTemplateData: data, Operator: { Managed: false },
  }])
  const tagging = new ResourceGroupsTaggingAPIClient({ endpoint: bench.server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
  const found = await tagging.send(new GetResourcesCommand({ ResourceTypeFilters: ['ec2:launch-template'] }))
  tagging.destroy()
  assert.deepEqual(found.ResourceTagMappingList, [{ ResourceARN: `arn:aws:ec2:us-east-1:${keys.account}:launch-template/${id}`, Tags }])
  const described = await send('DescribeTags', { Filters: [{ Name: 'resource-type', Values: ['launch-template'] }] })
  assert.deepEqual(described.Tags, [{ Key: 'team', Value: 'a', ResourceId: id, ResourceType: 'launch-template' }])
  await send('CreateTags', { Resources: [id], Tags: [{ Key: 'team', Value: 'b' }] })
  assert.deepEqual((await send('DeleteLaunchTemplate', { LaunchTemplateName: 'web/(1)' })).LaunchTemplate.Tags, [{ Key: 'team', Value: 'b' }])
  await assert.rejects(send('DescribeLaunchTemplateVersions', { LaunchTemplateId: id }), code('InvalidLaunchTemplateId.NotFound'))
  await send('DeleteLaunchTemplate', { LaunchTemplateId: await create('web/(1)', data) })
})

test('a client token makes a creation one, also one of 128 characters', async () => {
  const input = { LaunchTemplateName: 'once', LaunchTemplateData: { InstanceType: 't3.micro' }, ClientToken: 'x'.repeat(128) }
  const made = [await send('CreateLaunchTemplate', input), await send('CreateLaunchTemplate', input)]
  assert.equal(made[0].LaunchTemplate.LaunchTemplateId, made[1].LaunchTemplate.LaunchTemplateId)
  await bench.refuses(sdk.CreateLaunchTemplateCommand, [
    [{ ...input, LaunchTemplateName: 'twice' }, 'IdempotentParameterMismatch'], [{ ...input, ClientToken: 'x'.repeat(129) }, value],
  ])
})

test('versions are numbered, based on each other, listed newest first and by range, and one is the default', async () => {
  const LaunchTemplateId = await create('versions', { ImageId: bench.imageId, InstanceType: 't3.micro', Monitoring: { Enabled: true } })
  const two = await add(LaunchTemplateId, { InstanceType: 't3.small' }, { SourceVersion: '$Latest', VersionDescription: 'bigger' })
  assert.deepEqual([two.VersionNumber, two.DefaultVersion, two.VersionDescription], [2, false, 'bigger'])
  assert.deepEqual(two.LaunchTemplateData, { ImageId: bench.imageId, InstanceType: 't3.small', Monitoring: { Enabled: true } })
  assert.deepEqual((await add(LaunchTemplateId, { InstanceType: 't3.nano' })).LaunchTemplateData, { InstanceType: 't3.nano' })
  await add(LaunchTemplateId, { EbsOptimized: true }, { SourceVersion: '1' })
  assert.deepEqual(await versions({ LaunchTemplateName: 'versions' }), [4, 3, 2, 1])
  assert.deepEqual(await versions({ LaunchTemplateId, MinVersion: '2', MaxVersion: '3' }), [3, 2])
  assert.deepEqual(await versions({ LaunchTemplateId, Versions: ['1', '$Latest', '$Default', '4'] }), [4, 1])
  for (const [Name, Value, found] of [['is-default-version', 'true', [1]], ['instance-type', 't3.*', [4, 3, 2, 1]], ['ebs-optimized', 'true', [4]],
    ['image-id', bench.imageId, [4, 2, 1]]] as const) {
    assert.deepEqual(await versions({ LaunchTemplateId, Filters: [{ Name, Values: [Value] }] }), found, Name)
  }
  const page = await send('DescribeLaunchTemplateVersions', { LaunchTemplateId, MaxResults: 3 })
  assert.deepEqual(page.LaunchTemplateVersions.map((one: sdk.LaunchTemplateVersion) => one.VersionNumber), [4, 3, 2])
  assert.deepEqual(await versions({ LaunchTemplateId, MaxResults: 3, NextToken: page.NextToken }), [1])
  const others = { LaunchTemplateId, MinVersion: '1', NextToken: page.NextToken }
  await bench.refuses(sdk.DescribeLaunchTemplateVersionsCommand, [[others, 'InvalidNextToken']])

  const { LaunchTemplate } = await send('ModifyLaunchTemplate', { LaunchTemplateId, DefaultVersion: '3' })
  assert.deepEqual([LaunchTemplate.DefaultVersionNumber, LaunchTemplate.LatestVersionNumber], [3, 4])
  const gone = await send('DeleteLaunchTemplateVersions', { LaunchTemplateId, Versions: ['3', '4', '9'] })
  assert.deepEqual(gone.SuccessfullyDeletedLaunchTemplateVersions, [{ LaunchTemplateId, LaunchTemplateName: 'versions', VersionNumber: 4 }])
  assert.deepEqual(gone.UnsuccessfullyDeletedLaunchTemplateVersions.map((one: sdk.DeleteLaunchTemplateVersionsResponseErrorItem) =>
    [one.VersionNumber, one.ResponseError!.Code]), [[3, 'unexpectedError'], [9, 'launchTemplateVersionDoesNotExist']])
  assert.deepEqual(await versions({ LaunchTemplateId, Versions: ['$Latest'] }), [3])
  assert.equal((await add(LaunchTemplateId, { InstanceType: 't3.micro' })).VersionNumber, 5)
  const other = await create('other', { InstanceType: 't3.micro' })
  const newest = (await send('DescribeLaunchTemplateVersions', { Versions: ['$Latest', '$Default'] })).LaunchTemplateVersions
    .filter((one: sdk.LaunchTemplateVersion) => [LaunchTemplateId, other].includes(one.LaunchTemplateId!))
  assert.deepEqual(newest.map((one: sdk.LaunchTemplateVersion) => `${one.LaunchTemplateName} ${one.VersionNumber}`).sort(),
    ['other 1', 'versions 3', 'versions 5'])
})

test('what AWS refuses of templates is refused with its codes and words', async () => {
  const LaunchTemplateData = { InstanceType: 't3.micro' as const }
  const LaunchTemplateId = await create('strict', LaunchTemplateData)
  const nobody = { LaunchTemplateName: 'nobody' }
  const [noName, noVersion] = ['InvalidLaunchTemplateName.NotFoundException', 'InvalidLaunchTemplateId.VersionNotFound']
  const missing = 'MissingParameter'
  const both = { LaunchTemplateId, LaunchTemplateName: 'strict' }
  const named = (LaunchTemplateName: string, more: object = {}) => ({ LaunchTemplateName, LaunchTemplateData, ...more })
  const malformed = 'InvalidLaunchTemplateName.MalformedException'
  const many = (length: number) => 'x'.repeat(length)
  await bench.refuses(sdk.CreateLaunchTemplateCommand, [
    [named('strict'), 'InvalidLaunchTemplateName.AlreadyExistsException', /^Launch template name already in use\.$/],
    [named('ab'), malformed], [named(many(129)), malformed], [named('a b c'), malformed],
    [{ LaunchTemplateName: 'new', LaunchTemplateData: {} }, missing],
    [named('new', { VersionDescription: many(256) }), value], [named('new', { Operator: { Principal: 'x' } }), value],
    [named('new', { LaunchTemplateData: { UserData: '#!/bin/sh' } }), 'InvalidUserData.Malformed'],
    [named('new', { LaunchTemplateData: { InstanceType: 't3.micro', InstanceRequirements: { VCpuCount: { Min: 1 }, MemoryMiB: { Min: 1 } } } }),
      'InvalidParameterCombination'],
    [named('new', { LaunchTemplateData: { TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'aws:x', Value: '' }] }] } }), value],
    [named('new', { TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'a', Value: '' }] }] }), value],
  ])
  await bench.refuses(sdk.CreateLaunchTemplateVersionCommand, [
    [{ ...nobody, LaunchTemplateData }, noName], [{ LaunchTemplateData }, missing], [{ ...both, LaunchTemplateData }, 'InvalidParameterCombination'],
    [{ LaunchTemplateId, LaunchTemplateData, SourceVersion: '7' }, noVersion], [{ LaunchTemplateId, LaunchTemplateData, SourceVersion: 'x' }, value],
    [{ LaunchTemplateId, LaunchTemplateData: { Operator: { Principal: 'x' } } }, 'UnsupportedOperation'],
  ])
  await bench.refuses(sdk.DescribeLaunchTemplatesCommand, [
    [{ LaunchTemplateNames: ['strict', 'nobody'] }, noName, /^At least one of the launch templates specified in the request does not exist\.$/],
    [{ LaunchTemplateIds: ['lt-0123456789abcdef0'] }, 'InvalidLaunchTemplateId.NotFound',
      /^The specified launch template, with template ID lt-0123456789abcdef0, does not exist\.$/],
    [{ LaunchTemplateIds: ['lt-x'] }, 'InvalidLaunchTemplateId.Malformed'],
  ])
  await bench.refuses(sdk.DescribeLaunchTemplateVersionsCommand, [
    [nobody, noName, /^The specified launch template, with template name nobody, does not exist\.$/], [{}, missing, /‘--versions’/],
    [{ Versions: ['1'] }, value, /‘\$Latest’/], [{ LaunchTemplateId, Versions: ['3'] }, noVersion,
      new RegExp(`^Could not find the specified version 3 for the launch template with ID ${LaunchTemplateId}\\.$`)],
    [{ LaunchTemplateId, Versions: ['0'] }, value], [{ LaunchTemplateId, Versions: ['1'], MinVersion: '1' }, 'InvalidParameterCombination'],
  ])
  await bench.refuses(sdk.ModifyLaunchTemplateCommand, [
    [{ ...both, DefaultVersion: '1' }, 'InvalidParameterCombination',
      /^Either provide launch template ID or launch template name to modify the template\.$/],
    [{ LaunchTemplateId, DefaultVersion: '2' }, noVersion, /^The launch template version 2 is not found for the specified launch template\.$/],
    [{ DefaultVersion: '1' }, missing], [{ ...nobody, DefaultVersion: '1' }, noName],
  ])
  await bench.refuses(sdk.DeleteLaunchTemplateCommand, [[{}, missing, /launch template ID or launch template name$/], [nobody, noName]])
  await bench.refuses(sdk.DeleteLaunchTemplateVersionsCommand, [
    [{ LaunchTemplateId, Versions: ['x'] }, value], [{ ...nobody, Versions: ['1'] }, noName],
    [{ LaunchTemplateId, Versions: Array.from({ length: 201 }, (_, i) => `${i + 1}`) }, value],
  ])
  await bench.refuses(sdk.GetLaunchTemplateDataCommand, [[{ InstanceId: 'i-0123456789abcdef0' }, 'InvalidInstanceID.NotFound']])
})

test('a template has no more than 10,000 versions', async () => {
  const LaunchTemplateId = await create('full', { InstanceType: 't3.micro' })
  const { store } = bench.server
  const row = (await store.get<TemplateRow>('launch-template', LaunchTemplateId))!
  await store.transact(tx => tx.put({ ...row, spec: { ...row.spec, count: 10_000 } }, 'modified'))
  const one = { LaunchTemplateId, LaunchTemplateData: { InstanceType: 't3.nano' } }
  await bench.refuses(sdk.CreateLaunchTemplateVersionCommand, [[one, 'ResourceLimitExceeded', /versions of this launch template/]])
})

test('what can\'t be launched is kept with a warning, and refused by the launch as RunInstances refuses it', async () => {
  const made = await send('CreateLaunchTemplate', {
    LaunchTemplateName: 'spot', LaunchTemplateData: {
      ImageId: 'ami-0123456789abcdef0', InstanceType: 'm1.small', KeyName: 'nobody', SecurityGroupIds: ['sg-0123456789abcdef0'],
      NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: 'subnet-0123456789abcdef0' }],
      InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { ValidUntil: new Date('2030-01-01T00:00:00Z') } },
    },
  })
  assert.deepEqual(made.Warning.Errors.map((one: sdk.ValidationError) => one.Code), [
    'UnsupportedOperation', 'InvalidAMIID.NotFound', value, 'InvalidKeyPair.NotFound', 'InvalidGroup.NotFound', 'InvalidSubnetID.NotFound',
  ])
  const { LaunchTemplateId } = made.LaunchTemplate
  const [kept] = (await send('DescribeLaunchTemplateVersions', { LaunchTemplateId })).LaunchTemplateVersions
  assert.deepEqual(kept.LaunchTemplateData.InstanceMarketOptions.SpotOptions.ValidUntil, new Date('2030-01-01T00:00:00Z'))
  const by = (Version: string) => ({ LaunchTemplate: { LaunchTemplateId, Version }, MinCount: 1, MaxCount: 1 })
  await add(LaunchTemplateId, { InstanceType: 't3.micro' })
  await add(LaunchTemplateId, { InstanceRequirements: { VCpuCount: { Min: 1 }, MemoryMiB: { Min: 1 } }, ImageId: bench.imageId })
  await add(LaunchTemplateId, { ImageId: bench.imageId, InstanceType: 't3.micro', NetworkInterfaces: [{ DeviceIndex: 0 }] })
  const TagSpecifications = [{ ResourceType: 'vpc' as const, Tags: [{ Key: 'a' }] }]
  await add(LaunchTemplateId, { ImageId: bench.imageId, InstanceType: 't3.micro', TagSpecifications })
  await bench.refuses(sdk.RunInstancesCommand, [
    [by('1'), 'UnsupportedOperation', /InstanceMarketOptions/], [by('2'), 'MissingParameter', /ImageId/],
    [by('3'), 'UnsupportedOperation', /InstanceRequirements/],
    [{ ...by('4'), SecurityGroups: ['default'] }, 'InvalidParameterCombination', /instance-level security groups/], [by('5'), value, /vpc/],
    [by('9'), 'InvalidLaunchTemplateId.VersionNotFound'], [by('x'), value],
    [{ ...by('1'), LaunchTemplate: {} }, 'MissingParameter'],
    [{ ...by('1'), LaunchTemplate: { LaunchTemplateId, LaunchTemplateName: 'spot' } }, 'InvalidParameterCombination'],
    [{ ...by('1'), LaunchTemplate: { LaunchTemplateName: 'nobody' } }, 'InvalidLaunchTemplateName.NotFoundException'],
    [{ ...by('1'), LaunchTemplate: { LaunchTemplateId: 'lt-0123456789abcdef0' } }, 'InvalidLaunchTemplateId.NotFound'],
  ])
})

test('an instance is launched as its template says, with the request over it, and bears the template\'s marks', async () => {
  await send('CreateKeyPair', { KeyName: 'by-template' })
  const { GroupId } = await send('CreateSecurityGroup', { GroupName: 'by-template', Description: 'x' })
  const UserData = Buffer.from('#!/bin/sh\n').toString('base64')
  const tags = (ResourceType: string, ...keys: string[]) => ({ ResourceType, Tags: keys.map(key => ({ Key: key, Value: `${ResourceType} ${key}` })) })
  const LaunchTemplateId = await create('launch', {
    ImageId: bench.imageId, InstanceType: 't3.micro', KeyName: 'by-template', UserData, DisableApiTermination: false, EbsOptimized: true,
    MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 }, InstanceInitiatedShutdownBehavior: 'terminate',
    NetworkInterfaces: [{ DeviceIndex: 0, Groups: [GroupId], AssociatePublicIpAddress: false, Description: 'of the template' }],
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 10, VolumeType: 'gp3' } }],
    TagSpecifications: [tags('instance', 'Name', 'Owner'), tags('volume', 'Name')] as sdk.LaunchTemplateTagSpecificationRequest[],
  })
  await add(LaunchTemplateId, { InstanceType: 't3.nano' }, { SourceVersion: '1' })
  const input = {
    LaunchTemplate: { LaunchTemplateName: 'launch' }, MinCount: 1, MaxCount: 1, InstanceType: 't3.small', ClientToken: 'by-template',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvdb', Ebs: { VolumeSize: 2 } }],
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Owner', Value: 'request' }] }],
  }
  const { Instances: [first] } = await send('RunInstances', input)
  assert.equal((await send('RunInstances', input)).Instances[0].InstanceId, first.InstanceId)
  const one = await bench.until(first.InstanceId, 'running')
  assert.partialDeepStrictEqual(one, {
    InstanceType: 't3.small', KeyName: 'by-template', EbsOptimized: true, SecurityGroups: [{ GroupId }],
    MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 },
    Tags: [{ Key: 'Name', Value: 'instance Name' }, { Key: 'Owner', Value: 'request' }, { Key: 'aws:ec2launchtemplate:id', Value: LaunchTemplateId },
      { Key: 'aws:ec2launchtemplate:version', Value: '1' }],
  })
  assert.deepEqual([one.PublicIpAddress, one.NetworkInterfaces![0]!.Description], [undefined, 'of the template'])
  const { Volumes } = await send('DescribeVolumes', { VolumeIds: one.BlockDeviceMappings!.map(each => each.Ebs!.VolumeId) })
  assert.deepEqual(Volumes.map((each: sdk.Volume) => [each.Attachments![0]!.Device, each.Size, each.Tags]).sort(), [
    ['/dev/xvda', 10, [{ Key: 'Name', Value: 'volume Name' }]], ['/dev/xvdb', 2, [{ Key: 'Name', Value: 'volume Name' }]],
  ])
  const attribute = async (Attribute: string) => send('DescribeInstanceAttribute', { InstanceId: first.InstanceId, Attribute })
  assert.equal((await attribute('userData')).UserData.Value, UserData)
  assert.equal((await attribute('instanceInitiatedShutdownBehavior')).InstanceInitiatedShutdownBehavior.Value, 'terminate')
  await bench.refuses(sdk.DeleteTagsCommand, [[{ Resources: [first.InstanceId], Tags: [{ Key: 'aws:ec2launchtemplate:id' }] }, value]])
  const { Instances: [latest] } = await send('RunInstances', { LaunchTemplate: { LaunchTemplateId, Version: '$Latest' }, MinCount: 1, MaxCount: 1 })
  assert.equal(latest.InstanceType, 't3.nano')
  assert.ok(latest.Tags.some((tag: sdk.Tag) => tag.Key === 'aws:ec2launchtemplate:version' && tag.Value === '2'))
  await bench.terminate(first.InstanceId, latest.InstanceId)
})

test('the data of an instance make a template, from which another one like it is launched', async () => {
  const one = await bench.launch({
    MetadataOptions: { HttpTokens: 'required' }, CreditSpecification: { CpuCredits: 'standard' },
    BlockDeviceMappings: [{ DeviceName: '/dev/xvdb', Ebs: { VolumeSize: 1, VolumeType: 'gp3' } }],
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'model' }] }],
  })
  const { LaunchTemplateData: data } = await send('GetLaunchTemplateData', { InstanceId: one.InstanceId })
  const [port] = data.NetworkInterfaces
  assert.partialDeepStrictEqual(data, {
    ImageId: bench.imageId, InstanceType: 't3.micro', CreditSpecification: { CpuCredits: 'standard' }, MetadataOptions: { HttpTokens: 'required' },
    Placement: { AvailabilityZone: one.Placement!.AvailabilityZone, Tenancy: 'default' }, InstanceInitiatedShutdownBehavior: 'stop',
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'model' }] }],
  })
  assert.deepEqual(data.BlockDeviceMappings.map((each: sdk.LaunchTemplateBlockDeviceMapping) => [each.DeviceName, each.Ebs!.VolumeType]),
    [['/dev/xvda', data.BlockDeviceMappings[0].Ebs.VolumeType], ['/dev/xvdb', 'gp3']])
  assert.deepEqual([port.NetworkInterfaceId, port.PrivateIpAddress], [one.NetworkInterfaces![0]!.NetworkInterfaceId, one.PrivateIpAddress])
  const { NetworkInterfaceId: _, PrivateIpAddress: __, PrivateIpAddresses: ___, ...free } = port
  const LaunchTemplateId = await create('model', { ...data, NetworkInterfaces: [free] })
  const { Instances: [other] } = await send('RunInstances', { LaunchTemplate: { LaunchTemplateId }, MinCount: 1, MaxCount: 1 })
  const twin = await bench.until(other.InstanceId, 'running')
  assert.deepEqual([twin.InstanceType, twin.SubnetId, twin.BlockDeviceMappings!.length, twin.PublicIpAddress !== undefined],
    [one.InstanceType, one.SubnetId, 2, one.PublicIpAddress !== undefined])
  await bench.terminate(one.InstanceId!, other.InstanceId)
})
