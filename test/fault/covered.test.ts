/**
 * What the stories tell: every act and every write of every driver is passed by one of them, so that `kill -9` there and its failure are tried.
 * Whoever adds one tells a story of it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inWorld, pointsOf, stories } from './stories.ts'

/** Written only where the engine loses a disk, can't make one, or a guest does not answer: losses.test.ts kills there. */
const AFTER_LOSSES = [
  'image.write.failed', 'instance.write.impaired', 'replace-root-volume-task.write.undo', 'snapshot.write.lost', 'volume.write.lost',
]

test('every act and write of every driver is part of a story', { timeout: 120_000 }, async () => {
  const passed = new Set<string>()
  for (const story of stories) for (const point of await pointsOf(story)) passed.add(point.replace(/^loop | \d+$/g, ''))
  let all: string[] = []
  await inWorld(async world => {
    all = world.cloud().services.flatMap(service => service.drivers).flatMap(({ kind, acts, writes }) => [
      ...Object.keys(acts).map(name => `${kind}.act.${name}`), ...Object.keys(writes).map(name => `${kind}.write.${name}`),
    ])
  })
  assert.deepEqual(all.filter(point => !passed.has(point)).sort(), AFTER_LOSSES)
})
