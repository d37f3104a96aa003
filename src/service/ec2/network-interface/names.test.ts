import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostname, ipName, privateDomain, privateName, publicName } from '#service/ec2/network-interface/names'

test('addresses have the names that AWS gives them, in its oldest region and elsewhere', () => {
  assert.deepEqual(['us-east-1', 'eu-west-3'].map(region => [
    publicName(region, '198.18.0.7'), ipName(region, '172.31.0.10'), privateDomain(region),
  ]), [
    ['ec2-198-18-0-7.compute-1.amazonaws.com', 'ip-172-31-0-10.ec2.internal', 'ec2.internal'],
    ['ec2-198-18-0-7.eu-west-3.compute.amazonaws.com', 'ip-172-31-0-10.eu-west-3.compute.internal', 'eu-west-3.compute.internal'],
  ])
})

test('a host is called after its address or its instance', () => {
  const of = { region: 'us-east-1', address: '10.0.0.4', instance: 'i-0a' }
  assert.deepEqual([
    privateName({ ...of, type: 'ip-name' }), privateName({ ...of, type: 'resource-name' }),
    hostname({ ...of, type: 'resource-name', instance: undefined }),
  ], ['ip-10-0-0-4.ec2.internal', 'i-0a.ec2.internal', 'ip-10-0-0-4'])
})
