import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { ipDrop, run } from '#engine/net/run'

const slot = Number(process.env.ENCLUME_TEST_SLOT ?? 5)

test('what is gone already keeps nothing else from being deleted', async t => {
  const space = `${homeAt({ dir: '/tmp/none', slot }).prefix}-drop`
  await run(['ip', 'netns', 'add', space])
  t.after(() => run(['ip', 'netns', 'del', space]))
  for (const name of ['stays', 'goes', 'other']) await run(['ip', '-n', space, 'link', 'add', name, 'type', 'bridge'])
  const gone = ['neigh del 10.0.0.9 dev stays', 'neigh del 10.0.0.8 dev goes', 'route del 10.0.0.8 table 900']
  await ipDrop([...gone, 'link del goes', 'link del other'], space)
  const links = JSON.parse(await run(['ip', '-n', space, '-j', 'link'])) as { ifname: string }[]
  assert.deepEqual(links.map(link => link.ifname).filter(name => name === 'goes' || name === 'other' || name === 'stays'), ['stays'])
  await assert.rejects(ipDrop(['link del'], space), /cannot delete/)
})
