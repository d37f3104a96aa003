/** A VPC that a user designs, by the SDK for JavaScript over HTTP: made, used by an instance, and taken down in order. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { code, openBench, stateOf, type Bench } from './kit.ts'

let bench: Bench
let ec2: Bench['ec2']

before(async () => {
  bench = await openBench()
  ec2 = bench.ec2
})
after(() => bench.close())

const tags = (ResourceType: sdk.ResourceType) => [{ ResourceType, Tags: [{ Key: 'Name', Value: 'design' }] }]
const inVpc = (VpcId: string) => [{ Name: 'vpc-id', Values: [VpcId] }]
const any = '0.0.0.0/0'

/** Public and private subnet, each with a table; the private one behind an ACL that lets only the VPC in. */
async function design() {
  const VpcId = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: '10.0.0.0/16', TagSpecifications: tags('vpc') }))).Vpc!.VpcId!
  await ec2.send(new sdk.ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: true } }))
  const subnet = async (CidrBlock: string, AvailabilityZone: string) =>
    (await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock, AvailabilityZone, TagSpecifications: tags('subnet') }))).Subnet!.SubnetId!
  const [open, closed] = [await subnet('10.0.0.0/24', 'us-east-1a'), await subnet('10.0.1.0/24', 'us-east-1b')]
  await ec2.send(new sdk.ModifySubnetAttributeCommand({ SubnetId: open, MapPublicIpOnLaunch: { Value: true } }))
  const gateway = (await ec2.send(new sdk.CreateInternetGatewayCommand({ TagSpecifications: tags('internet-gateway') }))).InternetGateway!
  const InternetGatewayId = gateway.InternetGatewayId!
  await ec2.send(new sdk.AttachInternetGatewayCommand({ InternetGatewayId, VpcId }))
  const table = async (SubnetId: string) => {
    const { RouteTableId } = (await ec2.send(new sdk.CreateRouteTableCommand({ VpcId, TagSpecifications: tags('route-table') }))).RouteTable!
    const { AssociationId } = await ec2.send(new sdk.AssociateRouteTableCommand({ RouteTableId, SubnetId }))
    return { RouteTableId: RouteTableId!, AssociationId: AssociationId! }
  }
  const [toInternet, local] = [await table(open), await table(closed)]
  await ec2.send(new sdk.CreateRouteCommand({ RouteTableId: toInternet.RouteTableId, DestinationCidrBlock: any, GatewayId: InternetGatewayId }))
  const NetworkAclId = (await ec2.send(new sdk.CreateNetworkAclCommand({ VpcId, TagSpecifications: tags('network-acl') }))).NetworkAcl!.NetworkAclId!
  for (const Egress of [true, false]) {
    await ec2.send(new sdk.CreateNetworkAclEntryCommand({
      NetworkAclId, RuleNumber: 100, Protocol: '6', RuleAction: 'allow', Egress, CidrBlock: '10.0.0.0/16', PortRange: { From: 0, To: 65_535 },
    }))
  }
  const acls = (await ec2.send(new sdk.DescribeNetworkAclsCommand({ Filters: [{ Name: 'association.subnet-id', Values: [closed] }] }))).NetworkAcls!
  const AssociationId = acls[0]!.Associations!.find(a => a.SubnetId === closed)!.NetworkAclAssociationId
  await ec2.send(new sdk.ReplaceNetworkAclAssociationCommand({ AssociationId, NetworkAclId }))
  const group = { GroupName: 'app', Description: 'app', VpcId }
  const GroupId = (await ec2.send(new sdk.CreateSecurityGroupCommand(group))).GroupId!
  await ec2.send(new sdk.AuthorizeSecurityGroupIngressCommand({ GroupId, IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIp: '10.0.0.0/24' }))
  return { VpcId, open, closed, InternetGatewayId, toInternet, local, NetworkAclId, GroupId }
}

test('a designed VPC takes an instance, is on the host as it was designed, and goes only in the order of dependencies', async () => {
  const before = await stateOf(bench.server)
  const { VpcId, open, closed, InternetGatewayId, toInternet, local, NetworkAclId, GroupId } = await design()
  const hidden = await bench.launch({ SubnetId: closed, SecurityGroupIds: [GroupId], PrivateIpAddress: '10.0.1.10' })
  const shown = await bench.launch({ SubnetId: open, SecurityGroupIds: [GroupId] })
  assert.deepEqual([hidden.PrivateIpAddress, hidden.PublicIpAddress, hidden.VpcId, hidden.Placement!.AvailabilityZone],
    ['10.0.1.10', undefined, VpcId, 'us-east-1b'])
  assert.match(shown.PublicIpAddress!, /^198\.18\./)
  await bench.server.cloud.loop.idle()

  const network = bench.server.engine.networksById.get(VpcId)!
  const tables = new Map(network.routeTables.map(table => [table.id, table.routes]))
  assert.deepEqual(network.cidrs, ['10.0.0.0/16'])
  assert.deepEqual(network.subnets.map(s => [s.id, s.cidr, s.routeTable, s.filter]).sort(), [
    [open, '10.0.0.0/24', toInternet.RouteTableId, undefined], [closed, '10.0.1.0/24', local.RouteTableId, NetworkAclId],
  ].sort())
  assert.deepEqual([tables.get(toInternet.RouteTableId), tables.get(local.RouteTableId)], [[{ cidr: any, via: { internet: true } }], []])
  const passes = [{ allow: true, cidr: '10.0.0.0/16', protocol: 6, ports: { from: 0, to: 65_535 } }]
  assert.deepEqual(network.filters, [{ id: NetworkAclId, ingress: passes, egress: passes }])
  assert.deepEqual(network.ports.map(port => port.addresses[0]).sort((a, b) => (a!.private < b!.private ? -1 : 1)),
    [{ private: shown.PrivateIpAddress!, public: shown.PublicIpAddress! }, { private: '10.0.1.10' }])

  // A route over an instance.
  const over = { RouteTableId: local.RouteTableId, DestinationCidrBlock: any }
  await ec2.send(new sdk.CreateRouteCommand({ ...over, InstanceId: shown.InstanceId }))
  const routeState = async () => (await ec2.send(new sdk.DescribeRouteTablesCommand({ RouteTableIds: [local.RouteTableId] })))
    .RouteTables![0]!.Routes!.find(r => r.DestinationCidrBlock === any)
  const eni = shown.NetworkInterfaces![0]!.NetworkInterfaceId!
  assert.partialDeepStrictEqual(await routeState(), { InstanceId: shown.InstanceId, NetworkInterfaceId: eni, State: 'active' })

  // The wrong order.
  const held = code('DependencyViolation')
  await assert.rejects(ec2.send(new sdk.DeleteVpcCommand({ VpcId })), held)
  await assert.rejects(ec2.send(new sdk.DeleteSubnetCommand({ SubnetId: closed })), held)
  await assert.rejects(ec2.send(new sdk.DetachInternetGatewayCommand({ InternetGatewayId, VpcId })), held)
  await assert.rejects(ec2.send(new sdk.DeleteInternetGatewayCommand({ InternetGatewayId })), held)
  await assert.rejects(ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId })), held)
  await assert.rejects(ec2.send(new sdk.DeleteNetworkAclCommand({ NetworkAclId })), held)
  await assert.rejects(ec2.send(new sdk.DeleteRouteTableCommand({ RouteTableId: local.RouteTableId })), held)

  // The right one.
  await bench.terminate(hidden.InstanceId!, shown.InstanceId!)
  assert.partialDeepStrictEqual(await routeState(), { NetworkInterfaceId: eni, State: 'blackhole' })
  await ec2.send(new sdk.DetachInternetGatewayCommand({ InternetGatewayId, VpcId }))
  await ec2.send(new sdk.DeleteInternetGatewayCommand({ InternetGatewayId }))
  await ec2.send(new sdk.DisassociateRouteTableCommand({ AssociationId: toInternet.AssociationId }))
  for (const SubnetId of [open, closed]) await ec2.send(new sdk.DeleteSubnetCommand({ SubnetId }))
  for (const { RouteTableId } of [toInternet, local]) await ec2.send(new sdk.DeleteRouteTableCommand({ RouteTableId }))
  await ec2.send(new sdk.DeleteNetworkAclCommand({ NetworkAclId }))
  await ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId }))
  await ec2.send(new sdk.DeleteVpcCommand({ VpcId }))
  await assert.rejects(ec2.send(new sdk.DescribeVpcsCommand({ VpcIds: [VpcId] })), code('InvalidVpcID.NotFound'))
  const left = await ec2.send(new sdk.DescribeSecurityGroupsCommand({ Filters: inVpc(VpcId) }))
  assert.deepEqual(left.SecurityGroups, [])
  await bench.server.cloud.loop.idle()
  assert.equal(bench.server.engine.networksById.has(VpcId), false)
  // Only the terminated instances are still to be seen.
  const after = (await stateOf(bench.server)).split('\n').filter(line => !line.startsWith('instance '))
  assert.deepEqual(after, before.split('\n'))
})

test('DHCP options reach a running network, and leave it again', async () => {
  const VpcId = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))).Vpc!.VpcId!
  const { SubnetId } = (await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.0.0/24' }))).Subnet!
  const instance = await bench.launch({ SubnetId })
  const dhcp = async () => {
    await bench.server.cloud.loop.idle()
    return bench.server.engine.networksById.get(VpcId)!.dhcp
  }
  assert.deepEqual(await dhcp(), { domainName: 'ec2.internal', domainNameServers: ['10.0.0.2'], ntpServers: [], leaseSeconds: 3600 })
  const { DhcpOptionsId } = (await ec2.send(new sdk.CreateDhcpOptionsCommand({
    DhcpConfigurations: [
      { Key: 'domain-name', Values: ['corp.example'] }, { Key: 'domain-name-servers', Values: ['192.0.2.53', 'AmazonProvidedDNS'] },
      { Key: 'ntp-servers', Values: ['192.0.2.123'] },
    ],
  }))).DhcpOptions!
  await ec2.send(new sdk.AssociateDhcpOptionsCommand({ DhcpOptionsId, VpcId }))
  assert.deepEqual(await dhcp(),
    { domainName: 'corp.example', domainNameServers: ['192.0.2.53', '10.0.0.2'], ntpServers: ['192.0.2.123'], leaseSeconds: 3600 })
  await ec2.send(new sdk.AssociateDhcpOptionsCommand({ DhcpOptionsId: 'default', VpcId }))
  assert.deepEqual(await dhcp(), { domainNameServers: [], ntpServers: [], leaseSeconds: 3600 })
  await bench.terminate(instance.InstanceId!)
  await ec2.send(new sdk.DeleteSubnetCommand({ SubnetId }))
  await ec2.send(new sdk.DeleteVpcCommand({ VpcId }))
  await ec2.send(new sdk.DeleteDhcpOptionsCommand({ DhcpOptionsId }))
})
