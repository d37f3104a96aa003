/** A role for a token: AssumeRoleWithWebIdentity against an OpenID Connect provider of the test's own, on loopback. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as iam from '@aws-sdk/client-iam'
import * as sts from '@aws-sdk/client-sts'
import { code } from './kit.ts'
import { keys, openServer, type TestServer } from './server.ts'

let server: TestServer
let provider: Server
let url: string
let thumbprint: string
let root: iam.IAMClient
let nobody: sts.STSClient
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const dir = mkdtempSync(join(tmpdir(), 'enclume-oidc-'))

before(async () => {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', 'key.pem',
    '-out', 'cert.pem'],
    { cwd: dir, stdio: 'ignore' })
  const [key, cert] = ['key.pem', 'cert.pem'].map(name => readFileSync(join(dir, name)))
  thumbprint = new X509Certificate(cert!).fingerprint.replaceAll(':', '')
  provider = createServer({ key, cert }, (request, response) => {
    const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }] }
    response.end(JSON.stringify(request.url === '/keys' ? jwks : { issuer: url, jwks_uri: `${url}/keys` }))
  })
  await new Promise<void>(resolve => provider.listen(0, '127.0.0.1', resolve))
  url = `https://localhost:${(provider.address() as AddressInfo).port}`
  server = await openServer()
  const options = { endpoint: server.url, region: 'us-east-1', maxAttempts: 1 }
  root = new iam.IAMClient({ ...options, credentials: keys })
  // The SDK sends this operation unsigned.
  nobody = new sts.STSClient({ ...options, credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })
})
after(async () => {
  root.destroy()
  nobody.destroy()
  provider.closeAllConnections()
  await new Promise(resolve => provider.close(resolve))
  await server.close()
  rmSync(dir, { recursive: true })
})

function token(claims: object, key: KeyObject = privateKey, header: object = { alg: 'RS256', kid: 'k1' }): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const body = { iss: url, aud: 'app', sub: 'ada', exp: Math.floor(Date.now() / 1000) + 300, ...claims }
  const text = `${encode(header)}.${encode(body)}`
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
}
const assume = (WebIdentityToken: string, more: object = {}) => nobody.send(new sts.AssumeRoleWithWebIdentityCommand({
  RoleArn: `arn:aws:iam::${keys.account}:role/web`, RoleSessionName: 'ada', WebIdentityToken, ...more,
}))

test('a provider\'s token is a role for whom the trust policy lets in, and nothing else is', async () => {
  const made = await root.send(new iam.CreateOpenIDConnectProviderCommand({ Url: url, ClientIDList: ['app'], ThumbprintList: [thumbprint] }))
  const host = url.replace('https://', '')
  assert.equal(made.OpenIDConnectProviderArn, `arn:aws:iam::${keys.account}:oidc-provider/${host}`)
  await assert.rejects(assume(token({})), code('AccessDenied'))
  await root.send(new iam.CreateRoleCommand({
    RoleName: 'web', AssumeRolePolicyDocument: JSON.stringify({
      Version: '2012-10-17', Statement: {
        Effect: 'Allow', Principal: { Federated: made.OpenIDConnectProviderArn }, Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { [`${host}:aud`]: 'app', [`${host}:sub`]: 'ada' } },
      },
    }),
  }))
  const { Credentials: c, ...given } = await assume(token({}))
  assert.deepEqual([given.SubjectFromWebIdentityToken, given.Audience, given.Provider], ['ada', 'app', made.OpenIDConnectProviderArn])
  const session = new sts.STSClient({
    endpoint: server.url, region: 'us-east-1', credentials: { accessKeyId: c!.AccessKeyId!, secretAccessKey: c!.SecretAccessKey!,
      sessionToken: c!.SessionToken },
  })
  assert.equal((await session.send(new sts.GetCallerIdentityCommand())).Arn, `arn:aws:sts::${keys.account}:assumed-role/web/ada`)
  session.destroy()
  const invalid = code('InvalidIdentityTokenException')
  await assert.rejects(assume(token({ sub: 'eve' })), code('AccessDenied'))
  await assert.rejects(assume(token({ aud: 'other' })), invalid)
  await assert.rejects(assume(token({ exp: 1 })), code('ExpiredTokenException'))
  await assert.rejects(assume(token({ iss: 'https://elsewhere.example' })), invalid)
  await assert.rejects(assume(token({}, stranger)), invalid)
  await assert.rejects(assume(token({}, privateKey, { alg: 'none' })), invalid)
  await assert.rejects(assume(token({}, privateKey, { alg: 'HS256', kid: 'k1' })), invalid)
  await assert.rejects(assume('nonsense'), invalid)
  await root.send(new iam.UpdateOpenIDConnectProviderThumbprintCommand({
    OpenIDConnectProviderArn: made.OpenIDConnectProviderArn, ThumbprintList: ['0'.repeat(40)],
  }))
  await assert.rejects(assume(token({})), code('InvalidIdentityTokenException', /thumbprint/))
})

test('no other operation is answered unsigned', async () => {
  const ask = async (Action: string) => {
    const reply = await fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `Action=${Action}&Version=2011-06-15` })
    return [reply.status, /<Code>(\w+)/.exec(await reply.text())?.[1]]
  }
  for (const action of ['GetCallerIdentity', 'GetSessionToken', 'AssumeRole']) assert.deepEqual(await ask(action), [403,
    'MissingAuthenticationToken'], action)
})
