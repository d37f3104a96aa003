/** Certificates and signatures are judged by openssl, as the EC2 User Guide tells users to do. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createSigner, openSigner, signDocument } from '#service/ec2/imds/signer'

const dir = mkdtempSync(join(tmpdir(), 'enclume-signer-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(dir, name), content)
  return join(dir, name)
}
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

const now = new Date('2026-01-02T03:04:05Z')
const files = createSigner(now)
const signer = openSigner(files)
const document = '{\n  "instanceId" : "i-1",\n  "région" : "us-east-1"\n}'
const signatures = signDocument(document, signer, now)
const certificate = file('cert.pem', files.certificate)
const verify = (args: string[]) => spawnSync('openssl', args, { encoding: 'utf8' })

test('the certificate is self-signed, valid for long, and of its key', () => {
  const soon = String(now.getTime() / 1000 + 60)
  assert.equal(openssl('verify', '-attime', soon, '-CAfile', certificate, certificate).trim(), `${certificate}: OK`)
  const text = openssl('x509', '-in', certificate, '-noout', '-subject', '-issuer', '-dates')
  assert.equal(text, [
    'subject=O = Enclume, CN = Enclume instance identity', 'issuer=O = Enclume, CN = Enclume instance identity',
    'notBefore=Jan  2 03:04:05 2026 GMT', 'notAfter=Jan  2 03:04:05 2126 GMT', '',
  ].join('\n'))
  assert.throws(() => openSigner({ ...files, certificate: createSigner(now).certificate }), /not of its private key/)
})

for (const name of ['pkcs7', 'rsa2048'] as const) {
  test(`openssl verifies ${name} with the certificate and gives the document back`, () => {
    const path = file(name, `-----BEGIN PKCS7-----\n${signatures[name]}\n-----END PKCS7-----\n`)
    for (const command of ['smime', 'cms']) {
      const done = verify([command, '-verify', '-in', path, '-inform', 'PEM', '-certfile', certificate, '-noverify'])
      assert.equal(`${done.stderr.trim()} ${done.stdout}`, `${command === 'cms' ? 'CMS ' : ''}Verification successful ${document}`)
    }
  })
}

test('a document that was changed, or a certificate of another, does not verify', () => {
  const whole = Buffer.from(signatures.rsa2048, 'base64')
  const at = whole.indexOf('us-east-1')
  whole.write('us-west-1', at)
  const path = file('changed', whole)
  assert.notEqual(verify(['cms', '-verify', '-in', path, '-inform', 'DER', '-noverify']).status, 0)
  const other = file('other.pem', createSigner(now).certificate)
  const intact = file('intact', Buffer.from(signatures.rsa2048, 'base64'))
  assert.notEqual(verify(['cms', '-verify', '-in', intact, '-inform', 'DER', '-CAfile', other]).status, 0)
})

test('signature is an RSA-SHA256 signature of the document', () => {
  const key = file('key.pub', signer.certificate.publicKey.export({ type: 'spki', format: 'pem' }) as string)
  const [text, signature] = [file('document', document), file('signature', Buffer.from(signatures.signature, 'base64'))]
  assert.equal(openssl('dgst', '-sha256', '-verify', key, '-signature', signature, text).trim(), 'Verified OK')
})
