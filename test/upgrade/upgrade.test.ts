/**
 * Data that earlier commits wrote opens with today's code: everything that was told of it then is told of it now, and nothing on the host is
 * made anew, lost or deleted.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { seedOf } from '#identity/device'
import { devices } from '#identity/records'
import { verifySignIn } from '#identity/sign-in'
import { codeAt, stepAt } from '#identity/totp'
import { account, answersOf, closeWorld, engineWith, openWorld, restore } from './world.ts'

const DATA = join(import.meta.dirname, 'data')
const work = mkdtempSync(join(tmpdir(), 'enclume-upgrade-'))
after(() => rmSync(work, { recursive: true }))

/** Whether all that `before` tells is told by `now`, which may tell more. Answers the paths that differ. */
function lacking(before: unknown, now: unknown, path = ''): string[] {
  if (before === null || typeof before !== 'object') return before === now ? [] : [`${path}: ${JSON.stringify(before)} is now ${JSON.stringify(now)}`]
  if (now === null || typeof now !== 'object') return [`${path} is now ${JSON.stringify(now)}`]
  const same = Array.isArray(before) && before.length !== (now as unknown[]).length ? [`${path} has another length`] : []
  return [...same, ...Object.entries(before).flatMap(([key, value]) => lacking(value, (now as Record<string, unknown>)[key], `${path}.${key}`))]
}

for (const name of readdirSync(DATA).sort()) {
  const read = (file: string) => readFileSync(join(DATA, name, file), 'utf8')

  test(`what ${name} wrote is understood, and stays as it is`, async () => {
    const file = join(work, `${name}.db`)
    restore(file, read('database.sql'))
    const engine = engineWith(JSON.parse(read('host.json')))
    const boots = () => [...engine.machinesById].map(([id, machine]) => [id, machine.power, machine.boots])
    const host = () => [boots(), [...engine.disksById.keys()], [...engine.networksById.keys()]]
    const before = structuredClone(host())
    const answers = JSON.parse(read('answers.json')) as Record<string, object>
    const world = await openWorld(file, engine)
    try {
      await world.settle()
      assert.deepEqual(lacking(answers, await answersOf(world, Object.keys(answers))), [])
      assert.deepEqual(host(), before)
    } finally {
      await closeWorld(world)
    }
  })

  if (read('answers.json').includes('iam ListAccessKeys')) test(`the secrets that ${name} sealed open, and its user's device counts`, async () => {
    const file = join(work, `${name}-sealed.db`)
    restore(file, read('database.sql'))
    const world = await openWorld(file, engineWith(JSON.parse(read('host.json'))))
    try {
      const { identity } = world.cloud
      const { AccessKeyMetadata: [{ AccessKeyId }] } = await world.call('ListAccessKeys', { UserName: 'ada' }, 'iam')
      assert.equal((await identity.credentials(AccessKeyId, undefined))!.secret.length, 40)
      const [device] = await devices.list(world.store, account)
      const input = { account, user: 'ada', password: 'Correct-Horse-1', mfa: codeAt(seedOf(identity.sealer, device!), stepAt(new Date())) }
      const signedIn = await verifySignIn({ store: world.store, identity, change: async () => {} }, { ...input, now: new Date() })
      assert.ok(typeof signedIn === 'object' && signedIn.mfa)
    } finally {
      await closeWorld(world)
    }
  })

  test(`what ${name} wrote can be changed and removed`, async () => {
    const file = join(work, `${name}-changed.db`)
    restore(file, read('database.sql'))
    const world = await openWorld(file, engineWith(JSON.parse(read('host.json'))))
    try {
      const { Reservations } = await world.call('DescribeInstances')
      const InstanceIds = Reservations.flatMap((r: any) => r.Instances.map((i: any) => i.InstanceId))
      await world.call('StartInstances', { InstanceIds })
      await world.settle()
      await world.call('TerminateInstances', { InstanceIds })
      await world.settle()
      const { Volumes } = await world.call('DescribeVolumes')
      for (const { VolumeId } of Volumes) await world.call('DeleteVolume', { VolumeId })
      for (const { ImageId } of (await world.call('DescribeImages', { Owners: ['self'] })).Images) await world.call('DeregisterImage', { ImageId })
      for (const { SnapshotId } of (await world.call('DescribeLockedSnapshots')).Snapshots) await world.call('UnlockSnapshot', { SnapshotId })
      const { Snapshots } = await world.call('DescribeSnapshots', { OwnerIds: ['self'] })
      for (const { SnapshotId } of Snapshots) await world.call('DeleteSnapshot', { SnapshotId })
      await world.settle()
      assert.deepEqual([[...world.engine.machinesById], [...world.engine.disksById]], [[], []])
    } finally {
      await closeWorld(world)
    }
  })
}
