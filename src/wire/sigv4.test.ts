import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sha256 } from '@smithy/core/checksum'
import { SignatureV4 } from '@smithy/signature-v4'
import { checkTime, isRefusal, matches, readSignature, type Signature, type Signed } from '#wire/sigv4'

const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const now = new Date('2026-09-30T12:00:00Z')
const body = Buffer.from('Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3AName&Filter.1.Value.1=%C3%A9')

type Options = {
  query?: Record<string, string | string[]>
  path?: string
  headers?: Record<string, string>
  token?: string
  region?: string
}

function oracle({ token, region = 'eu-west-3' }: Options): SignatureV4 {
  const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: secret, sessionToken: token }
  return new SignatureV4({ service: 'ec2', region, credentials, sha256: Sha256, applyChecksum: false })
}
const requestOf = ({ query = {}, path = '/', headers = {} }: Options, method: string) => ({
  method, protocol: 'http:', hostname: '127.0.0.1', port: 4566, path, query, headers: { host: '127.0.0.1:4566', ...headers },
  body: method === 'POST' ? body : undefined,
})
const lower = (headers: Record<string, string>) => Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]))
const encode = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
const queryText = (query: Record<string, unknown>) =>
  Object.entries(query).flatMap(([k, v]) => [v].flat().map(one => `${encode(k)}=${encode(String(one))}`)).join('&')

async function signed(options: Options = {}): Promise<Signed> {
  const made = await oracle(options).sign(requestOf(options, 'POST'), { signingDate: now })
  return { method: 'POST', path: made.path, query: queryText(options.query ?? {}), headers: lower(made.headers), body }
}
async function presigned(options: Options = {}): Promise<Signed> {
  const made = await oracle(options).presign(requestOf(options, 'GET'), { signingDate: now, expiresIn: 900 })
  return { method: 'GET', path: made.path, query: queryText(made.query!), headers: lower(made.headers), body: Buffer.alloc(0) }
}
const read = (request: Signed): Signature => {
  const signature = readSignature(request)
  if (isRefusal(signature)) throw new Error(`${signature.reason}: ${signature.detail}`)
  return signature
}
const holds = (request: Signed) => matches(request, read(request), secret)

test('what the SDK signs in a header holds, whatever the path, query and headers hold', async () => {
  const cases: Options[] = [
    {}, { token: 'a/token+with=signs' }, { region: 'us-gov-west-1' }, { path: '/a b/../é//c/' }, { path: '/%2Fx/' },
    { query: { b: '2', a: ['2', '1'], 'a-b': '+ /é!*()\'', a1: '', A: '~_.-' } },
    { headers: { 'x-amz-meta': '  two   spaces  ', 'content-type': 'a; b' } },
  ]
  assert.deepEqual(await Promise.all(cases.map(async options => holds(await signed(options)))), cases.map(() => true))
})

test('what the SDK presigns holds', async () => {
  const query = { Action: 'DescribeInstances', Version: '2016-11-15', 'Filter.1.Value.1': 'a b+c' }
  assert.ok(holds(await presigned({ query })))
  const withToken = await presigned({ query, token: 'a/token+with=signs' })
  assert.ok(holds(withToken))
  assert.equal(read(withToken).token, 'a/token+with=signs')
})

test('headers hold as bytes: Node reads them as Latin-1, clients sign them as UTF-8', async () => {
  const request = await signed({ headers: { 'x-amz-meta': 'né' } })
  assert.ok(holds({ ...request, headers: { ...request.headers, 'x-amz-meta': Buffer.from('né').toString('latin1') } }))
})

test('AWS documents this signature for ListUsers', () => {
  // AWS General Reference, "Signature Version 4 signing process", the complete example.
  const headers = {
    host: 'iam.amazonaws.com', 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', 'x-amz-date': '20150830T123600Z',
    authorization: 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, '
      + 'SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  }
  const request = { method: 'GET', path: '/', query: 'Action=ListUsers&Version=2010-05-08', headers, body: Buffer.alloc(0) }
  assert.ok(matches(request, read(request), 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'))
})

test('any change to what is signed breaks it', async () => {
  const request = await signed({ query: { a: '1' }, token: 'token' })
  const changes: Partial<Signed>[] = [
    { body: Buffer.from(body.toString().replace('Describe', 'Terminate')) }, { method: 'GET' }, { path: '/x' }, { query: 'a=2' },
    { query: '' }, { query: 'a=1&b=2' }, { query: 'a=%zz' }, { headers: { ...request.headers, host: 'elsewhere' } },
    { headers: { ...request.headers, 'x-amz-security-token': 'other' } },
    { headers: { ...request.headers, 'x-amz-date': '20260930T120001Z' } },
    { headers: { ...request.headers, authorization: request.headers.authorization!.replace('eu-west-3', 'eu-west-2') } },
  ]
  assert.deepEqual(changes.map(change => holds({ ...request, ...change })), changes.map(() => false))
  assert.equal(matches(request, read(request), 'another secret'), false)
  const link = await presigned({ query: { Action: 'DescribeInstances' } })
  assert.equal(holds({ ...link, query: link.query.replace('Describe', 'Terminate') }), false)
  assert.equal(holds({ ...link, query: link.query.replace('Expires=900', 'Expires=9000') }), false)
  assert.equal(holds({ ...link, body }), false)
})

test('headers named like members of every object are only missing', async () => {
  const request = await signed()
  const authorization = request.headers.authorization!.replace('host;', 'constructor;host;toString;')
  assert.equal(holds({ ...request, headers: { ...request.headers, authorization } }), false)
})

test('a header that claims another body hash changes nothing', async () => {
  const request = await signed({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })
  assert.equal(holds(request), false)
})

test('five minutes either way are the window', () => {
  const at = (time: string, expiresS?: number) => checkTime({ time, expiresS } as Signature, now)
  assert.deepEqual(['20260930T115500Z', '20260930T120500Z'].map(time => at(time)), [undefined, undefined])
  assert.deepEqual(at('20260930T115459Z'), {
    reason: 'expired', detail: 'Signature expired: 20260930T115459Z is now earlier than 20260930T115500Z (20260930T120000Z - 5 min.)',
  })
  assert.equal(at('20260930T120501Z')?.reason, 'early')
  assert.equal(at('20260930T110001Z', 3600), undefined)
  assert.equal(at('20260930T105959Z', 3600)?.reason, 'expired')
})

test('signatures that cannot be read are refused, each for its reason', async () => {
  const { headers } = await signed()
  const whole = headers.authorization!
  const read = (authorization: string, more = {}) => {
    const found = readSignature({ query: '', headers: { ...headers, authorization, ...more } })
    return isRefusal(found) ? found.reason : 'read'
  }
  const table = {
    nothing: readSignature({ query: '', headers: {} }),
    basic: read('Basic abc'), empty: read('AWS4-HMAC-SHA256 '), noSignature: read(whole.replace(/, Signature.*/, '')),
    shortScope: read(whole.replace('/aws4_request', '')), badRegion: read(whole.replace('eu-west-3', 'EU_WEST')),
    hostUnsigned: read(whole.replace('host;', '')), noDate: read(whole, { 'x-amz-date': undefined }),
    oddDate: read(whole, { 'x-amz-date': 'yesterday' }), otherDay: read(whole.replace('/20260930/', '/20260929/')),
    tokenUnsigned: read(whole, { 'x-amz-security-token': 'added' }),
  }
  assert.deepEqual(table, {
    nothing: { reason: 'missing' }, basic: 'incomplete', empty: 'incomplete', noSignature: 'incomplete', shortScope: 'incomplete',
    badRegion: 'bad region', hostUnsigned: 'incomplete', noDate: 'incomplete', oddDate: 'incomplete', otherDay: 'mismatch',
    tokenUnsigned: 'incomplete',
  })
})

test('a presigned request needs every parameter and a validity within a week', async () => {
  const { query, headers } = await presigned()
  const table = ['Algorithm', 'Credential', 'Date', 'SignedHeaders', 'Expires'].map(name => query.replace(`X-Amz-${name}=`, 'x='))
    .concat(['604801', '0', '1e9', '1.5', 'x'].map(text => query.replace('Expires=900', `Expires=${text}`)))
  assert.deepEqual(table.map(query => (readSignature({ query, headers }) as { reason: string }).reason), table.map(() => 'incomplete'))
})
