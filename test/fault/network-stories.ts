/** What happens to gateways, peering connections and VPCs beside a running instance, and what time alone does, as stories. */
import type { Story } from './stories.ts'
import type { World } from './world.ts'

type Given = { running(world: World, more?: object): Promise<string>; settled(world: World, ends: Story['ends']): Promise<void> }

const up = { state: 'running', boots: 1 }
const HOUR = 3_600_000
const other = async (world: World): Promise<string> =>
  (await world.call('DescribeVpcs', { Filters: [{ Name: 'is-default', Values: ['false'] }] })).Vpcs[0].VpcId
const subnetOf = async (world: World, InstanceId: string): Promise<string> =>
  (await world.call('DescribeInstances', { InstanceIds: [InstanceId] })).Reservations[0].Instances[0].SubnetId
const natGateway = async (world: World): Promise<string> => (await world.call('DescribeNatGateways', {})).NatGateways[0].NatGatewayId
const peering = async (world: World): Promise<string> =>
  (await world.call('DescribeVpcPeeringConnections', {})).VpcPeeringConnections[0].VpcPeeringConnectionId

export function networkStoriesOf({ running, settled }: Given): Story[] {
  /** What comes before, at rest. */
  const after = (...steps: ((world: World, id: string) => Promise<unknown>)[]) => async (world: World): Promise<string> => {
    const id = await running(world)
    for (const step of steps) {
      await step(world, id)
      await settled(world, up)
    }
    return id
  }
  const makeVpc = (world: World) => world.call('CreateVpc', { CidrBlock: '10.9.0.0/16' })
  const fill = async (world: World) => {
    const { Subnet } = await world.call('CreateSubnet', { VpcId: await other(world), CidrBlock: '10.9.0.0/24' })
    await world.call('CreateNetworkInterface', { SubnetId: Subnet.SubnetId })
  }
  const empty = async (world: World) => {
    const Filters = [{ Name: 'vpc-id', Values: [await other(world)] }]
    const { NetworkInterfaces: [own] } = await world.call('DescribeNetworkInterfaces', { Filters })
    await world.call('DeleteNetworkInterface', { NetworkInterfaceId: own.NetworkInterfaceId })
    await world.call('DeleteSubnet', { SubnetId: own.SubnetId })
  }
  const translate = async (world: World, id: string) => {
    await world.call('CreateNatGateway', { SubnetId: await subnetOf(world, id), ConnectivityType: 'private', ClientToken: 'story' })
  }
  const untranslate = async (world: World) => { await world.call('DeleteNatGateway', { NatGatewayId: await natGateway(world) }) }
  const connect = async (world: World, id: string) => {
    const { Subnets: [at] } = await world.call('DescribeSubnets', { SubnetIds: [await subnetOf(world, id)] })
    await world.call('CreateVpcEndpoint', {
      VpcId: at.VpcId, SubnetIds: [at.SubnetId], ServiceName: 'com.amazonaws.us-east-1.ec2', VpcEndpointType: 'Interface', PrivateDnsEnabled: false,
      ClientToken: 'story',
    })
  }
  const disconnect = async (world: World) => {
    const { VpcEndpoints: [own] } = await world.call('DescribeVpcEndpoints', {})
    await world.call('DeleteVpcEndpoints', { VpcEndpointIds: [own.VpcEndpointId] })
  }
  const invite = async (world: World, id: string) => {
    const { Subnets } = await world.call('DescribeSubnets', { SubnetIds: [await subnetOf(world, id)] })
    await world.call('CreateVpcPeeringConnection', { VpcId: Subnets[0].VpcId, PeerVpcId: await other(world) })
  }
  const accept = async (world: World) => { await world.call('AcceptVpcPeeringConnection', { VpcPeeringConnectionId: await peering(world) }) }
  const deleteVpc = async (world: World) => { await world.call('DeleteVpc', { VpcId: await other(world) }) }
  const policy = (world: World) => world.call('CreateLifecyclePolicy', {
    ExecutionRoleArn: 'arn:aws:iam::123456789012:role/x', Description: 'story', State: 'ENABLED',
    PolicyDetails: {
      PolicyType: 'EBS_SNAPSHOT_MANAGEMENT', ResourceTypes: ['INSTANCE'], TargetTags: [{ Key: 'Name', Value: 'story' }],
      Schedules: [{ Name: 'daily', CreateRule: { Interval: 24, IntervalUnit: 'HOURS', Times: ['03:00'] }, RetainRule: { Count: 1 } }],
    },
  }, 'dlm')
  return [
    { name: 'NAT gateway', ends: up, before: after(), happens: translate },
    { name: 'delete a NAT gateway', ends: up, before: after(translate), happens: untranslate },
    {
      name: 'NAT gateway without a way out', ends: up, before: after(makeVpc, fill),
      happens: async world => {
        const { Subnets: [own] } = await world.call('DescribeSubnets', { Filters: [{ Name: 'vpc-id', Values: [await other(world)] }] })
        const { Addresses: [held] } = await world.call('DescribeAddresses', {})
        const { AllocationId } = held ?? await world.call('AllocateAddress', {})
        await world.call('CreateNatGateway', { SubnetId: own.SubnetId, AllocationId, ClientToken: 'story' })
      },
    },
    { name: 'interface endpoint', ends: up, before: after(), happens: connect },
    { name: 'delete an interface endpoint', ends: up, before: after(connect), happens: disconnect },
    { name: 'accept a peering', ends: up, before: after(makeVpc, invite), happens: accept },
    { name: 'a peering that nobody accepts', ends: up, before: after(makeVpc, invite), happens: async world => world.later(8 * 24 * HOUR) },
    { name: 'delete a VPC', ends: up, before: after(makeVpc, fill, empty), happens: deleteVpc },
    { name: 'delete a peered VPC', ends: up, before: after(makeVpc, invite, accept), happens: deleteVpc },
    {
      name: 'a policy of snapshots', ends: up,
      before: after((world, id) => world.call('CreateTags', { Resources: [id], Tags: [{ Key: 'Name', Value: 'story' }] }), policy),
      happens: async world => world.later(25 * HOUR),
    },
    {
      name: 'what has ended is forgotten', ends: { state: 'gone', boots: 0 },
      before: async world => {
        const id = await after(makeVpc, invite, accept, deleteVpc, translate, untranslate, async (there, own) => {
          const { ImageId } = await there.call('CreateImage', { InstanceId: own, Name: 'story', NoReboot: true })
          await settled(there, up)
          await there.call('DeregisterImage', { ImageId, DeleteAssociatedSnapshots: true })
        })(world)
        await world.call('CreateReplaceRootVolumeTask', { InstanceId: id, DeleteReplacedRootVolume: true })
        await settled(world, { state: 'running', boots: 2 })
        await world.call('TerminateInstances', { InstanceIds: [id] })
        await settled(world, { state: 'terminated', boots: 2 })
        return id
      },
      happens: async world => world.later(3 * HOUR),
    },
  ]
}
