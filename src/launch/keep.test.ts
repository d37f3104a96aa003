import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { writeConfig } from '#launch/config'
import { openKeeper } from '#launch/keep'
import { withLock } from '#launch/lock'

function setting(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-keep-'))
  t.after(() => rmSync(dir, { recursive: true }))
  writeConfig(dir, { slot: 0, port: 1, consolePort: 2, region: 'us-east-1', diskGiB: 33 })
  const starts: number[] = []
  const state = { running: false, sizes: false }
  const keeper = openKeeper(homeAt({ dir }), {
    daemonStatus: async () => ({ running: state.running }),
    sizesShown: async () => state.sizes,
    startDaemon: async (_, { diskGiB }) => { starts.push(diskGiB); Object.assign(state, { running: true, sizes: true }) },
  }, silent)
  t.after(() => keeper.close())
  return { dir, state, starts, keeper }
}

test('a daemon that is not there is started once, with the room that was chosen', async t => {
  const { starts, keeper } = setting(t)
  await Promise.all([keeper.look(), keeper.look()])
  assert.deepEqual(starts, [33])
})

test('a server of sizes that died alone is brought back too', async t => {
  const { starts, state, keeper } = setting(t)
  await keeper.look()
  state.sizes = false
  await keeper.look()
  assert.deepEqual([starts.length, state.sizes], [2, true])
})

test('while another command holds the home, nothing is started; afterwards it is', async t => {
  const { dir, starts, keeper } = setting(t)
  await withLock(dir, {}, () => keeper.look())
  assert.deepEqual(starts, [])
  await keeper.look()
  assert.deepEqual(starts, [33])
})

test('a closed keeper starts nothing', async t => {
  const { starts, keeper } = setting(t)
  await keeper.close()
  await keeper.look()
  assert.deepEqual(starts, [])
})
