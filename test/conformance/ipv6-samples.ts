/** One good request for every action on IPv6 (samples.ts), over the default VPC with a block of its own. */
import * as sdk from '@aws-sdk/client-ec2'
import type { Bench } from './kit.ts'

/** Makes a subnet with a block and an interface with an address in it, a subnet whose block may go, and a gateway for egress. */
export async function prepareIpv6Samples({ ec2, vpcId: VpcId }: Pick<Bench, 'ec2' | 'vpcId'>): Promise<Record<string, object>> {
  await ec2.send(new sdk.AssociateVpcCidrBlockCommand({ VpcId, AmazonProvidedIpv6CidrBlock: true }))
  const [block] = (await ec2.send(new sdk.DescribeVpcsCommand({ VpcIds: [VpcId] }))).Vpcs![0]!.Ipv6CidrBlockAssociationSet!
  const six = (number: number) => block!.Ipv6CidrBlock!.replace('00::/56', `0${number}::/64`)
  const subnet = async (CidrBlock: string, Ipv6CidrBlock?: string) =>
    (await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock, Ipv6CidrBlock }))).Subnet!
  const [used, free, bare] = [await subnet('172.31.200.0/24', six(1)), await subnet('172.31.201.0/24', six(2)), await subnet('172.31.202.0/24')]
  const { NetworkInterface: own } = await ec2.send(new sdk.CreateNetworkInterfaceCommand({ SubnetId: used.SubnetId, Ipv6AddressCount: 1 }))
  const { NetworkInterfaceId } = own!
  const { EgressOnlyInternetGateway: gateway } = await ec2.send(new sdk.CreateEgressOnlyInternetGatewayCommand({ VpcId }))
  const { EgressOnlyInternetGatewayId } = gateway!
  const other = (await ec2.send(new sdk.DescribeVpcsCommand({}))).Vpcs!.find(row => !row.IsDefault)!.VpcId
  return {
    AssignIpv6Addresses: { NetworkInterfaceId, Ipv6AddressCount: 1 },
    UnassignIpv6Addresses: { NetworkInterfaceId, Ipv6Addresses: own!.Ipv6Addresses!.map(one => one.Ipv6Address) },
    AssociateSubnetCidrBlock: { SubnetId: bare.SubnetId, Ipv6CidrBlock: six(3) },
    DisassociateSubnetCidrBlock: { AssociationId: free.Ipv6CidrBlockAssociationSet![0]!.AssociationId },
    CreateEgressOnlyInternetGateway: { VpcId: other },
    DeleteEgressOnlyInternetGateway: { EgressOnlyInternetGatewayId },
    DescribeEgressOnlyInternetGateways: { EgressOnlyInternetGatewayIds: [EgressOnlyInternetGatewayId] },
  }
}
