import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { withLock } from '#launch/lock'

const name = `test ${process.pid}`

test('a second one is told who is at work, and may work when the first is done', async () => {
  await withLock(name, { note: 'up' }, async () => {
    const told = new RegExp('`enclume up` \\(pid ' + process.pid + '\\) is at work')
    await assert.rejects(withLock(name, { note: 'down' }, async () => {}), told)
  })
  assert.equal(await withLock(name, {}, async () => 'in'), 'in')
})

test('the lock is free after work that threw, and waits for one who is soon done', async () => {
  await assert.rejects(withLock(name, {}, async () => { throw new Error('broken') }), /broken/)
  const order: string[] = []
  const first = withLock(name, {}, async () => { await new Promise(setImmediate); order.push('first') })
  await Promise.all([first, withLock(name, { waitMs: 5000 }, async () => { order.push('second') })])
  assert.deepEqual(order, ['first', 'second'])
})

test('a holder that is killed holds nothing any more', async () => {
  const lock = import.meta.resolve('#launch/lock')
  const script = `import { withLock } from '${lock}'
    await withLock('${name}', {}, () => new Promise(() => { setInterval(() => {}, 1e6); console.log('held') }))`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await assert.rejects(withLock(name, {}, async () => {}), /is at work/)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(await withLock(name, {}, async () => 'in'), 'in')
})
