/** PuTTY's own tool is asked where it is installed; elsewhere the file is read back by the format's description. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createKey } from '#service/ec2/key-pair/ssh-key'
import { str } from '#service/ec2/key-pair/ssh-wire'

const puttygen = process.env['PUTTYGEN'] ?? 'puttygen'
const hasPuttygen = spawnSync(puttygen, ['--version']).status === 0

function read(text: string) {
  const lines = text.split('\r\n')
  const after = (title: string) => {
    const at = lines.findIndex(line => line.startsWith(`${title}: `))
    const count = Number(lines[at]!.split(': ')[1])
    return Buffer.from(lines.slice(at + 1, at + 1 + count).join(''), 'base64')
  }
  const value = (title: string) => lines.find(line => line.startsWith(`${title}: `))!.split(': ')[1]!
  return {
    algorithm: value('PuTTY-User-Key-File-2'), comment: value('Comment'), mac: value('Private-MAC'),
    blob: after('Public-Lines'), secret: after('Private-Lines'),
  }
}

for (const type of ['rsa', 'ed25519'] as const) {
  test(`a ${type} PPK holds the public key, and its MAC covers all of it`, () => {
    const key = createKey({ name: 'votre-cle', type, format: 'ppk' })
    const ppk = read(key.material)
    assert.equal(`${ppk.algorithm} ${ppk.blob.toString('base64')} ${ppk.comment}`, key.publicKey)
    const macKey = createHash('sha1').update('putty-private-key-file-mac-key').digest()
    const signed = Buffer.concat([str(ppk.algorithm), str('none'), str(ppk.comment), str(ppk.blob), str(ppk.secret)])
    assert.equal(ppk.mac, createHmac('sha1', macKey).update(signed).digest('hex'))
  })

  test(`puttygen turns a ${type} PPK into the same OpenSSH key`, { skip: !hasPuttygen && 'puttygen is not installed' }, () => {
    const dir = mkdtempSync(join(tmpdir(), 'enclume-ppk-'))
    try {
      const key = createKey({ name: 'votre-cle', type, format: 'ppk' })
      const [ppk, pem] = [join(dir, 'k.ppk'), join(dir, 'k.pem')]
      writeFileSync(ppk, key.material, { mode: 0o600 })
      execFileSync(puttygen, [ppk, '-O', 'private-openssh', '-o', pem])
      const line = execFileSync('ssh-keygen', ['-y', '-f', pem]).toString().trim()
      assert.deepEqual(line.split(' ').slice(0, 2), key.publicKey.split(' ').slice(0, 2))
    } finally { rmSync(dir, { recursive: true, force: true }) }
  })
}
