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
  await server.cloud.loop.idle()
  return {
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
