/** What the AMIs' sshd asks at a login, with a curl that only says what it was asked. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../images/base/files/usr/libexec/ec2-instance-connect', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'enclume-connect-'))
writeFileSync(join(dir, 'curl'), '#!/bin/sh\ncase "$*" in *api/token*) echo token ;; *) echo "$*" ;; esac\n', { mode: 0o755 })
after(() => rmSync(dir, { recursive: true }))

const ask = (user: string): string => execFileSync('sh', [SCRIPT, user], { env: { PATH: `${dir}:/usr/bin:/bin` } }).toString()

test('keys are asked for by the user\'s name, with a token', () => {
  for (const user of ['ec2-user', 'ssm-user', 'admin', 'a.b_c@d', 'host$']) {
    assert.match(ask(user), /X-aws-ec2-metadata-token: token/)
    assert.ok(ask(user).trim().endsWith(`/latest/meta-data/managed-ssh-keys/active-keys/${user}`), user)
  }
})

test('a name that is no name asks for nothing', () => {
  assert.deepEqual(['', '../x', 'a b', 'a/b', 'a;b'].map(ask), ['', '', '', '', ''])
})
