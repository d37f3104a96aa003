import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { homeAt } from '#base/home'
import { exports, writeProfile } from '#launch/credentials'

function homeWith(t: TestContext, secretAccessKey: string) {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-keys-'))
  t.after(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'root-credentials.json'), JSON.stringify({ accessKeyId: 'AKIA1', secretAccessKey, account: '123456789012' }))
  return homeAt({ dir, slot: 2, port: 4586, region: 'eu-west-3' })
}

test('a shell that evaluates the lines has exactly the keys, and no profile or token of its own', t => {
  const secret = `a'b"c$d e\\f+/=`
  const names = ['ENDPOINT_URL', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'REGION', 'PROFILE']
  const shown = names.map(name => '"${AWS_' + name + '-none}"')
  const script = `${exports(homeWith(t, secret))}\nprintf '%s|' ${shown.join(' ')}`
  const env = { PATH: process.env.PATH, AWS_PROFILE: 'work', AWS_SESSION_TOKEN: 'old' }
  const printed = execFileSync('/bin/sh', ['-eu', '-c', script], { env, encoding: 'utf8' })
  assert.equal(printed, `http://127.0.0.1:4586|AKIA1|${secret}|eu-west-3|none|`)
})

test('the profile is written for root alone, in the form that AWS tools read', t => {
  const home = homeWith(t, 'secret')
  writeProfile(home)
  const files = ['credentials', 'config'].map(name => join(home.dir, 'aws', name))
  assert.deepEqual(files.map(file => statSync(file).mode & 0o777), [0o600, 0o600])
  assert.deepEqual(files.map(file => readFileSync(file, 'utf8')), [
    '[enclume]\naws_access_key_id = AKIA1\naws_secret_access_key = secret\n',
    '[profile enclume]\nregion = eu-west-3\nendpoint_url = http://127.0.0.1:4586\n',
  ])
})

test('before the first start there are no keys, and it says so', t => {
  const home = homeWith(t, 'secret')
  rmSync(join(home.dir, 'root-credentials.json'))
  assert.throws(() => exports(home), /makes it at its first start. Run: .\/enclume up/)
})
