import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '#base/log'
import { fetchAgain } from '#engine/disk/base'
import { ToolError } from '#engine/disk/run'

/** A build that fails so often, and how often it was begun. */
async function built(failures: Error[]): Promise<number | string> {
  let begun = 0
  try {
    await fetchAgain(async () => { const failure = failures[begun++]; if (failure) throw failure }, { log: silent, pauseMs: 0 })
    return begun
  } catch (error) {
    return `${begun}: ${(error as Error).message}`
  }
}

const said = (text: string) => new ToolError(`mmdebstrap: ${text}`, 1, text)

test('a build whose mirror fails is begun again, three times at most', async () => {
  const failed = said('E: Failed to fetch http://deb.debian.org/debian/pool/main/b/bash_5.deb  Connection reset by peer')
  assert.equal(await built([failed]), 2)
  assert.equal(await built([failed, said('E: Temporary failure resolving \'deb.debian.org\''), ]), 3)
  assert.match(String(await built([failed, failed, failed])), /^3: .*Failed to fetch/)
})

test('what would fail again is said at once', async () => {
  assert.match(String(await built([said('E: Unable to locate package clout-init')])), /^1: .*clout-init/)
  assert.match(String(await built([new Error('Failed to fetch, but no tool said so')])), /^1: /)
})
