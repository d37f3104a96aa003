import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '#kit/error'
import type { Member, Operation, Shape } from '#kit/schema'
import { protocolFor, type WireService } from '#wire/protocol'
import { services } from '#wire/wire.suite'

const posted = { method: 'POST', path: '/', query: '', headers: {} }
const [ec2Service, stsService] = services as [WireService, WireService]
const decode = (service: WireService, text: string) =>
  protocolFor(service).decode(service, { ...posted, body: Buffer.from(`Version=${service.version}&${text}`) }).input
const refusal = (service: WireService, text: string) => {
  try {
    return decode(service, text)
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.code}: ${error.message}`
    throw error
  }
}

test('EC2 requests as boto 2 and other old clients write them are read', () => {
  const text = 'Action=RunInstances&ImageId=ami-1&MinCount=1&MaxCount=2&SecurityGroupId.2=sg-2&SecurityGroupId.1=sg-1'
    + '&DisableApiTermination=true&Monitoring.Enabled=False&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsda1'
    + '&BlockDeviceMapping.1.Ebs.VolumeSize=10&BlockDeviceMapping.1.Ebs.DeleteOnTermination=1&Placement.AvailabilityZone=us-east-1a'
    + '&NetworkInterface.0.PrivateIpAddresses.0.Primary=true'
  assert.deepEqual(decode(ec2Service, text), {
    ImageId: 'ami-1', MinCount: 1, MaxCount: 2, SecurityGroupIds: ['sg-1', 'sg-2'], DisableApiTermination: true,
    Monitoring: { Enabled: false },
    BlockDeviceMappings: [{ DeviceName: '/dev/sda1', Ebs: { VolumeSize: 10, DeleteOnTermination: true } }],
    Placement: { AvailabilityZone: 'us-east-1a' }, NetworkInterfaces: [{ PrivateIpAddresses: [{ Primary: true }] }],
  })
})

test('lists close their gaps and order by position, and filters read names and values', () => {
  const text = 'Action=DescribeInstances&Filter.9.Name=b&Filter.10.Name=c&Filter.2.Value.7=x&Filter.2.Value.1=y&Filter.2.Name=a'
  assert.deepEqual(decode(ec2Service, text), {
    Filters: [{ Values: ['y', 'x'], Name: 'a' }, { Name: 'b' }, { Name: 'c' }],
  })
})

test('EC2 refuses what it cannot read with its own codes and the name as sent', () => {
  const invalid = (name: string, value: string, expected: string) =>
    `400 InvalidParameterValue: Value (${value}) for parameter ${name} is invalid. Expecting ${expected}.`
  const unknown = (name: string) => `400 UnknownParameter: The parameter ${name} is not recognized`
  const table: Record<string, string> = {
    'Action=Frob': '400 InvalidAction: The action Frob is not valid for this web service.',
    'Action=constructor': '400 InvalidAction: The action constructor is not valid for this web service.',
    '': '400 MissingAction: The request must contain the parameter Action',
    'Action=DescribeInstances&MaxResults=ten': invalid('MaxResults', 'ten', 'a number'),
    'Action=DescribeInstances&MaxResults=': invalid('MaxResults', '', 'a number'),
    'Action=DescribeInstances&MaxResults=1e999': invalid('MaxResults', '1e999', 'a number'),
    'Action=DescribeInstances&MaxResults=0x10': invalid('MaxResults', '0x10', 'a number'),
    'Action=DescribeInstances&DryRun=maybe': invalid('DryRun', 'maybe', 'true or false'),
    'Action=DescribeSpotPriceHistory&StartTime=yesterday': invalid('StartTime', 'yesterday', 'a date and time'),
    'Action=ImportKeyPair&PublicKeyMaterial=%21%21': invalid('PublicKeyMaterial', '', 'base64'),
    'Action=DescribeInstances&Foo.1.Bar=2': unknown('Foo.1.Bar'),
    'Action=DescribeInstances&instanceId.1=i-1': unknown('instanceId.1'),
    'Action=DescribeInstances&Filter.1.Nam=2': unknown('Filter.1.Nam'),
    'Action=DescribeInstances&Filter.1=2': unknown('Filter.1'),
    'Action=DescribeInstances&Filter.x.Name=2': unknown('Filter.x.Name'),
    'Action=DescribeInstances&InstanceId=i-1': unknown('InstanceId'),
    'Action=DescribeInstances&MaxResults.1=5': unknown('MaxResults.1'),
    'Action=DescribeInstances&__proto__.x=1': unknown('__proto__.x'),
  }
  assert.deepEqual(Object.fromEntries(Object.keys(table).map(text => [text, refusal(ec2Service, text)])), table)
})

test('EC2 names are capitalised where the schema gives no name of EC2\'s own', () => {
  const text: Shape = { ...ec2Service.operations.get('DescribeVpcs')!.input.byName.get('NextToken')!.target }
  const member: Member = { name: 'VpcName', target: text, traits: { xmlName: 'vpcName' }, required: false }
  const input: Shape = { ...ec2Service.operations.get('DescribeVpcs')!.input, members: [member] }
  const operation: Operation = { name: 'DescribeVpcs', traits: {}, input, output: input }
  const service = { ...ec2Service, operations: new Map([['DescribeVpcs', operation]]) }
  assert.deepEqual(decode(service, 'Action=DescribeVpcs&VpcName=x'), { VpcName: 'x' })
})

test('the Query services read wrapped and bare lists and ignore what they do not know', () => {
  const text = 'Action=AssumeRole&RoleArn=arn&RoleSessionName=s&DurationSeconds=900'
    + '&Tags.member.1.Key=a&Tags.member.1.Value=b&PolicyArns=&Newer.member.1=x'
  const expected = { RoleArn: 'arn', RoleSessionName: 's', DurationSeconds: 900, Tags: [{ Key: 'a', Value: 'b' }], PolicyArns: [] }
  assert.deepEqual(decode(stsService, text), expected)
  assert.deepEqual(decode(stsService, text.replaceAll('Tags.member.', 'Tags.')), expected)
})

test('the Query services refuse with their own codes', () => {
  const table: Record<string, string> = {
    'Action=Frob': '400 InvalidAction: Could not find operation Frob for version 2011-06-15',
    'Action=GetCallerIdentity&Version=2010-05-08': '400 InvalidAction: Could not find operation GetCallerIdentity for version 2010-05-08',
    'Action=AssumeRole&DurationSeconds=x': '400 MalformedInput: Value (x) at DurationSeconds is invalid. Expecting a number.',
  }
  assert.deepEqual(Object.fromEntries(Object.keys(table).map(text => [text, refusal(stsService, text)])), table)
})
