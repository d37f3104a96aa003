/** Good requests for every action on volumes, snapshots and images, over what is made here. */
import assert from 'node:assert/strict'
import * as sdk from '@aws-sdk/client-ec2'
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import type { Bench } from './kit.ts'
import { keys } from './server.ts'

/** Asks until an answer is as wanted, letting the loop work in between. */
export async function untilTrue(bench: Bench, holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!await holds()) {
    assert.ok(Date.now() < deadline, what)
    await bench.server.cloud.loop.idle()
  }
}

/** A volume that is settled. */
export async function makeVolume(bench: Bench, more: Partial<sdk.CreateVolumeCommandInput> = {}): Promise<string> {
  const { ec2 } = bench
  const { VolumeId } = await ec2.send(new sdk.CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 8, ...more }))
  const state = async () => (await ec2.send(new sdk.DescribeVolumesCommand({ VolumeIds: [VolumeId!] }))).Volumes![0]!.State
  await untilTrue(bench, async () => await state() === 'available', `${VolumeId} is not available`)
  return VolumeId!
}

/** A snapshot that is completed. */
export async function makeSnapshot(bench: Bench, VolumeId: string): Promise<string> {
  const { ec2 } = bench
  const { SnapshotId } = await ec2.send(new sdk.CreateSnapshotCommand({ VolumeId }))
  const state = async () => (await ec2.send(new sdk.DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId!] }))).Snapshots![0]!.State
  await untilTrue(bench, async () => await state() === 'completed', `${SnapshotId} is not completed`)
  return SnapshotId!
}

/** An image registered of a snapshot. */
export const registration = (SnapshotId: string, Name: string): sdk.RegisterImageCommandInput => ({
  Name, Architecture: 'x86_64', RootDeviceName: '/dev/xvda', VirtualizationType: 'hvm',
  BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId, DeleteOnTermination: true } }],
})

/** The role that VM Import/Export acts by (User Guide, "Required service role"). */
export async function makeImportRole(bench: Bench): Promise<void> {
  const iam = new IAMClient({ endpoint: bench.server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
  await iam.send(new CreateRoleCommand({ RoleName: 'vmimport', AssumeRolePolicyDocument: JSON.stringify({
    Version: '2012-10-17', Statement: [{
      Effect: 'Allow', Principal: { Service: 'vmie.amazonaws.com' }, Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:Externalid': 'vmimport' } },
    }],
  }) }))
  iam.destroy()
}

export async function prepareDiskSamples(bench: Bench, { running, stopped }: { running: string; stopped: string }): Promise<Record<string, object>> {
  const { ec2 } = bench
  const zone = (await bench.one(running)).Placement!.AvailabilityZone!
  const VolumeId = await makeVolume(bench, { AvailabilityZone: zone })
  const modified = await makeVolume(bench, { VolumeType: 'gp3' })
  await ec2.send(new sdk.ModifyVolumeCommand({ VolumeId: modified, Size: 9 }))
  const attached = await makeVolume(bench, { AvailabilityZone: zone })
  await ec2.send(new sdk.AttachVolumeCommand({ VolumeId: attached, InstanceId: running, Device: '/dev/sdf' }))
  const SnapshotId = await makeSnapshot(bench, VolumeId)
  const { ImageId } = await ec2.send(new sdk.RegisterImageCommand(registration(SnapshotId, 'sample')))
  await bench.server.cloud.loop.idle()
  const spare = await makeSnapshot(bench, VolumeId)
  const locked = await makeSnapshot(bench, VolumeId)
  await ec2.send(new sdk.LockSnapshotCommand({ SnapshotId: locked, LockMode: 'governance', LockDuration: 1 }))
  const fast = { AvailabilityZones: ['us-east-1a'], SourceSnapshotIds: [SnapshotId] }
  await makeImportRole(bench)
  const ImportSnapshot = { DiskContainer: { Format: 'RAW', UserBucket: { S3Bucket: 'no-bucket', S3Key: 'disk.raw' } } }
  const { ImportTaskId } = await ec2.send(new sdk.ImportSnapshotCommand(ImportSnapshot))
  const ImportImage = { DiskContainers: [{ Format: 'VMDK', UserBucket: { S3Bucket: 'no-bucket', S3Key: 'disk.vmdk' } }] }
  const { ImportTaskId: importing } = await ec2.send(new sdk.ImportImageCommand(ImportImage))
  const ExportImage = { ImageId, DiskImageFormat: 'VMDK', S3ExportLocation: { S3Bucket: 'no-bucket', S3Prefix: 'out/' } } as const
  const { ExportImageTaskId } = await ec2.send(new sdk.ExportImageCommand(ExportImage))
  const tomorrow = new Date(Date.now() + 86_400_000)
  return {
    CreateVolume: { AvailabilityZone: 'us-east-1a', Size: 8 }, DeleteVolume: { VolumeId },
    AttachVolume: { VolumeId, InstanceId: running, Device: '/dev/sdg' }, DetachVolume: { VolumeId: attached },
    ModifyVolume: { VolumeId, Size: 16 }, DescribeVolumesModifications: { VolumeIds: [modified] },
    ModifyVolumeAttribute: { VolumeId, AutoEnableIO: { Value: true } }, EnableVolumeIO: { VolumeId },
    CreateReplaceRootVolumeTask: { InstanceId: running }, DescribeReplaceRootVolumeTasks: {},
    CreateSnapshot: { VolumeId }, CreateSnapshots: { InstanceSpecification: { InstanceId: running } }, DeleteSnapshot: { SnapshotId: spare },
    CopySnapshot: { SourceRegion: 'us-east-1', SourceSnapshotId: SnapshotId },
    DescribeSnapshotAttribute: { SnapshotId, Attribute: 'createVolumePermission' },
    ModifySnapshotAttribute: { SnapshotId, Attribute: 'createVolumePermission', OperationType: 'add', UserIds: ['111122223333'] },
    ResetSnapshotAttribute: { SnapshotId, Attribute: 'createVolumePermission' },
    LockSnapshot: { SnapshotId, LockMode: 'governance', LockDuration: 1 }, UnlockSnapshot: { SnapshotId: locked }, DescribeLockedSnapshots: {},
    EnableFastSnapshotRestores: fast, DisableFastSnapshotRestores: fast, DescribeFastSnapshotRestores: {},
    GetSnapshotBlockPublicAccessState: {}, EnableSnapshotBlockPublicAccess: { State: 'block-all-sharing' }, DisableSnapshotBlockPublicAccess: {},
    ImportSnapshot, DescribeImportSnapshotTasks: { ImportTaskIds: [ImportTaskId!] }, CancelImportTask: { ImportTaskId },
    ImportImage, DescribeImportImageTasks: { ImportTaskIds: [importing!] },
    ExportImage, DescribeExportImageTasks: { ExportImageTaskIds: [ExportImageTaskId!] }, CancelExportTask: { ExportTaskId: ExportImageTaskId },
    CreateStoreImageTask: { ImageId, Bucket: 'no-bucket' }, DescribeStoreImageTasks: {},
    CreateRestoreImageTask: { Bucket: 'no-bucket', ObjectKey: 'ami-0123456789abcdef0.bin', Name: 'sample-5' },
    CreateImage: { InstanceId: stopped, Name: 'sample-2' }, RegisterImage: registration(SnapshotId, 'sample-3'),
    CopyImage: { Name: 'sample-4', SourceImageId: ImageId, SourceRegion: 'us-east-1' },
    DeregisterImage: { ImageId }, DescribeImageAttribute: { ImageId, Attribute: 'launchPermission' },
    ModifyImageAttribute: { ImageId, LaunchPermission: { Add: [{ Group: 'all' }] } }, ResetImageAttribute: { ImageId, Attribute: 'launchPermission' },
    EnableImageDeprecation: { ImageId, DeprecateAt: tomorrow }, DisableImageDeprecation: { ImageId },
    EnableImage: { ImageId }, DisableImage: { ImageId },
    EnableImageDeregistrationProtection: { ImageId }, DisableImageDeregistrationProtection: { ImageId },
    GetImageBlockPublicAccessState: {}, DisableImageBlockPublicAccess: {},
    EnableImageBlockPublicAccess: { ImageBlockPublicAccessState: 'block-new-sharing' },
    DisableEbsEncryptionByDefault: {},
  }
}
