/** S3 under nonsense: paths, queries, headers and XML of any kind, signed. Never a 500, and nothing outside of its folder. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { test } from 'node:test'
import { Sha256 } from '@smithy/core/checksum'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import { keys, openServer } from '../conformance/server.ts'
import { NIGHT_MS, openRandom, roundsOf, seed, type Random } from './random.ts'

const rounds = roundsOf(3 / 10)
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']
const PARTS = [
  'a-bucket', 'key', '..', '.', '%2e%2e', '%2e%2e%2f%2e%2e', '%00', '%ff', '%zz', '%', 'x'.repeat(1100), '%F0%9F%98%80', '', 'etc/passwd', 'CON',
    '\\',
  '%5c..%5c', '~root', '%0d%0a', 's3.db', 'data',
]
const QUERIES = [
  'acl', 'policy', 'versioning', 'tagging', 'cors', 'lifecycle', 'website', 'uploads', 'delete', 'versions', 'list-type=2', 'uploadId=x',
    'partNumber=1',
  'partNumber=-1', 'partNumber=1e9', 'max-keys=-1', 'max-keys=abc', 'max-keys=99999999999', 'prefix=%ff', 'encoding-type=url', 'encoding-type=x',
  'versionId=', 'versionId=..', 'continuation-token=x', 'marker=%00', 'delimiter=', 'location', 'publicAccessBlock', 'ownershipControls',
    'encryption',
  'object-lock', 'attributes', 'restore', 'select&select-type=2', 'x-id=PutObject', '__proto__=x', 'constructor',
    'response-content-type=%0d%0aX:%20y',
]
const HEADERS: [string, string[]][] = [
  ['range', ['bytes=0-', 'bytes=9-1', 'bytes=-0', 'bytes=99999999999999999999-', 'x']], ['if-match', ['*', '"x"', '']], ['if-none-match', ['*', 'x']],
  ['if-modified-since', ['x', 'Wed, 21 Oct 2015 07:28:00 GMT']], ['x-amz-copy-source', ['/a-bucket/key', '../..', '%', 'a-bucket/key?versionId=..',
    '/']],
  ['x-amz-meta-x', ['y', 'ä'.repeat(50), 'x'.repeat(3000)]], ['x-amz-tagging', ['a=b', '&&&', 'a=b&a=c', '%zz=%']], ['content-md5', ['x', 'AAAA']],
  ['x-amz-checksum-crc32', ['AAAAAA==', 'x']], ['x-amz-checksum-sha256', ['x']], ['x-amz-sdk-checksum-algorithm', ['CRC32', 'X']], ['x-amz-acl',
    ['private', 'x']],
  ['content-encoding', ['aws-chunked', 'gzip']], ['x-amz-trailer', ['x-amz-checksum-crc32', 'x']], ['x-amz-decoded-content-length', ['5', '-1', 'x']],
  ['x-amz-storage-class', ['STANDARD', 'X']], ['x-amz-expected-bucket-owner', ['1', keys.account]], ['expires', ['x']], ['x-amz-object-attributes',
    ['ETag', 'X']],
]
const BODIES = [
  '', 'x', '<', '<a/>', '<Delete><Object><Key>k</Key></Object></Delete>', '<Delete/>', '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>',
  '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
  '<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>x</Days></Expiration></Rule></LifecycleConfiguration>', '{"Statement":[]}',
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>', '<a>'.repeat(200), '{"a":'.repeat(5000),
    '\u0000',
  '<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>',
]

function nonsense(random: Random) {
  const some = <T>(from: readonly T[], most: number): T[] => Array.from({ length: random.below(most + 1) }, () => random.pick(from))
  const headers = Object.fromEntries(some(HEADERS, 3).map(([name, values]) => [name, Buffer.from(random.pick(values)).toString('latin1')]))
  const first = random.next() < 0.8 ? ['a-bucket'] : []
  return { method: random.pick(METHODS), path: `/${[...first, ...some(PARTS, 3)].join('/')}`, query: some(QUERIES, 2).join('&'), headers,
    body: random.pick(BODIES) }
}
type Nonsense = ReturnType<typeof nonsense>

async function send(url: URL, { method, path, query, headers, body }: Nonsense): Promise<number> {
  const signer = new SignatureV4({ service: 's3', region: 'us-east-1', credentials: keys, sha256: Sha256, uriEscapePath: false })
  const asked = Object.fromEntries(query.split('&').filter(Boolean).map(part => part.split('=')).map(([name, value = '']) => [name, decode(value)]))
  const signed = await signer.sign(new HttpRequest({
    method, protocol: 'http:', hostname: url.hostname, path, query: asked, body, headers: { host: url.host, 'content-length': `${body.length}`,
      ...headers },
  }))
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, path: `${path}${query && `?${query}`}`, headers: signed.headers }, response => {
      response.resume()
      response.on('end', () => resolve(response.statusCode!))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

test('nonsense that is signed is answered, never by an internal error, and touches nothing but S3\'s folder', { timeout: NIGHT_MS }, async t => {
  const server = await openServer()
  t.after(() => server.close())
  const url = new URL(server.url)
  const make = { method: 'PUT', path: '/a-bucket', query: '', headers: {}, body: '' }
  assert.equal(await send(url, make), 200)
  const before = readdirSync(server.dir).sort()
  const random = openRandom(seed)
  const statuses: Record<number, number> = {}
  for (let i = 0; i < rounds; i++) {
    const one = nonsense(random)
    const status = await send(url, one)
    assert.ok(status < 500 || status === 501, `${status}: ${JSON.stringify(one).slice(0, 500)}`)
    statuses[status] = (statuses[status] ?? 0) + 1
    if (i % 100 === 0) await send(url, make)
  }
  assert.ok(statuses[200]! > 50 && statuses[400]! > 50 && statuses[404]! > 50, JSON.stringify(statuses))
  assert.deepEqual(readdirSync(server.dir).sort(), before)
  assert.deepEqual(readdirSync(`${server.dir}/s3`).sort(), ['data', 'object.key'])
})
