/**
 * Writes a fixture of today's records: `node test/upgrade/write.ts NAME`. To be run when a commit changes a record's shape, at the commit
 * before it. Fixtures are never written again.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildAlarms, buildBorders, buildDoors, buildIdentities, buildKeys, buildServices } from './others.ts'
import { answersOf, closeWorld, DESCRIBES, dump, hostOf, openWorld, type World } from './world.ts'

const tagged = (ResourceType: string, Name: string) => ({ TagSpecifications: [{ ResourceType, Tags: [{ Key: 'Name', Value: Name }] }] })

/** A VPC of every kind of thing beside the default one, and instances in it. */
async function build({ call, settle }: World): Promise<void> {
  const { Images: [image] } = await call('DescribeImages', { Filters: [{ Name: 'name', Values: ['debian-12'] }] })
  await call('CreateKeyPair', { KeyName: 'fixture', ...tagged('key-pair', 'key') })
  const { Vpc: { VpcId } } = await call('CreateVpc', { CidrBlock: '10.20.0.0/16', ...tagged('vpc', 'app') })
  const { Subnet: open } = await call('CreateSubnet', { VpcId, CidrBlock: '10.20.1.0/24', ...tagged('subnet', 'public') })
  const { Subnet: closed } = await call('CreateSubnet', { VpcId, CidrBlock: '10.20.2.0/24' })
  const { InternetGateway: { InternetGatewayId } } = await call('CreateInternetGateway')
  await call('AttachInternetGateway', { InternetGatewayId, VpcId })
  const { RouteTables: [main] } = await call('DescribeRouteTables', { Filters: [{ Name: 'vpc-id', Values: [VpcId] }] })
  await call('CreateRoute', { RouteTableId: main.RouteTableId, DestinationCidrBlock: '0.0.0.0/0', GatewayId: InternetGatewayId })
  const { AllocationId } = await call('AllocateAddress', tagged('elastic-ip', 'nat'))
  const { NatGateway: { NatGatewayId } } = await call('CreateNatGateway', { SubnetId: open.SubnetId, AllocationId })
  const { RouteTable: { RouteTableId } } = await call('CreateRouteTable', { VpcId })
  await call('AssociateRouteTable', { RouteTableId, SubnetId: closed.SubnetId })
  await call('CreateRoute', { RouteTableId, DestinationCidrBlock: '0.0.0.0/0', NatGatewayId })
  const { GroupId } = await call('CreateSecurityGroup', { GroupName: 'web', Description: 'web', VpcId, ...tagged('security-group', 'web') })
  await call('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [
    { IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'the web' }] },
    { IpProtocol: '-1', UserIdGroupPairs: [{ GroupId }] },
  ] })
  const { NetworkAcl: { NetworkAclId } } = await call('CreateNetworkAcl', { VpcId })
  await call('CreateNetworkAclEntry', { NetworkAclId, RuleNumber: 100, Protocol: '-1', RuleAction: 'allow', Egress: false, CidrBlock: '0.0.0.0/0' })
  await call('CreateDhcpOptions', { DhcpConfigurations: [{ Key: 'domain-name', Values: ['example.test'] }] })
  const { Vpc: { VpcId: PeerVpcId } } = await call('CreateVpc', { CidrBlock: '10.30.0.0/16' })
  const { VpcPeeringConnection: { VpcPeeringConnectionId } } = await call('CreateVpcPeeringConnection', { VpcId, PeerVpcId })
  await call('AcceptVpcPeeringConnection', { VpcPeeringConnectionId })
  const common = { ImageId: image.ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1, SecurityGroupIds: [GroupId], KeyName: 'fixture' }
  const { Instances: [web] } = await call('RunInstances', {
    ...common, SubnetId: open.SubnetId, ClientToken: 'fixture', UserData: Buffer.from('#!/bin/sh\ntrue\n').toString('base64'),
    ...tagged('instance', 'web'),
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 10, VolumeType: 'gp2', DeleteOnTermination: false } }],
  })
  const { Instances: [off] } = await call('RunInstances', { ...common, SubnetId: closed.SubnetId })
  await settle()
  const { AllocationId: second } = await call('AllocateAddress')
  await call('AssociateAddress', { AllocationId: second, InstanceId: web.InstanceId })
  const { NetworkInterface: { NetworkInterfaceId } } = await call('CreateNetworkInterface', { SubnetId: open.SubnetId, Description: 'second' })
  await call('AttachNetworkInterface', { NetworkInterfaceId, InstanceId: web.InstanceId, DeviceIndex: 1 })
  await call('StopInstances', { InstanceIds: [off.InstanceId] })
  await settle()
}

/** Snapshots and images of every origin, and the tasks that brought them. */
async function buildImages({ call, settle, objects }: World): Promise<void> {
  const boot = Buffer.concat([Buffer.alloc(510), Buffer.from([0x55, 0xaa])])
  for (const key of ['root.raw', 'data.raw']) objects.byPlace.set(`bucket/${key}`, [boot])
  const container = (S3Key: string) => ({ Format: 'RAW', UserBucket: { S3Bucket: 'bucket', S3Key } })
  await call('CreateRole', { RoleName: 'vmimport', AssumeRolePolicyDocument: JSON.stringify({
    Version: '2012-10-17', Statement: [{
      Effect: 'Allow', Principal: { Service: 'vmie.amazonaws.com' }, Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:Externalid': 'vmimport' } },
    }],
  }) }, 'iam')
  const { Volumes: [data] } = await call('DescribeVolumes')
  const { SnapshotId } = await call('CreateSnapshot', { VolumeId: data.VolumeId, ...tagged('snapshot', 'taken') })
  await settle()
  await call('ModifySnapshotAttribute', { SnapshotId, Attribute: 'createVolumePermission', OperationType: 'add', UserIds: ['111122223333'] })
  await call('LockSnapshot', { SnapshotId, LockMode: 'governance', LockDuration: 36_500 })
  await call('CopySnapshot', { SourceSnapshotId: SnapshotId, SourceRegion: 'eu-west-3' })
  await call('ImportSnapshot', { DiskContainer: container('data.raw'), ...tagged('import-snapshot-task', 'import') })
  await call('ImportImage', { DiskContainers: [container('root.raw'), container('data.raw')] })
  await call('ImportImage', { DiskContainers: [container('nothing')] })
  await settle()
  const { ImageId } = await call('RegisterImage', {
    Name: 'own', Architecture: 'x86_64', RootDeviceName: '/dev/xvda', BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
  })
  await call('ExportImage', { ImageId, DiskImageFormat: 'VMDK', S3ExportLocation: { S3Bucket: 'bucket', S3Prefix: 'out/' } })
  await call('CreateStoreImageTask', { ImageId, Bucket: 'bucket' })
  await settle()
  await call('CreateRestoreImageTask', { Bucket: 'bucket', ObjectKey: `${ImageId}.bin`, Name: 'restored' })
  await settle()
}

/** A template of two versions, and an instance of the first. */
async function buildTemplates({ call, settle }: World): Promise<void> {
  const { Images: [image] } = await call('DescribeImages', { Filters: [{ Name: 'name', Values: ['debian-12'] }] })
  const { LaunchTemplate: { LaunchTemplateId } } = await call('CreateLaunchTemplate', {
    LaunchTemplateName: 'fixture', VersionDescription: 'first', ...tagged('launch-template', 'template'), LaunchTemplateData: {
      ImageId: image.ImageId, InstanceType: 't3.nano', MetadataOptions: { HttpTokens: 'required' }, ...tagged('instance', 'of the template'),
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 9 } }],
      InstanceMarketOptions: { SpotOptions: { ValidUntil: new Date('2030-01-01T00:00:00Z') } },
    },
  })
  const LaunchTemplateData = { ImageId: image.ImageId, InstanceType: 't3.nano', ...tagged('instance', 'of the template') }
  await call('CreateLaunchTemplateVersion', { LaunchTemplateId, LaunchTemplateData })
  await call('RunInstances', { LaunchTemplate: { LaunchTemplateId, Version: '2' }, MinCount: 1, MaxCount: 1 })
  await settle()
}

const name = process.argv[2]
if (!name || !/^\d{4}-[a-z-]+$/.test(name)) throw new Error('usage: node test/upgrade/write.ts NNNN-what-it-precedes')
const folder = join(import.meta.dirname, 'data', name)
if (existsSync(folder)) throw new Error(`${folder} is there already: fixtures are never written again`)
const work = mkdtempSync(join(tmpdir(), 'enclume-upgrade-'))
try {
  const file = join(work, 'enclume.db')
  const world = await openWorld(file)
  const parts = [build, buildIdentities, buildKeys, buildImages, buildTemplates, buildBorders, buildDoors, buildServices, buildAlarms]
  for (const part of parts) await part(world)
  const answers = await answersOf(world, DESCRIBES)
  await closeWorld(world)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'database.sql'), dump(file))
  writeFileSync(join(folder, 'host.json'), `${JSON.stringify(hostOf(world.engine), undefined, 1)}\n`)
  writeFileSync(join(folder, 'answers.json'), `${JSON.stringify(answers, undefined, 1)}\n`)
} finally {
  rmSync(work, { recursive: true })
}
