/**
 * An engine that fails: acts that fail several times, acts that are done and fail all the same, outages; and acts that never succeed,
 * whose instance is given up with nothing left over.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { instance } from '#service/ec2/instance/instance'
import { atATime, inWorld, numbered, pointsOf, settled, stories, type Story } from './stories.ts'

/** Fewer than make a record surrender (4 for a volume, 5 for an instance). */
const TIMES = 3

/** The points of a story at the engine's acts: before and after each. */
const actsOf = async (story: Story): Promise<string[]> =>
  [...new Set((await pointsOf(story)).filter(point => /^(before|after) /.test(point)).map(point => point.replace(/ \d+$/, '')))]

for (const story of stories) {
  test(`${story.name}: acts of the engine may fail ${TIMES} times, before or after they were done`, { timeout: 60_000 }, async t => {
    const acts = await actsOf(story)
    t.diagnostic(`${acts.length} points`)
    await atATime(acts, async act => {
      await inWorld(async world => {
        const id = await story.before(world)
        let failures = 0
        world.at(point => {
          if (point === act && failures < TIMES) { failures++; throw new Error(`${point} fails`) }
          return undefined
        })
        await story.happens(world, id)
        // A reboot that was done and failed is seen to be done.
        await settled(world, story.ends).catch(error => { throw new Error(`${story.name}: ${act} failed`, { cause: error }) })
        assert.ok(failures > 0, act)
      })
    })
  })

  test(`${story.name}: an outage of the engine that begins at any point only delays it`, { timeout: 60_000 }, async () => {
    await atATime(await pointsOf(story), async point => {
      await inWorld(async world => {
        const id = await story.before(world)
        const name = numbered()
        const { promise: down, resolve } = Promise.withResolvers<void>()
        world.at(passed => {
          if (name(passed) === point) { world.engine.outage = true; resolve() }
          return undefined
        })
        await story.happens(world, id)
        await Promise.race([down, settled(world, story.ends)])
        await pause(20) // Long enough for more attempts than any record has before it surrenders: pauses are 1 to 5 ms here.
        world.engine.outage = false
        await settled(world, story.ends).catch(error => { throw new Error(`${story.name}: outage from ${point}`, { cause: error }) })
      })
    })
  })
}

const launch = stories.find(story => story.name === 'launch')!
for (const act of ['disk.create', 'network.apply', 'machine.create', 'machine.start']) {
  test(`a launch whose ${act} never succeeds is terminated, and nothing is left over`, { timeout: 20_000 }, async () => {
    await inWorld(async world => {
      world.at(point => { if (point === `before ${act}`) throw new Error('never'); return undefined })
      const id = (await launch.happens(world, ''))!
      await settled(world, { state: 'terminated', boots: 0 })
      assert.equal((await instance.find(world.store(), id))!.status.reason!.code, 'Server.InternalError')
    })
  })
}

test('a start that never succeeds leaves the instance stopped', { timeout: 20_000 }, async () => {
  const start = stories.find(story => story.name === 'start')!
  await inWorld(async world => {
    const id = await start.before(world)
    world.at(point => { if (point === 'before machine.start') throw new Error('never'); return undefined })
    await start.happens(world, id)
    await settled(world, { state: 'stopped', boots: 1 })
    assert.equal((await instance.find(world.store(), id))!.status.reason!.code, 'Server.InternalError')
  })
})

test('what nobody owns on the host is removed by a sweep, and what a record owns is not', { timeout: 20_000 }, async () => {
  await inWorld(async world => {
    await launch.happens(world, '')
    await settled(world, launch.ends)
    const { engine } = world
    const [machine] = [...engine.machinesById.values()]
    const [network] = [...engine.networksById.values()]
    engine.disksById.set('vol-0123456789abcdef0', { id: 'vol-0123456789abcdef0', sizeGiB: 8 })
    const spec = { ...machine!.spec, id: 'i-0123456789abcdef0', rootDisk: 'vol-0123456789abcdef0' }
    engine.machinesById.set(spec.id, { ...machine!, spec })
    engine.networksById.set('vpc-0123456789abcdef0', { ...network!, id: 'vpc-0123456789abcdef0' })
    await world.cloud().sweep()
    await world.cloud().sweep() // A disk must be nobody's twice.
    await settled(world, launch.ends)
  })
})
