import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness, place } from '#service/ec2/vpc/harness.suite'

test('a further block widens the VPC: subnets may lie in it, and every table routes it locally', async () => {
  const { call, refused } = harness()
  const VpcId = (await call('CreateVpc', { CidrBlock: '10.0.0.0/24' })).Vpc!.VpcId!
  assert.equal((await refused('CreateSubnet', { VpcId, CidrBlock: '10.1.0.0/24' }))[0], 'InvalidSubnet.Range')
  const made = await call('AssociateVpcCidrBlock', { VpcId, CidrBlock: '10.1.0.0/16' })
  const { AssociationId } = made.CidrBlockAssociation!
  assert.deepEqual(made, {
    VpcId, CidrBlockAssociation: { AssociationId, CidrBlock: '10.1.0.0/16', CidrBlockState: { State: 'associating' } },
  })
  const blocks = async () => (await call('DescribeVpcs', { VpcIds: [VpcId] })).Vpcs![0]!.CidrBlockAssociationSet!.map(a => a.CidrBlock)
  assert.deepEqual(await blocks(), ['10.0.0.0/24', '10.1.0.0/16'])
  const [table] = (await call('DescribeRouteTables', { Filters: [{ Name: 'vpc-id', Values: [VpcId] }] })).RouteTables!
  assert.deepEqual(table!.Routes!.map(r => [r.DestinationCidrBlock, r.GatewayId]), [['10.0.0.0/24', 'local'], ['10.1.0.0/16', 'local']])
  const { SubnetId } = (await call('CreateSubnet', { VpcId, CidrBlock: '10.1.0.0/24' })).Subnet!
  assert.equal((await refused('DisassociateVpcCidrBlock', { AssociationId }))[0], 'InvalidCidrBlock.InUse')
  await call('DeleteSubnet', { SubnetId })
  assert.equal((await call('DisassociateVpcCidrBlock', { AssociationId })).CidrBlockAssociation!.CidrBlockState!.State, 'disassociating')
  assert.deepEqual(await blocks(), ['10.0.0.0/24'])
})

test('blocks that overlap, are of another private range or are too many are refused; the primary one stays', async () => {
  const { call, refused } = harness()
  const { VpcId, CidrBlockAssociationSet } = (await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!
  const code = async (CidrBlock: string) => (await refused('AssociateVpcCidrBlock', { VpcId, CidrBlock }))[0]
  assert.deepEqual(await Promise.all(['10.0.3.0/24', '192.168.0.0/16', '10.0.0.0/8', '100.64.0.0/16', 'x'].map(code)),
    [...Array(4).fill('InvalidVpc.Range'), 'InvalidParameterValue'])
  for (const CidrBlock of ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16', '203.0.112.0/24']) {
    await call('AssociateVpcCidrBlock', { VpcId, CidrBlock })
  }
  assert.equal(await code('10.5.0.0/16'), 'CidrLimitExceeded')
  const { AssociationId } = CidrBlockAssociationSet![0]!
  assert.deepEqual(await refused('DisassociateVpcCidrBlock', { AssociationId }), ['OperationNotPermitted',
    `The vpc CIDR block with association ID ${AssociationId} may not be disassociated. It is the primary IPv4 CIDR block of the VPC`])
  const missing = ['InvalidVpcCidrBlockAssociationID.NotFound', `The vpc CIDR block association ID '${AssociationId}' does not exist`]
  assert.deepEqual(await refused('DisassociateVpcCidrBlock', { AssociationId }, { ...place, account: '444455556666' }), missing)
  assert.equal((await refused('AssociateVpcCidrBlock', { VpcId, Ipv6Pool: 'ipv6pool-ec2-0' }))[0], 'UnsupportedOperation')
  assert.equal((await refused('AssociateVpcCidrBlock', { VpcId }))[0], 'MissingParameter')
})
