import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness } from '#service/ec2/vpc/harness.suite'

test('a gateway is attached to one VPC, a VPC has one gateway, and an attached one can\'t be deleted', async () => {
  const { call, refused } = harness()
  const a = (await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  const b = (await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  const TagSpecifications = [{ ResourceType: 'internet-gateway' as const, Tags: [{ Key: 'a', Value: 'b' }] }]
  const one = (await call('CreateInternetGateway', { TagSpecifications })).InternetGateway!
  const other = (await call('CreateInternetGateway', {})).InternetGateway!
  assert.deepEqual([one.Attachments, one.Tags], [[], [{ Key: 'a', Value: 'b' }]])
  const InternetGatewayId = one.InternetGatewayId!
  assert.deepEqual(await refused('DetachInternetGateway', { InternetGatewayId, VpcId: a }),
    ['Gateway.NotAttached', `resource ${InternetGatewayId} is not attached to network ${a}`])
  await call('AttachInternetGateway', { InternetGatewayId, VpcId: a })
  assert.deepEqual((await call('DescribeInternetGateways', { InternetGatewayIds: [InternetGatewayId] })).InternetGateways![0]!.Attachments,
    [{ VpcId: a, State: 'available' }])
  assert.deepEqual([
    await refused('AttachInternetGateway', { InternetGatewayId, VpcId: b }),
    await refused('AttachInternetGateway', { InternetGatewayId: other.InternetGatewayId, VpcId: a }),
    await refused('DeleteInternetGateway', { InternetGatewayId }),
  ], [
    ['Resource.AlreadyAssociated', `resource ${InternetGatewayId} is already attached to network ${a}`],
    ['InvalidParameterValue', `Network ${a} already has an internet gateway attached`],
    ['DependencyViolation', `The internetGateway '${InternetGatewayId}' has dependencies and cannot be deleted.`],
  ])
  await call('DetachInternetGateway', { InternetGatewayId, VpcId: a })
  await call('AttachInternetGateway', { InternetGatewayId: other.InternetGatewayId, VpcId: a })
  await call('DeleteInternetGateway', { InternetGatewayId })
  assert.equal((await refused('AttachInternetGateway', { InternetGatewayId, VpcId: b }))[0], 'InvalidInternetGatewayID.NotFound')
})

test('a gateway stays while public addresses are behind it', async () => {
  const { call, refused, launch, store } = harness()
  const eni = await launch()
  const [gateway] = (await call('DescribeInternetGateways', {})).InternetGateways!
  const input = { InternetGatewayId: gateway!.InternetGatewayId, VpcId: eni.spec.vpc }
  assert.deepEqual(await refused('DetachInternetGateway', input), ['DependencyViolation', `Network ${eni.spec.vpc} has some mapped public `
    + 'address(es). Please unmap those public address(es) before detaching the gateway.'])
  await store.transact(tx => tx.remove(eni))
  await call('DetachInternetGateway', input)
  const [table] = (await call('DescribeRouteTables', {})).RouteTables!
  assert.equal(table!.Routes!.at(-1)!.State, 'blackhole')
})

test('a region has room for five gateways', async () => {
  const { call, refused } = harness()
  for (let i = 0; i < 4; i++) await call('CreateInternetGateway', {})
  assert.equal((await refused('CreateInternetGateway', {}))[0], 'InternetGatewayLimitExceeded')
})
