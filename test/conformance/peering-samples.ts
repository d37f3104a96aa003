/** One good request for every action on NAT gateways and VPC peering connections (samples.ts). */
import * as sdk from '@aws-sdk/client-ec2'
import type { Bench } from './kit.ts'

/** Makes a VPC with a private NAT gateway, an active connection with the default VPC, and a request of that one's to some other VPC. */
export async function preparePeeringSamples({ ec2, server, vpcId }: Bench): Promise<Record<string, object>> {
  const { Vpcs } = await ec2.send(new sdk.DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['false'] }] }))
  const VpcId = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: '10.8.0.0/16' }))).Vpc!.VpcId!
  const request = async (PeerVpcId: string) =>
    (await ec2.send(new sdk.CreateVpcPeeringConnectionCommand({ VpcId: vpcId, PeerVpcId }))).VpcPeeringConnection!.VpcPeeringConnectionId!
  const [waiting, active] = [await request(Vpcs![0]!.VpcId!), await request(VpcId)]
  await ec2.send(new sdk.AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId: active }))
  const SubnetId = (await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock: '10.8.0.0/24' }))).Subnet!.SubnetId!
  const gateway = { SubnetId, ConnectivityType: 'private' as const }
  const { NatGatewayId } = (await ec2.send(new sdk.CreateNatGatewayCommand(gateway))).NatGateway!
  const { InternetGatewayId } = (await ec2.send(new sdk.CreateInternetGatewayCommand({}))).InternetGateway!
  await ec2.send(new sdk.AttachInternetGatewayCommand({ InternetGatewayId, VpcId }))
  const allocate = async () => (await ec2.send(new sdk.AllocateAddressCommand({}))).AllocationId!
  // There is room for five: one that nobody uses is there already.
  const { Addresses } = await ec2.send(new sdk.DescribeAddressesCommand({}))
  const AllocationIds = [Addresses!.find(address => address.AssociationId === undefined)!.AllocationId!]
  const open = { SubnetId, AllocationId: await allocate() }
  const shared = (await ec2.send(new sdk.CreateNatGatewayCommand(open))).NatGateway!.NatGatewayId!
  await server.cloud.loop.idle()
  const PrivateIpAddressCount = 1
  const more = await ec2.send(new sdk.AssignPrivateNatGatewayAddressCommand({ NatGatewayId, PrivateIpAddressCount }))
  const second = await ec2.send(new sdk.AssociateNatGatewayAddressCommand({ NatGatewayId: shared, AllocationIds: [await allocate()] }))
  return {
    AssignPrivateNatGatewayAddress: { NatGatewayId, PrivateIpAddressCount },
    AssociateNatGatewayAddress: { NatGatewayId: shared, AllocationIds },
    DisassociateNatGatewayAddress: { NatGatewayId: shared, AssociationIds: [second.NatGatewayAddresses![0]!.AssociationId!] },
    UnassignPrivateNatGatewayAddress: { NatGatewayId, PrivateIpAddresses: [more.NatGatewayAddresses![0]!.PrivateIp!] },
    AcceptVpcPeeringConnection: { VpcPeeringConnectionId: waiting },
    CreateNatGateway: gateway,
    CreateVpcPeeringConnection: { VpcId, PeerVpcId: vpcId },
    DeleteNatGateway: { NatGatewayId },
    DeleteVpcPeeringConnection: { VpcPeeringConnectionId: active },
    DescribeNatGateways: { NatGatewayIds: [NatGatewayId] },
    DescribeVpcPeeringConnections: { VpcPeeringConnectionIds: [active] },
    ModifyVpcPeeringConnectionOptions: {
      VpcPeeringConnectionId: active, RequesterPeeringConnectionOptions: { AllowDnsResolutionFromRemoteVpc: true },
    },
    RejectVpcPeeringConnection: { VpcPeeringConnectionId: waiting },
  }
}
