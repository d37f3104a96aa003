import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readBuild } from '#launch/build'

test('a build is known by its sources and packages, not by its tests', t => {
  const root = mkdtempSync(join(tmpdir(), 'enclume-build-'))
  t.after(() => rmSync(root, { recursive: true }))
  const write = (name: string, text: string) => { writeFileSync(join(root, name), text); return readBuild(root) }
  mkdirSync(join(root, 'src'))
  const first = write('package-lock.json', '{}')
  const second = write('src/one.ts', 'export {}')
  assert.deepEqual([write('src/one.test.ts', 'test()'), readBuild(root)], [second, second])
  assert.equal(new Set([first, second, write('src/one.ts', 'export const a = 1'), write('package-lock.json', '{ }')]).size, 4)
  assert.match(readBuild(), /^[0-9a-f]{16}$/)
})
