/** What is frozen is thawed, whoever is killed meanwhile. Needs root and the kernel's control groups, no Incus. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { stilled, thawAll } from '#engine/disk/freeze'
import { unifiedCgroups } from '#engine/incus/host'
import { children, runs, until } from '#engine/incus/process'
import { CGROUPS } from '#engine/incus/throttle'

const group = join(CGROUPS, unifiedCgroups() ? '' : 'freezer', `enclume-freeze-${process.pid}`)
let busy: ChildProcess

beforeEach(() => {
  mkdirSync(group)
  busy = spawn('sleep', ['600'])
  writeFileSync(join(group, 'cgroup.procs'), String(busy.pid))
})
afterEach(async () => {
  busy.kill('SIGKILL')
  assert.ok(await until(() => !runs(busy.pid!, 'sleep'), 60_000))
  assert.ok(await until(() => { try { rmdirSync(group); return true } catch { return false } }, 60_000))
})

const isFrozen = () => (existsSync(join(group, 'freezer.state'))
  ? !readFileSync(join(group, 'freezer.state'), 'utf8').startsWith('THAWED')
  : /^frozen 1/m.test(readFileSync(join(group, 'cgroup.events'), 'utf8')))
const child = () => children(process.pid).find(pid => runs(pid, group))!

test('what runs in a group rests while something is done, and goes on after it, also after a failure', async () => {
  assert.equal(await stilled([group], async () => isFrozen()), true)
  assert.equal(isFrozen(), false)
  await assert.rejects(stilled([group], async () => { throw new Error('no room') }), /no room/)
  assert.equal(isFrozen(), false)
})

test('when the child that froze it is killed it stays frozen until all is done, and is thawed then', async () => {
  const during = await stilled([group], async () => {
    process.kill(child(), 'SIGKILL')
    assert.ok(await until(() => !runs(child() ?? 0, group), 60_000))
    return isFrozen()
  })
  assert.deepEqual([during, isFrozen()], [true, false])
})

test('what is left frozen by the death of all is thawed by the next', async () => {
  await stilled([group], async () => {})
  writeFileSync(...(unifiedCgroups() ? [join(group, 'cgroup.freeze'), '1'] : [join(group, 'freezer.state'), 'FROZEN']) as [string, string])
  assert.ok(await until(isFrozen, 60_000))
  await thawAll({ points: [], groups: [group, `${group}-gone`] })
  assert.equal(isFrozen(), false)
})
