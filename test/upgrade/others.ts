/** What fixtures have beside EC2's machines and their networks: identities, parameters, policies, alarms, and what stands at a VPC's borders. */
import { seedOf } from '#identity/device'
import { devices } from '#identity/records'
import { codeAt, stepAt } from '#identity/totp'
import { account, type World } from './world.ts'

const document = (Statement: object) => JSON.stringify({ Version: '2012-10-17', Statement })
const trust = (service: string) => document({ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' })
const everything = document({ Effect: 'Allow', Action: '*', Resource: '*' })
const PUBLIC_KEY = `ssh-rsa ${[
  'AAAAB3NzaC1yc2EAAAADAQABAAABAQDASbeRANIlaX3tfJlFpO/t/a2u/F73Uyv4JXlm/PuDUfzADoWKKuAl0qMcSzBPkVMaOD0Ca/QVy9iM08l7p9RZy3E6',
  'OhBmaIllA4LUZmP4T8pJosxe5pwZj0k0+TwoNvkDL4zyoLIi7oEZKE+uNVpI41ioBwFtowNB80LC1BZ2kQ5jW0ePnaXUFcSClCUL0DzfVWOXoFvPt/wPvqC2',
  'Rywue+eEwtx4j2M5U4boLb92ryGDleCUibUJzWV8k2ar7Ju99Q3omjsvbMEEDcbPCX8dDp4fkfxExWNnm8nPiuXyym3WYkXfgtwheBHSgjrPsXmeTLc3f9iK',
  'BMzw5vYyyPBv',
].join('')} web`

/** A user with all that one may have, a group, a role with its profile, policies of both kinds, a provider, a device that is tied to the user. */
export async function buildIdentities(world: World): Promise<void> {
  const { store, cloud } = world
  const iam = (operation: string, input: object = {}) => world.call(operation, input, 'iam')
  const { Policy: { Arn: PolicyArn } } = await iam('CreatePolicy', { PolicyName: 'all', PolicyDocument: everything })
  await iam('CreatePolicyVersion', { PolicyArn, PolicyDocument: everything, SetAsDefault: true })
  await iam('CreateUser', { UserName: 'ada', Path: '/eng/', Tags: [{ Key: 'team', Value: 'red' }], PermissionsBoundary: PolicyArn })
  await iam('CreateLoginProfile', { UserName: 'ada', Password: 'Correct-Horse-1' })
  await iam('AttachUserPolicy', { UserName: 'ada', PolicyArn })
  await iam('PutUserPolicy', { UserName: 'ada', PolicyName: 'own', PolicyDocument: everything })
  await iam('CreateAccessKey', { UserName: 'ada' })
  await iam('CreateGroup', { GroupName: 'red' })
  await iam('AddUserToGroup', { GroupName: 'red', UserName: 'ada' })
  await iam('CreateRole', { RoleName: 'web', AssumeRolePolicyDocument: trust('ec2.amazonaws.com'), Description: 'of instances' })
  await iam('CreateInstanceProfile', { InstanceProfileName: 'web' })
  await iam('AddRoleToInstanceProfile', { InstanceProfileName: 'web', RoleName: 'web' })
  await iam('CreateOpenIDConnectProvider', { Url: 'https://accounts.example', ClientIDList: ['course'], ThumbprintList: ['a'.repeat(40)] })
  await iam('CreateAccountAlias', { AccountAlias: 'forge' })
  const { VirtualMFADevice: { SerialNumber } } = await iam('CreateVirtualMFADevice', { VirtualMFADeviceName: 'phone' })
  const [device] = await devices.list(store, account)
  const [AuthenticationCode1, AuthenticationCode2] = [-1, 0].map(i => codeAt(seedOf(cloud.identity.sealer, device!), stepAt(new Date()) + i))
  await iam('EnableMFADevice', { UserName: 'ada', SerialNumber, AuthenticationCode1, AuthenticationCode2 })
}

export async function buildKeys(world: World): Promise<void> {
  await world.call('UploadSSHPublicKey', { UserName: 'ada', SSHPublicKeyBody: PUBLIC_KEY }, 'iam')
}

export async function buildBorders({ call, settle }: World): Promise<void> {
  const { Vpc: { VpcId } } = await call('CreateVpc', { CidrBlock: '10.40.0.0/16', AmazonProvidedIpv6CidrBlock: true })
  await call('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: { Value: true } })
  const { Vpcs: [vpc] } = await call('DescribeVpcs', { VpcIds: [VpcId] })
  const Ipv6CidrBlock = vpc.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock.replace('/56', '/64')
  const { Subnet: { SubnetId } } = await call('CreateSubnet', { VpcId, CidrBlock: '10.40.1.0/24', Ipv6CidrBlock })
  await call('CreateSubnetCidrReservation', { SubnetId, Cidr: '10.40.1.64/28', ReservationType: 'explicit' })
  await call('CreateNetworkInterface', { SubnetId, Ipv6AddressCount: 1, Description: 'by both' })
  await call('CreateEgressOnlyInternetGateway', { VpcId })
  const { PrefixList: { PrefixListId } } = await call('CreateManagedPrefixList', {
    PrefixListName: 'offices', AddressFamily: 'IPv4', MaxEntries: 5, Entries: [{ Cidr: '203.0.113.0/24', Description: 'the office' }],
  })
  const { SecurityGroups: [group] } = await call('DescribeSecurityGroups', { Filters: [{ Name: 'vpc-id', Values: [VpcId] }] })
  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, PrefixListIds: [{ PrefixListId }] }]
  await call('AuthorizeSecurityGroupIngress', { GroupId: group.GroupId, IpPermissions })
  const { RouteTables: [table] } = await call('DescribeRouteTables', { Filters: [{ Name: 'vpc-id', Values: [VpcId] }] })
  await call('CreateVpcEndpoint', { VpcId, ServiceName: 'com.amazonaws.eu-west-3.s3', RouteTableIds: [table.RouteTableId] })
  await call('CreateFlowLogs', {
    ResourceType: 'VPC', ResourceIds: [VpcId], TrafficType: 'ALL', LogDestinationType: 's3', LogDestination: 'arn:aws:s3:::bucket/flows/',
  })
  await settle()
}

/** An interface endpoint, and a table of an internet gateway. */
export async function buildDoors({ call, settle }: World): Promise<void> {
  const { Subnets: [{ VpcId, SubnetId }] } = await call('DescribeSubnets', { Filters: [{ Name: 'cidr-block', Values: ['10.40.1.0/24'] }] })
  await call('CreateVpcEndpoint', { VpcId, VpcEndpointType: 'Interface', ServiceName: 'com.amazonaws.eu-west-3.ec2', SubnetIds: [SubnetId] })
  const { InternetGateway: { InternetGatewayId: GatewayId } } = await call('CreateInternetGateway')
  await call('AttachInternetGateway', { InternetGatewayId: GatewayId, VpcId })
  const { RouteTable: { RouteTableId } } = await call('CreateRouteTable', { VpcId })
  await call('AssociateRouteTable', { RouteTableId, GatewayId })
  await settle()
}

/** A parameter of two versions, a lifecycle policy, a volume with burst credits and an instance with a role whose root volume was replaced. */
export async function buildServices({ call, settle }: World): Promise<void> {
  const parameter = { Name: '/shop/name', Type: 'SecureString', Overwrite: true }
  for (const Value of ['one', 'two']) await call('PutParameter', { ...parameter, Value }, 'ssm')
  await call('CreateLifecyclePolicy', {
    ExecutionRoleArn: `arn:aws:iam::${account}:role/web`, Description: 'daily', State: 'ENABLED', PolicyDetails: {
      ResourceTypes: ['VOLUME'], TargetTags: [{ Key: 'keep', Value: 'yes' }],
      Schedules: [{ Name: 'daily', CreateRule: { Interval: 24, IntervalUnit: 'HOURS', Times: ['03:00'] }, RetainRule: { Count: 3 } }],
    },
  }, 'dlm')
  const { Images: [image] } = await call('DescribeImages', { Filters: [{ Name: 'name', Values: ['debian-12'] }] })
  const { Instances: [{ InstanceId, Placement: { AvailabilityZone } }] } = await call('RunInstances', {
    ImageId: image.ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1, IamInstanceProfile: { Name: 'web' },
  })
  const { VolumeId } = await call('CreateVolume', { AvailabilityZone, Size: 4, VolumeType: 'gp2' })
  await settle()
  await call('AttachVolume', { VolumeId, InstanceId, Device: '/dev/sdf' })
  await call('CreateSnapshots', { InstanceSpecification: { InstanceId } })
  await settle()
  await call('CreateReplaceRootVolumeTask', { InstanceId })
  await settle()
}

export async function buildAlarms({ call }: World): Promise<void> {
  await call('PutMetricAlarm', {
    AlarmName: 'busy', Namespace: 'AWS/EC2', MetricName: 'CPUUtilization', Dimensions: [{ Name: 'InstanceId', Value: 'i-0123456789abcdef0' }],
    Statistic: 'Average', Period: 300, EvaluationPeriods: 2, Threshold: 90, ComparisonOperator: 'GreaterThanThreshold',
    AlarmActions: ['arn:aws:automate:eu-west-3:ec2:stop'],
  }, 'monitoring')
}
