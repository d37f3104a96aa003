/** Tasks that are under way until they are let go on, and settings turned on, so that either can be taken back. */
import assert from 'node:assert/strict'
import { sender } from './vary.ts'
import type { World } from './kit.ts'

/** An import and an export that wait. Returns what lets them go on. */
export async function hold(world: World): Promise<() => void> {
  const send = sender(world)
  const own = async () => (await send('DescribeImages', { Filters: [{ Name: 'name', Values: ['mine'] }] })).Images[0]
  const end = Date.now() + 20_000
  while ((await own()).State !== 'available') assert.ok(Date.now() < end, 'the AMI does not become available')
  let release = (): void => {}
  const held = new Promise<void>(done => { release = done })
  const { disks } = world.server.engine
  const { fill, contents } = disks
  disks.fill = async (...given) => {
    await held
    return fill.apply(disks, given)
  }
  disks.contents = async function* (...given) {
    await held
    yield* contents.apply(disks, given)
  }
  const UserBucket = { S3Bucket: 'course-files', S3Key: 'read-me.txt' }
  await send('ImportSnapshot', { DiskContainer: { Format: 'RAW', UserBucket } })
  await send('ExportImage', { ImageId: (await own()).ImageId, DiskImageFormat: 'RAW', S3ExportLocation: { S3Bucket: 'course-files' } })
  return release
}

/** Returns what turns the serial consoles off again, which a page of their own turns on. */
export async function turnOn(world: World): Promise<() => Promise<void>> {
  const send = sender(world)
  await send('EnableSnapshotBlockPublicAccess', { State: 'block-new-sharing' })
  await send('EnableImageBlockPublicAccess', { ImageBlockPublicAccessState: 'block-new-sharing' })
  await send('EnableSerialConsoleAccess', {})
  return async () => void await send('DisableSerialConsoleAccess', {})
}
