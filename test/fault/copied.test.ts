/**
 * The database file copied while it is written, and put back: the copy is of one moment, has all that was answered before it, and the control
 * plane brings the host, which has gone on meanwhile, to what the copy says.
 */
import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { copyTable } from '#launch/keep-objects'
import { audit } from './audit.ts'
import { inWorld } from './stories.ts'
import { untilNone, type World } from './world.ts'

const COPIES = 8
type Seen = { instances: string[]; volumes: string[] }

/** What there is by the API: instances that are not terminated, and volumes. */
async function seen(world: World): Promise<Seen> {
  const alive = [{ Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] }]
  const { Reservations } = await world.call('DescribeInstances', { Filters: alive })
  const { Volumes } = await world.call('DescribeVolumes', {})
  return {
    instances: Reservations.flatMap((r: any) => r.Instances.map((i: any) => i.InstanceId)).sort(),
    volumes: Volumes.map((v: any) => v.VolumeId).sort(),
  }
}
const rest = (world: World) => untilNone(async () => {
  await world.cloud().loop.sweep()
  await world.cloud().sweep()
  await world.cloud().loop.idle()
  return audit({ engine: world.engine, store: world.store(), file: world.file })
})

test('a copy of the records, made at any moment and put back, has what was answered before it, and the host becomes what it says', {
  timeout: 120_000,
}, async t => {
  for (let n = 0; n < COPIES; n++) {
    await inWorld(async world => {
      const { Images: [{ ImageId }] } = await world.call('DescribeImages', { Filters: [{ Name: 'name', Values: ['debian-12'] }] })
      const answered: string[] = []
      const copy = join(dirname(world.file), 'copy.db')
      let copying: Promise<{ before: string[] }> | undefined
      // Launches, stops and ends while it is copied, and after.
      for (let step = 0; step < 8; step++) {
        if (step === n) copying = (async () => { const before = [...answered]; await copyTable(world.file, copy); return { before } })()
        const { Instances: [{ InstanceId }] } = await world.call('RunInstances', { ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1 })
        answered.push(InstanceId)
        const { VolumeId } = await world.call('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 1 })
        answered.push(VolumeId)
        if (step === 4) await rest(world)
        if (step === 5) await world.call('StopInstances', { InstanceIds: [answered[0]] })
        if (step === 6) await world.call('TerminateInstances', { InstanceIds: [answered[2]] })
      }
      const { before } = await copying!
      await rest(world)
      await world.restore(copy)
      await rest(world)
      const { instances, volumes } = await seen(world)
      const missing = before.filter(id => !instances.includes(id) && !volumes.includes(id))
      // Who was running in the copy and has been terminated since has no disk to come back with.
      assert.deepEqual(missing.filter(id => id !== answered[2]), [], 'nothing that was answered is missing')
      assert.deepEqual([...world.engine.machinesById.keys()].sort(), instances, 'and the host has no other machines')
      t.diagnostic(`copy ${n + 1}: ${instances.length} instances and ${volumes.length} volumes of ${answered.length / 2} each`)
    })
  }
})
