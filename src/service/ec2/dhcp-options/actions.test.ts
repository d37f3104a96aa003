import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness } from '#service/ec2/vpc/harness.suite'

test('a set is made, given to a VPC, taken from it again, and deleted only when no VPC has it', async () => {
  const { call, refused } = harness()
  const VpcId = (await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!.VpcId!
  const { DhcpOptions } = await call('CreateDhcpOptions', {
    DhcpConfigurations: [
      { Key: 'domain-name', Values: ['corp.example lab.example'] }, { Key: 'domain-name-servers', Values: ['192.0.2.53', 'AmazonProvidedDNS'] },
      { Key: 'ntp-servers', Values: ['192.0.2.123'] }, { Key: 'netbios-node-type', Values: ['2'] },
    ],
    TagSpecifications: [{ ResourceType: 'dhcp-options', Tags: [{ Key: 'a', Value: 'b' }] }],
  })
  const DhcpOptionsId = DhcpOptions!.DhcpOptionsId!
  assert.deepEqual(DhcpOptions!.DhcpConfigurations!.map(c => [c.Key, c.Values!.map(v => v.Value)]), [
    ['domain-name', ['corp.example lab.example']], ['domain-name-servers', ['192.0.2.53', 'AmazonProvidedDNS']],
    ['ntp-servers', ['192.0.2.123']], ['netbios-node-type', ['2']],
  ])
  assert.deepEqual((await call('DescribeDhcpOptions', { DhcpOptionsIds: [DhcpOptionsId] })).DhcpOptions, [DhcpOptions])
  await call('AssociateDhcpOptions', { DhcpOptionsId, VpcId })
  const shown = async () => (await call('DescribeVpcs', { VpcIds: [VpcId] })).Vpcs![0]!.DhcpOptionsId
  assert.equal(await shown(), DhcpOptionsId)
  assert.deepEqual(await refused('DeleteDhcpOptions', { DhcpOptionsId }),
    ['DependencyViolation', `The dhcpOptions '${DhcpOptionsId}' has dependencies and cannot be deleted.`])
  await call('AssociateDhcpOptions', { DhcpOptionsId: 'default', VpcId })
  assert.equal(await shown(), 'default')
  await call('DeleteDhcpOptions', { DhcpOptionsId })
  assert.deepEqual(await refused('AssociateDhcpOptions', { DhcpOptionsId, VpcId }),
    ['InvalidDhcpOptionID.NotFound', `The dhcpOption ID '${DhcpOptionsId}' does not exist`])
})

test('options that there are not, without values, with too many or with wrong ones are refused', async () => {
  const { refused } = harness()
  const code = async (...DhcpConfigurations: object[]) => (await refused('CreateDhcpOptions', { DhcpConfigurations }))[0]
  const name = { Key: 'domain-name', Values: ['a.example'] }
  assert.deepEqual(await Promise.all([
    [{ Key: 'colour', Values: ['red'] }], [{ Key: 'domain-name', Values: ['a', 'b'] }], [{ Key: 'domain-name', Values: ['a..b'] }],
    [{ Key: 'domain-name', Values: ['a\nb'] }], [{ Key: 'domain-name-servers', Values: ['dns.example'] }],
    [{ Key: 'ntp-servers', Values: ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5'] }],
    [{ Key: 'netbios-node-type', Values: ['3'] }], [name, name],
  ].map(given => code(...given))), Array(8).fill('InvalidParameterValue'))
  assert.deepEqual([await code(), await code({ Key: 'domain-name' }), await code({ Values: ['x'] })], Array(3).fill('MissingParameter'))
})

test('a default set that was deleted is made anew with the next VPC', async () => {
  const { call } = harness()
  const [network] = (await call('DescribeVpcs', {})).Vpcs!
  await call('AssociateDhcpOptions', { DhcpOptionsId: 'default', VpcId: network!.VpcId })
  await call('DeleteDhcpOptions', { DhcpOptionsId: network!.DhcpOptionsId })
  const [a, b] = [(await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!, (await call('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc!]
  assert.deepEqual((await call('DescribeDhcpOptions', {})).DhcpOptions!.map(o => o.DhcpOptionsId), [a.DhcpOptionsId])
  assert.equal(b.DhcpOptionsId, a.DhcpOptionsId)
})
