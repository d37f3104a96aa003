import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { onTerminal } from '#engine/incus/exec'

/** A client that does as the script says; `turns`: how often it was begun. */
function client(t: TestContext, script: string) {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-exec-'))
  t.after(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'incus'), `#!/bin/sh\necho turn >> ${dir}/turns\nturn=$(wc -l < ${dir}/turns)\n${script}\n`)
  chmodSync(join(dir, 'incus'), 0o755)
  const { file, args } = onTerminal(['exec', 'i-1', '--', 'two words'])
  const { status, stdout, stderr } = spawnSync(file, args, { env: { PATH: `${dir}:${process.env['PATH']}` }, input: 'typed\n', encoding: 'utf8' })
  return { status, stdout, stderr, turns: readFileSync(join(dir, 'turns'), 'utf8').split('\n').length - 1 }
}
const GONE = "echo 'Error: Failed to retrieve PID of executing child process' >&2; exit 1"

test('a command that did not come to its terminal is begun again, with all that was typed', t => {
  const seen = client(t, `[ $turn -gt 3 ] || { ${GONE}; }; read -r typed; echo "$# $4 $typed"; exit 7`)
  assert.deepEqual(seen, { status: 7, stdout: '4 two words typed\n', stderr: '', turns: 4 })
})

test('what else goes wrong is told, once', t => {
  assert.deepEqual(client(t, "echo 'Error: Instance is not running' >&2; exit 1"),
    { status: 1, stdout: '', stderr: 'Error: Instance is not running\n', turns: 1 })
})

test('one that never comes to it is told after ten', t => {
  const { status, stderr, turns } = client(t, GONE)
  assert.deepEqual({ status, turns }, { status: 1, turns: 10 })
  assert.match(stderr, /Failed to retrieve PID/)
})
