import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { permitBelow } from '#engine/incus/device-group'

/** A tree as the kernel shows one; each group with what it is told. */
function tree(t: TestContext, ...groups: string[]): string {
  const top = mkdtempSync(join(tmpdir(), 'enclume-groups-'))
  t.after(() => rmSync(top, { recursive: true }))
  for (const group of groups) {
    mkdirSync(join(top, group), { recursive: true })
    for (const name of ['devices.allow', 'devices.deny']) writeFileSync(join(top, group, name), '')
  }
  return top
}
const told = (...path: string[]) => readFileSync(join(...path), 'utf8')

test('what is allowed is allowed to every group below, and what is denied to the topmost alone', t => {
  const groups = ['', 'system.slice', 'system.slice/ssh.service', 'init.scope']
  const top = tree(t, ...groups)
  permitBelow(top, 70, true)
  permitBelow(top, 71, false)
  for (const group of groups) assert.equal(told(top, group, 'devices.allow'), 'b 7:70 rwm')
  assert.deepEqual(groups.map(group => told(top, group, 'devices.deny')), ['b 7:71 rwm', '', '', ''])
})

test('groups that come and go meanwhile change nothing for the others', async t => {
  const top = tree(t, '', 'a', 'b', 'b/c')
  const worker = new Worker(`const { mkdirSync, rmSync } = require('node:fs'); const { parentPort } = require('node:worker_threads')
    let goes = true; parentPort.once('message', () => { goes = false })
    const turn = () => {
      for (let i = 0; i < 50; i++) { mkdirSync(${JSON.stringify(join(top, 'b/gone/deep'))}, { recursive: true })
        rmSync(${JSON.stringify(join(top, 'b/gone'))}, { recursive: true }) }
      if (goes) setImmediate(turn); else parentPort.close()
    }
    turn(); parentPort.postMessage('begun')`, { eval: true })
  t.after(() => worker.terminate())
  await once(worker, 'message')
  for (let i = 0; i < 3000; i++) permitBelow(top, i, true)
  const ended = once(worker, 'exit')
  worker.postMessage('end')
  await ended
  for (const group of ['', 'a', 'b', 'b/c']) assert.equal(told(top, group, 'devices.allow').trim(), 'b 7:2999 rwm')
})

test('what else is wrong with a group is said', t => {
  const top = tree(t, '')
  rmSync(join(top, 'devices.allow'))
  mkdirSync(join(top, 'devices.allow'))
  assert.throws(() => permitBelow(top, 70, true), { code: 'EISDIR' })
})
