/** What happens to disks and images on their way to buckets and back, as stories: beside an instance that goes on. */
import { randomBytes } from 'node:crypto'
import { BLOCK_BYTES } from '#engine/port'
import type { Story } from './stories.ts'
import { untilNone, type World } from './world.ts'

type Given = { running(world: World): Promise<string>; settled(world: World, ends: Story['ends']): Promise<void> }

const up = { state: 'running', boots: 1 }
/** A disk of a little more than a block, with a boot sector. */
const file = Buffer.concat([randomBytes(510), Buffer.from([0x55, 0xaa]), randomBytes(BLOCK_BYTES)])
const container = (S3Key: string, more: object = {}) => ({ Format: 'RAW', UserBucket: { S3Bucket: 'bucket', S3Key }, ...more })

export function transferStoriesOf({ running, settled }: Given): Story[] {
  /** Files in a bucket, and the role that reads them. */
  const withFiles = async (world: World): Promise<string> => {
    const id = await running(world)
    world.objects.byPlace.set('bucket/root.raw', [file.subarray(0, 1000), file.subarray(1000)])
    world.objects.byPlace.set('bucket/data.raw', [file.subarray(1000)])
    await world.call('CreateRole', { RoleName: 'vmimport', AssumeRolePolicyDocument: JSON.stringify({
      Version: '2012-10-17', Statement: [{
        Effect: 'Allow', Principal: { Service: 'vmie.amazonaws.com' }, Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:Externalid': 'vmimport' } },
      }],
    }) }, 'iam')
    return id
  }
  const withImage = async (world: World): Promise<string> => {
    const id = await withFiles(world)
    await world.call('ImportImage', { DiskContainers: [container('root.raw')] })
    await settled(world, up)
    return id
  }
  const ownImage = async (world: World): Promise<string> => (await world.call('DescribeImages', { Owners: ['self'] })).Images[0].ImageId
  return [
    {
      name: 'import a snapshot', ends: up, before: withFiles,
      happens: async world => { await world.call('ImportSnapshot', { DiskContainer: container('root.raw') }) },
    },
    {
      // The engine is away from the making of the snapshot's disk on.
      name: 'import a snapshot that is deleted meanwhile', ends: up,
      async before(world) {
        const id = await withFiles(world)
        world.at(point => { if (point === 'after disk.create') world.engine.outage = true; return undefined })
        await world.call('ImportSnapshot', { DiskContainer: container('root.raw') })
        await untilNone(async () => (world.engine.outage ? [] : ['no snapshot is being made']))
        world.at(() => undefined)
        const { Snapshots: [{ SnapshotId }] } = await world.call('DescribeSnapshots', { OwnerIds: ['self'] })
        await world.call('DeleteSnapshot', { SnapshotId })
        return id
      },
      happens: async world => { world.engine.outage = false },
    },
    {
      name: 'import an image', ends: up, before: withFiles,
      happens: async world => {
        await world.call('ImportImage', { DiskContainers: [container('root.raw'), container('data.raw', { DeviceName: '/dev/sdf' })] })
      },
    },
    {
      name: 'import an image of a disk without a system', ends: up, before: withFiles,
      happens: async world => { await world.call('ImportImage', { DiskContainers: [container('data.raw')] }) },
    },
    ...['VMDK', 'RAW'].map((DiskImageFormat): Story => ({
      name: `export an image as ${DiskImageFormat}`, ends: up, before: withImage,
      happens: async world => {
        await world.call('ExportImage', { ImageId: await ownImage(world), DiskImageFormat, S3ExportLocation: { S3Bucket: 'bucket' } })
      },
    })),
    {
      name: 'store an image', ends: up, before: withImage,
      happens: async world => { await world.call('CreateStoreImageTask', { ImageId: await ownImage(world), Bucket: 'bucket' }) },
    },
    {
      name: 'restore an image', ends: up,
      before: async world => {
        const id = await withImage(world)
        await world.call('CreateStoreImageTask', { ImageId: await ownImage(world), Bucket: 'bucket' })
        await settled(world, up)
        return id
      },
      happens: async world => {
        await world.call('CreateRestoreImageTask', { Bucket: 'bucket', ObjectKey: `${await ownImage(world)}.bin`, Name: 'restored' })
      },
    },
  ]
}
