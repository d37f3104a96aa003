/**
 * RunInstances: reads and checks the whole request, then writes the records of every instance with its interfaces and root
 * volume, all in one transaction. The engine hears of it afterwards, from the loop.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { RunInstancesRequest } from '@aws-sdk/client-ec2'
import { resourceId } from '#base/id'
import type { Action, Call } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Input, Output } from '#kit/schema'
import type { Context } from '#service/ec2/context'
import { metadataDefaults } from '#service/ec2/account/metadata-defaults'
import { image as images, imageForLaunch, type ImageRow } from '#service/ec2/image/image'
import { roomOf } from '#service/ec2/instance/capacity'
import { reservations } from '#service/ec2/instance/describe'
import { instance, type InstanceRow, type MetadataOptions, type Spec } from '#service/ec2/instance/instance'
import { readNetwork, type Network } from '#service/ec2/instance/launch-network'
import { checkTokens, readCounts, readMetadata, readPlain, readUserData, refuseUnsupported, typeOf } from '#service/ec2/instance/launch-options'
import { checkLaunchable } from '#service/ec2/instance/launch-type'
import { resolveImage } from '#service/ec2/instance/launch-image'
import type { Limits } from '#service/ec2/instance-type/instance-type'
import { keyPairForLaunch } from '#service/ec2/key-pair/key-pair'
import { ownProfile, profileForInstance, type Profile } from '#service/ec2/instance-profile/profile'
import { launching } from '#service/ec2/launch-template/launch'
import { createInterface } from '#service/ec2/network-interface/allocate'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { privateName } from '#service/ec2/network-interface/names'
import { checkSpace } from '#service/ec2/volume/create'
import { createPlanned, plannedVolumes, type Planned } from '#service/ec2/volume/mapping'

type Launch = {
  context: Context
  call: Call<RunInstancesRequest>
  image: ImageRow
  limits: Limits
  network: Network
  metadata: MetadataOptions
  profile: Profile | undefined
  reservation: string
  volumes: Planned[]
}

export const runInstances = (context: Context): Action<Input<typeof sdk, 'RunInstances'>, Output<typeof sdk, 'RunInstances'>> =>
  async asked => {
    const call = await launching(asked)
    const { input, tx } = call
    refuseUnsupported(input)
    const { least, most } = readCounts(input)
    if (!input.ImageId) throw new ApiError('MissingParameter', 'The request must contain the parameter ImageId')
    const image = await imageForLaunch(tx, call, await resolveImage(context, call, input.ImageId))
    const limits = checkLaunchable(context, typeOf(input), image.spec.architecture)
    if (input.KeyName !== undefined) await keyPairForLaunch(tx, call, input.KeyName)
    const network = await readNetwork(call, { count: most, limits })
    const profile = input.IamInstanceProfile && await profileForInstance(call, input.IamInstanceProfile)
    const metadata = readMetadata(input.MetadataOptions, await metadataBefore(call, image))
    await checkTokens(call, metadata)
    const count = (await roomOf(tx, context)).fits(limits, most)
    if (count < least) {
      throw new ApiError('InsufficientInstanceCapacity',
        `There is room for ${count} of the ${least} instances that you asked for at least.`, 500)
    }
    const volumes = await plannedVolumes(tx, call, image, input.BlockDeviceMappings)
    checkSpace(context)
    const launch: Launch = { context, call, image, limits, network, metadata, profile, volumes, reservation: resourceId('r') }
    const rows: InstanceRow[] = []
    for (let index = 0; index < count; index++) rows.push(await launchOne(launch, index))
    call.rest()
    // EC2 shows it to the owner, with a delay of a day (API Reference, Image, LastLaunchedTime); here at once.
    if (image.account === call.account) await images.update(tx, image, { status: { lastLaunched: call.now.toISOString() } }, 'launched')
    const views = await instance.views(tx, rows)
    const [reservation] = reservations(rows.map((row, i) => ({ row, view: views[i]! })))
    return { ...reservation, Groups: [] }
  }

/** What holds where the request says nothing: the account's defaults, then the image's, then EC2's. */
async function metadataBefore(call: Call<RunInstancesRequest>, image: ImageRow): Promise<MetadataOptions> {
  const account = await metadataDefaults(call.tx, call)
  const v2 = image.spec.imdsSupport === 'v2.0'
  return {
    tokens: account.httpTokens ?? (v2 ? 'required' : 'optional'),
    hopLimit: account.hopLimit ?? (v2 ? 2 : 1),
    endpoint: account.httpEndpoint ?? 'enabled',
    tags: account.instanceTags ?? 'disabled',
  }
}

async function launchOne(launch: Launch, launchIndex: number): Promise<InstanceRow> {
  const { context, call, image, limits, network, metadata, profile, reservation } = launch
  const { input, tx, now } = call
  const { subnet, vpc } = network
  const id = resourceId('i')
  const place = { account: call.account, region: call.region }
  const userData = readUserData(input.UserData)
  const { hostnameType: HostnameType, resourceNameRecord: EnableResourceNameDnsARecord } = subnet.spec
  const plain = readPlain({ ...input, PrivateDnsNameOptions: { HostnameType, EnableResourceNameDnsARecord, ...input.PrivateDnsNameOptions } })
  // Whether such names resolve is the subnet's to say, for all that is in it.
  if (plain.resourceNameRecord !== EnableResourceNameDnsARecord) {
    throw new ApiError('UnsupportedOperation', 'Enclume does not implement EnableResourceNameDnsARecord other than the subnet has it.')
  }
  const interfaces = []
  for (const port of network.ports) {
    const attachment = {
      id: resourceId('eni-attach'), instance: id, deviceIndex: port.deviceIndex, deleteOnTermination: port.deleteOnTermination,
      time: now.toISOString(), bandwidthGbps: limits.networkPeakGbps,
    }
    const asLaunched = {
      attachment, metadataHopLimit: metadata.hopLimit, hostnameType: port.deviceIndex === 0 ? plain.hostnameType : 'ip-name' as const,
    }
    interfaces.push(port.existing
      ? await networkInterface.update(tx, port.existing, { spec: asLaunched, status: { state: 'in-use' } }, 'attached')
      : await createInterface(tx, {
        ...asLaunched, place, now, home: context.home, subnet: port.subnet, vpc, groups: port.groups, description: port.description,
        tags: call.tags('network-interface'), privateIp: port.privateIp, secondary: port.secondary, ipv6: port.ipv6, publicIp: port.publicIp,
      }))
  }
  const made: { id: string; root: boolean }[] = []
  for (const one of launch.volumes) {
    const { id: volumeId } = await createPlanned(tx, one, { place, now, zone: subnet.spec.zone, instance: id, tags: call.tags('volume') })
    made.push({ id: volumeId, root: one.root })
  }
  const primary = interfaces[0]!
  const spec: Spec = {
    ...plain, desired: 'running', force: false, rebootsAsked: 0, reservation, launchIndex, launchTime: now.toISOString(),
    image: image.id, architecture: image.spec.architecture, rootDevice: image.spec.rootDevice,
    type: typeOf(input), cpus: limits.cpus, memoryMiB: limits.memoryMiB, keyName: input.KeyName,
    zone: subnet.spec.zone, vpc: vpc.id, subnet: subnet.id, interfaces: interfaces.map(i => i.id), rootVolume: made.find(one => one.root)!.id,
    volumes: made.filter(one => !one.root).map(one => one.id),
    profile: profile && ownProfile(profile), userData, metadata, autoPublic: network.ports[0]!.publicIp,
    privateDnsName: privateName({
      address: primary.spec.addresses[0]!.private, region: call.region, type: plain.hostnameType, instance: id,
    }),
  }
  const row = instance.make({
    ...place, now, id, spec, tags: call.tags('instance'),
    status: { state: 'pending', created: false, rebootsDone: 0, suspended: false, transition: '' },
  })
  return tx.put(row, 'pending')
}
