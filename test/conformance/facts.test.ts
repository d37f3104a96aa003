/** What is the same for every caller: regions, zones, images and their snapshots, instance types, an account's settings. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { openBench, type Bench } from './kit.ts'

let bench: Bench
before(async () => { bench = await openBench() })
after(() => bench.close())

const send = (name: string, input: object = {}): Promise<any> => bench.ec2.send(new (sdk as Record<string, any>)[`${name}Command`](input))
const value = 'InvalidParameterValue'

test('regions and zones', async () => {
  const { Regions } = await send('DescribeRegions')
  const virginia = Regions.find((r: sdk.Region) => r.RegionName === 'us-east-1')
  assert.deepEqual([virginia.Endpoint, virginia.OptInStatus], ['ec2.us-east-1.amazonaws.com', 'opt-in-not-required'])
  assert.ok((await send('DescribeRegions', { AllRegions: true })).Regions.length > Regions.length)
  const { AvailabilityZones: zones } = await send('DescribeAvailabilityZones', { Filters: [{ Name: 'zone-name', Values: ['us-east-1?'] }] })
  assert.deepEqual(zones.map((z: sdk.AvailabilityZone) => [z.ZoneName, z.State, z.ZoneType, z.RegionName]),
    ['a', 'b', 'c'].map(letter => [`us-east-1${letter}`, 'available', 'availability-zone', 'us-east-1']))
  assert.equal(new Set(zones.map((z: sdk.AvailabilityZone) => z.ZoneId)).size, 3)
  await bench.refuses(sdk.DescribeRegionsCommand, [[{ RegionNames: ['nowhere-1'] }, value]])
  await bench.refuses(sdk.DescribeAvailabilityZonesCommand, [[{ ZoneNames: ['us-east-1z'] }, value], [{ ZoneIds: ['x'] }, value]])
})

test('images are Amazon\'s, public, and have a snapshot each', async () => {
  const { Images } = await send('DescribeImages', { Owners: ['amazon'] })
  assert.deepEqual(Images.map((i: sdk.Image) => i.Name).sort(), ['debian-12', 'debian-12-ec2'])
  for (const owner of ['self', 'aws-marketplace', '111111111111']) {
    assert.deepEqual((await send('DescribeImages', { Owners: [owner] })).Images, [])
  }
  const ids = Images.map((i: sdk.Image) => i.BlockDeviceMappings![0]!.Ebs!.SnapshotId)
  const { Snapshots } = await send('DescribeSnapshots', { SnapshotIds: ids })
  assert.deepEqual(Snapshots.map((s: sdk.Snapshot) => [s.SnapshotId, s.VolumeSize, s.State]), ids.map((id: string) => [id, 8, 'completed']))
  assert.deepEqual((await send('DescribeSnapshots', { OwnerIds: ['self'] })).Snapshots, [])
  const pages: number[] = []
  for await (const page of sdk.paginateDescribeImages({ client: bench.ec2, pageSize: 1 }, {})) pages.push(page.Images!.length)
  assert.deepEqual(pages, [1, 1])
  await bench.refuses(sdk.DescribeImagesCommand, [[{ Owners: ['nobody'] }, value], [{ ImageIds: ['ami-1', 'x'] }, 'InvalidAMIID.Malformed']])
})

test('every instance type has the members that Terraform and Karpenter read', async () => {
  const types: sdk.InstanceTypeInfo[] = []
  for await (const page of sdk.paginateDescribeInstanceTypes({ client: bench.ec2, pageSize: 100 }, {})) types.push(...page.InstanceTypes!)
  assert.ok(types.length > 100 && new Set(types.map(t => t.InstanceType)).size === types.length)
  for (const t of types) {
    const read = [
      t.VCpuInfo!.DefaultVCpus, t.VCpuInfo!.DefaultCores, t.MemoryInfo!.SizeInMiB, t.ProcessorInfo!.SupportedArchitectures![0],
      t.NetworkInfo!.MaximumNetworkInterfaces, t.NetworkInfo!.Ipv4AddressesPerInterface, t.NetworkInfo!.NetworkCards![0]!.MaximumNetworkInterfaces,
      t.NetworkInfo!.EncryptionInTransitSupported, t.SupportedUsageClasses![0], t.Hypervisor ?? 'metal', t.EbsInfo!.EbsOptimizedSupport,
      t.BurstablePerformanceSupported, t.CurrentGeneration, t.BareMetal, t.SupportedVirtualizationTypes![0], t.InstanceStorageSupported,
      t.SupportedRootDeviceTypes![0], t.SupportedBootModes![0], t.PlacementGroupInfo!.SupportedStrategies, t.FreeTierEligible,
    ]
    assert.ok(read.every(member => member !== undefined), `${t.InstanceType}: ${read}`)
  }
  const { InstanceTypes: [medium] } = await send('DescribeInstanceTypes', { InstanceTypes: ['m5d.large'] })
  assert.deepEqual([medium.VCpuInfo.DefaultVCpus, medium.MemoryInfo.SizeInMiB, medium.InstanceStorageInfo.TotalSizeInGB], [2, 8192, 75])
  const { InstanceTypeOfferings } = await send('DescribeInstanceTypeOfferings', { MaxResults: 1000 })
  assert.deepEqual(InstanceTypeOfferings.map((o: sdk.InstanceTypeOffering) => o.InstanceType).sort(), types.map(t => t.InstanceType).sort())
  await bench.refuses(sdk.DescribeInstanceTypesCommand, [
    [{ InstanceTypes: ['t3.micro', 'x1.none'] }, 'InvalidInstanceType'], [{ MaxResults: 4 }, value],
  ])
  await bench.refuses(sdk.DescribeInstanceTypeOfferingsCommand, [[{ LocationType: 'nowhere' }, value]])
})

test('an account\'s attributes and settings', async () => {
  const { AccountAttributes } = await send('DescribeAccountAttributes', { AttributeNames: ['default-vpc'] })
  assert.deepEqual(AccountAttributes, [{ AttributeName: 'default-vpc', AttributeValues: [{ AttributeValue: bench.vpcId }] }])
  assert.equal((await send('GetEbsEncryptionByDefault')).EbsEncryptionByDefault, false)
  assert.equal((await send('GetSerialConsoleAccessStatus')).SerialConsoleAccessEnabled, false)
  assert.deepEqual((await send('GetInstanceMetadataDefaults')).AccountLevel ?? {}, {})
  await send('ModifyInstanceMetadataDefaults', { HttpTokens: 'required' })
  assert.partialDeepStrictEqual(await send('GetInstanceMetadataDefaults'), { AccountLevel: { HttpTokens: 'required', ManagedBy: 'account' } })
  await bench.refuses(sdk.DescribeAccountAttributesCommand, [[{ AttributeNames: ['nonsense'] }, value]])
  await bench.refuses(sdk.ModifyInstanceMetadataDefaultsCommand, [
    [{ HttpTokens: 'x' }, value], [{ HttpPutResponseHopLimit: 65 }, value], [{ HttpPutResponseHopLimit: 0 }, value], [{ HttpEndpoint: 'x' }, value],
  ])
})

test('attributes of a VPC, and the references of its groups', async () => {
  const VpcId = bench.vpcId
  for (const [Attribute, member, wanted] of [
    ['enableDnsSupport', 'EnableDnsSupport', true], ['enableDnsHostnames', 'EnableDnsHostnames', true],
    ['enableNetworkAddressUsageMetrics', 'EnableNetworkAddressUsageMetrics', false],
  ] as const) assert.equal((await send('DescribeVpcAttribute', { VpcId, Attribute }))[member].Value, wanted)
  await bench.refuses(sdk.DescribeVpcAttributeCommand, [[{ VpcId, Attribute: 'x' }, value]])
  const { SecurityGroupForVpcs } = await send('GetSecurityGroupsForVpc', { VpcId })
  assert.deepEqual(SecurityGroupForVpcs.map((g: sdk.SecurityGroupForVpc) => [g.GroupName, g.PrimaryVpcId]), [['default', VpcId]])
  assert.deepEqual((await send('DescribeStaleSecurityGroups', { VpcId })).StaleSecurityGroupSet, [])
  const GroupId = [SecurityGroupForVpcs[0].GroupId]
  assert.deepEqual((await send('DescribeSecurityGroupReferences', { GroupId })).SecurityGroupReferenceSet, [])
})
