import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('supervise.sh', import.meta.url))

function supervise(t: TestContext, server: string) {
  const child = spawn('/bin/sh', [script, process.execPath, '--eval', server], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
}

test('a server that ends is started again, and each end is logged', async t => {
  const { child, lines } = supervise(t, 'console.log("started"); process.exit(7)')
  const seen = [await lines.next(), await lines.next(), await lines.next()].map(({ value }) => value as string)
  child.kill('SIGTERM')
  const { event, code, restartInSeconds } = JSON.parse(seen[1]!) as Record<string, unknown>
  assert.deepEqual([seen[0], { event, code, restartInSeconds }, seen[2]],
    ['started', { event: 'server ended', code: 7, restartInSeconds: 1 }, 'started'])
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('SIGTERM ends the server in order before its supervisor', async t => {
  const { child, lines } = supervise(t, `
    process.on('SIGTERM', () => { console.log('closing'); process.exit(0) })
    setInterval(() => {}, 1e6)
    console.log('started')`)
  assert.equal((await lines.next()).value, 'started')
  child.kill('SIGTERM')
  assert.equal((await lines.next()).value, 'closing')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
