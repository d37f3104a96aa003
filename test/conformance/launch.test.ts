/** What RunInstances makes of each of its parameters: honoured, or refused by name. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { openBench, type Bench } from './kit.ts'

let bench: Bench
let ec2: sdk.EC2Client
let good: sdk.RunInstancesCommandInput
before(async () => {
  bench = await openBench()
  ec2 = bench.ec2
  good = { ImageId: bench.imageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 }
})
after(() => bench.close())

type More = Partial<sdk.RunInstancesCommandInput>
const refuses = (...cases: [More, string, RegExp?][]) =>
  bench.refuses(sdk.RunInstancesCommand, cases.map(([more, ...rest]) => [{ ...good, ...more }, ...rest]))
const subnets = async () => (await ec2.send(new sdk.DescribeSubnetsCommand({ Filters: [{ Name: 'vpc-id', Values: [bench.vpcId] }] }))).Subnets!
const group = async (GroupName: string) => (await ec2.send(new sdk.CreateSecurityGroupCommand({ GroupName, Description: 'x' }))).GroupId!

test('every parameter that Enclume can\'t honour is refused by its name', async () => {
  const unsupported = 'UnsupportedOperation'
  await refuses(
    [{ InstanceMarketOptions: { MarketType: 'spot' } }, unsupported, /InstanceMarketOptions/],
    [{ KernelId: 'aki-1' }, unsupported, /KernelId/], [{ RamdiskId: 'ari-1' }, unsupported, /RamdiskId/],
    [{ HibernationOptions: { Configured: true } }, unsupported, /HibernationOptions/],
    [{ EnclaveOptions: { Enabled: true } }, unsupported, /EnclaveOptions/],
    [{ CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 } }, unsupported, /CpuOptions/],
    [{ Placement: { Tenancy: 'dedicated' } }, unsupported, /Placement/], [{ Placement: { GroupName: 'x' } }, unsupported, /Placement/],
    [{ Placement: { HostId: 'h-1' } }, unsupported, /Placement/],
    [{ LicenseSpecifications: [{ LicenseConfigurationArn: 'arn:aws:license-manager:us-east-1:1:x' }] }, unsupported, /LicenseSpecifications/],
    [{ CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } } }, unsupported, /CapacityReservation/],
    [{ EnablePrimaryIpv6: true }, unsupported, /Ipv6/], [{ AdditionalInfo: 'x' }, unsupported, /AdditionalInfo/],
    [{ MetadataOptions: { HttpProtocolIpv6: 'enabled' } }, unsupported, /IPv6/],
    [{ NetworkPerformanceOptions: { BandwidthWeighting: 'vpc-1' } }, unsupported, /NetworkPerformanceOptions/],
    [{ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { Encrypted: true } }] }, unsupported, /[Ee]ncrypt/],
    [{ NetworkInterfaces: [{ DeviceIndex: 0, InterfaceType: 'efa' }] }, unsupported, /efa/],
    [{ PrivateDnsNameOptions: { EnableResourceNameDnsAAAARecord: true } }, unsupported, /PrivateDnsNameOptions/],
    [{ PrivateDnsNameOptions: { EnableResourceNameDnsARecord: true } }, unsupported, /EnableResourceNameDnsARecord/],
    [{ CpuOptions: { NestedVirtualization: 'enabled' } }, unsupported, /CpuOptions/],
    [{ NetworkInterfaces: [{ DeviceIndex: 0, NetworkCardIndex: 1 }] }, unsupported, /NetworkCardIndex/],
    [{ NetworkInterfaces: [{ DeviceIndex: 0, PrimaryIpv6: true }] }, unsupported, /PrimaryIpv6/],
    [{ NetworkInterfaces: [{ DeviceIndex: 0, ConnectionTrackingSpecification: { UdpTimeout: 60 } }] }, unsupported, /ConnectionTracking/],
    [{ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeInitializationRate: 100 } }] }, unsupported, /VolumeInitializationRate/],
  )
})

test('values that AWS refuses are refused with its codes', async () => {
  const value = 'InvalidParameterValue'
  const many = Array.from({ length: 51 }, (_, i) => ({ Key: `${i}`, Value: '' }))
  const sixGroups = await Promise.all([1, 2, 3, 4, 5, 6].map(i => group(`many-${i}`)))
  await refuses(
    [{ ImageId: undefined }, 'MissingParameter'],
    [{ MinCount: 0 }, value], [{ MinCount: 2, MaxCount: 1 }, value], [{ MaxCount: 1001 }, 'InstanceLimitExceeded'],
    [{ InstanceType: 'T3.MICRO' as never }, value], [{ InstanceType: '' as never }, value],
    [{ KeyName: '' }, 'InvalidKeyPair.NotFound'],
    [{ SecurityGroups: ['nobody'] }, 'InvalidGroup.NotFound'], [{ SecurityGroupIds: [''] }, 'InvalidGroupId.Malformed'],
    [{ SecurityGroupIds: sixGroups }, 'SecurityGroupsPerInterfaceLimitExceeded'],
    [{ Placement: { AvailabilityZone: 'us-east-1z' } }, value], [{ Placement: { AvailabilityZoneId: 'use1-az99' } }, value],
    [{ Placement: { AvailabilityZone: 'us-east-1a', AvailabilityZoneId: 'use1-az1' } }, 'InvalidParameterCombination'],
    [{ PrivateIpAddress: '172.31.0.256' }, value], [{ PrivateIpAddress: '172.31.15.255' }, value], [{ PrivateIpAddress: 'x' }, value],
    [{ UserData: '%%%' }, 'InvalidUserData.Malformed'],
    [{ InstanceInitiatedShutdownBehavior: 'hibernate' as never }, value],
    [{ MetadataOptions: { HttpTokens: 'maybe' as never } }, value], [{ MetadataOptions: { HttpPutResponseHopLimit: 0 } }, value],
    [{ CreditSpecification: { CpuCredits: 'none' } }, value],
    [{ InstanceType: 'm5.large', CreditSpecification: { CpuCredits: 'standard' } }, 'InvalidParameterCombination'],
    [{ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeType: 'st1', VolumeSize: 500 } }] }, 'InvalidBlockDeviceMapping'],
    [{ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeType: 'nonsense' as never } }] }, value],
    [{ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeType: 'gp3', Iops: 1 } }] }, value],
    [{ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 70_000 } }] }, value],
    [{ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', VirtualName: 'ephemeral0' }] }, 'InvalidBlockDeviceMapping'],
    [{ TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'aws:x', Value: '' }] }] }, value],
    [{ TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'a', Value: '' }, { Key: 'a', Value: '' }] }] }, value],
    [{ TagSpecifications: [{ ResourceType: 'subnet', Tags: [{ Key: 'a', Value: '' }] }] }, value],
    [{ TagSpecifications: [{ ResourceType: 'instance', Tags: many }] }, 'TagLimitExceeded'],
    [{ NetworkInterfaces: [{ DeviceIndex: 1 }] }, value], [{ NetworkInterfaces: [{ DeviceIndex: 0 }, { DeviceIndex: 0 }] }, value],
    [{ NetworkInterfaces: [{ DeviceIndex: 0 }], SecurityGroupIds: [sixGroups[0]!] }, 'InvalidParameterCombination'],
    [{ NetworkInterfaces: [0, 1, 2].map(DeviceIndex => ({ DeviceIndex })) }, 'AttachmentLimitExceeded'],
    [{ NetworkInterfaces: [{ DeviceIndex: 0, SecondaryPrivateIpAddressCount: 5 }] }, 'PrivateIpAddressLimitExceeded'],
    [{ PrivateIpAddress: '172.31.0.10', MinCount: 2, MaxCount: 2 }, 'InvalidParameterCombination'],
    [{ ClientToken: 'é' }, value],
  )
  for (const GroupId of sixGroups) await ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId }))
})

test('everything else shows in the instance', async () => {
  const [, second] = await subnets()
  const [a, b] = [await group('a'), await group('b')]
  const instance = await bench.launch({
    InstanceType: 't3.small', SubnetId: second!.SubnetId, PrivateIpAddress: second!.CidrBlock!.replace(/0\/20$/, '77'), SecurityGroupIds: [a, b],
    EbsOptimized: true, Monitoring: { Enabled: true }, DisableApiStop: true, InstanceInitiatedShutdownBehavior: 'terminate',
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled', HttpPutResponseHopLimit: 3, InstanceMetadataTags: 'enabled' },
    CreditSpecification: { CpuCredits: 'standard' }, MaintenanceOptions: { AutoRecovery: 'disabled' },
    PrivateDnsNameOptions: { HostnameType: 'resource-name' },
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeType: 'io2', Iops: 500, VolumeSize: 20, DeleteOnTermination: false } }],
    TagSpecifications: (['instance', 'volume', 'network-interface'] as const).map(ResourceType =>
      ({ ResourceType, Tags: [{ Key: 'for', Value: ResourceType }] })),
  })
  assert.partialDeepStrictEqual(instance, {
    InstanceType: 't3.small', SubnetId: second!.SubnetId, PrivateIpAddress: second!.CidrBlock!.replace(/0\/20$/, '77'), EbsOptimized: true,
    Monitoring: { State: 'enabled' }, PrivateDnsName: `${instance.InstanceId}.ec2.internal`, MaintenanceOptions: { AutoRecovery: 'disabled' },
    MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 3, InstanceMetadataTags: 'enabled' },
    Tags: [{ Key: 'for', Value: 'instance' }],
  })
  assert.deepEqual(instance.SecurityGroups!.map(g => g.GroupName).sort(), ['a', 'b'])
  const VolumeId = instance.BlockDeviceMappings![0]!.Ebs!.VolumeId!
  const volume = async () => (await ec2.send(new sdk.DescribeVolumesCommand({ VolumeIds: [VolumeId] }))).Volumes![0]!
  assert.partialDeepStrictEqual(await volume(), {
    Size: 20, VolumeType: 'io2', Iops: 500, State: 'in-use', AvailabilityZone: second!.AvailabilityZone, Tags: [{ Key: 'for', Value: 'volume' }],
  })
  const NetworkInterfaceId = instance.NetworkInterfaces![0]!.NetworkInterfaceId!
  const shown = await ec2.send(new sdk.DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [NetworkInterfaceId] }))
  assert.deepEqual(shown.NetworkInterfaces![0]!.TagSet, [{ Key: 'for', Value: 'network-interface' }])
  await bench.terminate(instance.InstanceId!)
  // A root volume that is to stay is free, and can be deleted.
  assert.deepEqual([(await volume()).State, (await volume()).Attachments], ['available', []])
  await ec2.send(new sdk.DeleteVolumeCommand({ VolumeId }))
  await bench.server.cloud.loop.idle()
  await bench.refuses(sdk.DescribeVolumesCommand, [[{ VolumeIds: [VolumeId] }, 'InvalidVolume.NotFound']])
  for (const GroupId of [a, b]) await ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId }))
})

test('a zone is chosen by its name or by its id', async () => {
  const { AvailabilityZones } = await ec2.send(new sdk.DescribeAvailabilityZonesCommand({ ZoneNames: ['us-east-1c'] }))
  const AvailabilityZoneId = AvailabilityZones![0]!.ZoneId
  for (const Placement of [{ AvailabilityZone: 'us-east-1c' }, { AvailabilityZoneId }]) {
    const { InstanceId, Placement: shown } = await bench.launch({ Placement })
    assert.equal(shown!.AvailabilityZone, 'us-east-1c')
    await bench.terminate(InstanceId!)
  }
})

test('two interfaces, secondary addresses and no public address as asked', async () => {
  const [first] = await subnets()
  const instance = await bench.launch({
    InstanceType: 't3.small', NetworkInterfaces: [
      { DeviceIndex: 0, SubnetId: first!.SubnetId, SecondaryPrivateIpAddressCount: 2, Description: 'front' },
      { DeviceIndex: 1, SubnetId: first!.SubnetId, DeleteOnTermination: true, Description: 'back' },
    ],
  })
  const [front, back] = instance.NetworkInterfaces!
  assert.deepEqual([front!.Description, front!.PrivateIpAddresses!.length, back!.Description, back!.Attachment!.DeviceIndex], ['front', 3, 'back', 1])
  assert.equal(instance.PublicIpAddress, undefined)
  await bench.terminate(instance.InstanceId!)
  const alone = await bench.launch({ NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: false }] })
  assert.equal(alone.PublicIpAddress, undefined)
  await bench.terminate(alone.InstanceId!)
})

test('a taken address is refused, and all of a launch or as many as fit are launched', async () => {
  const instance = await bench.launch({ PrivateIpAddress: '172.31.0.99' })
  await refuses([{ PrivateIpAddress: '172.31.0.99' }, 'InvalidIPAddress.InUse'])
  await bench.terminate(instance.InstanceId!)
  // The fake host has 64 processors and 256 GiB.
  await refuses([{ InstanceType: 'm5.4xlarge', MinCount: 100, MaxCount: 100 }, 'InsufficientInstanceCapacity'])
  const fitting = await bench.run({ InstanceType: 'm5.4xlarge', MinCount: 1, MaxCount: 100 })
  assert.ok(fitting.length >= 1 && fitting.length < 100, `${fitting.length}`)
  await bench.terminate(...fitting)
})

test('an account\'s metadata defaults hold for new instances, and enforced tokens cannot be left', async () => {
  const defaults = { HttpTokens: 'required', HttpPutResponseHopLimit: 4, InstanceMetadataTags: 'enabled' } as const
  await ec2.send(new sdk.ModifyInstanceMetadataDefaultsCommand(defaults))
  const instance = await bench.launch()
  assert.partialDeepStrictEqual(instance.MetadataOptions, defaults)
  await ec2.send(new sdk.ModifyInstanceMetadataDefaultsCommand({ HttpTokensEnforced: 'enabled' }))
  await refuses([{ MetadataOptions: { HttpTokens: 'optional' } }, 'UnsupportedOperation', /httpTokensEnforced/])
  const optional = { InstanceId: instance.InstanceId, HttpTokens: 'optional' }
  await bench.refuses(sdk.ModifyInstanceMetadataOptionsCommand, [[optional, 'UnsupportedOperation', /httpTokensEnforced/]])
  await ec2.send(new sdk.ModifyInstanceMetadataDefaultsCommand({
    HttpTokens: 'no-preference', HttpPutResponseHopLimit: -1, InstanceMetadataTags: 'no-preference', HttpTokensEnforced: 'disabled',
  }))
  await bench.terminate(instance.InstanceId!)
})
