/** IPv6 by the SDK for JavaScript over HTTP: launched, shown, found, and free again. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { code, openBench, type Bench } from './kit.ts'

let bench: Bench
let SubnetId: string
let base: string

before(async () => {
  bench = await openBench()
  const { VpcId } = (await bench.ec2.send(new sdk.CreateVpcCommand({ CidrBlock: '10.0.0.0/16', AmazonProvidedIpv6CidrBlock: true }))).Vpc!
  const [block] = (await bench.ec2.send(new sdk.DescribeVpcsCommand({ VpcIds: [VpcId!] }))).Vpcs![0]!.Ipv6CidrBlockAssociationSet!
  base = block!.Ipv6CidrBlock!.replace('00::/56', '01::')
  const Ipv6CidrBlock = `${base}/64`
  const made = await bench.ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.1.0/24', Ipv6CidrBlock }))
  SubnetId = made.Subnet!.SubnetId!
})
after(() => bench.close())

const six = (shown: sdk.Instance) => shown.NetworkInterfaces!.map(one => one.Ipv6Addresses!.map(address => address.Ipv6Address))

test('instances get as many addresses as are asked for, the named ones, or what their subnet says', async () => {
  const counted = await bench.launch({ SubnetId, Ipv6AddressCount: 2 })
  assert.deepEqual([six(counted)[0]!.length, counted.Ipv6Address], [2, six(counted)[0]![0]])
  const Ipv6Addresses = [{ Ipv6Address: `${base}7` }]
  const named = await bench.launch({ NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, Ipv6Addresses }] })
  assert.deepEqual([six(named), named.Ipv6Address], [[[`${base}7`]], `${base}7`])
  assert.deepEqual(six(await bench.launch({ SubnetId })), [[]])
  await bench.ec2.send(new sdk.ModifySubnetAttributeCommand({ SubnetId, AssignIpv6AddressOnCreation: { Value: true } }))
  assert.equal(six(await bench.launch({ SubnetId }))[0]!.length, 1)
  assert.deepEqual(six(await bench.launch({ SubnetId, Ipv6AddressCount: 0 })), [[]])
  for (const Name of ['ipv6-address', 'network-interface.ipv6-addresses.ipv6-address']) {
    const found = await bench.ec2.send(new sdk.DescribeInstancesCommand({ Filters: [{ Name, Values: [`${base}7`] }] }))
    assert.deepEqual(found.Reservations!.flatMap(r => r.Instances!.map(i => i.InstanceId)), [named.InstanceId])
  }
  await bench.terminate(named.InstanceId!)
  assert.equal((await bench.launch({ SubnetId, Ipv6Addresses })).Ipv6Address, `${base}7`, 'it is free again')
})

test('what can\'t be had is refused with EC2\'s codes', async () => {
  const value = 'InvalidParameterValue'
  const conflict = 'InvalidParameterCombination'
  const Ipv6Addresses = [{ Ipv6Address: `${base}99` }]
  const tries: [Partial<sdk.RunInstancesCommandInput>, string][] = [
    [{ Ipv6AddressCount: 1 }, value], [{ SubnetId, Ipv6AddressCount: 1, Ipv6Addresses }, conflict],
    [{ SubnetId, Ipv6Addresses, MinCount: 2, MaxCount: 2 }, conflict], [{ SubnetId, Ipv6AddressCount: 99 }, 'PrivateIpAddressLimitExceeded'],
    [{ Ipv6AddressCount: 1, NetworkInterfaces: [{ DeviceIndex: 0, SubnetId }] }, conflict],
    [{ NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, Ipv6AddressCount: 99 }] }, 'PrivateIpAddressLimitExceeded'],
    [{ SubnetId, Ipv6Addresses: [{ Ipv6Address: '2001:db8::1' }] }, value],
    [{ NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, Ipv6PrefixCount: 1 }] }, 'UnsupportedOperation'],
  ]
  for (const [more, wanted] of tries) await assert.rejects(bench.run(more), code(wanted), JSON.stringify(more))
})
