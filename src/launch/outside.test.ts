import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { issue, openAuthority } from '#base/authority'
import { readArgs } from '#launch/args'
import { settle, type Config } from '#launch/config'
import { checkAddress, outsideCertificate, outsideEndpoint, readOutside, writeTrust } from '#launch/outside'
import { X509Certificate } from 'node:crypto'

const dir = mkdtempSync(join(tmpdir(), 'enclume-outside-'))
after(() => rmSync(dir, { recursive: true }))
const now = new Date()
const [cert, key, other] = ['cert.pem', 'key.pem', 'other.pem'].map(name => join(dir, name)) as [string, string, string]
const own = issue(openAuthority(join(dir, 'own'), now), ['ec2.us-east-1.amazonaws.com'], now)
writeFileSync(cert, own.cert)
writeFileSync(key, own.key)
writeFileSync(other, issue(openAuthority(join(dir, 'own'), now), ['x'], now).key)

const asked = (line: string, at = now) => readOutside(readArgs(['up', ...line.split(' ').filter(Boolean)]), at)

test('an address is asked for, closed or left as it was, and no other form is taken', () => {
  assert.deepEqual([asked(''), asked('--bind off'), asked('--bind 192.0.2.7'), asked(`--bind ::1 --tls-cert ${cert} --tls-key ${key}`)],
    [undefined, null, { address: '192.0.2.7' }, { address: '::1', cert, key }])
  for (const [line, why] of Object.entries({
    '--bind 0.0.0.0': /not all of them/, '--bind ::': /not all of them/, '--bind 127.0.0.1': /as it is/, '--bind host.example': /an IP address/,
    [`--bind 192.0.2.7 --tls-cert ${cert}`]: /go together/, [`--tls-cert ${cert} --tls-key ${key}`]: /--bind ADDRESS/,
    [`--bind off --tls-cert ${cert} --tls-key ${key}`]: /--bind ADDRESS/,
  })) assert.throws(() => asked(line), why, line)
})

test('a certificate that can\'t serve is refused before anything listens', () => {
  const files = (c: string, k: string) => `--bind 192.0.2.7 --tls-cert ${c} --tls-key ${k}`
  assert.throws(() => asked(files(cert, other)), /the key is not that of the certificate/)
  assert.throws(() => asked(files(join(dir, 'none'), key)), /ENOENT/)
  assert.throws(() => asked(files(key, key)), /can't serve/)
  assert.throws(() => asked(files(cert, key), new Date(now.getTime() + 3 * 365 * 86_400_000)), /ended on/)
})

test('the choice is remembered until another is made', () => {
  const before: Config = { slot: 0, port: 4566, consolePort: 4570, region: 'us-east-1', diskGiB: 8, outside: { address: '192.0.2.7' } }
  const then = (line: string) => settle({ chosen: { outside: asked(line) }, before, slot: 0, diskGiB: 8 }).outside
  assert.deepEqual([then(''), then('--bind 192.0.2.8'), then('--bind off')], [before.outside, { address: '192.0.2.8' }, undefined])
})

test('a generated certificate is the address\'s alone, and what clients must trust is no secret; one of the user\'s own is shown as it is', () => {
  for (const address of ['192.0.2.7', '2001:db8::7']) {
    const made = new X509Certificate(outsideCertificate({ dir }, { address }, now).cert)
    assert.deepEqual([made.checkIP(address), made.checkIP('192.0.2.9'), made.checkHost('localhost')], [address, undefined, undefined])
  }
  const trust = writeTrust({ dir }, { address: '192.0.2.7' }, now)!
  assert.deepEqual([statSync(trust).mode & 0o777, statSync(join(dir, 'authority.json')).mode & 0o777], [0o644, 0o600])
  const outside = { address: '192.0.2.7', cert, key }
  assert.deepEqual([outsideCertificate({ dir }, outside, now), writeTrust({ dir }, outside, now)], [own, undefined])
})

test('an address that is not the host\'s, or whose port is taken, is refused by name', async t => {
  const server = createServer()
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.2', resolve) })
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  await assert.rejects(checkAddress({ address: '127.0.0.2' }, port), /https:\/\/127\.0\.0\.2:\d+: .*EADDRINUSE/)
  await assert.rejects(checkAddress({ address: '192.0.2.7' }, port), /no address of this host/)
  await checkAddress({ address: '127.0.0.3' }, port)
  assert.equal(outsideEndpoint({ address: '::1' }, 80), 'https://[::1]:80')
})
