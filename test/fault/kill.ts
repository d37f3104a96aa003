/**
 * kill -9 at every point of every story: the next control plane ends the story as if nothing had happened, and nothing is left over.
 *
 * The points are those that an undisturbed run passes; a story is then run anew for each of them, up to it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atATime, inWorld, numbered, pointsOf, settled, type Story } from './stories.ts'

/** Runs a story up to a point, kills there, and lets the next control planes end it; these are killed too, at their `then`th points. */
async function killedAt(story: Story, point: string, then: number[] = []): Promise<void> {
  await inWorld(async world => {
    const id = await story.before(world)
    const name = numbered()
    let reached = false
    world.at(passed => {
      if (name(passed) !== point) return undefined
      reached = true
      return 'kill'
    })
    await Promise.race([world.killed(), story.happens(world, id).then(() => settled(world, story.ends))])
    for (const nth of [...then, Infinity]) {
      let passed = 0
      world.at(() => (++passed === nth ? 'kill' : undefined))
      await world.restart()
      // A client that never heard an answer asks again, with the same token.
      const asked = story.name === 'launch' ? story.happens(world, id) : Promise.resolve()
      await Promise.race([world.killed(), asked.then(() => settled(world, story.ends))])
    }
    assert.ok(reached, point)
  })
}

export function killTests(stories: readonly Story[]): void {
  for (const story of stories) {
    test(`${story.name}: killed at any point, it ends as it should`, { timeout: 120_000 }, async t => {
      const points = await pointsOf(story)
      t.diagnostic(`${points.length} points`)
      // Once, and for every other point killed again soon, twice, while the first death is being put right.
      const deaths = points.flatMap((point, i) => (i % 2 ? [[], [1 + (i % 9), 2 + (i % 5)]] : [[]]).map(then => ({ point, then })))
      await atATime(deaths, async ({ point, then }) => {
        await killedAt(story, point, then).catch(cause => {
          throw new Error(`${story.name}, killed at ${point}, then at the points ${then.join(' ') || 'none'}`, { cause })
        })
      })
    })
  }
}
