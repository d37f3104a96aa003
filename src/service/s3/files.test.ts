import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { openFiles } from '#service/s3/files'

const folder = (t: { after(free: () => void): void }): string => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-files-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}
async function* pieces(...texts: string[]) { for (const text of texts) yield Buffer.from(text) }
const none = { isFile: () => false, bytesOf: () => undefined }
const names = (dir: string): string[] =>
  readdirSync(join(dir, 'data'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).map(entry => entry.name)

test('bytes come back whole or in part, over several files, and are not on the disk in the clear', async t => {
  const dir = folder(t)
  const files = await openFiles(dir, none)
  const text = 'the quick brown fox jumps over the lazy dog'
  const one = await files.write(pieces(text.slice(0, 5), text.slice(5, 20)), undefined, [])
  const two = await files.write(pieces(text.slice(20)), undefined, [])
  for (let start = 0; start < text.length; start += 3) {
    for (let end = start; end <= text.length; end += 4) {
      assert.equal((await buffer(files.read([one, two], { start, end }))).toString(), text.slice(start, end))
    }
  }
  assert.ok(!readFileSync(join(dir, 'data', one.file.slice(0, 2), one.file)).includes('quick'))
  assert.equal(statSync(join(dir, 'object.key')).mode & 0o777, 0o600)
})

test('what fails leaves no file, a full disk is refused before, and strangers go at the next start', async t => {
  const dir = folder(t)
  const files = await openFiles(dir, none)
  async function* broken() {
    yield Buffer.from('begun')
    throw new Error('cut')
  }
  await assert.rejects(files.write(broken(), undefined, []), /cut/)
  await assert.rejects(files.write(pieces('x'), 2 ** 60, []), { code: 'InsufficientStorage', status: 507 })
  assert.deepEqual(names(dir), [])
  const { file } = await files.write(pieces('kept'), undefined, [])
  writeFileSync(join(dir, 'data', 'ab', 'abstranger'), 'x')
  const again = await openFiles(dir, { ...none, isFile: id => id === file })
  assert.deepEqual(names(dir), [file])
  assert.equal((await buffer(again.read([{ file, size: 4 }], { start: 0, end: 4 }))).toString(), 'kept')
})
