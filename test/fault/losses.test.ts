/**
 * What the host loses underneath: a disk, a snapshot's disk, a machine. It is told as lost, once and for all, and a control plane that is killed
 * at any point of the telling tells it all the same. Nothing is made again empty in the place of what was lost.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atATime, inWorld, numbered } from './stories.ts'
import { untilNone, type World } from './world.ts'

type Loss = {
  name: string
  /** A write of a driver that nothing else leads to. */
  write: string
  /** Until there is something to lose. Answers its id. */
  before(world: World): Promise<string>
  happens(world: World, id: string): void
  /** How it is told. */
  told(world: World, id: string): Promise<string>
  ends: string
}

const quiet = async (world: World) => { await world.cloud().loop.sweep(); await world.cloud().loop.idle() }
const until = (world: World, state: string, look: () => Promise<string>) => untilNone(async () => {
  await quiet(world)
  const found = await look()
  return found === state ? [] : [`it is ${found}, not ${state}`]
})
const volumeState = async (world: World, id: string): Promise<string> =>
  (await world.call('DescribeVolumes', { VolumeIds: [id] })).Volumes[0].State
const snapshotState = async (world: World, id: string): Promise<string> =>
  (await world.call('DescribeSnapshots', { SnapshotIds: [id] })).Snapshots[0].State
const instanceState = async (world: World, id: string): Promise<string> =>
  (await world.call('DescribeInstances', { InstanceIds: [id] })).Reservations[0]?.Instances[0].State.Name ?? 'gone'

async function volume(world: World): Promise<string> {
  const { VolumeId } = await world.call('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 1 })
  await until(world, 'available', () => volumeState(world, VolumeId))
  return VolumeId
}

async function running(world: World): Promise<string> {
  const { Images: [{ ImageId }] } = await world.call('DescribeImages', { Filters: [{ Name: 'name', Values: ['debian-12'] }] })
  const { Instances: [{ InstanceId }] } = await world.call('RunInstances', { ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1 })
  await until(world, 'running', () => instanceState(world, InstanceId))
  return InstanceId
}
const rootOf = async (world: World, id: string): Promise<string> =>
  (await world.call('DescribeInstances', { InstanceIds: [id] })).Reservations[0].Instances[0].BlockDeviceMappings[0].Ebs.VolumeId
const healthOf = async (world: World, id: string): Promise<string> =>
  (await world.call('DescribeInstanceStatus', { InstanceIds: [id] })).InstanceStatuses[0].InstanceStatus.Status
async function snapshot(world: World, VolumeId: string): Promise<string> {
  const { SnapshotId } = await world.call('CreateSnapshot', { VolumeId })
  await until(world, 'completed', () => snapshotState(world, SnapshotId))
  return SnapshotId
}
/** The disk of what is asked for while the engine is away, and is lost then. */
const sources = new WeakMap<World, string>()
function lackSource(world: World): void {
  world.engine.disksById.delete(sources.get(world)!)
  world.engine.outage = false
}

const losses: Loss[] = [
  { name: 'a volume', write: 'volume.write.lost', before: volume, happens: (world, id) => { world.engine.disksById.delete(id) }, told: volumeState,
    ends: 'error' },
  {
    name: 'a snapshot', write: 'snapshot.write.lost',
    before: async world => snapshot(world, await volume(world)),
    happens: (world, id) => { world.engine.disksById.delete(id) }, told: snapshotState, ends: 'error',
  },
  {
    name: 'a machine', write: 'instance.write.want', before: running,
    happens: (world, id) => { world.engine.machinesById.delete(id) }, told: instanceState, ends: 'terminated',
  },
  {
    name: 'the word of a guest', write: 'instance.write.impaired',
    async before(world) {
      const id = await running(world)
      await until(world, 'ok', () => healthOf(world, id))
      return id
    },
    happens: world => { world.engine.machines.reachable = async () => false }, told: healthOf, ends: 'impaired',
  },
  {
    name: 'the disk of an image that is being made', write: 'image.write.failed',
    async before(world) {
      const InstanceId = await running(world)
      sources.set(world, await rootOf(world, InstanceId))
      world.engine.outage = true
      return (await world.call('CreateImage', { InstanceId, Name: 'lost', NoReboot: true })).ImageId
    },
    happens: lackSource,
    told: async (world, id) => (await world.call('DescribeImages', { ImageIds: [id] })).Images[0].State, ends: 'failed',
  },
  {
    name: 'the snapshot of a root that is to be replaced', write: 'replace-root-volume-task.write.undo',
    async before(world) {
      const InstanceId = await running(world)
      const SnapshotId = await snapshot(world, await rootOf(world, InstanceId))
      sources.set(world, SnapshotId)
      world.engine.outage = true
      const asked = await world.call('CreateReplaceRootVolumeTask', { InstanceId, SnapshotId })
      return asked.ReplaceRootVolumeTask.ReplaceRootVolumeTaskId
    },
    happens: lackSource,
    told: async (world, id) =>
      (await world.call('DescribeReplaceRootVolumeTasks', { ReplaceRootVolumeTaskIds: [id] })).ReplaceRootVolumeTasks[0].TaskState, ends: 'failed',
  },
]

/** Loses it, with a death at this point where one is given; answers the points that were passed. */
async function lose(loss: Loss, death?: string): Promise<string[]> {
  const points: string[] = []
  await inWorld(async world => {
    const id = await loss.before(world)
    const name = numbered()
    world.at(point => {
      const passed = name(point)
      points.push(passed)
      return passed === death ? 'kill' : undefined
    })
    loss.happens(world, id)
    const told = () => until(world, loss.ends, () => loss.told(world, id))
    await Promise.race([world.killed(), told()])
    if (world.dead()) {
      world.at(() => undefined)
      await world.restart()
      await told()
    }
    assert.equal(world.dead(), false)
    const isThere = world.engine.disksById.has(id) || world.engine.machinesById.has(id)
    assert.equal(isThere, loss.ends === 'impaired', 'nothing takes its place')
  })
  return points
}

for (const loss of losses) {
  test(`${loss.name}: the loss is told, also when the control plane is killed at any point of it`, { timeout: 60_000 }, async t => {
    const points = await lose(loss)
    t.diagnostic(`${points.length} points`)
    assert.ok(points.some(point => point.includes(loss.write)), `${loss.write} is not among ${points.join(', ')}`)
    await atATime([...new Set(points)], async point => {
      await lose(loss, point).catch(cause => { throw new Error(`killed at ${point}`, { cause }) })
    })
  })
}
