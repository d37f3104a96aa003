/**
 * kill -9 at every point of every story: the next control plane ends the story as if nothing had happened, and nothing is left over.
 *
 * The points are those that an undisturbed run passes; a story is then run anew for each of them, up to it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, stories, type Story } from './stories.ts'
import { openWorld, type World } from './world.ts'

/** The points of an undisturbed run, each with its number among those of its name: `before machine.start 1`. */
async function pointsOf(story: Story): Promise<string[]> {
  const points: string[] = []
  await inWorld(async world => {
    const id = await story.before(world)
    const name = numbered()
    world.at(point => { points.push(name(point)); return undefined })
    await story.happens(world, id)
    await settled(world, story.ends)
  })
  return points
}

function numbered(): (point: string) => string {
  const counts = new Map<string, number>()
  return point => {
    counts.set(point, (counts.get(point) ?? 0) + 1)
    return `${point} ${counts.get(point)}`
  }
}

async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld()
  try { await work(world) } finally { await world.close() }
}

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
    for (const nth of then) {
      let passed = 0
      world.at(() => (++passed === nth ? 'kill' : undefined))
      await world.restart()
      await Promise.race([world.killed(), settled(world, story.ends)])
    }
    world.at(() => undefined)
    await world.restart()
    // What a client does that never heard an answer.
    if (story.name === 'launch') await story.happens(world, id)
    await settled(world, story.ends)
    assert.ok(reached, point)
  })
}

for (const story of stories) {
  test(`${story.name}: killed at any point, it ends as it should`, { timeout: 120_000 }, async t => {
    const points = await pointsOf(story)
    t.diagnostic(`${points.length} points`)
    for (const point of points) {
      try {
        await killedAt(story, point)
      } catch (error) {
        throw new Error(`${story.name}, killed at ${point}`, { cause: error })
      }
    }
  })
}
