import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CreateVpcEndpointRequest } from '@aws-sdk/client-ec2'
import { harness, home } from '#service/ec2/vpc/harness.suite'
import { networkOf } from '#service/ec2/vpc/drive'
import type { VpcRow } from '#service/ec2/vpc/vpc'
import { plan, type Seen } from '#service/ec2/vpc-endpoint/plan'
import { answeredAt, insideOrigin } from '#service/ec2/vpc-endpoint/origin'
import type { Inside, Status } from '#service/ec2/vpc-endpoint/vpc-endpoint'

const ServiceName = 'com.amazonaws.us-east-1.ec2'
const S3 = 'com.amazonaws.us-east-1.s3'

/** The default VPC, which has both attributes that private DNS needs, and its subnets in two zones. */
async function open() {
  const h = harness()
  const [network] = (await h.call('DescribeVpcs', {})).Vpcs!
  const subnets = (await h.call('DescribeSubnets', {})).Subnets!.sort((a, b) => (a.AvailabilityZone! < b.AvailabilityZone! ? -1 : 1))
  const VpcId = network!.VpcId!
  const [a, b] = subnets.map(subnet => subnet.SubnetId!) as [string, string]
  const one: CreateVpcEndpointRequest = { VpcId, ServiceName, VpcEndpointType: 'Interface', SubnetIds: [a] }
  const create = async (more: Partial<CreateVpcEndpointRequest> = {}) => (await h.call('CreateVpcEndpoint', { ...one, ...more })).VpcEndpoint!
  const names = async () => (await networkOf(h.store, home, (await h.store.get<VpcRow>('vpc', VpcId))!)).names
    .filter(({ name }) => name.endsWith('.amazonaws.com') && !/compute/.test(name))
  const group = async (GroupName: string) => (await h.call('CreateSecurityGroup', { GroupName, Description: 'd', VpcId })).GroupId!
  return { ...h, VpcId, a, b, one, create, names, group }
}

test('an interface endpoint has an interface of its own in each subnet, which answers, and names that mean them', async () => {
  const { call, create, a, b, VpcId, names, store } = await open()
  const endpoint = await create({ SubnetIds: [a, b] })
  assert.deepEqual([endpoint.State, endpoint.VpcEndpointType, endpoint.PrivateDnsEnabled, endpoint.SubnetIds], ['pending', 'Interface', true, [a, b]])
  const { NetworkInterfaces } = await call('DescribeNetworkInterfaces', { NetworkInterfaceIds: endpoint.NetworkInterfaceIds })
  const { SubnetId, InterfaceType, RequesterManaged, Status, Groups, Description } = NetworkInterfaces!.find(own => own.SubnetId === a)!
  assert.deepEqual({ SubnetId, InterfaceType, RequesterManaged, Status, Groups, Description }, {
    SubnetId: a, InterfaceType: 'vpc_endpoint', RequesterManaged: true, Status: 'in-use', Groups: endpoint.Groups,
    Description: `VPC Endpoint Interface ${endpoint.VpcEndpointId}`,
  })
  const [all, first, , own] = endpoint.DnsEntries!.map(entry => entry.DnsName!)
  assert.match(all!, new RegExp(`^${endpoint.VpcEndpointId}-[0-9a-z]{8}\\.ec2\\.us-east-1\\.vpce\\.amazonaws\\.com$`))
  assert.match(first!, new RegExp(`^${endpoint.VpcEndpointId}-[0-9a-z]{8}-us-east-1a\\.ec2\\.us-east-1\\.vpce\\.amazonaws\\.com$`))
  assert.equal(own, 'ec2.us-east-1.amazonaws.com')
  const [at, bt] = [a, b].map(id => NetworkInterfaces!.find(one => one.SubnetId === id)!.PrivateIpAddress!)
  const known = await names()
  const of = (name: string) => known.filter(one => one.name === name).map(one => one.address)
  assert.deepEqual([of(all!), of(own!), of(first!)], [[at, bt], [at, bt], [at]])
  const spec = await networkOf(store, home, (await store.get<VpcRow>('vpc', VpcId))!)
  assert.deepEqual(spec.ports.map(port => [port.answers, port.checked, port.groups.length]), [[true, true, 1], [true, true, 1]])
  const [id] = endpoint.NetworkInterfaceIds!
  const answered = (await answeredAt(store, id!))!
  assert.deepEqual([answered.service, answered.domains.slice(0, 3)], ['ec2', [own, all, first]])
  const { policy, ...via } = (await insideOrigin(store, id!, '10.9.9.9'))!.endpoint!
  assert.deepEqual([via, JSON.parse(policy).Statement[0].Effect], [{ id: endpoint.VpcEndpointId, account: '111122223333' }, 'Allow'])
})

test('private DNS needs both attributes of its VPC, takes a name once, and goes when it is switched off', async () => {
  const { call, refused, create, names, one, VpcId } = await open()
  const { VpcEndpointId } = await create()
  assert.deepEqual(await refused('CreateVpcEndpoint', one), ['InvalidParameter',
    `private-dns-enabled cannot be set because there is already a conflicting DNS domain for ec2.us-east-1.amazonaws.com in the VPC ${VpcId}`])
  const own = async () => (await names()).filter(({ name }) => name === 'ec2.us-east-1.amazonaws.com').length
  await call('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: { Value: false } })
  assert.equal(await own(), 0)
  assert.match((await refused('CreateVpcEndpoint', { ...one, ServiceName: 'com.amazonaws.us-east-1.sts' }))[1], /requires both enableDnsSupport and/)
  await call('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: { Value: true } })
  assert.equal(await own(), 1)
  await call('ModifyVpcEndpoint', { VpcEndpointId: VpcEndpointId!, PrivateDnsEnabled: false })
  assert.deepEqual([await own(), (await names()).length], [0, 2])
  await create()
  assert.equal((await refused('ModifyVpcEndpoint', { VpcEndpointId: VpcEndpointId!, PrivateDnsEnabled: true }))[0], 'InvalidParameter')
})

test('S3\'s private names are for others where the VPC has a gateway endpoint, and mean the interface only where that is asked', async () => {
  const { call, refused, create, names, one, VpcId } = await open()
  const s3 = { ...one, ServiceName: S3 }
  assert.match((await refused('CreateVpcEndpoint', { ...s3, PrivateDnsEnabled: true }))[1], /must have a Gateway endpoint for the service/)
  assert.equal((await create({ ServiceName: S3 })).PrivateDnsEnabled, false)
  await call('CreateVpcEndpoint', { VpcId, ServiceName: S3 })
  const inbound = await create({ ServiceName: S3, PrivateDnsEnabled: true })
  const wild = async () => (await names()).filter(({ name }) => name === '*.s3.us-east-1.amazonaws.com').length
  assert.deepEqual([inbound.DnsOptions?.PrivateDnsOnlyForInboundResolverEndpoint, await wild()], [true, 0])
  await call('ModifyVpcEndpoint', { VpcEndpointId: inbound.VpcEndpointId!, DnsOptions: { PrivateDnsOnlyForInboundResolverEndpoint: false } })
  assert.equal(await wild(), 1)
})

test('subnets and groups come and go, and nobody but the endpoint manages its interfaces', async () => {
  const { call, refused, create, a, b, group } = await open()
  const [mine, other] = [await group('mine'), await group('other')]
  const SubnetConfigurations = [{ SubnetId: a, Ipv4: '172.31.0.99' }]
  const { VpcEndpointId, NetworkInterfaceIds } = await create({ SecurityGroupIds: [mine], SubnetConfigurations })
  const [NetworkInterfaceId] = NetworkInterfaceIds!
  const show = async () => {
    const [endpoint] = (await call('DescribeVpcEndpoints', { VpcEndpointIds: [VpcEndpointId!] })).VpcEndpoints!
    const { NetworkInterfaces } = await call('DescribeNetworkInterfaces', { Filters: [{ Name: 'interface-type', Values: ['vpc_endpoint'] }] })
    return [endpoint!.SubnetIds, NetworkInterfaces!.map(own => own.Groups!.map(({ GroupName }) => GroupName).join()).sort()]
  }
  assert.equal((await call('DescribeNetworkInterfaces', {})).NetworkInterfaces![0]!.PrivateIpAddress, '172.31.0.99')
  await call('ModifyVpcEndpoint', { VpcEndpointId: VpcEndpointId!, AddSubnetIds: [b], AddSecurityGroupIds: [other], RemoveSecurityGroupIds: [mine] })
  assert.deepEqual(await show(), [[a, b], ['other', 'other']])
  await call('ModifyVpcEndpoint', { VpcEndpointId: VpcEndpointId!, RemoveSubnetIds: [b] })
  assert.deepEqual(await show(), [[a], ['other']])
  const id = { VpcEndpointId: VpcEndpointId! }
  const codes = [
    await refused('ModifyVpcEndpoint', { ...id, AddSubnetIds: [a] }), await refused('ModifyVpcEndpoint', { ...id, RemoveSubnetIds: [b] }),
    await refused('ModifyVpcEndpoint', { ...id, RemoveSecurityGroupIds: [other] }),
    await refused('ModifyVpcEndpoint', { ...id, AddRouteTableIds: ['rtb-0123456789abcdef0'] }),
    await refused('DeleteNetworkInterface', { NetworkInterfaceId: NetworkInterfaceId! }),
    await refused('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: NetworkInterfaceId!, Groups: [mine] }),
    await refused('AssignPrivateIpAddresses', { NetworkInterfaceId: NetworkInterfaceId!, SecondaryPrivateIpAddressCount: 1 }),
    await refused('DeleteSubnet', { SubnetId: a }), await refused('DeleteSecurityGroup', { GroupId: other }),
  ].map(([code]) => code)
  assert.deepEqual(codes, [
    'DuplicateSubnetsInSameZone', 'InvalidSubnetID.NotFound', 'InvalidParameter', 'InvalidParameter', 'AuthFailure', 'AuthFailure',
    'AuthFailure', 'DependencyViolation', 'DependencyViolation',
  ])
})

test('a deleted endpoint is shown as deleting, and changed no more', async () => {
  const { call, refused, create } = await open()
  const { VpcEndpointId } = await create()
  await call('DeleteVpcEndpoints', { VpcEndpointIds: [VpcEndpointId!] })
  assert.equal((await call('DescribeVpcEndpoints', {})).VpcEndpoints![0]!.State, 'deleting')
  assert.equal((await refused('ModifyVpcEndpoint', { VpcEndpointId: VpcEndpointId!, PolicyDocument: '' }))[0], 'IncorrectState')
})

test('what is asked for and not there is refused by name, and what a type has not is its error', async () => {
  const { refused, one } = await open()
  const codes = [
    await refused('CreateVpcEndpoint', { ...one, IpAddressType: 'ipv6' }),
    await refused('CreateVpcEndpoint', { ...one, VpcEndpointType: 'Resource' }),
    await refused('CreateVpcEndpoint', { ...one, VpcEndpointType: 'Gateway', SubnetIds: [] }),
    await refused('CreateVpcEndpoint', { ...one, VpcEndpointType: 'Gateway' }),
    await refused('CreateVpcEndpoint', { ...one, ServiceRegion: 'eu-west-1' }),
    await refused('CreateVpcEndpoint', { ...one, ServiceName: 'com.amazonaws.us-east-1.kms' }),
    await refused('CreateVpcEndpoint', { ...one, DnsOptions: { PrivateDnsOnlyForInboundResolverEndpoint: true } }),
    await refused('CreateVpcEndpoint', { ...one, DnsOptions: { DnsRecordIpType: 'dualstack' } }),
  ].map(([code, message]) => `${code}: ${message.slice(0, 40)}`)
  assert.deepEqual(codes, [
    'UnsupportedOperation: Enclume does not implement ipv6 VPC endp', 'UnsupportedOperation: Enclume does not implement VPC endpoints',
    'InvalidParameter: Endpoint type (Gateway) does not match a', 'InvalidParameter: SubnetIds is only supported for Interfac',
    'UnsupportedOperation: Enclume does not implement ServiceRegion', 'UnsupportedOperation: Enclume does not implement endpoints for',
    'InvalidParameter: PrivateDnsOnlyForInboundResolverEndpoint', 'UnsupportedOperation: Enclume does not implement dualstack VPC',
  ])
})

test('an endpoint is available once its network has it, and forgotten once nothing of it is left', () => {
  const step = (status: Status, seen: Partial<Seen>, desired: Inside['desired'] = 'present') => plan({
    spec: { vpc: 'v', service: 's', routeTables: [], inside: { interfaces: [], groups: [], privateDns: false, desired } }, status,
  }, { joined: false, occupies: true, ...seen })
  assert.deepEqual([
    step({ state: 'pending' }, {}), step({ state: 'pending' }, { joined: true }), step({ state: 'available' }, {}),
    step({ state: 'available' }, {}, 'absent'), step({ state: 'pending' }, { occupies: false }, 'absent'),
    plan({ spec: { vpc: 'v', service: 's', routeTables: [] }, status: {} }, { joined: false, occupies: false }),
  ], [{ act: 'join' }, { write: 'available' }, { rest: true }, { act: 'leave' }, { write: 'remove' }, { rest: true }])
})
