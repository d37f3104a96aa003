import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { endProcesses, environmentOf, findProcess, findProcesses, lives } from '#launch/processes'

/** A process that says when it is ready; its command line holds `mark`. */
async function start(t: TestContext, script: string, mark: string): Promise<ChildProcess & { pid: number }> {
  const child = spawn('/bin/sh', ['-c', script, mark], { stdio: ['pipe', 'pipe', 'inherit'], env: { ENCLUME_HOME: '/x=y' } })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child as ChildProcess & { pid: number }
}
const polite = 'echo ready; read line'
const deaf = `trap '' TERM; ${polite}`

test('a process is found by its command line and known by its environment', async t => {
  const child = await start(t, polite, 'mark-found')
  const found = findProcesses(args => args.at(-1) === 'mark-found')
  assert.deepEqual(found.map(one => one.pid), [child.pid])
  assert.equal(environmentOf(child.pid)?.get('ENCLUME_HOME'), '/x=y')
})

test('this process and those it runs under are never found', () => {
  assert.deepEqual(findProcesses((_, pid) => pid === process.pid || pid === process.ppid), [])
})

test('one ends when asked, and one that does not listen is ended', async t => {
  const [a, b] = [await start(t, polite, 'mark-a'), await start(t, deaf, 'mark-b')]
  const both = [a, b].map(child => findProcess(child.pid)!)
  const ended = Promise.all([once(a, 'exit'), once(b, 'exit')])
  await endProcesses(both, { timeoutMs: 300 })
  assert.deepEqual((await ended).map(([, signal]) => signal), ['SIGTERM', 'SIGKILL'])
  assert.deepEqual(both.map(lives), [false, false])
})

test('a pid that another process has got is not signalled', async t => {
  const child = await start(t, polite, 'mark-reused')
  const stranger = { ...findProcess(child.pid)!, start: '1' }
  await endProcesses([stranger], { timeoutMs: 1000 })
  assert.equal(findProcess(child.pid)?.pid, child.pid)
})

test('what has ended is not there', async t => {
  const child = await start(t, polite, 'mark-ended')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.deepEqual([findProcess(child.pid), environmentOf(child.pid)], [undefined, undefined])
})
