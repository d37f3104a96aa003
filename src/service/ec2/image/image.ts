/**
 * An Amazon Machine Image: what it is, who may see it, how it looks.
 *
 * Invariants: an image that the engine built is Amazon's and public, in every region under another id, the same id
 * after every restart (prepare.ts); a deregistered image can be looked up by its id but is not listed and not launched.
 * An image of an account's own has its volumes' snapshots in its mappings, the root device's among them.
 */
import type { BlockDeviceMapping, Image } from '@aws-sdk/client-ec2'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { isResourceId } from '#base/id'
import { isBlocked } from '#service/ec2/account/public-access'
import type { Shape } from '#service/ec2/volume/volume'
import type { Reader, Row } from '#store/store'
import { images, isIn } from '#service/ec2/states'

/** A device that instances of the image get: a volume, made of a snapshot or empty, or an instance store disk. */
export type Mapping = {
  device: string
  virtualName?: string
  ebs?: Shape & { snapshot?: string; deleteOnTermination: boolean }
}
export type Spec = {
  name: string
  description: string
  architecture: 'x86_64' | 'arm64'
  /** Amazon's: the engine's image that its root volume is copied from, and the snapshot id shown in its block device mapping. */
  image?: string
  snapshot?: string
  /** An account's own. */
  mappings?: Mapping[]
  rootSizeGiB: number
  rootDevice: string
  /** Alias of the owner: Enclume's own images are Amazon's, as a user of EC2 expects. */
  owner: 'amazon' | 'self'
  public: boolean
  /** Accounts that may launch it besides its owner. */
  users?: string[]
  /** Its object is still being read: nothing is known of its snapshots. */
  restoring?: boolean
  sourceInstance?: string
  sourceImage?: { id: string; region: string }
  /** ISO 8601. */
  deprecateAt?: string
  deregistrationProtection?: boolean
  imdsSupport?: 'v2.0'
  /** Whom ssh lets in; shown in the description. */
  user: string
}
export type Status = {
  state: 'pending' | 'available' | 'failed' | 'disabled' | 'deregistered'
  reason?: string
  lastLaunched?: string
  /** ISO 8601: until then a deregistered image can be looked up by its id. */
  forgetAt?: string
}
export type ImageRow = Row<Spec, Status>

/** The account that owns Amazon Linux on AWS; here it owns the images that Enclume brings. */
export const AMAZON = '137112412989'

function view({ id, account, created, spec, status, tags }: ImageRow): Image {
  return {
    ImageId: id, Name: spec.name, Description: spec.description, State: status.state, CreationDate: created, Public: spec.public,
    ImageLocation: `${spec.owner === 'amazon' ? 'amazon' : account}/${spec.name}`, OwnerId: account,
    ...(spec.owner === 'amazon' && { ImageOwnerAlias: 'amazon' }),
    Architecture: spec.architecture, ImageType: 'machine', PlatformDetails: 'Linux/UNIX', UsageOperation: 'RunInstances',
    RootDeviceName: spec.rootDevice, RootDeviceType: 'ebs', VirtualizationType: 'hvm', Hypervisor: 'xen', EnaSupport: true,
    SriovNetSupport: 'simple', BootMode: 'uefi-preferred', DeregistrationProtection: spec.deregistrationProtection ? 'enabled' : 'disabled',
    ...(spec.imdsSupport && { ImdsSupport: spec.imdsSupport }),
    BlockDeviceMappings: mappingsOf(spec).map(mappingView),
    SourceInstanceId: spec.sourceInstance, SourceImageId: spec.sourceImage?.id, SourceImageRegion: spec.sourceImage?.region,
    DeprecationTime: spec.deprecateAt, LastLaunchedTime: status.lastLaunched,
    ...(status.reason !== undefined && { StateReason: { Code: 'Client.InternalError', Message: status.reason } }),
    Tags: tagList(tags),
  }
}

export const mappingsOf = (spec: Spec): Mapping[] => spec.mappings ?? [{
  device: spec.rootDevice, ebs: { snapshot: spec.snapshot, sizeGiB: spec.rootSizeGiB, type: 'gp3', deleteOnTermination: true },
}]

const mappingView = ({ device, virtualName, ebs }: Mapping): BlockDeviceMapping => ({
  DeviceName: device, VirtualName: virtualName,
  Ebs: ebs && {
    SnapshotId: ebs.snapshot, VolumeSize: ebs.sizeGiB, VolumeType: ebs.type, Iops: ebs.iops, Throughput: ebs.throughput,
    DeleteOnTermination: ebs.deleteOnTermination, Encrypted: false,
  },
})

/** What a filter may ask for and no image of ours has, by group: nothing matches. */
const never = () => []
const absent = {
  'product-code': never, 'product-code.type': never,
  'instance-type-specification.supported-instance-type': never, 'instance-type-specification.unsupported-instance-type': never,
  ...group('image-watermark', ['source-image-creation-time', 'source-image-id', 'source-image-region',
    'watermark-creation-time', 'watermark-key']),
  ...group('scan-result', ['finding-scan-date', 'highest-finding-severity-label',
    ...['informational', 'low', 'medium', 'high', 'critical'].map(severity => `${severity}-fix-available-since`)]),
}
function group(name: string, members: readonly string[]): Record<string, typeof never> {
  return Object.fromEntries(members.map(member => [`${name}.${member}`, never]))
}

export const image = resource<Spec, Status, Image>({
  kind: 'image', prefix: 'ami', label: 'image id', missing: 'InvalidAMIID.NotFound', malformed: 'InvalidAMIID.Malformed', view,
  filters: {
    ...absent, architecture: 'Architecture', 'boot-mode': 'BootMode', 'creation-date': 'CreationDate', description: 'Description',
    'block-device-mapping.delete-on-termination': 'BlockDeviceMappings.Ebs.DeleteOnTermination',
    'block-device-mapping.device-name': 'BlockDeviceMappings.DeviceName',
    'block-device-mapping.encrypted': 'BlockDeviceMappings.Ebs.Encrypted',
    'block-device-mapping.snapshot-id': 'BlockDeviceMappings.Ebs.SnapshotId',
    'block-device-mapping.volume-size': 'BlockDeviceMappings.Ebs.VolumeSize',
    'block-device-mapping.volume-type': 'BlockDeviceMappings.Ebs.VolumeType',
    'ena-support': 'EnaSupport', 'free-tier-eligible': 'FreeTierEligible', hypervisor: 'Hypervisor', 'image-allowed': 'ImageAllowed',
    'image-id': 'ImageId', 'image-type': 'ImageType', 'is-public': 'Public', 'kernel-id': 'KernelId', 'manifest-location': 'ImageLocation',
    name: 'Name', 'owner-alias': 'ImageOwnerAlias', 'owner-id': 'OwnerId', platform: 'Platform',
    'public-ssm-parameter-name': 'PublicSsmParameterName', 'ramdisk-id': 'RamdiskId',
    'root-device-name': 'RootDeviceName', 'root-device-type': 'RootDeviceType', 'source-image-id': 'SourceImageId',
    'source-image-region': 'SourceImageRegion', 'source-instance-id': 'SourceInstanceId', 'sriov-net-support': 'SriovNetSupport',
    state: 'State', 'state-reason-code': 'StateReason.Code', 'state-reason-message': 'StateReason.Message',
    'virtualization-type': 'VirtualizationType',
  },
})

/** Whether an account may see and launch the image. One that is disabled is its owner's alone (API Reference, DisableImage). */
async function isVisible(reader: Reader, row: ImageRow, account: string): Promise<boolean> {
  if (row.account === account) return true
  if (row.status.state === 'disabled') return false
  if ((row.spec.users ?? []).includes(account)) return true
  return row.spec.public && (row.account === AMAZON || !await isBlocked(reader, row, 'image', 'all'))
}

/** Every image of the region that the account may see, deregistered ones too. */
export async function visibleImages(reader: Reader, { account, region }: Place): Promise<ImageRow[]> {
  const visible: ImageRow[] = []
  for (const row of await reader.list<ImageRow>({ kind: image.kind, region })) if (await isVisible(reader, row, account)) visible.push(row)
  return visible
}

/** The images of these ids, or AWS's error for those that the account cannot see. */
export async function getImages(reader: Reader, place: Place, ids: readonly string[]): Promise<ImageRow[]> {
  for (const id of ids) {
    if (!isResourceId('ami', id)) throw new ApiError(image.malformed, `Invalid id: "${id}" (expecting "ami-...")`)
  }
  const rows: ImageRow[] = []
  const missing: string[] = []
  for (const id of new Set(ids)) {
    const row = await image.find(reader, id)
    if (row?.region === place.region && await isVisible(reader, row, place.account)) rows.push(row)
    else missing.push(id)
  }
  if (missing.length === 0) return rows
  throw new ApiError(image.missing, missing.length === 1
    ? `The image id '[${missing[0]}]' does not exist` : `The image ids '[${missing.join(', ')}]' do not exist`)
}

/** The image that an instance is to be launched from: visible to the caller and still registered. */
export async function imageForLaunch(reader: Reader, place: Place, id: string): Promise<ImageRow> {
  const [row] = await getImages(reader, place, [id])
  const { state } = row!.status
  if (isIn(images.launch, state)) return row!
  throw new ApiError('InvalidAMIID.Unavailable', state === 'deregistered' ? `The image ID '${id}' is no longer available`
    : `The image ID '${id}' is not available: ${state}`)
}

/** The caller's own image, still registered. */
export async function getOwnImage(reader: Reader, place: Place, id: string): Promise<ImageRow> {
  const [row] = await getImages(reader, place, [id])
  if (row!.account !== place.account) throw new ApiError('AuthFailure', `Not authorized for image:${id}`)
  if (row!.status.state === 'deregistered') throw new ApiError('InvalidAMIID.Unavailable', `The image ID '${id}' is no longer available`)
  return row!
}
