/**
 * An Amazon Machine Image: what it is, who may see it, how it looks.
 *
 * Invariants: an image that the engine built is Amazon's and public, in every region under another id, the same id
 * after every restart (prepare.ts); a deregistered image can be looked up by its id but is not listed and not launched.
 */
import type { Image } from '@aws-sdk/client-ec2'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { isResourceId } from '#base/id'
import type { Reader, Row } from '#store/store'

export type Spec = {
  name: string
  description: string
  architecture: 'x86_64' | 'arm64'
  /** The engine's image that its root volume is copied from. */
  image: string
  /** The snapshot id shown in its block device mapping. */
  snapshot: string
  rootSizeGiB: number
  rootDevice: string
  /** Alias of the owner: Enclume's own images are Amazon's, as a user of EC2 expects. */
  owner: 'amazon' | 'self'
  public: boolean
  imdsSupport?: 'v2.0'
  /** Whom ssh lets in; shown in the description. */
  user: string
}
export type Status = { state: 'available' | 'deregistered' }
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
    SriovNetSupport: 'simple', BootMode: 'uefi-preferred', DeregistrationProtection: 'disabled',
    ...(spec.imdsSupport && { ImdsSupport: spec.imdsSupport }),
    BlockDeviceMappings: [{
      DeviceName: spec.rootDevice,
      Ebs: { SnapshotId: spec.snapshot, VolumeSize: spec.rootSizeGiB, VolumeType: 'gp3', DeleteOnTermination: true, Encrypted: false },
    }],
    Tags: tagList(tags),
  }
}

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

/** Whether an account may see and launch the image. */
export const visible = (row: ImageRow, account: string): boolean => row.account === account || row.spec.public

/** Every image of the region that the account may see, deregistered ones too. */
export async function visibleImages(reader: Reader, { account, region }: Place): Promise<ImageRow[]> {
  return (await reader.list<ImageRow>({ kind: image.kind, region })).filter(row => visible(row, account))
}

/** The images of these ids, or AWS's error for those that the account cannot see. */
export async function getImages(reader: Reader, place: Place, ids: readonly string[]): Promise<ImageRow[]> {
  for (const id of ids) {
    if (!isResourceId('ami', id)) throw new ApiError(image.malformed, `Invalid id: "${id}" (expecting "ami-...")`)
  }
  const unique = [...new Set(ids)]
  const found = await Promise.all(unique.map(id => image.find(reader, id)))
  const missing = unique.filter((_, i) => !found[i] || found[i].region !== place.region || !visible(found[i], place.account))
  if (missing.length === 0) return found as ImageRow[]
  throw new ApiError(image.missing, missing.length === 1
    ? `The image id '[${missing[0]}]' does not exist` : `The image ids '[${missing.join(', ')}]' do not exist`)
}

/** The image that an instance is to be launched from: visible to the caller and still registered. */
export async function imageForLaunch(reader: Reader, place: Place, id: string): Promise<ImageRow> {
  const [row] = await getImages(reader, place, [id])
  if (row!.status.state === 'available') return row!
  throw new ApiError('InvalidAMIID.Unavailable', `The image ID '${id}' is no longer available`)
}
