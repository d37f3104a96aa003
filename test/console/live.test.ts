/** Every listing follows by itself what is made elsewhere: nothing is loaded anew by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as cloudwatch from '@aws-sdk/client-cloudwatch'
import * as dlm from '@aws-sdk/client-dlm'
import * as iam from '@aws-sdk/client-iam'
import * as s3 from '@aws-sdk/client-s3'
import * as sdk from '@aws-sdk/client-ec2'
import * as ssm from '@aws-sdk/client-ssm'
import { keys } from '../conformance/server.ts'
import { visit } from './kit.ts'
import { made, page, world } from './seeded.ts'

async function by<C extends { send(command: any): Promise<any>; destroy(): void }>(client: C, command: object): Promise<any> {
  try {
    return await client.send(command)
  } finally {
    client.destroy()
  }
}
const config = () => ({ endpoint: world.server.url, region: 'us-east-1', credentials: keys })
const ec2 = (operation: string, input: object): Promise<any> => world.server.ec2().send(new (sdk as any)[`${operation}Command`](input))
const person = (operation: string, input: object) => by(new iam.IAMClient(config()), new (iam as any)[`${operation}Command`](input))
const put = (command: object) => by(new s3.S3Client({ ...config(), forcePathStyle: true }), command)
const TRUST = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }] }
const flows = { ResourceType: 'VPC', TrafficType: 'REJECT', LogDestinationType: 's3' } as const
const policy = {
  Description: 'weekly', State: 'ENABLED', PolicyDetails: {
    PolicyType: 'EBS_SNAPSHOT_MANAGEMENT', ResourceTypes: ['VOLUME'], TargetTags: [{ Key: 'Backup', Value: 'weekly' }],
    Schedules: [{ Name: 'weekly', CreateRule: { Interval: 24, IntervalUnit: 'HOURS' }, RetainRule: { Count: 1 } }],
  },
} as const

/** Where it shows, and what makes one more there; the answer is what its row says. */
const makers: Record<string, () => Promise<string>> = {
  '/ec2/instances': async () => {
    const { Images } = await ec2('DescribeImages', { Owners: ['amazon'] })
    return (await ec2('RunInstances', { ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1 })).Instances[0].InstanceId
  },
  '/ec2/volumes': async () => (await ec2('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 1 })).VolumeId,
  '/ec2/snapshots': async () => (await ec2('CreateSnapshot', { VolumeId: made.volume })).SnapshotId,
  '/ec2/images': async () => {
    await ec2('CreateImage', { InstanceId: made.instance, Name: 'golden', NoReboot: true })
    return 'golden'
  },
  '/ec2/security-groups': async () => (await ec2('CreateSecurityGroup', { GroupName: 'live', Description: 'live' })).GroupId,
  '/ec2/addresses': async () => (await ec2('AllocateAddress', {})).AllocationId,
  '/ec2/launch-templates': async () => {
    await ec2('CreateLaunchTemplate', { LaunchTemplateName: 'live', LaunchTemplateData: { InstanceType: 't3.nano' } })
    return 'live'
  },
  '/ec2/key-pairs': async () => (await ec2('CreateKeyPair', { KeyName: 'live' })).KeyPairId,
  '/ec2/network-interfaces': async () => (await ec2('CreateNetworkInterface', { SubnetId: made.subnet })).NetworkInterface.NetworkInterfaceId,
  '/ec2/lifecycle-manager': async () => {
    const role = { ExecutionRoleArn: `arn:aws:iam::${keys.account}:role/web-server` }
    return (await by(new dlm.DLMClient(config()), new dlm.CreateLifecyclePolicyCommand({ ...policy, ...role } as any))).PolicyId
  },
  '/cloudwatch/alarms': async () => {
    const alarm = {
      AlarmName: 'live', Namespace: 'App', MetricName: 'Load', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
    } as const
    await by(new cloudwatch.CloudWatchClient(config()), new cloudwatch.PutMetricAlarmCommand(alarm))
    return 'live'
  },
  '/vpc/vpcs': async () => (await ec2('CreateVpc', { CidrBlock: '10.77.0.0/16' })).Vpc.VpcId,
  '/vpc/subnets': async () => (await ec2('CreateSubnet', { VpcId: made.vpc, CidrBlock: '10.0.77.0/24' })).Subnet.SubnetId,
  '/vpc/route-tables': async () => (await ec2('CreateRouteTable', { VpcId: made.vpc })).RouteTable.RouteTableId,
  '/vpc/internet-gateways': async () => (await ec2('CreateInternetGateway', {})).InternetGateway.InternetGatewayId,
  '/vpc/egress-only-gateways': async () => {
    const { Vpcs } = await ec2('DescribeVpcs', { Filters: [{ Name: 'is-default', Values: ['true'] }] })
    const { EgressOnlyInternetGateway } = await ec2('CreateEgressOnlyInternetGateway', { VpcId: Vpcs[0].VpcId })
    return EgressOnlyInternetGateway.EgressOnlyInternetGatewayId
  },
  '/vpc/dhcp-options': async () =>
    (await ec2('CreateDhcpOptions', { DhcpConfigurations: [{ Key: 'domain-name', Values: ['live.internal'] }] })).DhcpOptions.DhcpOptionsId,
  '/vpc/nat-gateways': async () =>
    (await ec2('CreateNatGateway', { SubnetId: made.subnet, ConnectivityType: 'private' })).NatGateway.NatGatewayId,
  '/vpc/peering-connections': async () => {
    const { Vpc } = await ec2('CreateVpc', { CidrBlock: '10.78.0.0/16' })
    return (await ec2('CreateVpcPeeringConnection', { VpcId: made.vpc, PeerVpcId: Vpc.VpcId })).VpcPeeringConnection.VpcPeeringConnectionId
  },
  '/vpc/network-acls': async () => (await ec2('CreateNetworkAcl', { VpcId: made.vpc })).NetworkAcl.NetworkAclId,
  '/vpc/endpoints': async () =>
    (await ec2('CreateVpcEndpoint', { VpcId: made.vpc, ServiceName: 'com.amazonaws.us-east-1.s3' })).VpcEndpoint.VpcEndpointId,
  '/vpc/prefix-lists': async () =>
    (await ec2('CreateManagedPrefixList', { PrefixListName: 'live', AddressFamily: 'IPv4', MaxEntries: 1 })).PrefixList.PrefixListId,
  '/vpc/flow-logs': async () =>
    (await ec2('CreateFlowLogs', { ...flows, ResourceIds: [made.vpc], LogDestination: 'arn:aws:s3:::course-files/live/' })).FlowLogIds[0],
  '/iam/users': async () => (await person('CreateUser', { UserName: 'live' })).User.Arn,
  '/iam/groups': async () => (await person('CreateGroup', { GroupName: 'live' })).Group.Arn,
  '/iam/roles': async () => (await person('CreateRole', { RoleName: 'live', AssumeRolePolicyDocument: JSON.stringify(TRUST) })).Role.Arn,
  '/iam/policies': async () => {
    const PolicyDocument = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}'
    return (await person('CreatePolicy', { PolicyName: 'live', PolicyDocument })).Policy.Arn
  },
  '/iam/instance-profiles': async () => (await person('CreateInstanceProfile', { InstanceProfileName: 'live' })).InstanceProfile.Arn,
  '/iam/identity-providers': async () =>
    (await person('CreateOpenIDConnectProvider', { Url: 'https://live.example', ClientIDList: ['live'] })).OpenIDConnectProviderArn,
  '/ssm/parameters': async () => {
    await by(new ssm.SSMClient(config()), new ssm.PutParameterCommand({ Name: '/live', Type: 'String', Value: 'x' }))
    return '/live'
  },
  '/s3/buckets': async () => {
    await put(new s3.CreateBucketCommand({ Bucket: 'live-bucket' }))
    return 'live-bucket'
  },
  '/s3/buckets/course-files': async () => {
    await put(new s3.PutObjectCommand({ Bucket: 'course-files', Key: 'live.txt', Body: 'x' }))
    return 'live.txt'
  },
}

test('what is made elsewhere shows in every listing without a reload', async () => {
  const still: string[] = []
  for (const [place, make] of Object.entries(makers)) {
    await visit(page, place)
    const wanted = await make()
    await page.getByRole('row').filter({ hasText: wanted }).first().waitFor({ timeout: 10_000 }).catch(() => still.push(place))
  }
  assert.deepEqual(still, [])
})
