import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { cutAddresses } from '#engine/net/connections'
import { inside, run } from '#engine/net/run'

const slot = Number(process.env.ENCLUME_TEST_SLOT ?? 5)

test('connections that end by themselves while they are cut fail nothing, and keep none of the others', { timeout: 60_000 }, async t => {
  const space = `${homeAt({ dir: '/tmp/none', slot }).prefix}-cut`
  const dir = mkdtempSync(join(tmpdir(), 'enclume-cut-'))
  await run(['ip', 'netns', 'add', space])
  t.after(async () => { await run(['ip', 'netns', 'del', space]); rmSync(dir, { recursive: true }) })
  const count = async (): Promise<number> => Number(await run(inside(space, 'conntrack', '-C')))
  const flow = (n: number, source: string) =>
    `-I -p udp -s ${source} -d 10.0.0.2 --sport ${n + 1} --dport 53 -t 600 -u SEEN_REPLY,ASSURED\n`
  for (let round = 0; round < 3; round++) {
    const made = join(dir, 'made')
    writeFileSync(made, Array.from({ length: 1000 }, (_, n) => flow(n, '10.0.0.1')).join('') + flow(0, '10.0.0.3') + flow(0, '10.0.0.4'))
    await run(inside(space, 'conntrack', '-R', made))
    assert.equal(await count(), 1002)
    // Each finds, in the midst of it, that the other took what it had just listed.
    const lost = ['10.0.0.1', '10.0.0.3'].map(address => ({ address, isPublic: false }))
    await Promise.all([1, 2].map(n => cutAddresses({ space, pid: 0, file: join(dir, `ended-${n}`) }, lost)))
    assert.equal(await count(), 1, 'who has lost nothing keeps its own')
    await run(inside(space, 'conntrack', '-F'))
  }
})
