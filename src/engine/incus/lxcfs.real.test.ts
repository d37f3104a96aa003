/** lxcfs on the real host, at a mount point of the test's own: root, FUSE and the package are needed. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openLog } from '#base/log'
import { isMounted } from '#engine/disk/mount'
import { run } from '#engine/disk/run'
import { lxcfsAnswers, startLxcfs, type Lxcfs } from '#engine/incus/lxcfs'
import { runs, until } from '#engine/incus/process'

const dir = mkdtempSync(join(tmpdir(), 'enclume-lxcfs-'))
const path = join(dir, 'fs')
const started: Lxcfs[] = []
const start = async () => {
  const lxcfs = await startLxcfs(path, { output: join(dir, 'lxcfs.log'), log: openLog(() => {}) })
  if (lxcfs) started.push(lxcfs)
  return lxcfs
}

after(async () => {
  for (const { pid } of started) if (runs(pid, path)) process.kill(pid, 'SIGKILL')
  while (isMounted(path)) await run('umount', ['--lazy', path])
  rmSync(dir, { recursive: true })
})

test('a second start finds the first', async () => {
  assert.deepEqual([lxcfsAnswers(path), isMounted(path)], [false, false])
  assert.equal((await start())?.path, path)
  assert.deepEqual([lxcfsAnswers(path), await start()], [true, undefined])
})

test('what a killed one left mounted does not pass for it: it is cleared, and a new one answers', async () => {
  const first = started[0]!
  process.kill(first.pid, 'SIGKILL')
  assert.ok(await until(() => !lxcfsAnswers(path), 60_000))
  assert.ok(isMounted(path))
  const second = await start()
  assert.ok(second && second.pid !== first.pid)
  assert.deepEqual([lxcfsAnswers(path), isMounted(path)], [true, true])
})
