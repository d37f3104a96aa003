/** One of each thing that the console has a page for, so that every page has something to show. */
import * as ec2 from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'
import * as s3 from '@aws-sdk/client-s3'
import * as ssm from '@aws-sdk/client-ssm'
import type { Browser, Page } from 'playwright-core'
import { codeAt, stepAt } from '#identity/totp'
import { fromBase32 } from '../authenticator.ts'
import { keys } from '../conformance/server.ts'
import { openBrowser, openSeat, openWorld, signIn, type World } from './kit.ts'

export const MARKUP = '<img src=x onerror="document.title=\'broken\'">'
const TRUST = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }] }
/** VM Import/Export User Guide, "Required service role". */
const IMPORT = {
  Version: '2012-10-17',
  Statement: [{
    Effect: 'Allow', Principal: { Service: 'vmie.amazonaws.com' }, Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'sts:Externalid': 'vmimport' } },
  }],
}
const READ = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'ec2:Describe*', Resource: '*' }] }

export type Seeded = {
  instance: string; group: string; vpc: string; table: string; acl: string; volume: string; policy: string; options: string
  template: string; list: string; endpoint: string; door: string; subnet: string; nic: string; provider: string
}

export async function seed({ server }: World): Promise<Seeded> {
  const config = { endpoint: server.url, region: 'us-east-1', credentials: keys }
  const client = server.ec2()
  await client.send(new ec2.ImportKeyPairCommand({ KeyName: 'web-key', PublicKeyMaterial: new TextEncoder().encode(PUBLIC_KEY) }))
  const { GroupId: group } = await client.send(new ec2.CreateSecurityGroupCommand({ GroupName: 'web', Description: 'Web servers' }))
  const open = (port: number, CidrIp: string, Description: string) => ({
    IpProtocol: 'tcp', FromPort: port, ToPort: port, IpRanges: [{ CidrIp, Description }],
  })
  await client.send(
    new ec2.AuthorizeSecurityGroupIngressCommand({
      GroupId: group!,
      IpPermissions: [open(22, '203.0.113.0/32', 'The office'), open(80, '0.0.0.0/0', 'Everybody'), open(443, '0.0.0.0/0', 'Everybody')],
    }),
  )
  await accounts(new iam.IAMClient(config))
  await stores(new s3.S3Client({ ...config, forcePathStyle: true }), new ssm.SSMClient(config))
  // Of a file that is not there: the task stays, and makes nothing.
  const UserBucket = { S3Bucket: 'course-files', S3Key: 'disks/none.raw' }
  await client.send(new ec2.ImportSnapshotCommand({ Description: 'Brought along', DiskContainer: { Format: 'RAW', UserBucket } }))
  const { instance, volume } = await machines(client, group!)
  const template = await templates(client, group!)
  const net = await network(client)
  const borders = await traffic(client, net)
  const policy = `arn:aws:iam::${keys.account}:policy/read-instances`
  const provider = `arn:aws:iam::${keys.account}:oidc-provider/accounts.example`
  return { instance, volume, template, ...net, ...borders, policy, provider, group: group! }
}

async function machines(client: ec2.EC2Client, group: string): Promise<{ instance: string; volume: string }> {
  const { Images } = await client.send(new ec2.DescribeImagesCommand({ Owners: ['amazon'] }))
  const run = async (name: string, type: ec2._InstanceType) => {
    const tags: ec2.Tag[] = [{ Key: 'Name', Value: name }, { Key: 'environment', Value: 'production' }]
    const { Instances } = await client.send(
      new ec2.RunInstancesCommand({
        ImageId: Images![0]!.ImageId, InstanceType: type, MinCount: 1, MaxCount: 1, KeyName: 'web-key', SecurityGroupIds: [group],
        IamInstanceProfile: { Name: 'web-server' }, UserData: Buffer.from('#!/bin/bash\nyum install -y httpd\n').toString('base64'),
        TagSpecifications: [{ ResourceType: 'instance', Tags: tags }, { ResourceType: 'volume', Tags: tags }],
      }),
    )
    return Instances![0]!.InstanceId!
  }
  const instance = await run('web-1', 't3.micro')
  await run(MARKUP, 'm5.large')
  const AvailabilityZone = 'us-east-1a'
  const { VolumeId } = await client.send(new ec2.CreateVolumeCommand({ AvailabilityZone, Size: 20, VolumeType: 'gp3' }))
  await client.send(new ec2.CreateTagsCommand({ Resources: [VolumeId!], Tags: [{ Key: 'Name', Value: 'data' }] }))
  const until = Date.now() + 20_000
  for (;;) {
    const { Volumes } = await client.send(new ec2.DescribeVolumesCommand({ VolumeIds: [VolumeId!] }))
    if (Volumes![0]!.State === 'available') break
    if (Date.now() > until) throw new Error('the volume does not become available')
  }
  await client.send(new ec2.CreateSnapshotCommand({ VolumeId, Description: 'Before the update' }))
  const { AllocationId } = await client.send(new ec2.AllocateAddressCommand({ Domain: 'vpc' }))
  await client.send(new ec2.CreateTagsCommand({ Resources: [AllocationId!], Tags: [{ Key: 'Name', Value: 'www' }] }))
  return { instance, volume: VolumeId! }
}

/** A launch template of two versions. */
async function templates(client: ec2.EC2Client, group: string): Promise<string> {
  const { Images } = await client.send(new ec2.DescribeImagesCommand({ Owners: ['amazon'] }))
  const LaunchTemplateData: ec2.RequestLaunchTemplateData = {
    ImageId: Images![0]!.ImageId, InstanceType: 't3.micro', KeyName: 'web-key', SecurityGroupIds: [group],
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 12, VolumeType: 'gp3' } }],
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'from-template' }, { Key: 'environment', Value: 'production' }] }],
  }
  const { LaunchTemplate } = await client.send(new ec2.CreateLaunchTemplateCommand({
    LaunchTemplateName: 'web-servers', VersionDescription: 'As in production', LaunchTemplateData,
    TagSpecifications: [{ ResourceType: 'launch-template', Tags: [{ Key: 'team', Value: 'web' }] }],
  }))
  const LaunchTemplateId = LaunchTemplate!.LaunchTemplateId!
  await client.send(new ec2.CreateLaunchTemplateVersionCommand({
    LaunchTemplateId, SourceVersion: '1', VersionDescription: 'Bigger', LaunchTemplateData: { InstanceType: 't3.small' },
  }))
  return LaunchTemplateId
}

/** A VPC with a public and a private subnet, each with a route table of its own, beside the default one. */
async function network(client: ec2.EC2Client): Promise<{ vpc: string; table: string; acl: string; options: string; subnet: string }> {
  const named = (ResourceType: ec2.ResourceType, name: string) => ({ TagSpecifications: [{ ResourceType, Tags: [{ Key: 'Name', Value: name }] }] })
  const { Vpc } = await client.send(new ec2.CreateVpcCommand({ CidrBlock: '10.0.0.0/16', ...named('vpc', 'shop') }))
  const VpcId = Vpc!.VpcId!
  const subnet = async (CidrBlock: string, AvailabilityZone: string, name: string) =>
    (await client.send(new ec2.CreateSubnetCommand({ VpcId, CidrBlock, AvailabilityZone, ...named('subnet', name) }))).Subnet!.SubnetId!
  const shown = await subnet('10.0.1.0/24', 'us-east-1a', 'public')
  await subnet('10.0.2.0/24', 'us-east-1b', 'private')
  const { InternetGateway } = await client.send(new ec2.CreateInternetGatewayCommand(named('internet-gateway', 'door')))
  const GatewayId = InternetGateway!.InternetGatewayId!
  await client.send(new ec2.AttachInternetGatewayCommand({ InternetGatewayId: GatewayId, VpcId }))
  const { RouteTable } = await client.send(new ec2.CreateRouteTableCommand({ VpcId, ...named('route-table', 'public') }))
  const RouteTableId = RouteTable!.RouteTableId!
  await client.send(new ec2.CreateRouteCommand({ RouteTableId, DestinationCidrBlock: '0.0.0.0/0', GatewayId }))
  await client.send(new ec2.AssociateRouteTableCommand({ RouteTableId, SubnetId: shown }))
  const { Vpcs } = await client.send(new ec2.DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] }))
  await client.send(new ec2.CreateVpcPeeringConnectionCommand({ VpcId, PeerVpcId: Vpcs![0]!.VpcId }))
  const { NetworkAcls } = await client.send(new ec2.DescribeNetworkAclsCommand({ Filters: [{ Name: 'vpc-id', Values: [VpcId] }] }))
  await client.send(new ec2.CreateNatGatewayCommand({ SubnetId: shown, ConnectivityType: 'private' }))
  const { DhcpOptions } = await client.send(new ec2.DescribeDhcpOptionsCommand({}))
  return { vpc: VpcId, table: RouteTableId, acl: NetworkAcls![0]!.NetworkAclId!, options: DhcpOptions![0]!.DhcpOptionsId!, subnet: shown }
}

/** What stands at a VPC's borders and beside its subnets. */
async function traffic(client: ec2.EC2Client, { vpc: VpcId, table, subnet: SubnetId }: { vpc: string; table: string; subnet: string }) {
  const { PrefixList } = await client.send(
    new ec2.CreateManagedPrefixListCommand({
      PrefixListName: 'offices', AddressFamily: 'IPv4', MaxEntries: 5, Entries: [{ Cidr: '203.0.113.0/24', Description: 'The office' }],
    }),
  )
  const { VpcEndpoint } = await client.send(
    new ec2.CreateVpcEndpointCommand({ VpcId, ServiceName: 'com.amazonaws.us-east-1.s3', RouteTableIds: [table] }),
  )
  await client.send(new ec2.ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: true } }))
  const { VpcEndpoint: door } = await client.send(
    new ec2.CreateVpcEndpointCommand({ VpcId, VpcEndpointType: 'Interface', ServiceName: 'com.amazonaws.us-east-1.ec2', SubnetIds: [SubnetId] }),
  )
  await client.send(new ec2.CreateEgressOnlyInternetGatewayCommand({ VpcId }))
  const { NetworkInterface } = await client.send(new ec2.CreateNetworkInterfaceCommand({ SubnetId, Description: 'spare' }))
  const nic = NetworkInterface!.NetworkInterfaceId!
  for (const [ResourceType, id] of [['VPC', VpcId], ['Subnet', SubnetId], ['NetworkInterface', nic]] as const) {
    await client.send(
      new ec2.CreateFlowLogsCommand({
        ResourceType, ResourceIds: [id], TrafficType: 'ALL', LogDestinationType: 's3', LogDestination: 'arn:aws:s3:::course-files/flows/',
      }),
    )
  }
  return { list: PrefixList!.PrefixListId!, endpoint: VpcEndpoint!.VpcEndpointId!, door: door!.VpcEndpointId!, nic }
}

async function accounts(client: iam.IAMClient): Promise<void> {
  for (const UserName of ['alice', 'create']) await client.send(new iam.CreateUserCommand({ UserName, Tags: [{ Key: 'team', Value: 'web' }] }))
  await devices(client)
  await client.send(new iam.CreateGroupCommand({ GroupName: 'students' }))
  await client.send(new iam.AddUserToGroupCommand({ GroupName: 'students', UserName: 'alice' }))
  const provider = { Url: 'https://accounts.example', ClientIDList: ['course'], ThumbprintList: ['a'.repeat(40)] }
  await client.send(new iam.CreateOpenIDConnectProviderCommand(provider))
  await client.send(new iam.CreateRoleCommand({ RoleName: 'web-server', AssumeRolePolicyDocument: JSON.stringify(TRUST) }))
  await client.send(new iam.CreateRoleCommand({ RoleName: 'vmimport', AssumeRolePolicyDocument: JSON.stringify(IMPORT) }))
  await client.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: 'web-server' }))
  await client.send(new iam.AddRoleToInstanceProfileCommand({ InstanceProfileName: 'web-server', RoleName: 'web-server' }))
  const { Policy } = await client.send(new iam.CreatePolicyCommand({ PolicyName: 'read-instances', PolicyDocument: JSON.stringify(READ) }))
  await client.send(new iam.PutRolePermissionsBoundaryCommand({ RoleName: 'web-server', PermissionsBoundary: Policy!.Arn }))
  client.destroy()
}

/** One that is alice's, and one that is nobody's. */
async function devices(client: iam.IAMClient): Promise<void> {
  const make = async (VirtualMFADeviceName: string) =>
    (await client.send(new iam.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName }))).VirtualMFADevice!
  const { SerialNumber, Base32StringSeed } = await make('phone')
  await make('spare')
  const seed = fromBase32(Buffer.from(Base32StringSeed!).toString())
  const [AuthenticationCode1, AuthenticationCode2] = [-1, 0].map(i => codeAt(seed, stepAt(new Date()) + i))
  await client.send(new iam.EnableMFADeviceCommand({ UserName: 'alice', SerialNumber, AuthenticationCode1, AuthenticationCode2 }))
}

async function stores(objects: s3.S3Client, parameters: ssm.SSMClient): Promise<void> {
  await objects.send(new s3.CreateBucketCommand({ Bucket: 'course-files' }))
  await objects.send(new s3.PutBucketTaggingCommand({ Bucket: 'course-files', Tagging: { TagSet: [{ Key: 'team', Value: 'web' }] } }))
  const Rules: s3.LifecycleRule[] = ['old', 'kept'].map(ID => ({ ID, Status: 'Enabled', Filter: { Prefix: `${ID}/` }, Expiration: { Days: 30 } }))
  await objects.send(new s3.PutBucketLifecycleConfigurationCommand({ Bucket: 'course-files', LifecycleConfiguration: { Rules } }))
  const CORSRules = [{ AllowedOrigins: ['https://shop.example'], AllowedMethods: ['GET'] }]
  await objects.send(new s3.PutBucketCorsCommand({ Bucket: 'course-files', CORSConfiguration: { CORSRules } }))
  for (const Key of ['read-me.txt', 'pictures/one.png']) await objects.send(new s3.PutObjectCommand({ Bucket: 'course-files', Key, Body: 'content' }))
  const Tags = [{ Key: 'team', Value: 'web' }]
  await parameters.send(new ssm.PutParameterCommand({ Name: '/shop/database', Type: 'SecureString', Value: 'secret', Tags }))
  objects.destroy()
  parameters.destroy()
}

const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f web'

/** A browser in which the root user is signed in, in English, to a world that has something of everything. */
export async function openSeeded(): Promise<{ browser: Browser; world: World; made: Seeded; page: Page }> {
  const [browser, world] = [await openBrowser(), await openWorld()]
  const made = await seed(world)
  const { page } = await openSeat(browser, { language: 'en' })
  await signIn(page, { url: world.url, language: 'en' })
  return { browser, world, made, page }
}
