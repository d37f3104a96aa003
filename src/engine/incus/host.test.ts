import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { restoreHost } from '#engine/incus/host'

test('a home that never was up has nothing to put back, and is not made', async () => {
  const home = homeAt({ dir: '/nowhere/enclume', slot: 7 })
  await restoreHost(home, silent)
  assert.equal(existsSync(home.dir), false)
})
