import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunInstancesRequest } from '@aws-sdk/client-ec2'
import { basedOn, launchOf, readData } from '#service/ec2/launch-template/data'

const counts = { MinCount: 1, MaxCount: 1 }
const launched = (data: object, request: Partial<RunInstancesRequest> = {}) => {
  const { MinCount: _, MaxCount: __, ...rest } = launchOf(data, { ...counts, LaunchTemplate: { LaunchTemplateName: 'web' }, ...request })
  return rest
}

test('what the request says counts, and what it leaves open is the template\'s', () => {
  const data = { ImageId: 'ami-1', InstanceType: 't3.micro', KeyName: 'key', MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 } }
  assert.deepEqual(launched(data), data)
  assert.deepEqual(launched(data, { InstanceType: 't3.small', KeyName: undefined, MetadataOptions: { HttpTokens: 'optional' } }),
    { ...data, InstanceType: 't3.small', MetadataOptions: { HttpTokens: 'optional', HttpPutResponseHopLimit: 2 } })
})

test('tags are merged by their keys, volumes by their devices, interfaces by their indices', () => {
  const tags = (ResourceType: 'instance' | 'volume', ...pairs: string[]) =>
    ({ ResourceType, Tags: pairs.map(pair => ({ Key: pair.split('=')[0], Value: pair.split('=')[1] })) })
  assert.deepEqual(launched({ TagSpecifications: [tags('instance', 'Owner=a', 'Stage=test')] },
    { TagSpecifications: [tags('instance', 'Owner=b', 'Team=c'), tags('volume', 'Team=c')] }),
  { TagSpecifications: [tags('instance', 'Owner=b', 'Stage=test', 'Team=c'), tags('volume', 'Team=c')] })
  const disk = (DeviceName: string, Ebs: object) => ({ DeviceName, Ebs })
  assert.deepEqual(launched({ BlockDeviceMappings: [disk('/dev/xvda', { VolumeSize: 10, VolumeType: 'gp3' })] },
    { BlockDeviceMappings: [disk('/dev/xvda', { VolumeSize: 20 }), disk('/dev/xvdb', { VolumeSize: 1 })] }),
  { BlockDeviceMappings: [disk('/dev/xvda', { VolumeSize: 20, VolumeType: 'gp3' }), disk('/dev/xvdb', { VolumeSize: 1 })] })
  assert.deepEqual(launched({ NetworkInterfaces: [{ DeviceIndex: 0, Groups: ['sg-1'] }] }, { NetworkInterfaces: [{ SubnetId: 'subnet-1' }] }),
    { NetworkInterfaces: [{ DeviceIndex: 0, Groups: ['sg-1'], SubnetId: 'subnet-1' }] })
})

test('of what excludes each other, the request\'s alone counts', () => {
  const Placement = { AvailabilityZone: 'us-east-1a', Tenancy: 'default' }
  assert.deepEqual(launched({ SecurityGroups: ['web'], IamInstanceProfile: { Name: 'a' }, Placement },
    { SecurityGroupIds: ['sg-1'], IamInstanceProfile: { Arn: 'arn' }, Placement: { AvailabilityZoneId: 'use1-az2' } }),
  { SecurityGroupIds: ['sg-1'], IamInstanceProfile: { Arn: 'arn' }, Placement: { AvailabilityZoneId: 'use1-az2', Tenancy: 'default' } })
})

test('names that differ between templates and launches are the launch\'s, and requirements are refused', () => {
  assert.deepEqual(launched({ RamDiskId: 'ari-1' }), { RamdiskId: 'ari-1' })
  assert.throws(() => launched({ InstanceRequirements: { VCpuCount: { Min: 1 } } }), { code: 'UnsupportedOperation' })
})

test('a version that is based on another has its parameters, each as a whole, and its volumes without their snapshots', () => {
  const Ebs = { SnapshotId: 'snap-1', VolumeSize: 8 }
  const source = { ImageId: 'ami-1', Monitoring: { Enabled: true }, BlockDeviceMappings: [{ DeviceName: '/dev/xvdb', Ebs }] }
  assert.deepEqual(basedOn(source, { ImageId: 'ami-2' }), {
    ImageId: 'ami-2', Monitoring: { Enabled: true }, BlockDeviceMappings: [{ DeviceName: '/dev/xvdb', Ebs: { VolumeSize: 8 } }],
  })
  const BlockDeviceMappings = [{ DeviceName: '/dev/xvdc', Ebs: { SnapshotId: 'snap-2' } }]
  assert.deepEqual(basedOn(source, { BlockDeviceMappings }), { ...source, BlockDeviceMappings })
})

test('members that say nothing are not kept; user data must be base64 of 16 KB at most', () => {
  assert.deepEqual(readData({ UserData: '', SecurityGroupIds: [], Monitoring: {}, EbsOptimized: false, InstanceType: 't3.micro' }),
    { EbsOptimized: false, InstanceType: 't3.micro' })
  for (const UserData of ['#!', Buffer.alloc(16_385).toString('base64')]) {
    assert.throws(() => readData({ UserData }), { code: 'InvalidUserData.Malformed' })
  }
})
