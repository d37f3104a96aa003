import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness } from '#service/ec2/vpc/harness.suite'

async function lab() {
  const h = harness()
  const VpcId = (await h.call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  return { ...h, VpcId, code: async (input: object) => (await h.refused('CreateSubnet', { VpcId, ...input }))[0] }
}

test('a subnet is made in the zone that is asked for, by name or id, with the default ACL and the main table', async () => {
  const { call, VpcId } = await lab()
  const { Subnet } = await call('CreateSubnet', {
    VpcId, CidrBlock: '10.0.1.7/24', AvailabilityZone: 'us-east-1b',
    TagSpecifications: [{ ResourceType: 'subnet', Tags: [{ Key: 'a', Value: 'b' }] }],
  })
  assert.partialDeepStrictEqual(Subnet, {
    VpcId, CidrBlock: '10.0.1.0/24', AvailabilityZone: 'us-east-1b', AvailabilityZoneId: 'use1-az2', AvailableIpAddressCount: 251,
    State: 'available', MapPublicIpOnLaunch: false, DefaultForAz: false, Tags: [{ Key: 'a', Value: 'b' }],
  })
  assert.deepEqual((await call('DescribeSubnets', { SubnetIds: [Subnet!.SubnetId!] })).Subnets, [Subnet])
  const byId = await call('CreateSubnet', { VpcId, CidrBlock: '10.0.2.0/28', AvailabilityZoneId: 'use1-az3' })
  assert.deepEqual([byId.Subnet!.AvailabilityZone, byId.Subnet!.AvailableIpAddressCount], ['us-east-1c', 11])
  const anywhere = await call('CreateSubnet', { VpcId, CidrBlock: '10.0.3.0/24' })
  assert.equal(anywhere.Subnet!.AvailabilityZone, 'us-east-1a')
  const [acl] = (await call('DescribeNetworkAcls', { Filters: [{ Name: 'association.subnet-id', Values: [Subnet!.SubnetId!] }] })).NetworkAcls!
  assert.deepEqual([acl!.VpcId, acl!.IsDefault, acl!.Associations!.length], [VpcId, true, 3])
})

test('blocks outside the VPC, of a wrong size or in use, unknown zones and IPv6 are refused', async () => {
  const { call, refused, code, VpcId } = await lab()
  await call('CreateSubnet', { VpcId, CidrBlock: '10.0.1.0/24' })
  assert.deepEqual(await refused('CreateSubnet', { VpcId, CidrBlock: '10.1.0.0/24' }),
    ['InvalidSubnet.Range', `The CIDR '10.1.0.0/24' is invalid.`])
  assert.deepEqual(await refused('CreateSubnet', { VpcId, CidrBlock: '10.0.0.0/20' }),
    ['InvalidSubnet.Conflict', `The CIDR '10.0.0.0/20' conflicts with another subnet`])
  assert.match((await refused('CreateSubnet', { VpcId, CidrBlock: '10.0.9.0/24', AvailabilityZone: 'us-east-1z' }))[1],
    /only be created in the following availability zones: us-east-1a, us-east-1b, us-east-1c/)
  const CidrBlock = '10.0.9.0/24'
  assert.deepEqual([
    await code({ CidrBlock: '10.0.0.0/15' }), await code({ CidrBlock: '10.0.9.0/29' }), await code({ CidrBlock: 'x' }), await code({}),
    await code({ CidrBlock, AvailabilityZoneId: 'use1-az9' }), await code({ CidrBlock, Ipv6Native: true }),
    await code({ CidrBlock, AvailabilityZone: 'us-east-1a', AvailabilityZoneId: 'use1-az1' }), await code({ CidrBlock, DryRun: true }),
  ], ['InvalidSubnet.Range', 'InvalidSubnet.Range', 'InvalidParameterValue', 'MissingParameter', 'InvalidParameterValue',
    'UnsupportedOperation', 'InvalidParameterCombination', 'DryRunOperation'])
})

test('a subnet with an interface stays; without one it goes with its associations', async () => {
  const { call, refused, launch, store } = await lab()
  const eni = await launch()
  const SubnetId = eni.spec.subnet
  assert.deepEqual(await refused('DeleteSubnet', { SubnetId }),
    ['DependencyViolation', `The subnet '${SubnetId}' has dependencies and cannot be deleted.`])
  await store.transact(tx => tx.remove(eni))
  await call('DeleteSubnet', { SubnetId })
  assert.equal((await refused('DescribeSubnets', { SubnetIds: [SubnetId] }))[0], 'InvalidSubnetID.NotFound')
  const associations = (await call('DescribeNetworkAcls', {})).NetworkAcls!.flatMap(acl => acl.Associations!.map(a => a.SubnetId))
  assert.equal(associations.includes(SubnetId), false)
})

test('each zone has one default subnet, which can be made again', async () => {
  const { call, refused } = await lab()
  const [first] = (await call('DescribeSubnets', { Filters: [{ Name: 'availability-zone', Values: ['us-east-1b'] }] })).Subnets!
  const AvailabilityZone = 'us-east-1b'
  assert.deepEqual(await refused('CreateDefaultSubnet', { AvailabilityZone }), ['DefaultSubnetAlreadyExistsInAvailabilityZone',
    `'${first!.SubnetId}' is already the default subnet in us-east-1b.`])
  await call('DeleteSubnet', { SubnetId: first!.SubnetId })
  const { Subnet } = await call('CreateDefaultSubnet', { AvailabilityZone })
  assert.partialDeepStrictEqual(Subnet, { CidrBlock: first!.CidrBlock, DefaultForAz: true, MapPublicIpOnLaunch: true, AvailabilityZone })
  assert.notEqual(Subnet!.SubnetId, first!.SubnetId)
})
