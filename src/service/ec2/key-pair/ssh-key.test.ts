/** Keys and fingerprints are compared with what ssh-keygen and openssl say of the same key. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createKey, importedFingerprint, openSshLine, parsePublicKey } from '#service/ec2/key-pair/ssh-key'

const dir = mkdtempSync(join(tmpdir(), 'enclume-key-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const run = (command: string, args: string[], input?: Buffer) => execFileSync(command, args, { input, stdio: ['pipe', 'pipe', 'pipe'] })
let files = 0
const file = (text: string): string => {
  const path = join(dir, `key-${files++}`)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}
/** As the User Guide tells users to compute it: a digest by openssl, with colons. */
const digest = (algorithm: string, der: Buffer) => run('openssl', [algorithm, '-c'], der).toString().trim().split('= ')[1]
const sshKeygenDigest = (path: string) => run('ssh-keygen', ['-l', '-f', path]).toString().split(' ')[1]

test('a created RSA key is PKCS#1 PEM, opens in ssh-keygen, and has the SHA-1 of its PKCS#8 as fingerprint', () => {
  const key = createKey({ name: 'votre-cle', type: 'rsa', format: 'pem' })
  assert.match(key.material, /^-----BEGIN RSA PRIVATE KEY-----\n[^-]+\n-----END RSA PRIVATE KEY-----$/)
  const path = file(key.material + '\n')
  assert.equal(run('ssh-keygen', ['-y', '-f', path]).toString().trim(), key.publicKey.replace(/ votre-cle$/, ''))
  const pkcs8 = run('openssl', ['pkcs8', '-in', path, '-inform', 'PEM', '-outform', 'DER', '-topk8', '-nocrypt'])
  assert.equal(key.fingerprint, digest('sha1', pkcs8))
  assert.equal(key.fingerprint.length, 59)
})

test('a created ED25519 key is an OpenSSH private key, with the padded SHA-256 of ssh-keygen as fingerprint', () => {
  for (let i = 0; i < 8; i += 1) { // The name's length decides the padding: all eight are tried.
    const key = createKey({ name: 'k'.repeat(i + 1), type: 'ed25519', format: 'pem' })
    const path = file(key.material)
    assert.equal(run('ssh-keygen', ['-y', '-f', path]).toString().trim(), key.publicKey)
    assert.equal(`SHA256:${key.fingerprint.replace(/=$/, '')}`, sshKeygenDigest(path))
    assert.match(key.fingerprint, /^[A-Za-z0-9+/]{43}=$/)
  }
})

test('an imported RSA key has the MD5 of its DER public key as fingerprint', () => {
  const path = file(createKey({ name: 'k', type: 'rsa', format: 'pem' }).material + '\n')
  const der = run('openssl', ['pkey', '-in', path, '-pubout', '-outform', 'DER'])
  const line = run('ssh-keygen', ['-y', '-f', path]).toString()
  assert.equal(importedFingerprint(parsePublicKey(line)!), digest('md5', der))
})

test('an OpenSSH line, base64 of DER and RFC 4716 are three spellings of one key', () => {
  for (const type of ['rsa', 'ed25519'] as const) {
    const path = file(createKey({ name: 'k', type, format: 'pem' }).material + '\n')
    const line = run('ssh-keygen', ['-y', '-f', path]).toString()
    const key = parsePublicKey(line)!
    assert.equal(openSshLine(key, 'n'), `${line.trim().split(' ').slice(0, 2).join(' ')} n`)
    const der = key.key.export({ type: 'spki', format: 'der' })
    assert.deepEqual(parsePublicKey(der.toString('base64'))?.blob, key.blob)
    const publicPath = file(line)
    const ssh2 = run('ssh-keygen', ['-e', '-m', 'RFC4716', '-f', publicPath]).toString()
    assert.deepEqual(parsePublicKey(Buffer.from(ssh2))?.blob, key.blob)
    assert.deepEqual(parsePublicKey(ssh2.replace('Comment: "', 'Subject: me\\\nand: more\nComment: "'))?.blob, key.blob)
  }
})

test('RSA of 1024, 2048 and 4096 bits is taken, other lengths and algorithms are not', () => {
  const taken = Object.fromEntries(['1024', '2048', '3072', '4096'].map(bits => {
    const path = join(dir, `rsa-${bits}`)
    run('ssh-keygen', ['-q', '-t', 'rsa', '-b', bits, '-N', '', '-f', path])
    return [bits, parsePublicKey(run('ssh-keygen', ['-y', '-f', path])) !== undefined]
  }))
  assert.deepEqual(taken, { 1024: true, 2048: true, 3072: false, 4096: true })
  run('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', join(dir, 'ecdsa')])
  assert.equal(parsePublicKey(run('ssh-keygen', ['-y', '-f', join(dir, 'ecdsa')])), undefined)
})

test('what is not a key is refused without an exception', () => {
  const line = createKey({ name: 'k', type: 'ed25519', format: 'pem' }).publicKey
  const blob = Buffer.from(line.split(' ')[1]!, 'base64')
  const bad = [
    '', ' ', 'hello', 'ssh-rsa', 'ssh-rsa AAAA', 'ssh-rsa ====', `ssh-rsa ${line.split(' ')[1]!.slice(0, 40)}`,
    `ssh-ed25519 ${Buffer.concat([blob, blob]).toString('base64')}`, `ssh-ed25519 ${blob.subarray(0, 40).toString('base64')}`,
    `${line}\n${line}`, Buffer.from([0, 255, 1, 2]), Buffer.alloc(100_000, 65), 'ssh-dss AAAAB3NzaC1kc3MAAACB',
    createKey({ name: 'k', type: 'rsa', format: 'pem' }).material,
    '---- BEGIN SSH2 PUBLIC KEY ----\n---- END SSH2 PUBLIC KEY ----',
  ]
  assert.deepEqual(bad.map(parsePublicKey), bad.map(() => undefined))
})
