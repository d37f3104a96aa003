import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openUi } from '#launch/ui'

function paper(isTTY: boolean) {
  const written: string[] = []
  return { ui: openUi({ write: (text: string) => written.push(text), isTTY, columns: 40 }), text: () => written.join('') }
}

test('in a file a step is plain lines, with what it said under its title', async () => {
  const { ui, text } = paper(false)
  assert.equal(await ui.step('kernel', async () => 7), 7)
  await ui.step('image', async say => { say('base'); say('packed') })
  await assert.rejects(ui.step('server', async () => { throw new Error('no') }), /no/)
  assert.equal(text(), '  ok kernel\n  ... image\n      base\n      packed\n  ok image\n  failed server\n')
})

test('on a terminal a step is one line, written over and never wider than the window', async () => {
  const { ui, text } = paper(true)
  await ui.step('image', async say => { say('x'.repeat(200)); await new Promise(resolve => setTimeout(resolve, 150)) })
  const painted = text().split('\r\x1b[K').slice(1)
  assert.ok(painted.slice(0, -1).every(line => line.length <= 39 && !line.includes('\n')))
  assert.match(painted.at(-1)!, /ok.* image .*0\.\d s.*\n$/)
})
