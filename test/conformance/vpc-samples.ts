/** One good request for every action on VPCs and what is in them (samples.ts), over a VPC of their own. */
import * as sdk from '@aws-sdk/client-ec2'
import type { Bench } from './kit.ts'

/** Makes a VPC with two blocks, subnets, tables, an ACL, options and a gateway, and an empty VPC. */
export async function prepareVpcSamples({ ec2 }: Pick<Bench, 'ec2'>): Promise<Record<string, object>> {
  const VpcId = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))).Vpc!.VpcId!
  const empty = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))).Vpc!.VpcId!
  const further = await ec2.send(new sdk.AssociateVpcCidrBlockCommand({ VpcId, CidrBlock: '10.1.0.0/16' }))
  const SubnetId = (await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.1.0/24' }))).Subnet!.SubnetId!
  const attached = (await ec2.send(new sdk.CreateInternetGatewayCommand({}))).InternetGateway!.InternetGatewayId!
  const free = (await ec2.send(new sdk.CreateInternetGatewayCommand({}))).InternetGateway!.InternetGatewayId!
  await ec2.send(new sdk.AttachInternetGatewayCommand({ InternetGatewayId: attached, VpcId }))
  const used = (await ec2.send(new sdk.CreateRouteTableCommand({ VpcId }))).RouteTable!.RouteTableId!
  const unused = (await ec2.send(new sdk.CreateRouteTableCommand({ VpcId }))).RouteTable!.RouteTableId!
  const { AssociationId } = await ec2.send(new sdk.AssociateRouteTableCommand({ RouteTableId: used, SubnetId }))
  const another = (await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.3.0/24' }))).Subnet!.SubnetId!
  const route = { RouteTableId: used, DestinationCidrBlock: '0.0.0.0/0' }
  await ec2.send(new sdk.CreateRouteCommand({ ...route, GatewayId: attached }))
  const acl = (await ec2.send(new sdk.CreateNetworkAclCommand({ VpcId }))).NetworkAcl!.NetworkAclId!
  const entry = { NetworkAclId: acl, RuleNumber: 100, Protocol: '-1', RuleAction: 'allow' as const, Egress: true, CidrBlock: '0.0.0.0/0' }
  await ec2.send(new sdk.CreateNetworkAclEntryCommand(entry))
  const ofSubnet = [{ Name: 'association.subnet-id', Values: [SubnetId] }]
  const acls = await ec2.send(new sdk.DescribeNetworkAclsCommand({ Filters: ofSubnet }))
  const aclAssociation = acls.NetworkAcls![0]!.Associations!.find(a => a.SubnetId === SubnetId)!.NetworkAclAssociationId
  const DhcpConfigurations = [{ Key: 'domain-name', Values: ['example.com'] }]
  const { DhcpOptionsId } = (await ec2.send(new sdk.CreateDhcpOptionsCommand({ DhcpConfigurations }))).DhcpOptions!
  const list = { PrefixListName: 'sample', AddressFamily: 'IPv4', MaxEntries: 2 }
  const PrefixListId = (await ec2.send(new sdk.CreateManagedPrefixListCommand(list))).PrefixList!.PrefixListId!
  await ec2.send(new sdk.ModifyManagedPrefixListCommand({ PrefixListId, CurrentVersion: 1, AddEntries: [{ Cidr: '192.0.2.0/24' }] }))
  const log = { ResourceType: 'VPC' as const, TrafficType: 'ALL' as const, LogDestinationType: 's3' as const, LogDestination: 'arn:aws:s3:::logs' }
  const { FlowLogIds } = await ec2.send(new sdk.CreateFlowLogsCommand({ ...log, ResourceIds: [VpcId] }))
  const ServiceName = 'com.amazonaws.us-east-1.s3'
  const endpoint = await ec2.send(new sdk.CreateVpcEndpointCommand({ VpcId, ServiceName }))
  const { VpcEndpointId } = endpoint.VpcEndpoint!
  const reserve = { SubnetId, Cidr: '10.0.1.64/28', ReservationType: 'explicit' as const }
  const kept = await ec2.send(new sdk.CreateSubnetCidrReservationCommand(reserve))
  return {
    CreateSubnetCidrReservation: { ...reserve, Cidr: '10.0.1.96/28' },
    DeleteSubnetCidrReservation: { SubnetCidrReservationId: kept.SubnetCidrReservation!.SubnetCidrReservationId },
    GetSubnetCidrReservations: { SubnetId },
    CreateVpcEndpoint: { VpcId, ServiceName, RouteTableIds: [used] },
    DeleteVpcEndpoints: { VpcEndpointIds: [VpcEndpointId] },
    DescribeVpcEndpoints: { VpcEndpointIds: [VpcEndpointId] },
    DescribeVpcEndpointServices: {},
    ModifyVpcEndpoint: { VpcEndpointId, AddRouteTableIds: [used] },
    CreateFlowLogs: { ...log, ResourceIds: [SubnetId], ResourceType: 'Subnet' },
    DeleteFlowLogs: { FlowLogIds },
    DescribeFlowLogs: { FlowLogIds },
    CreateManagedPrefixList: { ...list, Entries: [{ Cidr: '192.0.2.0/24' }] },
    DeleteManagedPrefixList: { PrefixListId },
    DescribeManagedPrefixLists: { PrefixListIds: [PrefixListId] },
    DescribePrefixLists: {},
    GetManagedPrefixListAssociations: { PrefixListId },
    GetManagedPrefixListEntries: { PrefixListId },
    ModifyManagedPrefixList: { PrefixListId, CurrentVersion: 2, RemoveEntries: [{ Cidr: '192.0.2.0/24' }] },
    RestoreManagedPrefixListVersion: { PrefixListId, CurrentVersion: 2, PreviousVersion: 1 },
    AssociateDhcpOptions: { DhcpOptionsId, VpcId },
    AssociateRouteTable: { RouteTableId: unused, SubnetId: another },
    CreateRoute: { ...route, DestinationCidrBlock: '192.0.2.0/24', GatewayId: attached },
    CreateRouteTable: { VpcId },
    DeleteRoute: route,
    DeleteRouteTable: { RouteTableId: unused },
    DisassociateRouteTable: { AssociationId },
    ReplaceRoute: { ...route, GatewayId: attached },
    ReplaceRouteTableAssociation: { AssociationId, RouteTableId: unused },
    AssociateVpcCidrBlock: { VpcId, CidrBlock: '10.2.0.0/16' },
    AttachInternetGateway: { InternetGatewayId: free, VpcId: empty },
    CreateDhcpOptions: { DhcpConfigurations },
    CreateInternetGateway: {},
    CreateNetworkAcl: { VpcId },
    CreateNetworkAclEntry: { ...entry, Egress: false },
    DeleteDhcpOptions: { DhcpOptionsId },
    DeleteNetworkAcl: { NetworkAclId: acl },
    DeleteNetworkAclEntry: { NetworkAclId: acl, RuleNumber: 100, Egress: true },
    ReplaceNetworkAclAssociation: { AssociationId: aclAssociation, NetworkAclId: acl },
    ReplaceNetworkAclEntry: { ...entry, RuleAction: 'deny' },
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
