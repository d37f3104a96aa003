/** Tags over all services, and the history of calls, by the SDK for JavaScript. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { CloudTrailClient, LookupEventsCommand, type LookupEventsCommandInput } from '@aws-sdk/client-cloudtrail'
import * as ec2 from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'
import * as sdk from '@aws-sdk/client-resource-groups-tagging-api'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { keys, openServer } from './server.ts'
import { outcome } from './s3-bench.ts'

async function open(t: TestContext) {
  const server = await openServer()
  const config = { endpoint: server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 }
  const clients = {
    tagging: new sdk.ResourceGroupsTaggingAPIClient(config), s3: new S3Client({ ...config, forcePathStyle: true }), ssm: new SSMClient(config),
    trail: new CloudTrailClient(config), iam: new iam.IAMClient(config), ec2: server.ec2(),
  }
  t.after(async () => {
    for (const client of Object.values(clients)) client.destroy()
    await server.close()
  })
  const lookup = async (AttributeKey: string, AttributeValue: string, more: Partial<LookupEventsCommandInput> = {}) =>
    (await clients.trail.send(new LookupEventsCommand({ LookupAttributes: [{ AttributeKey, AttributeValue } as any], ...more }))).Events!
  return { ...clients, server, config, lookup }
}

test('resources of all services are tagged, found and untagged by their ARNs', async t => {
  const { tagging, s3, ssm, ec2: compute } = await open(t)
  await s3.send(new CreateBucketCommand({ Bucket: 'tagged-bucket' }))
  await ssm.send(new PutParameterCommand({ Name: '/a/b', Value: 'x', Type: 'String' }))
  const { GroupId } = await compute.send(new ec2.CreateSecurityGroupCommand({ GroupName: 'g', Description: 'd' }))
  const at = `us-east-1:${keys.account}`
  const arns = [`arn:aws:ec2:${at}:security-group/${GroupId}`, 'arn:aws:s3:::tagged-bucket', `arn:aws:ssm:${at}:parameter/a/b`]
  const made = await tagging.send(new sdk.TagResourcesCommand({
    ResourceARNList: [...arns, `arn:aws:ec2:${at}:instance/i-0123456789abcdef0`, 'arn:aws:sqs:x'], Tags: { team: 'a', stage: 'test' },
  }))
  assert.deepEqual(Object.keys(made.FailedResourcesMap!).sort(), [`arn:aws:ec2:${at}:instance/i-0123456789abcdef0`, 'arn:aws:sqs:x'])
  const find = async (input: sdk.GetResourcesCommandInput = {}) =>
    (await tagging.send(new sdk.GetResourcesCommand(input))).ResourceTagMappingList!.map(({ ResourceARN }) => ResourceARN)
  assert.deepEqual(await find(), arns)
  assert.deepEqual(await find({ TagFilters: [{ Key: 'team', Values: ['a', 'b'] }], ResourceTypeFilters: ['ec2', 's3:bucket'] }), arns.slice(0, 2))
  assert.deepEqual(await find({ TagFilters: [{ Key: 'team', Values: ['b'] }] }), [])
  assert.deepEqual(await find({ ResourceTypeFilters: ['ec2:instance'] }), [])
  const page = await tagging.send(new sdk.GetResourcesCommand({ ResourcesPerPage: 2 }))
  assert.deepEqual(await find({ ResourcesPerPage: 2, PaginationToken: page.PaginationToken }), arns.slice(2))
  assert.deepEqual((await tagging.send(new sdk.GetTagKeysCommand({}))).TagKeys, ['stage', 'team'])
  assert.deepEqual((await tagging.send(new sdk.GetTagValuesCommand({ Key: 'team' }))).TagValues, ['a'])
  await tagging.send(new sdk.UntagResourcesCommand({ ResourceARNList: arns, TagKeys: ['team'] }))
  assert.deepEqual((await tagging.send(new sdk.GetTagKeysCommand({}))).TagKeys, ['stage'])
  assert.equal(await outcome(find({ PaginationToken: 'nonsense' })), 'InvalidParameterException')
  assert.equal(await outcome(find({ ResourceARNList: arns, TagFilters: [{ Key: 'a' }] })), 'InvalidParameterException')
})

test('every call is in the history with who made it and what came of it, and without secrets', async t => {
  const { s3, ssm, ec2: compute, iam: admin, lookup, trail } = await open(t)
  await ssm.send(new PutParameterCommand({ Name: '/s', Value: 'correct horse', Type: 'SecureString' }))
  await admin.send(new iam.CreateUserCommand({ UserName: 'alice' }))
  const { AccessKey } = await admin.send(new iam.CreateAccessKeyCommand({ UserName: 'alice' }))
  await s3.send(new CreateBucketCommand({ Bucket: 'history-bucket' }))
  await s3.send(new PutObjectCommand({ Bucket: 'history-bucket', Key: 'k', Body: 'battery staple' }))
  const { GroupId } = await compute.send(new ec2.CreateSecurityGroupCommand({ GroupName: 'g', Description: 'd' }))
  await assert.rejects(compute.send(new ec2.DescribeInstancesCommand({ InstanceIds: ['i-0123456789abcdef0'] })))
  const [failed] = await lookup('EventName', 'DescribeInstances')
  const detail = JSON.parse(failed!.CloudTrailEvent!)
  assert.deepEqual([failed!.Username, failed!.ReadOnly, failed!.EventSource, failed!.AccessKeyId], ['root', 'true', 'ec2.amazonaws.com',
    keys.accessKeyId])
  assert.deepEqual([detail.errorCode, detail.userIdentity.type, detail.sourceIPAddress, detail.requestParameters],
    ['InvalidInstanceID.NotFound', 'Root', '127.0.0.1', { instanceIds: ['i-0123456789abcdef0'] }])
  assert.deepEqual((await lookup('ResourceName', GroupId!)).map(event => event.EventName), ['CreateSecurityGroup'])
  assert.deepEqual((await lookup('EventSource', 's3.amazonaws.com')).map(event => event.EventName), ['PutObject', 'CreateBucket'])
  assert.equal((await lookup('AccessKeyId', AccessKey!.AccessKeyId!)).length, 0)
  const all: string[] = []
  let NextToken: string | undefined
  do {
    const page: any = await trail.send(new LookupEventsCommand({ MaxResults: 3, NextToken }))
    all.push(...page.Events.map((event: { CloudTrailEvent: string }) => event.CloudTrailEvent))
    NextToken = page.NextToken
  } while (NextToken && all.length < 50)
  assert.ok(all.length >= 10)
  assert.ok(!/correct horse|battery staple/.test(all.join()) && !all.join().includes(AccessKey!.SecretAccessKey!))
  assert.equal(await outcome(lookup('EventName', 'x', { StartTime: new Date(2), EndTime: new Date(1) })), 'InvalidTimeRangeException')
})
