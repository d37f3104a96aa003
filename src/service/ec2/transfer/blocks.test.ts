import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { BLOCK_BYTES } from '#engine/port'
import { blocksOfRaw, rawOf } from '#service/ec2/transfer/blocks'

test('a disk becomes a raw file of its whole size, and a disk again', async () => {
  const blocks = [0, 3, 2047].map(index => ({ index, data: randomBytes(BLOCK_BYTES) }))
  const each = async function* () { yield* blocks }
  let bytes = 0
  const counted = async function* () {
    for await (const piece of rawOf(each(), 1)) {
      bytes += piece.length
      yield piece
    }
  }
  const found: unknown[] = []
  for await (const block of blocksOfRaw(counted())) found.push([block.index, Buffer.from(block.data).toString('base64')])
  assert.equal(bytes, 2 ** 30)
  assert.deepEqual(found, blocks.map(({ index, data }) => [index, data.toString('base64')]))
})
