import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lasting } from '#base/scope'

test('where systemd manages the host a command gets a scope that outlasts its login and asks for all controllers', () => {
  const words = lasting(['incusd', '--logfile', '$x y'], { booted: tmpdir() })
  assert.equal(words[0], 'systemd-run')
  for (const word of ['--scope', '--property=Delegate=yes', '--collect']) assert.ok(words.includes(word), word)
  assert.deepEqual(words.slice(words.indexOf('--') + 1), ['incusd', '--logfile', '$x y'])
})

test('elsewhere it is left as it is', () => {
  assert.deepEqual(lasting(['incusd', 'x'], { booted: join(tmpdir(), 'nothing-is-here') }), ['incusd', 'x'])
})
