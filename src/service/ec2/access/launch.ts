/**
 * A RunInstances request as policies see it: with what its template says, and with the subnet, the groups, the interfaces
 * and the volumes that it will have. EC2 asks for each of them, whether the request names it or not (EC2 User Guide, "Example policies: Launch
 * instances").
 */
import type {
  BlockDeviceMapping, IamInstanceProfileSpecification, InstanceNetworkInterfaceSpecification, RunInstancesRequest,
} from '@aws-sdk/client-ec2'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { profiles } from '#identity/records'
import type { Completer } from '#service/ec2/access/complete'
import type { Context } from '#service/ec2/context'
import { getImages } from '#service/ec2/image/image'
import { withTemplate } from '#service/ec2/launch-template/launch'
import { ofTemplate } from '#service/ec2/access/template'
import { chooseSubnet, groupsByName } from '#service/ec2/instance/launch-network'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { nameScope } from '#service/ec2/security-group/security-group'
import { plannedVolumes } from '#service/ec2/volume/mapping'
import { vpc } from '#service/ec2/vpc/vpc'
import type { Reader, Tx } from '#store/store'

type Asked = { reader: Reader; place: Place; input: RunInstancesRequest }

/** The profile's ARN, which requests may say by name. */
export async function ofSpecification(reader: Reader, { account }: Place, given: IamInstanceProfileSpecification | undefined) {
  const name = given?.Name ?? given?.Arn?.slice(given.Arn.lastIndexOf('/') + 1)
  const row = name === undefined ? undefined : await profiles.byName(reader, account, name)
  const arn = row ? profiles.arn(row) : given?.Arn
  return arn === undefined ? {} : { InstanceProfile: arn, NewInstanceProfile: arn }
}

const IMAGE = /^resolve:ssm:(.*)$/

async function imageOf({ parameter }: Pick<Context, 'parameter'>, { reader, place, input: { ImageId = '' } }: Asked): Promise<string> {
  const name = IMAGE.exec(ImageId)?.[1]
  // Looking is all that it does with the transaction.
  return name === undefined ? ImageId : (await parameter(reader as Tx, place, name))?.value ?? ImageId
}

type Whole = InstanceNetworkInterfaceSpecification & { VpcId?: string; AvailabilityZone?: string }

async function interfaceOf({ reader, place, input }: Asked, spec: InstanceNetworkInterfaceSpecification): Promise<Whole> {
  const there = spec.NetworkInterfaceId === undefined ? undefined : await networkInterface.get(reader, place, spec.NetworkInterfaceId)
  const { id, spec: { vpc: home, zone } } = await chooseSubnet(reader, place, { ...input, SubnetId: there?.spec.subnet ?? spec.SubnetId })
  const groups = there?.spec.groups ?? (spec.Groups?.length ? spec.Groups : [await reader.holder(nameScope(home), 'default') ?? '*'])
  return { ...spec, SubnetId: id, Groups: groups, VpcId: home, AvailabilityZone: zone }
}

/** What is said of the instance is said of its one interface. */
async function interfacesOf(asked: Asked): Promise<Whole[]> {
  const { reader, place, input } = asked
  if (input.NetworkInterfaces?.length) return Promise.all(input.NetworkInterfaces.map(spec => interfaceOf(asked, spec)))
  const chosen = await chooseSubnet(reader, place, input)
  const home = await vpc.get(reader, place, chosen.spec.vpc)
  const Groups = [...input.SecurityGroupIds ?? [], ...await groupsByName(reader, home, input.SecurityGroups ?? [])]
  return [await interfaceOf(asked, { SubnetId: chosen.id, Groups })]
}

/** Each volume as it will be. A snapshot of the image's own is used with the image, and not asked for. */
async function volumesOf({ reader, place, input }: Asked, id: string): Promise<BlockDeviceMapping[]> {
  const [image] = await getImages(reader, place, [id])
  const planned = await plannedVolumes(reader, place, image!, input.BlockDeviceMappings)
  return planned.map(({ device, shape, snapshot }) => ({
    DeviceName: device,
    Ebs: {
      VolumeType: shape.type, VolumeSize: shape.sizeGiB, Iops: shape.iops, Throughput: shape.throughput, Encrypted: false,
      SnapshotId: input.BlockDeviceMappings?.find(one => one.DeviceName === device)?.Ebs?.SnapshotId,
      ...(snapshot && { ParentSnapshot: `arn:aws:ec2:${place.region}::snapshot/${snapshot.id}` }),
    },
  }))
}

/** One part that can't be told leaves the others. */
async function told<T>(part: Promise<T>): Promise<T | undefined> {
  try {
    return await part
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}

export const ofLaunch = (context: Pick<Context, 'parameter'>): Completer => async (reader, place, given) => {
  const { input, version } = await withTemplate(reader, place, given as RunInstancesRequest)
  const asked = { reader, place, input }
  const ImageId = await told(imageOf(context, asked)) ?? input.ImageId
  const interfaces = await told(interfacesOf(asked))
  const volumes = ImageId === undefined ? undefined : await told(volumesOf(asked, ImageId))
  const zone = interfaces?.[0]?.AvailabilityZone
  return {
    ...input, ...(version && ofTemplate(place, version.spec, given)), ImageId, ...await ofSpecification(reader, place, input.IamInstanceProfile),
    RootDeviceType: 'ebs', EbsOptimized: input.EbsOptimized ?? false,
    ...(volumes && { BlockDeviceMappings: volumes }),
    Placement: { ...input.Placement, Tenancy: input.Placement?.Tenancy ?? 'default', ...(zone !== undefined && { AvailabilityZone: zone }) },
    // The groups and the subnet are the interfaces' now.
    ...(interfaces && { NetworkInterfaces: interfaces, SecurityGroups: [] }),
  }
}
