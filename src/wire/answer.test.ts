import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import * as sts from '@aws-sdk/client-sts'
import { Sha256 } from '@smithy/core/checksum'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import { ApiError } from '#kit/error'
import type { Dispatch } from '#wire/server'
import { good, nothing, open, post, principal, refusal, session, type Sign } from '#wire/wire.suite'

const identity = 'Action=GetCallerIdentity&Version=2011-06-15'

test('the SDK talks to it: input, output, caller and headers arrive', async t => {
  const calls: Parameters<Dispatch>[0][] = []
  const instance = { InstanceId: 'i-1', Tags: [{ Key: 'a&b', Value: '<é>' }], LaunchTime: new Date(1e12) }
  const answer = { Reservations: [{ Instances: [instance] }], NextToken: 'n' }
  const { ec2: client } = await open(t, async call => {
    calls.push(call)
    return answer
  })
  const input = { InstanceIds: ['i-1', 'i-2'], Filters: [{ Name: 'tag:a&b', Values: ['<é> +', ''] }], MaxResults: 5 }
  const { $metadata, ...output } = await client().send(new ec2.DescribeInstancesCommand(input))
  assert.deepEqual(output, answer)
  const [{ caller, ...call }] = calls as [Parameters<Dispatch>[0]]
  assert.deepEqual(call, { service: 'ec2', operation: 'DescribeInstances', input })
  const { userAgent, ...rest } = caller
  assert.match(userAgent, /aws-sdk-js/)
  assert.deepEqual(rest, { principal, region: 'eu-west-3', requestId: $metadata.requestId, sourceIp: '127.0.0.1', secure: false })
})

test('services are told apart by what the signature names', async t => {
  const { sts: client } = await open(t, async ({ service, operation }) => {
    assert.deepEqual([service, operation], ['sts', 'GetCallerIdentity'])
    return { Account: principal.account, Arn: principal.arn, UserId: principal.userId }
  })
  const { Account } = await client().send(new sts.GetCallerIdentityCommand({}))
  assert.equal(Account, principal.account)
})

test('errors of actions reach the SDK with code, message, status and request id', async t => {
  const { ec2: client, sts: other } = await open(t, async ({ service }) => {
    if (service === 'sts') throw new ApiError('PackedPolicyTooLargeException', 'too <large>')
    throw new ApiError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412)
  })
  const failed = client().send(new ec2.DescribeVpcsCommand({ DryRun: true }))
  await assert.rejects(failed, (error: ec2.EC2ServiceException) => {
    const { httpStatusCode, requestId } = error.$metadata
    assert.deepEqual({ name: error.name, message: error.message, httpStatusCode }, {
      name: 'DryRunOperation', message: 'Request would have succeeded, but DryRun flag is set.', httpStatusCode: 412,
    })
    return /^[0-9a-f-]{36}$/.test(requestId!)
  })
  const refused = other().send(new sts.AssumeRoleCommand({ RoleArn: 'arn', RoleSessionName: 'me' }))
  await assert.rejects(refused, (error: sts.STSServiceException) => {
    assert.deepEqual([error.message, error.$metadata.httpStatusCode], ['too <large>', 400])
    return error instanceof sts.PackedPolicyTooLargeException
  })
})

test('errors of the Query services carry their older codes and whose fault it is', async t => {
  const errors = [new ApiError('PackedPolicyTooLargeException', 'too large'), new ApiError('ServiceUnavailable', 'later', 503)]
  const { url } = await open(t, async () => { throw errors.shift() })
  const texts = [await post(url, identity, { service: 'sts' }), await post(url, identity, { service: 'sts' })].map(({ text }) => text)
  assert.deepEqual(texts.map(text => /<Error>.*<\/Error>/.exec(text)![0]), [
    '<Error><Type>Sender</Type><Code>PackedPolicyTooLarge</Code><Message>too large</Message></Error>',
    '<Error><Type>Receiver</Type><Code>ServiceUnavailable</Code><Message>later</Message></Error>',
  ])
})

test('anything else that is thrown is a generic 500, with its cause in the log under the request id', async t => {
  const { url, lines } = await open(t, async ({ service }) => {
    if (service === 'sts') return { Acount: 'misspelt' }
    throw new Error('the database said so')
  })
  assert.equal(await refusal(post(url, 'Action=DescribeVpcs&Version=2016-11-15')), '500 InternalError: An internal error has occurred')
  assert.equal(await refusal(post(url, identity, { service: 'sts' })),
    '500 InternalFailure: An internal error has occurred')
  const causes = lines.map(line => JSON.parse(line)).filter(line => line.event === 'wire.internal')
  assert.deepEqual(causes.map(({ operation, cause }) => [operation, cause.split('\n')[0]]), [
    ['DescribeVpcs', 'Error: the database said so'], ['GetCallerIdentity', 'TypeError: GetCallerIdentityResponse has no member Acount'],
  ])
})

test('an error that cannot be written cuts the connection and is logged as ours', async t => {
  const misspelt = new ApiError('PackedPolicyTooLargeException', 'too large', 400, { mesage: 'x' })
  const { url, lines } = await open(t, async () => { throw misspelt })
  await assert.rejects(post(url, identity, { service: 'sts' }))
  const found = lines.map(line => JSON.parse(line)).find(({ event }) => event === 'wire.failed')
  assert.match(found.cause, /PackedPolicyTooLargeException has no member mesage/)
})

test('EC2 refuses unknown keys, wrong secrets, stale clocks, tampered bodies and odd regions in its words', async t => {
  const { url } = await open(t, nothing)
  const body = 'Action=DescribeVpcs&Version=2016-11-15'
  const signed = (sign: Sign) => refusal(post(url, body, sign))
  const table = {
    'unsigned': await refusal(fetch(`${url}/?${body}`).then(async r => ({ status: r.status, text: await r.text() }))),
    'unknown key': await signed({ credentials: { ...good, accessKeyId: 'AKIAOTHER' } }),
    'wrong secret': await signed({ credentials: { ...good, secretAccessKey: 'wrong' } }),
    'no session token': await signed({ credentials: { ...session, sessionToken: undefined } }),
    'other session token': await signed({ credentials: { ...session, sessionToken: 'other' } }),
    'needless session token': await signed({ credentials: { ...good, sessionToken: 'x' } }),
    'tampered body': await signed({ tampered: body.replace('Describe', 'Delete') }),
    'six minutes late': await signed({ date: new Date(Date.now() - 6 * 60_000) }),
    'six minutes early': await signed({ date: new Date(Date.now() + 6 * 60_000) }),
    'no region': await signed({ region: 'nowhere' }),
  }
  const failed = '401 AuthFailure: AWS was not able to validate the provided access credentials'
  assert.deepEqual(table, {
    'unsigned': '400 MissingParameter: The request must contain the parameter AWSAccessKeyId',
    'unknown key': failed, 'wrong secret': failed, 'no session token': failed, 'other session token': failed,
    'needless session token': failed,
    'tampered body': failed,
    'six minutes late': '400 RequestExpired: Request has expired.', 'six minutes early': '400 RequestExpired: Request has expired.',
    'no region': '401 AuthFailure: Credential should be scoped to a valid region.',
  })
  assert.equal((await post(url, body, { credentials: session })).status, 200)
})

test('STS refuses in its own words', async t => {
  const { url } = await open(t, nothing)
  const signed = (sign: Sign) => refusal(post(url, identity, { service: 'sts', ...sign }))
  const mismatch = await signed({ credentials: { ...good, secretAccessKey: 'wrong' } })
  assert.match(mismatch, /^403 SignatureDoesNotMatch: The request signature we calculated/)
  assert.match(await signed({ date: new Date(Date.now() - 3600_000) }),
    /^403 SignatureDoesNotMatch: Signature expired: \d{8}T\d{6}Z is now earlier than .* - 5 min\.\)$/)
  assert.equal(await signed({ credentials: { ...good, accessKeyId: 'AKIAOTHER' } }),
    '403 InvalidClientTokenId: The security token included in the request is invalid.')
  assert.equal(await refusal(fetch(`${url}/?${identity}`).then(async r => ({ status: r.status, text: await r.text() }))),
    '403 MissingAuthenticationToken: Request is missing Authentication Token')
})

test('a service that is not there is said so, in XML or in JSON', async t => {
  const { url } = await open(t, nothing)
  assert.equal(await refusal(post(url, '', { service: 's3' })), '400 UnsupportedOperation: Enclume has no service "s3".')
  const { status, text } = await post(url, '{}', { service: 'ssm', headers: { 'x-amz-target': 'AmazonSSM.GetParameter' } })
  assert.deepEqual([status, JSON.parse(text)], [400, { __type: 'UnsupportedOperation', message: 'Enclume has no service "ssm".' }])
})

test('presigned links work without headers and cannot be changed', async t => {
  const { url, port } = await open(t, async ({ operation }) => {
    assert.equal(operation, 'DescribeVpcs')
    return { Vpcs: [] }
  })
  const signer = new SignatureV4({ service: 'ec2', region: 'us-east-1', credentials: session, sha256: Sha256 })
  const query = { Action: 'DescribeVpcs', Version: '2016-11-15', 'VpcId.1': 'vpc-1' }
  const made = await signer.presign(new HttpRequest({
    method: 'GET', protocol: 'http:', hostname: '127.0.0.1', port, path: '/', query, headers: { host: `127.0.0.1:${port}` },
  }))
  const link = `${url}/?${new URLSearchParams(made.query as Record<string, string>)}`
  const get = async (link: string) => fetch(link).then(async r => ({ status: r.status, text: await r.text() }))
  const { status, text } = await get(link)
  assert.deepEqual([status, text.includes('<vpcSet></vpcSet>')], [200, true])
  assert.match(await refusal(get(link.replace('DescribeVpcs', 'DeleteVpc'))), /^401 AuthFailure/)
})

test('every request leaves one log line, without secrets, tokens, signatures or inputs', async t => {
  const { url, lines } = await open(t, nothing)
  await post(url, 'Action=CreateKeyPair&Version=2016-11-15&KeyName=private-name', { credentials: session })
  await post(url, 'Action=CreateKeyPair&Version=2016-11-15&KeyNam=private-name')
  const found = lines.map(line => JSON.parse(line)).map(({ time, requestId, ms, ...line }) => {
    assert.match(`${time} ${requestId} ${ms}`, /^\d{4}-.*Z [0-9a-f-]{36} [\d.]+$/)
    return line
  })
  const common = { level: 'info', event: 'wire.request', service: 'ec2', region: 'eu-west-3' }
  assert.deepEqual(found, [{ ...common, operation: 'CreateKeyPair', status: 200 }, { ...common, code: 'UnknownParameter', status: 400 }])
  assert.doesNotMatch(lines.join(''), /private-name|secret|token|Signature/)
})

test('damaged requests, signed, are never an internal error', async t => {
  const { url, lines } = await open(t, nothing)
  const body = 'Action=RunInstances&Version=2016-11-15&MinCount=1&TagSpecification.1.Tag.1.Key=a'
  const damaged = Array.from({ length: 120 }, (_, i) => {
    const at = (i * 7) % body.length
    return body.slice(0, at) + ['%', '&&', '.', '\u0000', 'é', '=', '__proto__.', '%ff'][i % 8] + body.slice(at + (i % 5))
  })
  const statuses = await Promise.all(damaged.map(text => post(url, text).then(({ status }) => status)))
  assert.deepEqual(statuses.filter(status => status !== 200 && status !== 400), [])
  assert.ok(statuses.filter(status => status === 400).length > 60)
  assert.equal(lines.filter(line => line.includes('wire.internal')).length, 0)
})
