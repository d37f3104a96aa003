/** One good request for every action on VPCs and what is in them (samples.ts), over a VPC of their own. */
import * as sdk from '@aws-sdk/client-ec2'
import type { Bench } from './kit.ts'

/** Makes a VPC with two blocks, a subnet and a gateway, and an empty VPC. */
export async function prepareVpcSamples({ ec2 }: Pick<Bench, 'ec2'>): Promise<Record<string, object>> {
  const VpcId = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))).Vpc!.VpcId!
  const empty = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))).Vpc!.VpcId!
  const further = await ec2.send(new sdk.AssociateVpcCidrBlockCommand({ VpcId, CidrBlock: '10.1.0.0/16' }))
  const SubnetId = (await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.1.0/24' }))).Subnet!.SubnetId!
  const attached = (await ec2.send(new sdk.CreateInternetGatewayCommand({}))).InternetGateway!.InternetGatewayId!
  const free = (await ec2.send(new sdk.CreateInternetGatewayCommand({}))).InternetGateway!.InternetGatewayId!
  await ec2.send(new sdk.AttachInternetGatewayCommand({ InternetGatewayId: attached, VpcId }))
  return {
    AssociateVpcCidrBlock: { VpcId, CidrBlock: '10.2.0.0/16' },
    AttachInternetGateway: { InternetGatewayId: free, VpcId: empty },
    CreateInternetGateway: {},
    CreateSubnet: { VpcId, CidrBlock: '10.0.2.0/24', AvailabilityZone: 'us-east-1b' },
    CreateVpc: { CidrBlock: '192.168.0.0/16' },
    DeleteInternetGateway: { InternetGatewayId: free },
    DeleteSubnet: { SubnetId },
    DeleteVpc: { VpcId: empty },
    DetachInternetGateway: { InternetGatewayId: attached, VpcId },
    DisassociateVpcCidrBlock: { AssociationId: further.CidrBlockAssociation!.AssociationId },
    ModifyVpcAttribute: { VpcId, EnableDnsHostnames: { Value: true } },
    ModifyVpcTenancy: { VpcId, InstanceTenancy: 'default' },
  }
}
