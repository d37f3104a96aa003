/** What the way of a request decides: policies of VPC endpoints, and policies that name endpoints, VPCs and addresses. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import * as trail from '@aws-sdk/client-cloudtrail'
import * as ec2 from '@aws-sdk/client-ec2'
import * as sdk from '@aws-sdk/client-s3'
import { homeAt } from '#base/home'
import { gatewayOrigin } from '#service/ec2/vpc-endpoint/origin'
import type { InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { openS3Bench, outcome } from './s3-bench.ts'
import { keys } from './server.ts'

const policy = (Effect: string, Action: string, Resource: string | string[], more: object = {}) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Principal: '*', Action, Resource, ...more }] })

/** An instance in the default VPC, a gateway endpoint for S3 in its subnet's own table, and a client that comes by it. */
async function open(t: TestContext) {
  const bench = await openS3Bench(t)
  const client = bench.server.ec2()
  const [image] = (await client.send(new ec2.DescribeImagesCommand({ Owners: ['amazon'] }))).Images!
  const { Instances } = await client.send(new ec2.RunInstancesCommand({
    ImageId: image!.ImageId!, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1,
  }))
  const { VpcId, NetworkInterfaces, PrivateIpAddress } = Instances![0]!
  const own = await bench.server.store.get<InterfaceRow>('network-interface', NetworkInterfaces![0]!.NetworkInterfaceId!)
  const { RouteTable: table } = await client.send(new ec2.CreateRouteTableCommand({ VpcId }))
  await client.send(new ec2.AssociateRouteTableCommand({ RouteTableId: table!.RouteTableId!, SubnetId: Instances![0]!.SubnetId! }))
  const { VpcEndpoint } = await client.send(new ec2.CreateVpcEndpointCommand({
    VpcId, ServiceName: 'com.amazonaws.us-east-1.s3', RouteTableIds: [table!.RouteTableId!],
  }))
  const home = homeAt({ dir: bench.server.dir })
  const endpoint = await bench.server.door(() => gatewayOrigin(bench.server.store, home, own!.spec.fabric))
  return {
    ...bench, ec2: client, by: bench.client({ endpoint }), VpcId: VpcId!, address: PrivateIpAddress!, VpcEndpointId: VpcEndpoint!.VpcEndpointId!,
    modify: (more: Partial<ec2.ModifyVpcEndpointRequest>) =>
      client.send(new ec2.ModifyVpcEndpointCommand({ VpcEndpointId: VpcEndpoint!.VpcEndpointId!, ...more })),
  }
}

test('a bucket that denies all but an endpoint, a VPC or an address is closed to every other way, for the root user too', async t => {
  const { s3, by, Bucket, VpcId, VpcEndpointId, address } = await open(t)
  const list = (from: sdk.S3Client) => outcome(from.send(new sdk.ListObjectsV2Command({ Bucket })))
  const only = async (Condition: object): Promise<string[]> => {
    await by.send(new sdk.PutBucketPolicyCommand({ Bucket, Policy: policy('Deny', 's3:ListBucket', `arn:aws:s3:::${Bucket}`, { Condition }) }))
    return [await list(s3), await list(by)]
  }
  const inside = ['AccessDenied', 'success']
  assert.deepEqual(await only({ StringNotEquals: { 'aws:SourceVpce': VpcEndpointId } }), inside)
  assert.deepEqual(await only({ StringNotEquals: { 'aws:SourceVpc': VpcId } }), inside)
  assert.deepEqual(await only({ NotIpAddress: { 'aws:VpcSourceIp': `${address}/32` } }), inside)
  assert.deepEqual(await only({ StringNotEquals: { 'aws:VpceAccount': keys.account } }), inside)
  assert.deepEqual(await only({ StringNotEquals: { 'aws:SourceVpce': 'vpce-0123456789abcdef0' } }), ['AccessDenied', 'AccessDenied'])
  // Who comes by an endpoint has no address of the internet's.
  assert.deepEqual(await only({ Null: { 'aws:SourceIp': 'true' } }), ['success', 'AccessDenied'])
})

test('an endpoint\'s policy narrows what passes by it, for whoever asks, and nothing else', async t => {
  const { s3, by, Bucket, put, modify, ec2: client, VpcEndpointId } = await open(t)
  await put('a', 'a')
  await s3.send(new sdk.CreateBucketCommand({ Bucket: 'another' }))
  const tries = async () => [
    await outcome(by.send(new sdk.GetObjectCommand({ Bucket, Key: 'a' }))),
    await outcome(by.send(new sdk.PutObjectCommand({ Bucket, Key: 'b', Body: 'b' }))),
    await outcome(by.send(new sdk.ListObjectsV2Command({ Bucket: 'another' }))),
    await outcome(s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'c', Body: 'c' }))),
  ]
  assert.deepEqual(await tries(), ['success', 'success', 'success', 'success'])
  const PolicyDocument = policy('Allow', 's3:GetObject', `arn:aws:s3:::${Bucket}/*`)
  await modify({ PolicyDocument })
  assert.equal((await client.send(new ec2.DescribeVpcEndpointsCommand({}))).VpcEndpoints![0]!.PolicyDocument, PolicyDocument)
  assert.deepEqual(await tries(), ['success', 'AccessDenied', 'AccessDenied', 'success'])
  await assert.rejects(by.send(new sdk.DeleteObjectCommand({ Bucket, Key: 'a' })), /because no VPC endpoint policy allows the s3:DeleteObject action/)
  await modify({ PolicyDocument: policy('Deny', '*', '*') })
  await assert.rejects(by.send(new sdk.GetObjectCommand({ Bucket, Key: 'a' })), /with an explicit deny in a VPC endpoint policy/)
  await modify({ ResetPolicy: true })
  assert.deepEqual(await tries(), ['success', 'success', 'success', 'success'])
  await client.send(new ec2.DeleteVpcEndpointsCommand({ VpcEndpointIds: [VpcEndpointId] }))
  assert.deepEqual(await tries(), ['success', 'success', 'success', 'success'])
})

test('the history says by which endpoint a call came, and from which private address', async t => {
  const { by, Bucket, address, VpcEndpointId, server } = await open(t)
  await by.send(new sdk.GetBucketVersioningCommand({ Bucket }))
  const client = new trail.CloudTrailClient({ endpoint: server.url, region: 'us-east-1', credentials: keys })
  t.after(() => client.destroy())
  const { Events } = await client.send(new trail.LookupEventsCommand({
    LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'GetBucketVersioning' }],
  }))
  const { vpcEndpointId, sourceIPAddress } = JSON.parse(Events![0]!.CloudTrailEvent!)
  assert.deepEqual({ vpcEndpointId, sourceIPAddress }, { vpcEndpointId: VpcEndpointId, sourceIPAddress: address })
})
