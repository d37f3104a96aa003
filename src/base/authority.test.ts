import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { issue, openAuthority } from '#base/authority'

const dir = mkdtempSync(join(tmpdir(), 'enclume-authority-'))
after(() => rmSync(dir, { recursive: true }))
const now = new Date()
const authority = openAuthority(dir, now)

/** What OpenSSL says of a certificate for a name, trusting the authority alone; strict as Python 3.13 is. */
function verdict(certificateName: string, asked: string): string {
  const [ca, leaf] = [join(dir, 'ca.pem'), join(dir, 'leaf.pem')]
  writeFileSync(ca, authority.certificate.toString())
  writeFileSync(leaf, issue(authority, [certificateName], now).cert)
  const words = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', asked, '-CAfile', ca, leaf]
  try {
    return execFileSync('openssl', words, { encoding: 'utf8', stdio: 'pipe' }).trim().split(': ').at(-1)!
  } catch (error) {
    return /: ([^:]+)\n/.exec((error as { stderr: string }).stderr)![1]!
  }
}

test('it is made once, its key readable by its owner alone', () => {
  assert.equal(openAuthority(dir, new Date(0)).certificate.raw.compare(authority.certificate.raw), 0)
  assert.equal(statSync(join(dir, 'authority.json')).mode & 0o777, 0o600)
})

test('OpenSSL trusts what it issues, for that name, and for no name outside of its domain', () => {
  const name = 'ec2.us-east-1.amazonaws.com'
  assert.equal(verdict(name, name), 'OK')
  assert.equal(verdict('*.s3.us-east-1.amazonaws.com', 'bucket.s3.us-east-1.amazonaws.com'), 'OK')
  assert.match(verdict(name, 'sts.us-east-1.amazonaws.com'), /hostname mismatch|verification failed/i)
  assert.match(verdict('www.example.com', 'www.example.com'), /permitted subtree violation|verification failed/)
})

test('a server with what it issued is believed by a client that trusts it', async t => {
  const name = 'sts.amazonaws.com'
  const server = createServer(issue(authority, [name], now), (_, response) => response.end('hello'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const ask = (ca: string | undefined) => new Promise<string>(resolve => {
    get({ host: '127.0.0.1', port, servername: name, ca, agent: false }, reply => reply.setEncoding('utf8').on('data', resolve))
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code!))
  })
  assert.deepEqual([await ask(authority.certificate.toString()), await ask(undefined)], ['hello', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'])
})
