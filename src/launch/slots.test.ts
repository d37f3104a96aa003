import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { claimSlot, readSlots, releaseSlot } from '#launch/slots'

function scratch(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'enclume-slots-'))
  t.after(() => rmSync(root, { recursive: true }))
  const home = (name: string) => { const dir = join(root, name); mkdirSync(dir); return dir }
  return { registry: join(root, 'registry'), home }
}

test('each home has one slot, the same every time; slot 0 goes last to others than the default home', async t => {
  const { registry, home } = scratch(t)
  const dirs = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(home)
  const got = []
  for (const dir of dirs) got.push(await claimSlot({ dir, registry }))
  assert.deepEqual(got, [1, 2, 3, 4, 5, 6, 7, 0])
  assert.equal(await claimSlot({ dir: dirs[2]!, registry }), 3)
  await assert.rejects(claimSlot({ dir: home('i'), registry }), /all 8 slots are in use/)
})

test('homes that claim at the same moment get different slots', async t => {
  const { registry, home } = scratch(t)
  const got = await Promise.all(['a', 'b', 'c', 'd'].map(name => claimSlot({ dir: home(name), registry })))
  assert.deepEqual(got.sort(), [1, 2, 3, 4])
})

test('a slot that is wanted is had or refused, never exchanged', async t => {
  const { registry, home } = scratch(t)
  const [a, b] = [home('a'), home('b')]
  assert.equal(await claimSlot({ dir: a, want: 7, registry }), 7)
  await assert.rejects(claimSlot({ dir: b, want: 7, registry }), /slot 7 belongs to/)
  await assert.rejects(claimSlot({ dir: a, want: 5, registry }), /has slot 7 already/)
})

test('a slot is free again when released, and when its home is gone', async t => {
  const { registry, home } = scratch(t)
  const [a, b] = [home('a'), home('b')]
  await claimSlot({ dir: a, want: 4, registry })
  rmSync(a, { recursive: true })
  assert.deepEqual([...readSlots(registry)], [])
  assert.equal(await claimSlot({ dir: b, want: 4, registry }), 4)
  await releaseSlot({ dir: b, registry })
  assert.equal(existsSync(registry), false)
})
