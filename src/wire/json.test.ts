import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ebs from '@aws-sdk/client-ebs'
import * as ssm from '@aws-sdk/client-ssm'
import { ApiError } from '#kit/error'
import { errorsOf, operationsOf } from '#kit/schema'
import { protocolFor } from '#wire/protocol'
import type { WireService } from '#wire/server'
import { good, nothing, open, post } from '#wire/wire.suite'

const ssmService: WireService = {
  id: 'ssm', signingName: 'ssm', version: '', xmlns: '', protocol: 'awsJson', operations: operationsOf(ssm), errors: errorsOf(ssm),
}
const ebsService: WireService = {
  id: 'ebs', signingName: 'ebs', version: '', xmlns: '', protocol: 'restJson', unsignedPayload: true,
  operations: operationsOf(ebs), errors: errorsOf(ebs),
}
const target = (name: string) => ({ 'x-amz-target': `AmazonSSM.${name}`, 'content-type': 'application/x-amz-json-1.1' })

test('what is no JSON, of another kind, or nested without end is refused in the protocol\'s words', async t => {
  const { url } = await open(t, nothing, { services: [ssmService] })
  const ask = async (body: string, name = 'GetParameter') => {
    const { status, text } = await post(url, body, { service: 'ssm', headers: target(name) })
    return `${status} ${(JSON.parse(text) as { __type?: string }).__type}`
  }
  assert.equal(await ask('{"Name":"x","Unknown":1}'), '200 undefined')
  assert.equal(await ask(''), '200 undefined')
  for (const bad of ['{', '[]', '"x"', 'null', '{"WithDecryption":"perhaps"}', '{"Name":{}}', `{"Name":${'['.repeat(200)}${']'.repeat(200)}}`]) {
    assert.equal(await ask(bad), '400 SerializationException', bad)
  }
  assert.equal(await ask('{}', 'NoSuch'), '400 UnknownOperationException')
})

test('an error reaches the client with its name, message and members, and refusals have JSON\'s names', async t => {
  const { url } = await open(t, async () => { throw new ApiError('ParameterAlreadyExists', 'It is there.') }, { services: [ssmService] })
  const client = new ssm.SSMClient({ endpoint: url, region: 'eu-west-3', credentials: good })
  t.after(() => client.destroy())
  const sent = client.send(new ssm.PutParameterCommand({ Name: 'x', Value: 'y' }))
  await assert.rejects(sent, (error: Error) => error instanceof ssm.ParameterAlreadyExists && error.message === 'It is there.')
  const nobody = { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' }
  const wrong = await post(url, '{}', { service: 'ssm', headers: target('GetParameter'), credentials: nobody })
  assert.deepEqual([wrong.status, JSON.parse(wrong.text).__type], [400, 'UnrecognizedClientException'])
})

test('a REST service\'s error has the status of its shape and its name in a header', () => {
  const error = new ApiError('ResourceNotFoundException', 'None.', 400, { Reason: 'SNAPSHOT_NOT_FOUND' })
  const reply = protocolFor(ebsService).fail(ebsService, { error, requestId: 'r' })
  assert.deepEqual(reply, {
    status: 404, contentType: 'application/json', headers: { 'x-amzn-errortype': 'ResourceNotFoundException' },
    body: '{"Reason":"SNAPSHOT_NOT_FOUND","Message":"None."}',
  })
})

test('a block of bytes goes there and back, its body outside the signature', async t => {
  const bytes = new Uint8Array([0, 1, 2, 255])
  let seen: unknown
  const { url } = await open(t, async ({ operation, input }) => {
    if (operation === 'PutSnapshotBlock') seen = input
    return operation === 'PutSnapshotBlock' ? { Checksum: 'abc=', ChecksumAlgorithm: 'SHA256' } : { BlockData: bytes, DataLength: bytes.length }
  }, { services: [ebsService] })
  const client = new ebs.EBSClient({ endpoint: url, region: 'eu-west-3', credentials: good })
  t.after(() => client.destroy())
  const put = await client.send(new ebs.PutSnapshotBlockCommand({
    SnapshotId: 'snap-1', BlockIndex: 7, BlockData: bytes, DataLength: 4, Checksum: 'abc=', ChecksumAlgorithm: 'SHA256',
  }))
  assert.equal(put.Checksum, 'abc=')
  assert.deepEqual(seen, {
    SnapshotId: 'snap-1', BlockIndex: 7, BlockData: bytes, DataLength: 4, Checksum: 'abc=', ChecksumAlgorithm: 'SHA256',
  })
  const got = await client.send(new ebs.GetSnapshotBlockCommand({ SnapshotId: 'snap-1', BlockIndex: 7, BlockToken: 't' }))
  assert.deepEqual(new Uint8Array(await got.BlockData!.transformToByteArray()), bytes)
})
