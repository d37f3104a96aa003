/** VPC peering connections by the SDK for JavaScript, over HTTP, on the fake engine; another account's calls go to the dispatcher. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { code, openBench, type Bench } from './kit.ts'
import { keys } from './server.ts'

let bench: Bench
let ec2: Bench['ec2']
let a: string, b: string
const stranger = '444455556666'

before(async () => {
  bench = await openBench();
  ({ ec2 } = bench)
  a = await vpc('10.1.0.0/16')
  b = await vpc('10.2.0.0/16')
})
after(() => bench.close())

const vpc = async (CidrBlock: string) => (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock }))).Vpc!.VpcId!
const settled = () => bench.server.cloud.loop.idle()
const request = async (VpcId: string, PeerVpcId: string, more: Partial<sdk.CreateVpcPeeringConnectionCommandInput> = {}) =>
  (await ec2.send(new sdk.CreateVpcPeeringConnectionCommand({ VpcId, PeerVpcId, ...more }))).VpcPeeringConnection!
const accept = async (VpcPeeringConnectionId: string) =>
  (await ec2.send(new sdk.AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId }))).VpcPeeringConnection!
const remove = (VpcPeeringConnectionId: string) => ec2.send(new sdk.DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId }))
const shown = async (id: string) => {
  await settled()
  return (await ec2.send(new sdk.DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds: [id] }))).VpcPeeringConnections![0]!
}
const active = async (from: string, to: string) => {
  const id = (await request(from, to)).VpcPeeringConnectionId!
  await accept(id)
  assert.equal((await shown(id)).Status!.Code, 'active')
  return id
}
const networkOf = (id: string) => bench.server.engine.networksById.get(id)!
/** Another account's call, whose keys this server has not. */
async function other(operation: string, input: object, region = 'us-east-1'): Promise<any> {
  const principal = { account: stranger, arn: `arn:aws:iam::${stranger}:root`, userId: stranger, root: true }
  const caller = { principal, region, requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
  return bench.server.cloud.dispatch({ service: 'ec2', operation, input, caller })
}
const refusal = (wanted: string) => (error: unknown) => (error as { code: string }).code === wanted
/** An interface in a new subnet, so that the VPC has a network. */
async function populate(VpcId: string, CidrBlock: string, Groups?: string[]) {
  const SubnetId = (await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock }))).Subnet!.SubnetId!
  return (await ec2.send(new sdk.CreateNetworkInterfaceCommand({ SubnetId, Groups }))).NetworkInterface!
}
const group = async (VpcId: string, GroupName: string) =>
  (await ec2.send(new sdk.CreateSecurityGroupCommand({ VpcId, GroupName, Description: 'd' }))).GroupId!

test('a request waits for its accepter, then joins both networks; its routes lead over it, and nowhere when it is deleted', async () => {
  const TagSpecifications = [{ ResourceType: 'vpc-peering-connection' as const, Tags: [{ Key: 'Name', Value: 'ab' }] }]
  const made = await request(a, b, { TagSpecifications })
  const id = made.VpcPeeringConnectionId!
  assert.deepEqual(made.Status, { Code: 'initiating-request', Message: `Initiating Request to ${keys.account}` })
  const waiting = await shown(id)
  assert.partialDeepStrictEqual(waiting, {
    Status: { Code: 'pending-acceptance', Message: `Pending Acceptance by ${keys.account}` }, Tags: [{ Key: 'Name', Value: 'ab' }],
    RequesterVpcInfo: { VpcId: a, OwnerId: keys.account, Region: 'us-east-1', CidrBlock: '10.1.0.0/16' }, AccepterVpcInfo: { VpcId: b },
  })
  assert.equal(waiting.AccepterVpcInfo!.CidrBlock, undefined)
  assert.ok(Math.abs(waiting.ExpirationTime!.getTime() - Date.now() - 7 * 86_400_000) < 60_000)
  await populate(a, '10.1.0.0/24')
  await populate(b, '10.2.0.0/24')
  const main = { Filters: [{ Name: 'vpc-id', Values: [a] }, { Name: 'association.main', Values: ['true'] }] }
  const table = async () => (await ec2.send(new sdk.DescribeRouteTablesCommand(main))).RouteTables![0]!
  const { RouteTableId } = await table()
  await ec2.send(new sdk.CreateRouteCommand({ RouteTableId, DestinationCidrBlock: '10.2.0.0/16', VpcPeeringConnectionId: id }))
  const route = async () => {
    await settled()
    return [(await table()).Routes![1]!.State, networkOf(a).routeTables[0]!.routes[0]!.via, networkOf(a).peers, networkOf(b).peers]
  }
  assert.deepEqual(await route(), ['blackhole', { nowhere: true }, [], []])
  assert.equal((await accept(id)).Status!.Code, 'provisioning')
  const [indexA, indexB] = [networkOf(a).index, networkOf(b).index]
  assert.deepEqual(await route(), [
    'active', { peer: id }, [{ id, index: indexB, cidrs: ['10.2.0.0/16'] }], [{ id, index: indexA, cidrs: ['10.1.0.0/16'] }],
  ])
  assert.partialDeepStrictEqual(await shown(id), {
    Status: { Code: 'active', Message: 'Active' },
    AccepterVpcInfo: { CidrBlock: '10.2.0.0/16', PeeringOptions: { AllowDnsResolutionFromRemoteVpc: false } },
  })
  const twice = (await request(b, a)).VpcPeeringConnectionId!
  await assert.rejects(accept(twice), code('VpcPeeringConnectionAlreadyExists'))
  await remove(twice)
  await remove(id)
  assert.deepEqual(await route(), ['blackhole', { nowhere: true }, [], []])
  assert.deepEqual((await shown(id)).Status, { Code: 'deleted', Message: `Deleted by ${keys.account}` })
  await assert.rejects(remove(id), code('InvalidStateTransition', /attempted to transition from deleted to deleting/))
  await assert.rejects(accept(id), code('InvalidStateTransition'))
})

test('what can\'t be joined fails, and says so in the connection', async () => {
  const twin = await vpc('10.1.128.0/17')
  for (const peer of [twin, a, 'vpc-0123456789abcdef0']) {
    const failed = await shown((await request(a, peer)).VpcPeeringConnectionId!)
    assert.deepEqual(failed.Status, { Code: 'failed', Message: 'Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range' })
  }
  assert.equal((await shown((await request(a, b, { PeerOwnerId: stranger })).VpcPeeringConnectionId!)).Status!.Code, 'failed')
  assert.equal((await shown((await request(a, b, { PeerRegion: 'eu-west-1' })).VpcPeeringConnectionId!)).Status!.Code, 'failed')
  await bench.refuses(sdk.CreateVpcPeeringConnectionCommand, [
    [{ VpcId: a }, 'MissingParameter'], [{ VpcId: a, PeerVpcId: 'x' }, 'InvalidVpcID.Malformed'],
  ])
  await ec2.send(new sdk.DeleteVpcCommand({ VpcId: twin }))
})

test('another account\'s or Region\'s VPC is joined by its own owner alone', async () => {
  const theirs = (await other('CreateVpc', { CidrBlock: '10.7.0.0/16' }, 'eu-west-1')).Vpc.VpcId
  const id = (await request(a, theirs, { PeerOwnerId: stranger, PeerRegion: 'eu-west-1' })).VpcPeeringConnectionId!
  const input = { VpcPeeringConnectionId: id }
  await assert.rejects(accept(id), code('OperationNotPermitted'))
  await assert.rejects(other('AcceptVpcPeeringConnection', input), refusal('InvalidVpcPeeringConnectionID.NotFound'))
  await assert.rejects(other('DeleteVpcPeeringConnection', input, 'eu-west-1'), refusal('OperationNotPermitted'))
  await other('AcceptVpcPeeringConnection', input, 'eu-west-1')
  assert.equal((await shown(id)).Status!.Code, 'active')
  assert.deepEqual(networkOf(a).peers.map(peer => peer.cidrs), [['10.7.0.0/16']])
  const seen = await other('DescribeVpcPeeringConnections', {}, 'eu-west-1')
  assert.deepEqual(seen.VpcPeeringConnections.map((c: sdk.VpcPeeringConnection) => c.VpcPeeringConnectionId), [id])
  await other('DeleteVpc', { VpcId: theirs }, 'eu-west-1')
  assert.equal((await shown(id)).Status!.Code, 'deleted')
  assert.deepEqual(networkOf(a).peers, [])
})

test('a request may be rejected, and a connection found by its state and sides', async () => {
  const id = (await request(a, b)).VpcPeeringConnectionId!
  await ec2.send(new sdk.RejectVpcPeeringConnectionCommand({ VpcPeeringConnectionId: id }))
  assert.equal((await shown(id)).Status!.Code, 'rejected')
  await assert.rejects(ec2.send(new sdk.RejectVpcPeeringConnectionCommand({ VpcPeeringConnectionId: id })), code('InvalidStateTransition'))
  const found = async (Name: string, ...Values: string[]) => {
    const { VpcPeeringConnections } = await ec2.send(new sdk.DescribeVpcPeeringConnectionsCommand({ Filters: [{ Name, Values }] }))
    return VpcPeeringConnections!.map(c => c.VpcPeeringConnectionId)
  }
  assert.deepEqual(await found('status-code', 'rejected'), [id])
  assert.ok((await found('requester-vpc-info.vpc-id', a)).includes(id))
  assert.deepEqual(await found('accepter-vpc-info.vpc-id', 'vpc-x'), [])
})

test('groups of joined VPCs may refer to each other, by their members\' addresses, and become stale with the connection', async () => {
  const id = await active(a, b)
  const [web, app] = [await group(a, 'web'), await group(b, 'app')]
  const own = await populate(a, '10.1.1.0/24', [web])
  await populate(b, '10.2.1.0/24', [app])
  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, UserIdGroupPairs: [{ GroupId: web, UserId: keys.account }] }]
  await ec2.send(new sdk.AuthorizeSecurityGroupIngressCommand({ GroupId: app, IpPermissions }))
  const pair = async () => {
    const { SecurityGroups } = await ec2.send(new sdk.DescribeSecurityGroupsCommand({ GroupIds: [app] }))
    return SecurityGroups![0]!.IpPermissions![0]!.UserIdGroupPairs
  }
  const ingress = () => networkOf(b).groups.find(g => g.id === app)!.ingress
  await settled()
  const shownPair = { GroupId: web, UserId: keys.account, VpcId: a, VpcPeeringConnectionId: id }
  assert.deepEqual(await pair(), [{ ...shownPair, PeeringStatus: 'active' }])
  const allowed = (address: string) => ({ protocol: 6, ports: { from: 80, to: 80 }, peer: { cidr: `${address}/32` } })
  assert.deepEqual(ingress(), [allowed(own.PrivateIpAddress!)])
  const another = await populate(a, '10.1.2.0/24', [web])
  await settled()
  assert.equal(ingress().length, 2)
  await ec2.send(new sdk.DeleteNetworkInterfaceCommand({ NetworkInterfaceId: own.NetworkInterfaceId }))
  await settled()
  assert.deepEqual(ingress(), [allowed(another.PrivateIpAddress!)])
  const references = await ec2.send(new sdk.DescribeSecurityGroupReferencesCommand({ GroupId: [web] }))
  assert.deepEqual(references.SecurityGroupReferenceSet, [{ GroupId: web, ReferencingVpcId: b, VpcPeeringConnectionId: id }])
  const stale = async () => (await ec2.send(new sdk.DescribeStaleSecurityGroupsCommand({ VpcId: b }))).StaleSecurityGroupSet!
  assert.deepEqual(await stale(), [])
  await remove(id)
  await settled()
  assert.deepEqual([ingress(), await pair()], [[], [{ ...shownPair, PeeringStatus: 'deleted' }]])
  assert.partialDeepStrictEqual(await stale(), [{ GroupId: app, StaleIpPermissions: [{ FromPort: 80, UserIdGroupPairs: [{ GroupId: web }] }] }])
  await assert.rejects(ec2.send(new sdk.AuthorizeSecurityGroupIngressCommand({
    GroupId: app, IpPermissions: [{ ...IpPermissions[0]!, FromPort: 81, ToPort: 81 }],
  })), code('InvalidGroup.NotFound'))
})

test('public names of one side mean private addresses to the other only when that side says so', async () => {
  const id = await active(a, b)
  const options = (input: object) => ec2.send(new sdk.ModifyVpcPeeringConnectionOptionsCommand({ VpcPeeringConnectionId: id, ...input }))
  const { InternetGatewayId } = (await ec2.send(new sdk.CreateInternetGatewayCommand({}))).InternetGateway!
  await ec2.send(new sdk.AttachInternetGatewayCommand({ InternetGatewayId, VpcId: b }))
  await ec2.send(new sdk.ModifyVpcAttributeCommand({ VpcId: b, EnableDnsHostnames: { Value: true } }))
  const inside = await populate(b, '10.2.3.0/24')
  const { AllocationId, PublicIp } = await ec2.send(new sdk.AllocateAddressCommand({}))
  await ec2.send(new sdk.AssociateAddressCommand({ AllocationId, NetworkInterfaceId: inside.NetworkInterfaceId }))
  const known = async () => {
    await settled()
    return networkOf(a).names.filter(name => name.name === `ec2-${PublicIp!.replaceAll('.', '-')}.compute-1.amazonaws.com`)
  }
  assert.deepEqual(await known(), [])
  const answer = await options({ AccepterPeeringConnectionOptions: { AllowDnsResolutionFromRemoteVpc: true } })
  assert.partialDeepStrictEqual(answer, { AccepterPeeringConnectionOptions: { AllowDnsResolutionFromRemoteVpc: true } })
  assert.deepEqual((await known()).map(name => name.address), [inside.PrivateIpAddress])
  await assert.rejects(options({}), code('MissingParameter'))
  await assert.rejects(options({ RequesterPeeringConnectionOptions: { AllowEgressFromLocalVpcToRemoteClassicLink: true } }),
    code('UnsupportedOperation'))
  await remove(id)
  assert.deepEqual(await known(), [])
  await assert.rejects(options({ AccepterPeeringConnectionOptions: { AllowDnsResolutionFromRemoteVpc: true } }),
    code('OperationNotPermitted', /is not active/))
})
