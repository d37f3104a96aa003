/** What happens to volumes, snapshots and images, as stories. */
import type { Story } from './stories.ts'
import type { World } from './world.ts'

type Given = {
  running(world: World, more?: object): Promise<string>
  stopped(world: World): Promise<string>
  settled(world: World, ends: Story['ends']): Promise<void>
}

const up = { state: 'running', boots: 1 }
const oneOf = async (world: World, id: string): Promise<any> =>
  (await world.call('DescribeInstances', { InstanceIds: [id] })).Reservations[0].Instances[0]
const rootOf = async (world: World, id: string): Promise<string> => (await oneOf(world, id)).BlockDeviceMappings[0].Ebs.VolumeId

export function diskStoriesOf({ running, stopped, settled }: Given): Story[] {
  /** Beside a volume that nobody has. */
  const withVolume = (before: (world: World) => Promise<string>, ends: Story['ends']) => async (world: World): Promise<string> => {
    const id = await before(world)
    await world.call('CreateVolume', { AvailabilityZone: (await oneOf(world, id)).Placement.AvailabilityZone, Size: 2 })
    await settled(world, ends)
    return id
  }
  const attach = async (world: World, InstanceId: string, Device = '/dev/sdf'): Promise<void> => {
    const { Volumes: [free] } = await world.call('DescribeVolumes', { Filters: [{ Name: 'status', Values: ['available'] }] })
    await world.call('AttachVolume', { VolumeId: free.VolumeId, InstanceId, Device })
  }
  const withAttached = async (world: World): Promise<string> => {
    const id = await withVolume(running, up)(world)
    await attach(world, id)
    await settled(world, up)
    return id
  }
  const rootless = async (world: World): Promise<string> => {
    const id = await stopped(world)
    await world.call('DetachVolume', { VolumeId: await rootOf(world, id) })
    await settled(world, { state: 'stopped', boots: 1 })
    return id
  }
  const detach = async (world: World, id: string): Promise<void> => {
    await world.call('DetachVolume', { VolumeId: (await oneOf(world, id)).BlockDeviceMappings[1].Ebs.VolumeId })
  }
  const volumes = { BlockDeviceMappings: [
    { DeviceName: '/dev/sdb', Ebs: { VolumeSize: 1 } }, { DeviceName: '/dev/sdc', Ebs: { VolumeSize: 1, DeleteOnTermination: true } },
  ] }
  const store = { InstanceType: 'm5d.large' }
  return [
    { name: 'attach a volume', ends: up, before: withVolume(running, up), happens: (world, id) => attach(world, id) },
    {
      name: 'attach a volume while stopped', ends: { state: 'stopped', boots: 1 }, before: withVolume(stopped, { state: 'stopped', boots: 1 }),
      happens: (world, id) => attach(world, id),
    },
    { name: 'detach a volume', ends: up, before: withAttached, happens: detach },
    {
      name: 'detach the root of a stopped instance', ends: { state: 'stopped', boots: 1 }, before: stopped,
      happens: async (world, id) => { await world.call('DetachVolume', { VolumeId: await rootOf(world, id) }) },
    },
    {
      name: 'attach a root', ends: { state: 'stopped', boots: 1 }, before: rootless, happens: (world, id) => attach(world, id, '/dev/xvda'),
    },
    {
      name: 'terminate with volumes', ends: { state: 'terminated', boots: 1 }, before: world => running(world, volumes),
      happens: async (world, id) => { await world.call('TerminateInstances', { InstanceIds: [id] }) },
    },
    {
      name: 'snapshot', ends: up, before: running,
      happens: async (world, id) => { await world.call('CreateSnapshot', { VolumeId: await rootOf(world, id) }) },
    },
    {
      name: 'grow a root', ends: up, before: running,
      happens: async (world, id) => { await world.call('ModifyVolume', { VolumeId: await rootOf(world, id), Size: 12 }) },
    },
    {
      name: 'delete a snapshot', ends: up,
      before: async world => {
        const id = await running(world)
        await world.call('CreateSnapshot', { VolumeId: await rootOf(world, id) })
        await settled(world, up)
        return id
      },
      happens: async world => {
        const { Snapshots: [own] } = await world.call('DescribeSnapshots', { OwnerIds: ['self'] })
        await world.call('DeleteSnapshot', { SnapshotId: own.SnapshotId })
      },
    },
    {
      name: 'quicken a root', ends: up, before: running,
      happens: async (world, id) => { await world.call('ModifyVolume', { VolumeId: await rootOf(world, id), Throughput: 250 }) },
    },
    {
      name: 'image of a running instance', ends: { state: 'running', boots: 2 }, before: running,
      happens: async (world, id) => { await world.call('CreateImage', { InstanceId: id, Name: 'story' }) },
    },
    {
      name: 'replace a root', ends: { state: 'running', boots: 2 }, before: running,
      happens: async (world, id) => { await world.call('CreateReplaceRootVolumeTask', { InstanceId: id, ClientToken: 'story' }) },
    },
    {
      // The engine is away from the question on, until nobody wants the instance any more.
      name: 'replace a root of an instance that is terminated meanwhile', ends: { state: 'terminated', boots: 1 },
      async before(world) {
        const id = await running(world)
        world.engine.outage = true
        await world.call('CreateReplaceRootVolumeTask', { InstanceId: id, ClientToken: 'story' })
        await world.call('TerminateInstances', { InstanceIds: [id] })
        return id
      },
      happens: async world => { world.engine.outage = false },
    },
    {
      name: 'stop with instance store', ends: { state: 'stopped', boots: 1 }, before: world => running(world, store),
      happens: async (world, id) => { await world.call('StopInstances', { InstanceIds: [id] }) },
    },
    {
      name: 'terminate with instance store', ends: { state: 'terminated', boots: 1 }, before: world => running(world, store),
      happens: async (world, id) => { await world.call('TerminateInstances', { InstanceIds: [id] }) },
    },
  ]
}
