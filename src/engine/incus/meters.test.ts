import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupOf } from '#engine/incus/meters'

test('a machine\'s control group is found by its name, the newest where one was left behind, and others\' are not taken for it', () => {
  const there = ['a', 'a-1', 'a-12', 'a-2', 'a-b', 'ab', 'b-1-x'].map(name => `lxc.payload.${name}`)
  assert.deepEqual(['a', 'b', 'ab', 'a-b'].map(name => groupOf(name, there)), ['lxc.payload.a-12', undefined, 'lxc.payload.ab', 'lxc.payload.a-b'])
})
