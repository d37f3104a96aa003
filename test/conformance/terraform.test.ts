/**
 * What Terraform's AWS provider asks for while it creates, refreshes, changes and destroys, call by call, by the SDK for JavaScript.
 *
 * The order of calls and the members read are those of hashicorp/terraform-provider-aws, internal/service/ec2: ec2_instance.go,
 * ec2_key_pair.go, vpc_security_group.go, vpc_security_group_ingress_rule.go and errors.go (what counts as gone).
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { code, openBench, stateOf, type Bench } from './kit.ts'

let bench: Bench
let ec2: sdk.EC2Client
before(async () => { bench = await openBench(); ec2 = bench.ec2 })
after(() => bench.close())

const ssh = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8Gcx2C3GLX1x4Vb0Vf4hoVgO5n9NQ0bNl0XyQXjtTq deployer'

/** aws_security_group: its creation as far as the first refresh. */
async function createGroup(name: string): Promise<string> {
  const { GroupId } = await ec2.send(new sdk.CreateSecurityGroupCommand({
    GroupName: name, Description: 'Managed by Terraform', VpcId: bench.vpcId,
    TagSpecifications: [{ ResourceType: 'security-group', Tags: [{ Key: 'Name', Value: name }] }],
  }))
  const read = async () => (await ec2.send(new sdk.DescribeSecurityGroupsCommand({ GroupIds: [GroupId!] }))).SecurityGroups!
  assert.equal((await read()).length, 1)
  const revoke = (peer: object) => ec2.send(new sdk.RevokeSecurityGroupEgressCommand({
    GroupId, IpPermissions: [{ IpProtocol: '-1', FromPort: 0, ToPort: 0, ...peer }],
  }))
  await revoke({ IpRanges: [{ CidrIp: '0.0.0.0/0' }] })
  await assert.rejects(revoke({ Ipv6Ranges: [{ CidrIpv6: '::/0' }] }), code('InvalidPermission.NotFound'))
  await ec2.send(new sdk.AuthorizeSecurityGroupIngressCommand({
    GroupId, IpPermissions: [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'HTTP' }] }],
  }))
  await ec2.send(new sdk.AuthorizeSecurityGroupEgressCommand({
    GroupId, IpPermissions: [{ IpProtocol: '-1', FromPort: 0, ToPort: 0, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  }))
  const [group] = await read()
  assert.deepEqual([group!.OwnerId, group!.VpcId, group!.Tags], ['123456789012', bench.vpcId, [{ Key: 'Name', Value: name }]])
  assert.deepEqual(group!.IpPermissions![0]!.IpRanges, [{ CidrIp: '0.0.0.0/0', Description: 'HTTP' }])
  assert.deepEqual(group!.IpPermissionsEgress!.map(p => [p.IpProtocol, p.FromPort]), [['-1', undefined]])
  return GroupId!
}

async function destroyGroup(GroupId: string): Promise<void> {
  const left = await ec2.send(new sdk.DescribeNetworkInterfacesCommand({
    Filters: [{ Name: 'group-id', Values: [GroupId] }, { Name: 'description', Values: ['AWS Lambda VPC ENI*'] }],
  }))
  assert.deepEqual(left.NetworkInterfaces, [])
  await ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId }))
  await assert.rejects(ec2.send(new sdk.DescribeSecurityGroupsCommand({ GroupIds: [GroupId] })), code('InvalidGroup.NotFound'))
}

/** aws_instance: everything that one refresh reads, as the provider would put it into its state. */
async function refresh(id: string) {
  const { Reservations } = await ec2.send(new sdk.DescribeInstancesCommand({ InstanceIds: [id] }))
  const instance = Reservations![0]!.Instances![0]!
  const { InstanceTypes } = await ec2.send(new sdk.DescribeInstanceTypesCommand({ InstanceTypes: [instance.InstanceType!] }))
  const tag = (Key: string) => ec2.send(new sdk.DescribeTagsCommand({
    Filters: [{ Name: 'resource-id', Values: [id] }, { Name: 'key', Values: [Key] }],
  }))
  assert.deepEqual((await tag('aws:ec2launchtemplate:id')).Tags, [])
  const attribute = (Attribute: sdk.InstanceAttributeName) =>
    ec2.send(new sdk.DescribeInstanceAttributeCommand({ InstanceId: id, Attribute }))
  const VolumeIds = instance.BlockDeviceMappings!.map(m => m.Ebs!.VolumeId!)
  const { Volumes } = await ec2.send(new sdk.DescribeVolumesCommand({ VolumeIds }))
  const { Images } = await ec2.send(new sdk.DescribeImagesCommand({ ImageIds: [instance.ImageId!] }))
  const { Vpcs } = await ec2.send(new sdk.DescribeVpcsCommand({ VpcIds: [instance.VpcId!] }))
  const burstable = InstanceTypes![0]!.BurstablePerformanceSupported
  const credits = burstable
    ? await ec2.send(new sdk.DescribeInstanceCreditSpecificationsCommand({ InstanceIds: [id] })) : undefined
  const primary = instance.NetworkInterfaces!.find(i => i.Attachment!.DeviceIndex === 0)!
  return {
    state: instance.State!.Name, az: instance.Placement!.AvailabilityZone, tenancy: instance.Placement!.Tenancy,
    cores: instance.CpuOptions!.CoreCount, threads: instance.CpuOptions!.ThreadsPerCore, hibernation: instance.HibernationOptions!.Configured,
    enclave: instance.EnclaveOptions!.Enabled, recovery: instance.MaintenanceOptions!.AutoRecovery,
    metadata: { tokens: instance.MetadataOptions!.HttpTokens, hops: instance.MetadataOptions!.HttpPutResponseHopLimit },
    hostname: instance.PrivateDnsNameOptions!.HostnameType, reservation: instance.CapacityReservationSpecification!.CapacityReservationPreference,
    monitoring: instance.Monitoring!.State, ebsOptimized: instance.EbsOptimized, check: instance.SourceDestCheck, key: instance.KeyName,
    groups: instance.SecurityGroups!.map(g => g.GroupId!).sort(), subnet: primary.SubnetId, eni: primary.NetworkInterfaceId!,
    associated: primary.Association !== undefined, secondary: primary.PrivateIpAddresses!.filter(a => !a.Primary),
    behaviour: (await attribute('instanceInitiatedShutdownBehavior')).InstanceInitiatedShutdownBehavior!.Value,
    stop: (await attribute('disableApiStop')).DisableApiStop!.Value,
    termination: (await attribute('disableApiTermination')).DisableApiTermination!.Value,
    userData: (await attribute('userData')).UserData?.Value, credits: credits?.InstanceCreditSpecifications![0]!.CpuCredits,
    root: Volumes!.map(v => ({
      device: v.Attachments![0]!.Device, size: v.Size, type: v.VolumeType, iops: v.Iops, throughput: v.Throughput, encrypted: v.Encrypted,
      gone: v.Attachments![0]!.DeleteOnTermination, isRoot: v.Attachments![0]!.Device === Images![0]!.RootDeviceName, tags: v.Tags,
    })),
    inDefaultVpc: Vpcs![0]!.IsDefault, tags: instance.Tags,
  }
}

test('a key pair, a group and an instance are created, refreshed twice alike, changed and destroyed', async () => {
  const before = (await stateOf(bench.server)).split('\n').filter(line => !line.startsWith('vpc')).join('\n')
  await ec2.send(new sdk.ImportKeyPairCommand({
    KeyName: 'deployer', PublicKeyMaterial: Buffer.from(ssh), TagSpecifications: [{ ResourceType: 'key-pair', Tags: [{ Key: 'by', Value: 'tf' }] }],
  }))
  const pair = await ec2.send(new sdk.DescribeKeyPairsCommand({ KeyNames: ['deployer'] }))
  assert.deepEqual([pair.KeyPairs![0]!.KeyType, pair.KeyPairs![0]!.Tags], ['ed25519', [{ Key: 'by', Value: 'tf' }]])
  const group = await createGroup('tf-web')
  const launched = await ec2.send(new sdk.RunInstancesCommand({
    ImageId: bench.imageId, InstanceType: 't3.micro', KeyName: 'deployer', MinCount: 1, MaxCount: 1, ClientToken: 'terraform-20260101',
    SecurityGroupIds: [group], EbsOptimized: false, Monitoring: { Enabled: false }, UserData: Buffer.from('#!/bin/sh\n').toString('base64'),
    DisableApiTermination: false, CreditSpecification: { CpuCredits: 'unlimited' },
    MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2, HttpEndpoint: 'enabled' },
    CapacityReservationSpecification: { CapacityReservationPreference: 'open' }, EnclaveOptions: { Enabled: false },
    HibernationOptions: { Configured: false }, MaintenanceOptions: { AutoRecovery: 'default' }, Placement: { Tenancy: 'default' },
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: true, VolumeSize: 10, VolumeType: 'gp3', Encrypted: false } }],
    TagSpecifications: (['instance', 'volume'] as const).map(ResourceType => ({ ResourceType, Tags: [{ Key: 'Name', Value: 'tf' }] })),
  }))
  const id = launched.Instances![0]!.InstanceId!
  await bench.until(id, 'running')
  const { eni, subnet, ...first } = await refresh(id)
  const Tags = [{ Key: 'Name', Value: 'tf' }]
  assert.ok(eni && subnet)
  assert.deepEqual(first, {
    state: 'running', az: 'us-east-1a', tenancy: 'default', cores: 1, threads: 2, hibernation: false, enclave: false, recovery: 'default',
    metadata: { tokens: 'required', hops: 2 }, hostname: 'ip-name', reservation: 'open', monitoring: 'disabled', ebsOptimized: false, check: true,
    key: 'deployer', groups: [group], associated: true, secondary: [], behaviour: 'stop', stop: false, termination: false,
    userData: Buffer.from('#!/bin/sh\n').toString('base64'), credits: 'unlimited', inDefaultVpc: true, tags: Tags,
    root: [{ device: '/dev/xvda', size: 10, type: 'gp3', iops: 3000, throughput: 125, encrypted: false, gone: true, isRoot: true, tags: Tags }],
  })
  assert.deepEqual(await refresh(id), { eni, subnet, ...first })

  // A change in place: type (stop, modify, start), groups by the primary interface, tags, metadata, credits, protection.
  await ec2.send(new sdk.StopInstancesCommand({ InstanceIds: [id] }))
  await bench.until(id, 'stopped')
  await ec2.send(new sdk.ModifyInstanceAttributeCommand({ InstanceId: id, InstanceType: { Value: 't3.small' } }))
  await ec2.send(new sdk.StartInstancesCommand({ InstanceIds: [id] }))
  await bench.until(id, 'running')
  const other = await createGroup('tf-other')
  await ec2.send(new sdk.ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId: eni, Groups: [group, other] }))
  await ec2.send(new sdk.CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'stage', Value: 'prod' }] }))
  await ec2.send(new sdk.DeleteTagsCommand({ Resources: [id], Tags: [{ Key: 'Name', Value: 'tf' }] }))
  await ec2.send(new sdk.ModifyInstanceMetadataOptionsCommand({ InstanceId: id, HttpTokens: 'optional', HttpPutResponseHopLimit: 1 }))
  const credits = { InstanceId: id, CpuCredits: 'standard' }
  await ec2.send(new sdk.ModifyInstanceCreditSpecificationCommand({ InstanceCreditSpecifications: [credits] }))
  await ec2.send(new sdk.ModifyInstanceAttributeCommand({ InstanceId: id, DisableApiTermination: { Value: true } }))
  const profiles = { Filters: [{ Name: 'instance-id', Values: [id] }] }
  assert.deepEqual((await ec2.send(new sdk.DescribeIamInstanceProfileAssociationsCommand(profiles))).IamInstanceProfileAssociations, [])
  assert.partialDeepStrictEqual(await refresh(id), {
    groups: [group, other].sort(), metadata: { tokens: 'optional', hops: 1 }, credits: 'standard', termination: true,
    tags: [{ Key: 'stage', Value: 'prod' }],
  })

  // Destruction, in the order of dependencies.
  await assert.rejects(ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId: group })), code('DependencyViolation'))
  await ec2.send(new sdk.ModifyInstanceAttributeCommand({ InstanceId: id, DisableApiTermination: { Value: false } }))
  await bench.terminate(id)
  for (const one of [group, other]) await destroyGroup(one)
  await ec2.send(new sdk.DeleteKeyPairCommand({ KeyName: 'deployer' }))
  await assert.rejects(ec2.send(new sdk.DescribeKeyPairsCommand({ KeyNames: ['deployer'] })), code('InvalidKeyPair.NotFound'))
  const after = (await stateOf(bench.server)).split('\n').filter(line => !line.startsWith('vpc') && !line.includes(id)).join('\n')
  assert.equal(after, before)
})

test('an instance that earns no credits has the code that the provider passes over', async () => {
  const { InstanceId: id } = await bench.launch({ InstanceType: 'm5.large' })
  assert.equal((await refresh(id!)).credits, undefined)
  const ask = ec2.send(new sdk.DescribeInstanceCreditSpecificationsCommand({ InstanceIds: [id!] }))
  await assert.rejects(ask, code('InstanceCreditSpecification.NotSupported'))
  await bench.terminate(id!)
})

test('a rule of a group as a resource of its own is created, tagged, changed and gone', async () => {
  const GroupId = await createGroup('tf-rules')
  const { SecurityGroupRules } = await ec2.send(new sdk.AuthorizeSecurityGroupIngressCommand({
    GroupId, IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '10.0.0.0/8', Description: 'ssh' }] }],
    TagSpecifications: [{ ResourceType: 'security-group-rule', Tags: [{ Key: 'Name', Value: 'ssh' }] }],
  }))
  const id = SecurityGroupRules![0]!.SecurityGroupRuleId!
  const read = () => ec2.send(new sdk.DescribeSecurityGroupRulesCommand({ SecurityGroupRuleIds: [id] }))
  assert.partialDeepStrictEqual((await read()).SecurityGroupRules![0], {
    GroupId, IsEgress: false, CidrIpv4: '10.0.0.0/8', Description: 'ssh', FromPort: 22, Tags: [{ Key: 'Name', Value: 'ssh' }],
  })
  await ec2.send(new sdk.ModifySecurityGroupRulesCommand({
    GroupId,
    SecurityGroupRules: [{ SecurityGroupRuleId: id, SecurityGroupRule: { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, CidrIpv4: '10.1.0.0/16' } }],
  }))
  await ec2.send(new sdk.CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'Name', Value: 'ssh-2' }] }))
  const [rule] = (await read()).SecurityGroupRules!
  assert.deepEqual([rule!.CidrIpv4, rule!.Description, rule!.Tags], ['10.1.0.0/16', undefined, [{ Key: 'Name', Value: 'ssh-2' }]])
  await ec2.send(new sdk.RevokeSecurityGroupIngressCommand({ GroupId, SecurityGroupRuleIds: [id] }))
  await assert.rejects(read(), code('InvalidSecurityGroupRuleId.NotFound'))
  await destroyGroup(GroupId)
})

/** launch_template.go (ec2): user data are sent though there are none; a refresh reads the template, then the version that is its newest. */
test('a launch template is created, refreshed, changed by a version that becomes the default, launched from and destroyed', async () => {
  const made = await ec2.send(new sdk.CreateLaunchTemplateCommand({
    LaunchTemplateName: 'tf-web', ClientToken: 'terraform-20260102', VersionDescription: 'first',
    LaunchTemplateData: {
      UserData: '', ImageId: bench.imageId, InstanceType: 't3.micro', MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true, DeleteOnTermination: true }],
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'tf' }] }],
    },
    TagSpecifications: [{ ResourceType: 'launch-template', Tags: [{ Key: 'by', Value: 'tf' }] }],
  }))
  const LaunchTemplateId = made.LaunchTemplate!.LaunchTemplateId!
  const read = async () => {
    const [template] = (await ec2.send(new sdk.DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [LaunchTemplateId] }))).LaunchTemplates!
    const Versions = [`${template!.LatestVersionNumber}`]
    const found = await ec2.send(new sdk.DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, Versions }))
    const { VersionDescription: words, LaunchTemplateData: data } = found.LaunchTemplateVersions![0]!
    return [template!.DefaultVersionNumber, template!.LatestVersionNumber, words, data!.InstanceType, data!.UserData, template!.Tags!.length]
  }
  assert.deepEqual([await read(), await read()], Array(2).fill([1, 1, 'first', 't3.micro', undefined, 1]))
  const LaunchTemplateData = { UserData: '', ImageId: bench.imageId, InstanceType: 't3.small' as const }
  await ec2.send(new sdk.CreateLaunchTemplateVersionCommand({ LaunchTemplateId, LaunchTemplateData, ClientToken: 'terraform-20260103' }))
  await ec2.send(new sdk.ModifyLaunchTemplateCommand({ LaunchTemplateId, DefaultVersion: '2' }))
  assert.deepEqual(await read(), [2, 2, undefined, 't3.small', undefined, 1])
  // aws_instance with launch_template: the refresh finds the template by the instance's tags.
  const [id] = await bench.run({ ImageId: undefined, InstanceType: undefined, LaunchTemplate: { LaunchTemplateId, Version: '$Default' } })
  await bench.until(id!, 'running')
  const { Tags } = await ec2.send(new sdk.DescribeTagsCommand({ Filters: [{ Name: 'resource-id', Values: [id!] }] }))
  assert.deepEqual(Tags!.map(tag => [tag.Key, tag.Value]), [['aws:ec2launchtemplate:id', LaunchTemplateId], ['aws:ec2launchtemplate:version', '2']])
  await bench.terminate(id!)
  await ec2.send(new sdk.DeleteLaunchTemplateCommand({ LaunchTemplateId }))
  await assert.rejects(read(), code('InvalidLaunchTemplateId.NotFound'))
})

test('what was destroyed outside Terraform has the codes that the provider takes for gone', async () => {
  const gone: [Promise<unknown>, string][] = [
    [ec2.send(new sdk.DescribeInstancesCommand({ InstanceIds: ['i-0123456789abcdef0'] })), 'InvalidInstanceID.NotFound'],
    [ec2.send(new sdk.DescribeVolumesCommand({ VolumeIds: ['vol-0123456789abcdef0'] })), 'InvalidVolume.NotFound'],
    [ec2.send(new sdk.DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: ['eni-0123456789abcdef0'] })), 'InvalidNetworkInterfaceID.NotFound'],
    [ec2.send(new sdk.DescribeSubnetsCommand({ SubnetIds: ['subnet-0123456789abcdef0'] })), 'InvalidSubnetID.NotFound'],
    [ec2.send(new sdk.DescribeVpcsCommand({ VpcIds: ['vpc-0123456789abcdef0'] })), 'InvalidVpcID.NotFound'],
    [ec2.send(new sdk.DescribeRouteTablesCommand({ RouteTableIds: ['rtb-0123456789abcdef0'] })), 'InvalidRouteTableID.NotFound'],
    [ec2.send(new sdk.DescribeInternetGatewaysCommand({ InternetGatewayIds: ['igw-0123456789abcdef0'] })), 'InvalidInternetGatewayID.NotFound'],
    [ec2.send(new sdk.DescribeNetworkAclsCommand({ NetworkAclIds: ['acl-0123456789abcdef0'] })), 'InvalidNetworkAclID.NotFound'],
    [ec2.send(new sdk.DescribeSnapshotsCommand({ SnapshotIds: ['snap-0123456789abcdef0'] })), 'InvalidSnapshot.NotFound'],
  ]
  for (const [call, wanted] of gone) await assert.rejects(call, code(wanted))
})
