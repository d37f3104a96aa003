import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { slowest } from './slowest.ts'

test('the ten that took longest are told, the slowest first, with the file that they are in', () => {
  const all = Array.from({ length: 30 }, (_, n) => ({ name: `test ${n}`, file: join(process.cwd(), 'test/a.test.ts'), ms: n * 1000 }))
  const lines = slowest('tests', all)
  assert.deepEqual([lines.length, lines[0], lines[1], lines[10]],
    [11, 'slowest tests', '   29.0 s  test/a.test.ts: test 29', '   20.0 s  test/a.test.ts: test 20'])
})

test('what takes no time is not told', () => {
  assert.deepEqual(slowest('files', [{ name: 'a', ms: 99 }]), [])
})
