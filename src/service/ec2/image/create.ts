/**
 * New images of an account's own: of an instance, of snapshots, of another image.
 *
 * Invariants: among an account's registered images in a Region every name is one's; an image's root device is in its mappings, with a snapshot.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { BlockDeviceMapping } from '@aws-sdk/client-ec2'
import { resourceId } from '#base/id'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { invalidCombination, invalidValue, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { getImages, image, mappingsOf, type ImageRow, type Mapping, type Spec } from '#service/ec2/image/image'
import { ownVolumes } from '#service/ec2/instance/belongings'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import { copySnapshot, ofOneMoment, sourceRegion, takeSnapshot } from '#service/ec2/snapshot/create'
import { getCompleted } from '#service/ec2/snapshot/snapshot'
import { checkSpace } from '#service/ec2/volume/create'
import { checkDevice } from '#service/ec2/volume/device'
import { badMapping, refuseOddEbs, shapeOf } from '#service/ec2/volume/mapping'
import { attachmentTo, type VolumeRow } from '#service/ec2/volume/volume'
import { instances, isIn } from '#service/ec2/states'

/** API Reference, CreateImage, Name: 3 to 128 of these characters. Text seen on AWS in packer issue 2163. */
export async function checkName({ tx, account, region }: Call<object>, name: string): Promise<void> {
  if (!/^[\w ().\-/[\]'@]{3,128}$/.test(name)) {
    throw new ApiError('InvalidAMIName.Malformed', 'AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '
      + '\'(\', \')\', \'.\', \'-\', \'/\', \'[\', \']\', \'@\', \'_\', spaces and single quotes')
  }
  const gone = ['deregistered', 'failed']
  const other = (await image.list(tx, { account, region })).find(row => row.spec.name === name && !gone.includes(row.status.state))
  if (other) throw new ApiError('InvalidAMIName.Duplicate', `AMI name ${name} is already in use by AMI ${other.id}`)
}

function descriptionOf({ Description: text = '' }: { Description?: string }): string {
  if (text.length > 255) throw invalidValue('description', text, 'It may have up to 255 characters.')
  return text
}

/** A volume of an image that no instance has: of a snapshot, or empty. */
async function addedMapping(call: Call<object>, asked: BlockDeviceMapping, root = false): Promise<Mapping> {
  const { DeviceName: device = '', VirtualName, Ebs: ebs } = asked
  checkDevice(device)
  if (VirtualName !== undefined) return { device, virtualName: VirtualName }
  if (!ebs) throw badMapping(`The mapping of device '${device}' says neither a volume nor an instance store volume.`)
  refuseOddEbs(ebs)
  const source = ebs.SnapshotId === undefined ? undefined : await getCompleted(call.tx, call, ebs.SnapshotId)
  const sizeGiB = ebs.VolumeSize ?? source?.spec.sizeGiB
  if (sizeGiB === undefined) throw badMapping(`The mapping of device '${device}' has neither a snapshot nor a size.`)
  const shape = shapeOf(device, { root, source, sizeGiB, type: ebs.VolumeType ?? 'gp2', iops: ebs.Iops, throughput: ebs.Throughput })
  return { device, ebs: { ...shape, snapshot: source?.id, deleteOnTermination: ebs.DeleteOnTermination ?? root } }
}

type Imaging = { call: Call<sdk.CreateImageRequest>; holder: InstanceRow; id: string; held: boolean }

/** A volume of an instance as its image has it, with a snapshot taken now, or when the machine is off. */
async function takenMapping({ call, holder, id, held }: Imaging, row: VolumeRow, change: BlockDeviceMapping | undefined): Promise<Mapping> {
  const { tx, account, region, now } = call
  const { device, root, deleteOnTermination } = attachmentTo(row, holder.id)!
  const ebs = change?.Ebs
  refuseOddEbs(ebs)
  if (ebs?.SnapshotId !== undefined) throw badMapping(`The snapshot of device '${device}' is taken now: none can be given.`)
  const taken = await takeSnapshot(tx, row, {
    place: { account, region }, now, held, tags: call.tags('snapshot'), description: `Created by CreateImage(${holder.id}) for ${id}`,
  })
  const { type, sizeGiB, iops, throughput } = row.spec
  const kept = ebs?.VolumeType === undefined || ebs.VolumeType === type
  const shape = shapeOf(device, {
    root, source: taken, sizeGiB: ebs?.VolumeSize ?? sizeGiB, type: ebs?.VolumeType ?? type,
    iops: ebs?.Iops ?? (kept ? iops : undefined), throughput: ebs?.Throughput ?? (kept ? throughput : undefined),
  })
  return { device, ebs: { ...shape, snapshot: taken.id, deleteOnTermination: ebs?.DeleteOnTermination ?? deleteOnTermination } }
}

/** What a new image has of the one that its instance, or it, comes from. */
async function inherited(call: Call<object>, id: string): Promise<Pick<Spec, 'user' | 'imdsSupport'>> {
  const source = await image.find(call.tx, id)
  return { user: source?.spec.user ?? '', imdsSupport: source?.spec.imdsSupport }
}

export async function createImage(context: Context, call: Call<sdk.CreateImageRequest>): Promise<ImageRow> {
  const { input, tx, account, region, now } = call
  const holder = await instance.get(tx, call, input.InstanceId!)
  const { state } = holder.status
  refuseMembers('CreateImage', input, ['BootModeOverride'])
  if (input.SnapshotLocation !== undefined && input.SnapshotLocation !== 'regional') {
    throw unsupported(`SnapshotLocation ${input.SnapshotLocation} of CreateImage`)
  }
  await checkName(call, input.Name!)
  if (!isIn(instances.image, state)) {
    throw new ApiError('IncorrectState', `Instance '${holder.id}' is ${state}: an image can be made of a running or stopped one.`)
  }
  if (holder.spec.imaging) throw new ApiError('IncorrectState', `Image '${holder.spec.imaging.image}' is being made of instance '${holder.id}'.`)
  const volumes = (await ownVolumes(tx, holder)).filter(row => attachmentTo(row, holder.id)!.moving !== 'detaching')
  if (!volumes.some(row => row.id === holder.spec.rootVolume && row.status.state === 'in-use')) {
    throw new ApiError('IncorrectState', `Instance '${holder.id}' has no root volume, or is being given another.`)
  }
  checkSpace(context)
  const held = state === 'running' && !input.NoReboot
  const id = resourceId(image.prefix)
  const asked = input.BlockDeviceMappings ?? []
  const mappings: Mapping[] = []
  for (const row of volumes) {
    const { device, root } = attachmentTo(row, holder.id)!
    const change = asked.find(one => one.DeviceName === device)
    if (root && (change?.NoDevice !== undefined || change?.VirtualName !== undefined)) {
      throw badMapping(`The root device ${device} can't be left out.`)
    }
    if (change?.NoDevice === undefined) mappings.push(await takenMapping({ call, holder, id, held }, row, change))
  }
  await ofOneMoment(tx, mappings.map(({ ebs }) => ebs!.snapshot!))
  for (const one of asked.filter(({ DeviceName, NoDevice }) => NoDevice === undefined && !mappings.some(own => own.device === DeviceName))) {
    mappings.push(await addedMapping(call, one))
  }
  const snapshots = mappings.flatMap(({ ebs }) => ebs?.snapshot ?? [])
  if (held) await instance.update(tx, holder, { spec: { imaging: { image: id, snapshots } } }, 'imaging')
  const spec: Spec = {
    name: input.Name!, description: descriptionOf(input), architecture: holder.spec.architecture, mappings, rootDevice: holder.spec.rootDevice,
    rootSizeGiB: mappings.find(({ device }) => device === holder.spec.rootDevice)!.ebs!.sizeGiB, owner: 'self', public: false,
    sourceInstance: holder.id, ...await inherited(call, holder.spec.image),
  }
  return tx.put(image.make({ account, region, now, id, spec, tags: call.tags('image'), status: { state: 'pending' } }), 'pending')
}

const REFUSED = ['ImageLocation', 'BillingProducts', 'BootMode', 'TpmSupport', 'UefiData', 'KernelId', 'RamdiskId']

export async function registerImage(call: Call<sdk.RegisterImageRequest>): Promise<ImageRow> {
  const { input, tx, account, region, now } = call
  refuseMembers('RegisterImage', input, REFUSED)
  await checkName(call, input.Name!)
  const { RootDeviceName: rootDevice, Architecture: architecture } = input
  if (rootDevice === undefined) throw missingParameter('rootDeviceName')
  // EC2's default, i386, is of no instance type that Enclume has.
  if (architecture !== 'x86_64' && architecture !== 'arm64') throw invalidValue('architecture', architecture, 'It must be x86_64 or arm64.')
  if (input.VirtualizationType !== undefined && input.VirtualizationType !== 'hvm') {
    throw unsupported(`VirtualizationType ${input.VirtualizationType}`)
  }
  if (input.SriovNetSupport !== undefined && input.SriovNetSupport !== 'simple') throw invalidValue('sriovNetSupport', input.SriovNetSupport)
  if (input.EnaSupport === false) throw unsupported('images without EnaSupport')
  if (input.ImdsSupport !== undefined && input.ImdsSupport !== 'v2.0') throw invalidValue('imdsSupport', input.ImdsSupport)
  const mappings: Mapping[] = []
  for (const one of input.BlockDeviceMappings ?? []) mappings.push(await addedMapping(call, one, one.DeviceName === rootDevice))
  const root = mappings.find(({ device }) => device === rootDevice)
  if (!root?.ebs?.snapshot) throw invalidCombination(`No snapshot is mapped to the root device ${rootDevice}.`)
  if (new Set(mappings.map(({ device }) => device)).size < mappings.length) throw badMapping('A device is used in more than one block-device mapping')
  const spec: Spec = {
    name: input.Name!, description: descriptionOf(input), architecture, mappings, rootDevice, rootSizeGiB: root.ebs.sizeGiB, owner: 'self',
    public: false,
    user: '', ...(input.ImdsSupport && { imdsSupport: 'v2.0' as const }),
  }
  return tx.put(image.make({ account, region, now, spec, tags: call.tags('image'), status: { state: 'available' } }), 'registered')
}

/** Asked in the Region that the copy is to be in. */
export async function copyImage(context: Context, call: Call<sdk.CopyImageRequest>): Promise<ImageRow> {
  const { input, tx, account, region, now } = call
  refuseMembers('CopyImage', input, [
    'Encrypted', 'KmsKeyId', 'DestinationOutpostArn', 'SnapshotCopyCompletionDurationMinutes', 'DestinationAvailabilityZone',
    'DestinationAvailabilityZoneId',
  ])
  const from = sourceRegion(input.SourceRegion)
  const [source] = await getImages(tx, { account, region: from }, [input.SourceImageId!])
  if (source!.status.state !== 'available') throw new ApiError('InvalidAMIID.Unavailable', `The image ID '${source!.id}' is not available`)
  await checkName(call, input.Name!)
  checkSpace(context)
  const id = resourceId(image.prefix)
  const tags = call.tags('snapshot')
  const mappings: Mapping[] = []
  for (const mapping of mappingsOf(source!.spec)) {
    if (!mapping.ebs?.snapshot) { mappings.push(mapping); continue }
    const copy = await copySnapshot(tx, {
      // Whoever may launch an image may so use its snapshots.
      from: source!, id: mapping.ebs.snapshot, to: { account, region }, now, tags,
      description: `Copied for DestinationAmi ${id} from SourceAmi ${source!.id} for SourceSnapshot ${mapping.ebs.snapshot}.`,
    })
    mappings.push({ ...mapping, ebs: { ...mapping.ebs, snapshot: copy.id } })
  }
  const { architecture, rootDevice, rootSizeGiB, user, imdsSupport, description } = source!.spec
  const spec: Spec = {
    name: input.Name!, description: input.Description === undefined ? description : descriptionOf(input), architecture, mappings, rootDevice,
    rootSizeGiB,
    owner: 'self', public: false, user, imdsSupport, sourceImage: { id: source!.id, region: from },
  }
  const copied = input.CopyImageTags && source!.account === account ? source!.tags : {}
  return tx.put(image.make({
    account, region, now, id, spec, tags: { ...copied, ...call.tags('image') }, status: { state: 'pending' },
  }), 'pending')
}
