/** What a call is about when its request does not say so by an id: names, associations, defaults. Denials of those things hold all the same. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'
import type { InstanceRow } from '#service/ec2/instance/instance'
import { roleReader } from '#service/ec2/instance-profile/role'
import { code, openBench, type Bench } from './kit.ts'
import { keys } from './server.ts'

const UserName = 'narrow'
let bench: Bench
let root: iam.IAMClient
let user: ec2.EC2Client

before(async () => {
  bench = await openBench()
  root = new iam.IAMClient({ endpoint: bench.server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
  await root.send(new iam.CreateUserCommand({ UserName }))
  const { AccessKey } = await root.send(new iam.CreateAccessKeyCommand({ UserName }))
  user = bench.server.ec2({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! })
})
after(async () => { root.destroy(); await bench.close() })

const send = (name: string, input: object, client = bench.ec2): Promise<any> => client.send(new (ec2 as Record<string, any>)[`${name}Command`](input))
const arn = (type: string, id: string) => `arn:aws:ec2:us-east-1:${keys.account}:${type}/${id}`
const may = (...Statement: object[]) => root.send(new iam.PutUserPolicyCommand({
  UserName, PolicyName: 'own', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
}))
const all = { Effect: 'Allow', Action: '*', Resource: '*' }
const never = (Resource: string | string[], Condition?: object) => ({ Effect: 'Deny', Action: 'ec2:*', Resource, ...(Condition && { Condition }) })
const denied = (name: string, input: object) => assert.rejects(send(name, input, user), code('UnauthorizedOperation'), name)
/** It would be done: a dry run says so. */
const allowed = (name: string, input: object) => assert.rejects(send(name, { ...input, DryRun: true }, user), code('DryRunOperation'), name)
const launch = (more: object = {}) => ({ ImageId: bench.imageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1, DryRun: true, ...more })
const mapping = (VolumeSize: number, DeviceName: string) => ({ DeviceName, Ebs: { VolumeSize, VolumeType: 'gp3' } })

test('a security group is the same by its name and by its id', async () => {
  const { GroupId } = await send('CreateSecurityGroup', { GroupName: 'kept', Description: 'x' })
  const { GroupId: other } = await send('CreateSecurityGroup', { GroupName: 'other', Description: 'x' })
  const rule = { IpProtocol: 'tcp', FromPort: 1, ToPort: 1, CidrIp: '10.0.0.0/8' }
  await may(all, never(arn('security-group', GroupId)))
  for (const name of ['kept', GroupId]) {
    const which = name === GroupId ? { GroupId } : { GroupName: name }
    for (const action of ['AuthorizeSecurityGroupIngress', 'RevokeSecurityGroupIngress']) await denied(action, { ...which, ...rule })
    await denied('DeleteSecurityGroup', which)
  }
  await denied('RunInstances', launch({ SecurityGroups: ['kept'] }))
  await denied('RunInstances', launch({ SecurityGroups: ['other', 'kept'] }))
  await allowed('AuthorizeSecurityGroupIngress', { GroupName: 'other', ...rule })
  await may({ Effect: 'Allow', Action: 'ec2:*SecurityGroup*', Resource: arn('security-group', other) })
  await allowed('AuthorizeSecurityGroupIngress', { GroupName: 'other', ...rule })
  await denied('AuthorizeSecurityGroupIngress', { GroupName: 'kept', ...rule })
  await denied('AuthorizeSecurityGroupIngress', { GroupName: 'nobody', ...rule })
})

test('a launch is asked for the subnet, the groups, the interfaces and the volumes that it will have', async () => {
  const { Subnets } = await send('DescribeSubnets', { Filters: [{ Name: 'default-for-az', Values: ['true'] }] })
  const [first, second] = Subnets.sort((a: ec2.Subnet, b: ec2.Subnet) => (a.AvailabilityZone! < b.AvailabilityZone! ? -1 : 1))
  const [group] = (await send('DescribeSecurityGroups', { GroupNames: ['default'] })).SecurityGroups
  const inFirst = [
    'instance/*', 'network-interface/*', 'volume/*', `subnet/${first.SubnetId}`, `security-group/${group.GroupId}`,
  ].map(path => `arn:aws:ec2:us-east-1:${keys.account}:${path}`)
  await may({ Effect: 'Allow', Action: 'ec2:RunInstances', Resource: [...inFirst, `arn:aws:ec2:us-east-1::image/${bench.imageId}`] })
  await allowed('RunInstances', launch())
  await allowed('RunInstances', launch({ NetworkInterfaces: [{ DeviceIndex: 0 }] }))
  await denied('RunInstances', launch({ Placement: { AvailabilityZone: second.AvailabilityZone } }))
  await denied('RunInstances', launch({ SubnetId: second.SubnetId }))
  for (const [type, id] of [['subnet', first.SubnetId], ['security-group', group.GroupId]]) {
    await may(all, never(arn(type!, id)))
    await denied('RunInstances', launch())
  }
  await may(all, never(arn('network-interface', '*'), { ArnEquals: { 'ec2:Subnet': arn('subnet', first.SubnetId) } }))
  await denied('RunInstances', launch())
  await allowed('RunInstances', launch({ SubnetId: second.SubnetId }))
  await may(all, never(arn('instance', '*'), { StringNotEquals: { 'ec2:AvailabilityZone': first.AvailabilityZone } }))
  await allowed('RunInstances', launch())
  await denied('RunInstances', launch({ SubnetId: second.SubnetId }))
})

test('in a region\'s first call what a launch leaves to defaults is asked as what it is, and a denied one leaves nothing', async () => {
  await may(all, never(`arn:aws:ec2:eu-north-1:${keys.account}:subnet/subnet-*`))
  const north = bench.server.ec2({ ...await user.config.credentials(), region: 'eu-north-1' })
  const asked = { ...launch(), DryRun: false, ImageId: 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64' }
  await assert.rejects(send('RunInstances', asked, north), code('UnauthorizedOperation'))
  await may(all)
  assert.deepEqual((await send('DescribeInstances', {}, north)).Reservations, [])
  await assert.rejects(send('RunInstances', { ...asked, DryRun: true }, north), code('DryRunOperation'))
  north.destroy()
})

test('each volume of a launch is asked for with its own size and type, the image\'s too', async () => {
  await may(all, never(arn('volume', '*'), { NumericGreaterThan: { 'ec2:VolumeSize': '50' } }))
  await allowed('RunInstances', launch({ BlockDeviceMappings: [mapping(20, '/dev/sdf'), mapping(50, '/dev/sdg')] }))
  await denied('RunInstances', launch({ BlockDeviceMappings: [mapping(20, '/dev/sdf'), mapping(51, '/dev/sdg')] }))
  await may({ Effect: 'Allow', Action: '*', NotResource: arn('volume', '*') },
    { Effect: 'Allow', Action: '*', Resource: arn('volume', '*'), Condition: { NumericLessThanEquals: { 'ec2:VolumeSize': '50' } } })
  await denied('RunInstances', launch({ BlockDeviceMappings: [mapping(20, '/dev/sdf'), mapping(500, '/dev/sdg')] }))
  await allowed('RunInstances', launch())
  await allowed('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 50 })
  await denied('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 51 })
  await may(all, never(arn('volume', '*'), { StringNotEquals: { 'ec2:VolumeType': 'gp3' } }))
  await denied('RunInstances', launch({ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeType: 'gp2' } }] }))
  await denied('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 1 })
  await may(all, never('arn:aws:ec2:*::snapshot/*'))
  await allowed('RunInstances', launch())
})

test('a launch by a template is asked for the template, by name or id, for what the template says, and whether the request says it', async () => {
  const { Groups: [group] } = { Groups: (await send('DescribeSecurityGroups', { GroupNames: ['default'] })).SecurityGroups }
  const { GroupId: other } = await send('CreateSecurityGroup', { GroupName: 'not-of-the-template', Description: 'x' })
  const create = async (LaunchTemplateName: string) => (await send('CreateLaunchTemplate', {
    LaunchTemplateName, TagSpecifications: [{ ResourceType: 'launch-template', Tags: [{ Key: 'for', Value: LaunchTemplateName }] }],
    LaunchTemplateData: {
      ImageId: bench.imageId, InstanceType: 't3.micro', SecurityGroupIds: [group.GroupId],
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'team', Value: 'a' }] }],
    },
  })).LaunchTemplate.LaunchTemplateId
  const [good, bad] = [await create('good'), await create('bad')]
  const by = (LaunchTemplate: object, more: object = {}) => ({ LaunchTemplate, MinCount: 1, MaxCount: 1, DryRun: true, ...more })
  const run = { Effect: 'Allow', Action: 'ec2:RunInstances', Resource: '*' }
  const tag = { Effect: 'Allow', Action: 'ec2:CreateTags', Resource: '*', Condition: { StringEquals: { 'ec2:CreateAction': 'RunInstances' } } }

  // One template alone, and nothing in its stead that it does not say (User Guide, example policies on launch templates).
  const only = { ArnLike: { 'ec2:LaunchTemplate': arn('launch-template', good) }, Bool: { 'ec2:IsLaunchTemplateResource': 'true' } }
  await may({ ...run, Condition: only }, tag)
  for (const which of [{ LaunchTemplateId: good }, { LaunchTemplateName: 'good', Version: '$Latest' }]) {
    await allowed('RunInstances', by(which))
    await allowed('RunInstances', by(which, { InstanceType: 't3.small' }))
    for (const more of [{ ImageId: bench.imageId }, { SecurityGroupIds: [other] }, { NetworkInterfaces: [{ DeviceIndex: 0, Groups: [other] }] },
      { BlockDeviceMappings: [mapping(1, '/dev/xvdb')] }]) await denied('RunInstances', by(which, more))
  }
  await denied('RunInstances', by({ LaunchTemplateName: 'bad' }))
  await denied('RunInstances', launch())
  await may({ ...run, Condition: only })
  await denied('RunInstances', by({ LaunchTemplateId: good }))

  await may(all, never(arn('launch-template', '*'), { StringEquals: { 'aws:ResourceTag/for': 'bad' } }))
  for (const which of [{ LaunchTemplateId: bad }, { LaunchTemplateName: 'bad' }]) {
    await denied('RunInstances', by(which))
    await denied('CreateLaunchTemplateVersion', { ...which, LaunchTemplateData: { InstanceType: 't3.micro' } })
    await denied('ModifyLaunchTemplate', { ...which, DefaultVersion: '1' })
    await denied('DeleteLaunchTemplateVersions', { ...which, Versions: ['2'] })
    await denied('DeleteLaunchTemplate', which)
  }
  await allowed('ModifyLaunchTemplate', { LaunchTemplateName: 'good', DefaultVersion: '1' })
  await may(all, never(arn('instance', '*'), { StringEquals: { 'ec2:InstanceType': 't3.micro' } }))
  await denied('RunInstances', by({ LaunchTemplateName: 'good' }))
  await allowed('RunInstances', by({ LaunchTemplateName: 'good' }, { InstanceType: 't3.small' }))
})

test('what an association or an attachment joins is what it is about', async () => {
  const { InstanceId, SubnetId } = await bench.launch()
  const { AllocationId, PublicIp } = await send('AllocateAddress', {})
  const { AssociationId } = await send('AssociateAddress', { AllocationId, InstanceId })
  const { NetworkInterface: { NetworkInterfaceId } } = await send('CreateNetworkInterface', { SubnetId })
  const { AttachmentId } = await send('AttachNetworkInterface', { InstanceId, NetworkInterfaceId, DeviceIndex: 1 })
  const [table] = (await send('DescribeRouteTables', {})).RouteTables
  const { Subnet: own } = await send('CreateSubnet', { VpcId: bench.vpcId, CidrBlock: '172.31.128.0/24' })
  const { AssociationId: routes } = await send('AssociateRouteTable', { RouteTableId: table.RouteTableId, SubnetId: own.SubnetId })
  const [{ InternetGatewayId: edge }] = (await send('DescribeInternetGateways', {})).InternetGateways
  const { RouteTable: { RouteTableId: steering } } = await send('CreateRouteTable', { VpcId: bench.vpcId })
  const { AssociationId: steered } = await send('AssociateRouteTable', { RouteTableId: steering, GatewayId: edge })
  const [acl] = (await send('DescribeNetworkAcls', {})).NetworkAcls
  const filter = acl.Associations.find((one: any) => one.SubnetId === own.SubnetId).NetworkAclAssociationId
  const { KeyPairId } = await send('CreateKeyPair', { KeyName: 'locked' })
  const cases: [about: string, name: string, input: object][] = [
    [arn('instance', InstanceId!), 'DetachNetworkInterface', { AttachmentId }],
    [arn('network-interface', NetworkInterfaceId), 'DetachNetworkInterface', { AttachmentId }],
    [arn('elastic-ip', AllocationId), 'DisassociateAddress', { AssociationId }],
    [arn('elastic-ip', AllocationId), 'DisassociateAddress', { PublicIp }],
    [arn('elastic-ip', AllocationId), 'ReleaseAddress', { AllocationId }],
    [arn('subnet', own.SubnetId), 'DisassociateRouteTable', { AssociationId: routes }],
    [arn('route-table', table.RouteTableId), 'DisassociateRouteTable', { AssociationId: routes }],
    [arn('internet-gateway', edge), 'AssociateRouteTable', { RouteTableId: steering, GatewayId: edge }],
    [arn('internet-gateway', edge), 'DisassociateRouteTable', { AssociationId: steered }],
    [arn('subnet', own.SubnetId), 'ReplaceRouteTableAssociation', { AssociationId: routes, RouteTableId: table.RouteTableId }],
    [arn('subnet', own.SubnetId), 'ReplaceNetworkAclAssociation', { AssociationId: filter, NetworkAclId: acl.NetworkAclId }],
    [arn('key-pair', 'locked'), 'DeleteKeyPair', { KeyPairId }],
    [arn('instance', InstanceId!), 'CreateSnapshots', { InstanceSpecification: { InstanceId } }],
    [arn('instance', InstanceId!), 'ModifyInstanceCreditSpecification', { InstanceCreditSpecifications: [{ InstanceId, CpuCredits: 'standard' }] }],
    [arn('vpc', bench.vpcId), 'CreateFlowLogs', { ResourceIds: [bench.vpcId], ResourceType: 'VPC', TrafficType: 'ALL', LogDestinationType: 's3',
      LogDestination: 'arn:aws:s3:::logs' }],
  ]
  for (const [about, name, input] of cases) {
    await may(all, never(about))
    await denied(name, input)
  }
  await bench.terminate(InstanceId!)
})

test('an instance\'s role is known by its instance, its network and how its credentials were given out', async () => {
  const RoleName = 'inside'
  const trust = { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' } }
  await root.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }))
  await root.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: RoleName }))
  await root.send(new iam.AddRoleToInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName }))
  const profile = `arn:aws:iam::${keys.account}:instance-profile/${RoleName}`
  await may(all, never(arn('instance', '*'), { ArnEquals: { 'ec2:InstanceProfile': profile } }))
  await denied('RunInstances', launch({ IamInstanceProfile: { Name: RoleName } }))
  const { InstanceId, PrivateIpAddress } = await bench.launch({ IamInstanceProfile: { Name: RoleName } })
  const roleOf = roleReader(bench.server.cloud.identity, () => new Date())
  const row = (await bench.server.store.get<InstanceRow>('instance', InstanceId!))!
  const as = async (delivery: '1.0' | '2.0') => {
    const { accessKeyId, secretAccessKey, token } = (await roleOf(bench.server.store, row, delivery))!.credentials!
    return bench.server.ec2({ accessKeyId, secretAccessKey, sessionToken: token })
  }
  const [first, second] = [await as('1.0'), await as('2.0')]
  const answers = async (Condition: object) => {
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'ec2:*', Resource: '*', Condition } })
    await root.send(new iam.PutRolePolicyCommand({ RoleName, PolicyName: 'own', PolicyDocument }))
    return Promise.all([first, second].map(client => send('DescribeVpcs', {}, client).then(() => true, () => false)))
  }
  assert.deepEqual([
    await answers({ ArnEquals: { 'ec2:SourceInstanceARN': arn('instance', InstanceId!) } }),
    await answers({ ArnEquals: { 'ec2:SourceInstanceARN': arn('instance', 'i-0123456789abcdef0') } }),
    await answers({ StringEquals: { 'aws:Ec2InstanceSourceVpc': bench.vpcId } }),
    await answers({ IpAddress: { 'aws:Ec2InstanceSourcePrivateIPv4': PrivateIpAddress } }),
    await answers({ NumericGreaterThanEquals: { 'ec2:RoleDelivery': '2.0' } }),
  ], [[true, true], [false, false], [true, true], [true, true], [false, true]])
})
