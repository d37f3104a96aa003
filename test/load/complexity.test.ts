/**
 * What many instances cost, counted in rows that the store reads, not in seconds: four times as many must not cost each of them more
 * than a little more.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud } from '#cloud'
import { openFake } from '#engine/fake'
import { openSqlite } from '#store/sqlite'
import { counted } from './counted.ts'

const principal = { account: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', root: true }
const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
const [FEW, MANY] = [60, 240]
/** How many times as much each may cost among four times as many. */
const MORE = 1.6

/** What each phase of `count` instances' lives reads, in rows. */
async function costs(count: number): Promise<Record<string, number>> {
  const store = counted(openSqlite(':memory:'))
  const engine = openFake({ cpus: 64, memoryMiB: 1e7 })
  const { observe } = engine.machines
  let looks = 0
  engine.machines.observe = id => { looks++; return observe(id) }
  const cloud = await openCloud({
    home: homeAt({ dir: '/' }), engine, store, log: silent, clock: () => new Date(),
    pause: { first: 1, longest: 4 },
  })
  const call = async (operation: string, input: object = {}): Promise<any> => cloud.dispatch({ service: 'ec2', operation, input, caller })
  const reading: Record<string, number> = {}
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const before = store.rows
    const result = await work()
    await cloud.loop.idle()
    reading[name] = store.rows - before
    return result
  }
  try {
    const { Images } = await call('DescribeImages', { Filters: [{ Name: 'name', Values: ['debian-12'] }] })
    const launched = await phase('launch', () => call('RunInstances', {
      ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: count, MaxCount: count,
    }))
    const ids: string[] = launched.Instances.map((one: { InstanceId: string }) => one.InstanceId)
    const { Reservations } = await phase('describe all', () => call('DescribeInstances'))
    const states = Reservations.flatMap((one: any) => one.Instances).map((one: any) => one.State.Name)
    assert.deepEqual(states, Array(count).fill('running'))
    await phase('tag all', () => call('CreateTags', { Resources: ids, Tags: [{ Key: 'some', Value: 'thing' }] }))
    const page = await phase('a page', () => call('DescribeInstances', { MaxResults: 5 }))
    assert.equal(page.Reservations[0].Instances.length, 5)
    await phase('tag one', () => call('CreateTags', { Resources: [ids[0]], Tags: [{ Key: 'one', Value: '1' }] }))
    const found = await phase('by tag', () => call('DescribeInstances', { Filters: [{ Name: 'tag:one', Values: ['1'] }] }))
    assert.equal(found.Reservations[0].Instances.length, 1)
    // The first one of them reads what was written since the last launch.
    for (const name of ['launch one', 'launch one more']) {
      await phase(name, () => call('RunInstances', { ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1 }))
    }
    const { Tags } = await phase('tags of one', () => call('DescribeTags', { Filters: [{ Name: 'resource-id', Values: [ids[0]] }] }))
    assert.deepEqual(Tags.map((tag: any) => tag.Key), ['one', 'some'])
    await phase('stop all', () => call('StopInstances', { InstanceIds: ids }))
    await phase('start all', () => call('StartInstances', { InstanceIds: ids }))
    await phase('terminate all', () => call('TerminateInstances', { InstanceIds: ids }))
    looks = 0
    await phase('sweep', () => cloud.sweep())
    reading.looks = looks
    return reading
  } finally {
    await cloud.close()
    await store.close()
  }
}

const measured = (async () => ({ few: await costs(FEW), many: await costs(MANY) }))()
after(() => measured)

for (const name of ['launch', 'describe all', 'tag all', 'stop all', 'start all', 'terminate all']) {
  test(`${name}: each of ${MANY} costs about what each of ${FEW} does`, async t => {
    const { few, many } = await measured
    const [a, b] = [few[name]! / FEW, many[name]! / MANY]
    t.diagnostic(`${a.toFixed(1)} and ${b.toFixed(1)} rows each`)
    assert.ok(b <= a * MORE, `${b.toFixed(1)} rows each instead of ${a.toFixed(1)}`)
  })
}

test('one launch more costs no more among many, and what is terminated is not looked for on the host', async t => {
  const { few, many } = await measured
  t.diagnostic(`${few['launch one more']} and ${many['launch one more']} rows; ${few.looks} and ${many.looks} looks in a sweep`)
  assert.ok(many['launch one more']! <= few['launch one more']! * MORE, `${many['launch one more']} rows instead of ${few['launch one more']}`)
  assert.equal(many.looks, 2, 'those that were launched last')
})

test('a page, and one of many, cost no more among many', async () => {
  const { few, many } = await measured
  assert.equal(many['a page'], few['a page'])
  assert.equal(many['tag one'], few['tag one'])
  assert.equal(many['tags of one'], few['tags of one'])
})

test('a filter of tags reads each instance once, and no more of those that it leaves out', async () => {
  const { many } = await measured
  assert.ok(many['by tag']! < MANY + 20, `${many['by tag']} rows`)
})
