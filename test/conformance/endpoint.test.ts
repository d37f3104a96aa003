/** Interface endpoints by the SDK for JavaScript, over HTTP, on the fake engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { servedHosts } from '#service/index'
import { endpointServices } from '#service/ec2/vpc-endpoint/services'
import { code, openBench, type Bench } from './kit.ts'

let bench: Bench
let ec2: Bench['ec2']
let VpcId: string, SubnetId: string
const ServiceName = 'com.amazonaws.us-east-1.ec2'

before(async () => {
  bench = await openBench();
  ({ ec2, vpcId: VpcId } = bench)
  const { Subnets } = await ec2.send(new sdk.DescribeSubnetsCommand({ Filters: [{ Name: 'vpc-id', Values: [VpcId] }] }))
  SubnetId = Subnets!.find(subnet => subnet.AvailabilityZone === 'us-east-1a')!.SubnetId!
})
after(() => bench.close())

const shown = async (): Promise<sdk.VpcEndpoint[]> => {
  await bench.server.cloud.loop.idle()
  return (await ec2.send(new sdk.DescribeVpcEndpointsCommand({ Filters: [{ Name: 'vpc-endpoint-type', Values: ['Interface'] }] }))).VpcEndpoints!
}
const ports = () => (bench.server.engine.networksById.get(VpcId)?.ports ?? []).filter(port => port.answers)

test('an interface endpoint is pending until its network answers, again when it changes, and gone when its interface is', async () => {
  const input = { VpcId, ServiceName, VpcEndpointType: 'Interface' as const, SubnetIds: [SubnetId], ClientToken: 'once' }
  const { VpcEndpoint: made } = await ec2.send(new sdk.CreateVpcEndpointCommand(input))
  const VpcEndpointId = made!.VpcEndpointId!
  assert.equal((await ec2.send(new sdk.CreateVpcEndpointCommand(input))).VpcEndpoint!.VpcEndpointId, VpcEndpointId)
  assert.equal(made!.State, 'pending')
  assert.deepEqual((await shown()).map(one => one.State), ['available'])
  assert.deepEqual(ports().map(port => port.id), made!.NetworkInterfaceIds)
  await ec2.send(new sdk.ModifyVpcEndpointCommand({ VpcEndpointId, PrivateDnsEnabled: false }))
  assert.deepEqual((await shown()).map(one => [one.State, one.PrivateDnsEnabled]), [['available', false]])
  await assert.rejects(ec2.send(new sdk.DeleteSubnetCommand({ SubnetId })), code('DependencyViolation'))
  await ec2.send(new sdk.DeleteVpcEndpointsCommand({ VpcEndpointIds: [VpcEndpointId] }))
  assert.deepEqual([await shown(), ports()], [[], []])
  const { NetworkInterfaces } = await ec2.send(new sdk.DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: undefined }))
  assert.deepEqual(NetworkInterfaces, [])
})

test('a sweep in the middle of an endpoint\'s making changes nothing about what becomes of it', async () => {
  const input = { VpcId, ServiceName, VpcEndpointType: 'Interface' as const, SubnetIds: [SubnetId] }
  const { VpcEndpoint } = await ec2.send(new sdk.CreateVpcEndpointCommand(input))
  await bench.server.cloud.sweep()
  const [one] = await shown()
  assert.deepEqual([one!.VpcEndpointId, one!.State], [VpcEndpoint!.VpcEndpointId, 'available'])
  await ec2.send(new sdk.DeleteVpcEndpointsCommand({ VpcEndpointIds: [VpcEndpoint!.VpcEndpointId!] }))
})

test('endpoints are there for services that are served, by names that are theirs', async () => {
  const { host, store } = servedHosts(bench.server.cloud.services, 'us-east-1')
  const served = new Set([...host, ...store])
  assert.deepEqual(endpointServices('us-east-1').flatMap(({ hosts }) => hosts).filter(name => !served.has(name.replace('*.', ''))), [])
  const { ServiceNames, ServiceDetails } = await ec2.send(new sdk.DescribeVpcEndpointServicesCommand({
    Filters: [{ Name: 'service-type', Values: ['Interface'] }],
  }))
  assert.deepEqual(ServiceNames, [...['cloudtrail', 'dlm', 'ebs', 'ec2', 'ec2messages', 'monitoring', 's3', 'ssm', 'ssmmessages', 'sts', 'tagging']
    .map(word => `com.amazonaws.us-east-1.${word}`), 'com.amazonaws.iam'].sort())
  assert.equal(ServiceDetails!.find(one => one.ServiceName === 'com.amazonaws.iam')!.PrivateDnsName, 'iam.amazonaws.com')
})
