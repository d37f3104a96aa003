/** Blocks of files on a btrfs file system of the test's own, as the pool is one: copies share their places. Needs root and loop devices. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { BLOCK_BYTES } from '#engine/port'
import { blocksOf, changedBlocks, parseExtents, readBlockOf, usageOf, writeBlockOf } from '#engine/disk/blocks'
import { run } from '#engine/disk/run'

const dir = mkdtempSync(join(tmpdir(), 'enclume-blocks-'))
const point = join(dir, 'fs')
const file = join(point, 'disk')
const copy = join(point, 'copy')
const block = (fill: number) => Buffer.alloc(BLOCK_BYTES, fill)
const all = { first: 0, limit: 1000 }

before(async () => {
  const image = join(dir, 'pool')
  writeFileSync(image, '')
  truncateSync(image, 300 * 2 ** 20)
  await run('mkfs.btrfs', ['--quiet', image])
  await run('mkdir', [point])
  await run('mount', ['-o', 'loop', image, point])
  writeFileSync(file, '')
  truncateSync(file, 64 * BLOCK_BYTES)
})
after(async () => {
  await run('umount', [point])
  rmSync(dir, { recursive: true })
})

test('an empty disk has no blocks; what is written is listed and read', async () => {
  assert.deepEqual([await blocksOf(file, all), await readBlockOf(file, 3), await usageOf(file)], [[], undefined, 0])
  for (const index of [3, 9, 40]) await writeBlockOf(file, index, block(index))
  assert.deepEqual(await blocksOf(file, all), [3, 9, 40])
  assert.deepEqual(await blocksOf(file, { first: 4, limit: 1 }), [9])
  assert.deepEqual([await readBlockOf(file, 9), await readBlockOf(file, 10)], [block(9), undefined])
  assert.equal(await usageOf(file), 3 * BLOCK_BYTES)
})

test('a copy differs in what either has written since, and in nothing that is the same again', async () => {
  await run('cp', ['--reflink=always', file, copy])
  assert.deepEqual(await changedBlocks(copy, file, all), [])
  await writeBlockOf(file, 9, block(77))
  await writeBlockOf(copy, 20, block(20))
  await writeBlockOf(copy, 40, block(40)) // The same bytes at another place.
  assert.deepEqual(await changedBlocks(copy, file, all), [9, 20])
  assert.deepEqual(await changedBlocks(copy, file, { first: 10, limit: 1 }), [20])
  assert.deepEqual(await readBlockOf(copy, 9), block(9))
})

test('a block of zeros beside a hole is no change', async () => {
  await writeBlockOf(copy, 50, block(0))
  assert.deepEqual([(await blocksOf(copy, all)).includes(50), (await changedBlocks(copy, file, all)).includes(50)], [true, false])
})

test('what is no block of the disk is refused', async () => {
  await assert.rejects(writeBlockOf(file, 64, block(1)), /no such block/)
  await assert.rejects(writeBlockOf(file, 1, Buffer.alloc(10)), /no such block/)
  assert.deepEqual(await readBlockOf(file, 1000), undefined)
})

test('extents that were reserved and never written hold nothing, and those without a place have none', () => {
  const text = ` ext:     logical_offset:        physical_offset: length:   expected: flags:
   0:        0..    1023:      27264..     28287:   1024:             unwritten
   1:     1024..    2047:      30000..     31023:   1024:      28288: shared
   2:     2048..    2055:          0..         7:      8:      31024: last,unknown_loc,delalloc,eof`
  assert.deepEqual(parseExtents(text), [{ start: 524_288, length: 524_288, at: 15_360_000 }, { start: 1_048_576, length: 4096 }])
})
