import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { unmanaged } from '#engine/net/manager'

test('systemd-networkd is told to leave the host\'s device and the ports of this Enclume alone, and no other\'s', () => {
  const lines = unmanaged(homeAt({ dir: '/nowhere', slot: 3 })).split('\n')
  assert.ok(lines.includes('Name=en3h en3p*'))
  assert.deepEqual(lines.slice(lines.indexOf('[Link]')), ['[Link]', 'Unmanaged=yes', ''])
})
