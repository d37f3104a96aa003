import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt, SLOTS } from '#base/home'
import { coreSpace, hostDevice, hostTable, portDevice, routerAddress, routerDevice, routerDir, routerSpace } from '#engine/net/names'

test('homes of different slots share no name on the host', () => {
  const names = Array.from({ length: SLOTS }, (_, slot) => homeAt({ dir: '/nowhere', slot })).flatMap(home => [
    coreSpace(home), hostDevice(home), hostTable(home), portDevice(home, 1), routerSpace(home, 1), routerDir(home, 1),
    routerAddress(home, 1),
  ])
  assert.equal(new Set(names).size, names.length)
})

test('the longest device names fit the kernel, longer ones are refused', () => {
  assert.equal(portDevice(homeAt({ dir: '/nowhere', slot: 7 }), 999_999), 'en7p999999')
  assert.equal(routerDevice(999_999, 999_999), 'e999999-999999')
  assert.throws(() => routerDevice(9_999_999, 9_999_999), /longer than/)
})
