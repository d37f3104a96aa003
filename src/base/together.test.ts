import assert from 'node:assert/strict'
import { test } from 'node:test'
import { together } from '#base/together'

test('a failure is told once all the others have ended', async () => {
  const ended: string[] = []
  let end = () => {}
  const slow = new Promise<void>(resolve => { end = resolve }).then(() => { ended.push('slow') })
  const both = together(Promise.reject(new Error('broken')), slow).catch((error: Error) => { ended.push(error.message) })
  await Promise.resolve()
  assert.deepEqual(ended, [])
  end()
  await both
  assert.deepEqual(ended, ['slow', 'broken'])
  await together(Promise.resolve())
})
