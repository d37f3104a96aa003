/**
 * ImportImage: files of disks, or snapshots, become an image. VM Import/Export User Guide, "Importing a VM as an image".
 *
 * Invariant: there is an image when all of its disks are there and its root is one that can start (engine/disk/system.ts); a task that fails, or
 * is cancelled, leaves no snapshot of its own.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import type { Context } from '#service/ec2/context'
import { invalidCombination, invalidValue, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { getCompleted } from '#service/ec2/snapshot/snapshot'
import { formatOf, type Format } from '#service/ec2/transfer/formats'
import { arnOf, checkRole, sourceOf, type Source } from '#service/ec2/transfer/pour'
import { checkSpace } from '#service/ec2/volume/create'
import { checkDevice, sameDevice } from '#service/ec2/volume/device'
import type { Row } from '#store/store'

/** `own`: the snapshot is the task's, written from the file. The first disk is the root. */
export type Disk = { device: string; description?: string; format?: Format; file?: Source; bytes?: number; snapshot?: string; own?: true }
export type Spec = {
  description: string
  architecture: 'x86_64' | 'arm64'
  disks: Disk[]
  license?: string
  /** The snapshot of the root, as a system that can start. */
  root?: string
  image?: string
}
export type Status = { state: 'active' | 'completed' | 'deleted'; progress?: number; message?: string }
export type ImportImageRow = Row<Spec, Status>

function detail({ spec, status }: ImportImageRow, { device, description, format, file, bytes, snapshot }: Disk, n: number): sdk.SnapshotDetail {
  return {
    Description: description, DeviceName: device, DiskImageSize: bytes, Format: format, Url: file?.url, Status: status.state,
    ...(file && { UserBucket: { S3Bucket: file.bucket, S3Key: file.key } }),
    ...(status.state === 'completed' && { SnapshotId: n === 0 ? spec.root : snapshot }),
  }
}

export const importImageTask = resource<Spec, Status, sdk.ImportImageTask>({
  kind: 'import-image-task', prefix: 'import-ami', label: 'import image task', missing: 'InvalidConversionTaskId',
  malformed: 'InvalidConversionTaskId.Malformed', filters: { 'task-state': 'Status' },
  view: row => ({
    ImportTaskId: row.id, Description: row.spec.description, Architecture: row.spec.architecture, Platform: 'Linux', Encrypted: false,
    LicenseType: row.spec.license, SnapshotDetails: row.spec.disks.map((disk, n) => detail(row, disk, n)),
    Status: row.status.state, StatusMessage: row.status.message, ImageId: row.spec.image, Tags: tagList(row.tags),
    ...(row.status.state === 'active' && { Progress: String(row.status.progress ?? 0) }),
  }),
})

const ROOTS = ['xvda', 'xvda1']
const isRoot = (device: string | undefined): boolean => device !== undefined && ROOTS.includes(sameDevice(device))

/** The disks that a request names, the root first: the one whose device is a root's, else the first of all. */
async function disksOf(call: Call<sdk.ImportImageRequest>): Promise<Disk[]> {
  const containers = call.input.DiskContainers ?? []
  if (containers.length === 0) throw missingParameter('DiskContainers')
  const root = containers.find(({ DeviceName }) => isRoot(DeviceName)) ?? containers[0]!
  const disks: Disk[] = []
  for (const container of [root, ...containers.filter(one => one !== root)]) {
    const device = container.DeviceName ?? (container === root ? '/dev/sda1' : `/dev/sd${'bcdefghijklmnopqrstuvwxyz'[disks.length - 1]}`)
    checkDevice(device)
    const { Description: description, SnapshotId: snapshot } = container
    if (snapshot === undefined) disks.push({ device, ...(description !== undefined && { description }), ...await fileOf(call, container) })
    else if (container.UserBucket ?? container.Url) throw invalidCombination('A disk container has either a snapshot or a file.')
    else disks.push({ device, ...(description !== undefined && { description }), snapshot: (await getCompleted(call.tx, call, snapshot)).id })
  }
  const names = new Set(disks.map(({ device }) => sameDevice(device)))
  if (names.size < disks.length) throw invalidCombination('Two disk containers have one device name.')
  return disks
}

async function fileOf(call: Call<object>, container: sdk.ImageDiskContainer): Promise<{ file: Source; format: Format }> {
  const file = sourceOf(container, 'DiskContainer')
  const format = formatOf(container.Format, { name: 'DiskContainer.Format', known: ['RAW', 'VHD', 'VHDX', 'VMDK', 'OVA'] })
  await call.permit({ action: 's3:GetObject', resource: arnOf(file) })
  return { file, format }
}

/** API Reference, ImportImage: AWS and BYOL; of Linux the one is as good as the other here. */
const LICENSES = ['AWS', 'BYOL']

export async function askImport(context: Context, call: Call<sdk.ImportImageRequest>): Promise<ImportImageRow> {
  const { input, tx, account, region, now } = call
  refuseMembers('ImportImage', input, ['KmsKeyId', 'ClientData', 'LicenseSpecifications', 'UsageOperation', 'BootMode', 'Hypervisor'])
  if (input.Encrypted) throw unsupported('encrypted snapshots')
  if (!context.objects) throw unsupported('ImportImage without S3')
  const { Platform: platform = 'Linux', LicenseType: license, Architecture: asked, Description: description = '' } = input
  if (platform === 'Windows') throw unsupported('images of Windows')
  if (platform !== 'Linux') throw invalidValue('Platform', platform)
  if (license !== undefined && !LICENSES.includes(license)) throw invalidValue('LicenseType', license)
  const own = context.images()[0]?.architecture ?? 'x86_64'
  if (asked !== undefined && asked !== own) throw invalidValue('Architecture', asked, `It must be ${own}.`)
  const disks = await disksOf(call)
  await checkRole(call, input.RoleName)
  checkSpace(context)
  return tx.put(importImageTask.make({
    account, region, now, tags: call.tags(importImageTask.kind), status: { state: 'active', progress: 0, message: 'pending' },
    spec: { description, architecture: own, disks, ...(license !== undefined && { license }) },
  }), 'asked')
}

/** A state from which a task is not taken back. */
export const refuseEnded = ({ id, status }: { id: string; status: { state: string } }): void => {
  if (status.state === 'completed') throw new ApiError('IncorrectState', `The task ${id} is completed.`)
}
