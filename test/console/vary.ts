/** Beside what the seed makes: the same kinds of things in their other states, so that everything that can be done in the console has its object. */
import assert from 'node:assert/strict'
import * as cloudwatch from '@aws-sdk/client-cloudwatch'
import * as dlm from '@aws-sdk/client-dlm'
import * as sdk from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'
import { keys } from '../conformance/server.ts'
import type { World } from './kit.ts'
import type { Seeded } from './seed.ts'

export type Send = (operation: string, input: object) => Promise<any>
export const sender = ({ server }: World): Send => (operation, input) => server.ec2().send(new (sdk as any)[`${operation}Command`](input))
const idsOf = (list: any[], member: string): string[] => list.map(one => one[member])

async function until(send: Send, state: string, id: string): Promise<void> {
  const end = Date.now() + 20_000
  const now = async () => (await send('DescribeInstances', { InstanceIds: [id] })).Reservations[0].Instances[0].State.Name
  while ((await now()) !== state) assert.ok(Date.now() < end, state)
}

export async function vary(world: World, made: Seeded): Promise<void> {
  const send = sender(world)
  const stopped = await machines(send, made.instance)
  await networks(send, made)
  await borders(send, made)
  await images(send, stopped)
  await services({ endpoint: world.server.url, region: 'us-east-1', credentials: keys })
}

/** Instances that are stopped and terminated, with no role; one that has a further interface, and an address. */
async function machines(send: Send, running: string): Promise<string> {
  const { Images } = await send('DescribeImages', { Owners: ['amazon'] })
  const { Instances } = await send('RunInstances', { ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: 2, MaxCount: 2 })
  const [stopped, gone] = idsOf(Instances, 'InstanceId') as [string, string]
  for (const id of [stopped, gone, running]) await until(send, 'running', id)
  await send('StopInstances', { InstanceIds: [stopped] })
  await send('TerminateInstances', { InstanceIds: [gone] })
  await until(send, 'stopped', stopped)
  await until(send, 'terminated', gone)
  const { NetworkInterface } = await send('CreateNetworkInterface', { SubnetId: Instances[0].SubnetId })
  await send('AttachNetworkInterface', { NetworkInterfaceId: NetworkInterface.NetworkInterfaceId, InstanceId: stopped, DeviceIndex: 1 })
  const { AllocationId } = await send('AllocateAddress', { Domain: 'vpc' })
  await send('AssociateAddress', { AllocationId, InstanceId: running })
  return stopped
}

/** Gateways of nobody's and a public one, peerings that are active and that wait, blocks of IPv6. */
async function networks(send: Send, { vpc, subnet }: Seeded): Promise<void> {
  await send('CreateInternetGateway', {})
  const { AllocationId } = await send('AllocateAddress', { Domain: 'vpc' })
  const { NatGateway } = await send('CreateNatGateway', { SubnetId: subnet, AllocationId })
  const end = Date.now() + 20_000
  const state = async () => (await send('DescribeNatGateways', { NatGatewayIds: [NatGateway.NatGatewayId] })).NatGateways[0].State
  while ((await state()) !== 'available') assert.ok(Date.now() < end, 'the NAT gateway does not become available')
  const { VpcPeeringConnections } = await send('DescribeVpcPeeringConnections', {})
  await send('AcceptVpcPeeringConnection', { VpcPeeringConnectionId: VpcPeeringConnections[0].VpcPeeringConnectionId })
  const { Vpc } = await send('CreateVpc', { CidrBlock: '10.9.0.0/16' })
  await send('CreateVpcPeeringConnection', { VpcId: Vpc.VpcId, PeerVpcId: VpcPeeringConnections[0].RequesterVpcInfo.VpcId })
  await send('AssociateVpcCidrBlock', { VpcId: vpc, AmazonProvidedIpv6CidrBlock: true })
  const { Vpcs } = await send('DescribeVpcs', { VpcIds: [vpc] })
  const Ipv6CidrBlock = Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock.replace('/56', '/64')
  await send('AssociateSubnetCidrBlock', { SubnetId: subnet, Ipv6CidrBlock })
}

/** An ACL that is not the default one, a second group in the VPC, a prefix list of two versions. */
async function borders(send: Send, { vpc, list }: Seeded): Promise<void> {
  await send('CreateNetworkAcl', { VpcId: vpc })
  await send('CreateSecurityGroup', { VpcId: vpc, GroupName: 'shop', Description: 'The shop' })
  await send('ModifyManagedPrefixList', { PrefixListId: list, CurrentVersion: 1, AddEntries: [{ Cidr: '198.51.100.0/24' }] })
}

/** AMIs of one's own: one that is deprecated, one that is disabled, one that is protected. */
async function images(send: Send, stopped: string): Promise<void> {
  const { ImageId } = await send('CreateImage', { InstanceId: stopped, Name: 'mine' })
  await send('EnableImageDeprecation', { ImageId, DeprecateAt: new Date('2030-01-31T09:30:00Z') })
  const end = Date.now() + 20_000
  for (const [Name, operation] of [['disabled', 'DisableImage'], ['kept', 'EnableImageDeregistrationProtection']] as const) {
    const { ImageId: id } = await send('CreateImage', { InstanceId: stopped, Name })
    const state = async () => (await send('DescribeImages', { ImageIds: [id] })).Images[0].State
    while ((await state()) !== 'available') assert.ok(Date.now() < end, 'the AMI does not become available')
    await send(operation, { ImageId: id })
  }
}

/** A profile with no role, an alarm whose actions are off, policies that are on and off. */
async function services(config: { endpoint: string; region: string; credentials: typeof keys }): Promise<void> {
  const [users, watch, policies] = [new iam.IAMClient(config), new cloudwatch.CloudWatchClient(config), new dlm.DLMClient(config)]
  await users.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: 'empty' }))
  await watch.send(new cloudwatch.PutMetricAlarmCommand({
    AlarmName: 'silent', Namespace: 'AWS/EC2', MetricName: 'CPUUtilization', Statistic: 'Average', Period: 300, EvaluationPeriods: 1, Threshold: 80,
    ComparisonOperator: 'GreaterThanThreshold', ActionsEnabled: false,
  }))
  for (const State of ['ENABLED', 'DISABLED'] as const) {
    await policies.send(new dlm.CreateLifecyclePolicyCommand({
      Description: State.toLowerCase(), State, ExecutionRoleArn: `arn:aws:iam::${keys.account}:role/web-server`,
      PolicyDetails: {
        PolicyType: 'EBS_SNAPSHOT_MANAGEMENT', ResourceTypes: ['VOLUME'], TargetTags: [{ Key: 'Backup', Value: 'daily' }],
        Schedules: [{ Name: 'daily', CreateRule: { Interval: 24, IntervalUnit: 'HOURS' }, RetainRule: { Count: 7 } }],
      },
    }))
  }
  for (const client of [users, watch, policies]) client.destroy()
}
