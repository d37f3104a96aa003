import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { othersRun } from '#engine/incus/host'
import { startLxcfs } from '#engine/incus/lxcfs'
import { runs } from '#engine/incus/process'
import { mountsBelow, sweepLeftovers } from '#launch/leftovers'
import { must, run } from '#launch/run'

const slot = Number(process.env.ENCLUME_TEST_SLOT ?? 7)

function scratch(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-left-'))
  const home = homeAt({ dir: join(dir, 'home'), slot })
  mkdirSync(home.dir)
  t.after(async () => {
    await sweepLeftovers(home, () => {})
    for (const point of mountsBelow([dir])) await run('umount', ['--lazy', point])
    rmSync(dir, { recursive: true })
  })
  return { dir, home: { ...home, run: join(dir, 'run') } }
}

test('what a killed Enclume left goes; what only looks like it stays; a second sweep finds nothing', async t => {
  const { dir, home } = scratch(t)
  const { prefix } = home
  // Left behind: a namespace with a process, a table, a link, mounts inside one another, a loop device.
  await must('ip', ['netns', 'add', `${prefix}-left`])
  const sleeper = spawn('ip', ['netns', 'exec', `${prefix}-left`, 'tail', '-f', '/dev/null'], { stdio: 'ignore' })
  t.after(() => sleeper.kill('SIGKILL'))
  const ended = once(sleeper, 'exit')
  await once(sleeper, 'spawn')
  while (!(await must('ip', ['netns', 'pids', `${prefix}-left`])).includes(String(sleeper.pid))) await new Promise(setImmediate)
  await must('nft', ['add', 'table', 'inet', `${prefix}left`])
  await must('ip', ['link', 'add', `${prefix}left`, 'type', 'bridge'])
  for (const point of ['a', 'a/b']) {
    mkdirSync(join(home.dir, point))
    await must('mount', ['-t', 'tmpfs', 'none', join(home.dir, point)])
  }
  writeFileSync(join(home.dir, 'pool.img'), Buffer.alloc(1 << 20))
  const loop = (await must('losetup', ['--find', '--show', join(home.dir, 'pool.img')])).trim()
  // Somebody else's: a longer name, a mount and a process beside the home.
  const other = { link: `${prefix}0left`, dir: join(dir, 'home-of-another') }
  await must('ip', ['link', 'add', other.link, 'type', 'bridge'])
  t.after(() => run('ip', ['link', 'delete', other.link]))
  mkdirSync(other.dir)
  await must('mount', ['-t', 'tmpfs', 'none', other.dir])

  await sweepLeftovers(home, () => {})

  assert.deepEqual(await ended, [null, 'SIGTERM'])
  assert.deepEqual({
    namespace: existsSync(`/run/netns/${prefix}-left`), table: (await run('nft', ['list', 'table', 'inet', `${prefix}left`])).code !== 0,
    link: existsSync(`/sys/class/net/${prefix}left`), mounts: mountsBelow([home.dir]), loop: existsSync(`/sys/block/${loop.slice(5)}/loop`),
    otherLink: existsSync(`/sys/class/net/${other.link}`), otherMount: mountsBelow([other.dir]),
  }, { namespace: false, table: true, link: false, mounts: [], loop: false, otherLink: true, otherMount: [other.dir] })
  const said: string[] = []
  await sweepLeftovers(home, text => said.push(text))
  assert.deepEqual(said, [])
})

test('lxcfs stays while another daemon or container needs it, and goes with the last home', async t => {
  const { dir, home } = scratch(t)
  const lxcfs = await startLxcfs(join(dir, 'fs'), { output: join(home.dir, 'log', 'lxcfs.log'), log: silent })
  const alive = () => runs(lxcfs!.pid, 'lxcfs')
  copyFileSync('/bin/sleep', join(dir, 'incusd'))
  const other = spawn(join(dir, 'incusd'), ['600'], { stdio: 'ignore' })
  t.after(() => other.kill('SIGKILL'))
  await once(other, 'spawn')
  await sweepLeftovers({ ...home, dir: join(dir, 'other') }, () => {})
  assert.ok(alive())
  const ended = once(other, 'exit')
  other.kill('SIGKILL')
  await ended
  await sweepLeftovers({ ...home, dir: join(dir, 'other') }, () => {})
  assert.ok(alive(), 'the home that started it is there')
  // Another Enclume of this host may be up: then it stays for that one.
  const isNeeded = othersRun()
  await sweepLeftovers(home, () => {})
  assert.equal(alive(), isNeeded)
  if (isNeeded) process.kill(lxcfs!.pid, 'SIGTERM')
})

test('mount points are read as the kernel escapes them, the newest first', () => {
  const table = ['/h', '/h/a\\040b', '/h/a\\040b/c', '/hh', '/x'].map((point, i) => `${i} 1 0:1 / ${point} rw - tmpfs none rw`).join('\n')
  assert.deepEqual(mountsBelow(['/h'], `${table}\n`), ['/h/a b/c', '/h/a b', '/h'])
  assert.ok(mountsBelow(['/proc'], readFileSync('/proc/self/mountinfo', 'utf8')).includes('/proc'))
})
