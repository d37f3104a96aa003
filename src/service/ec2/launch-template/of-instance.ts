/** GetLaunchTemplateData: what a template would have to say for another instance like this one. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Call } from '#kit/action'
import { tagList } from '#kit/resource'
import type { Tags } from '#kit/tags'
import { instance } from '#service/ec2/instance/instance'
import { networkInterface, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { attachmentTo, volume, type VolumeRow } from '#service/ec2/volume/volume'

/** With the interface's id and addresses, which a launch can't have again: the caller leaves them out (User Guide's example). */
function interfaceOf(row: InterfaceRow, _: number, { length }: readonly InterfaceRow[]): sdk.LaunchTemplateInstanceNetworkInterfaceSpecification {
  const { attachment, addresses, addresses6 = [], description, groups, subnet } = row.spec
  return {
    NetworkInterfaceId: row.id, DeviceIndex: attachment!.deviceIndex, DeleteOnTermination: attachment!.deleteOnTermination,
    Description: description, SubnetId: subnet, Groups: groups, InterfaceType: 'interface', NetworkCardIndex: 0,
    PrivateIpAddress: addresses[0]!.private, PrivateIpAddresses: addresses.map(one => ({ Primary: one.primary, PrivateIpAddress: one.private })),
    Ipv6Addresses: addresses6.map(Ipv6Address => ({ Ipv6Address })),
    ...length === 1 && { AssociatePublicIpAddress: addresses[0]!.public !== undefined },
  }
}

function mappingOf(row: VolumeRow, id: string): sdk.LaunchTemplateBlockDeviceMapping {
  const { device, deleteOnTermination, root } = attachmentTo(row, id)!
  const { type, sizeGiB, iops, throughput, snapshot } = row.spec
  return {
    DeviceName: device,
    Ebs: {
      DeleteOnTermination: deleteOnTermination, Encrypted: false, VolumeType: type, VolumeSize: sizeGiB, SnapshotId: root ? undefined : snapshot,
      ...(type === 'gp3' || type.startsWith('io') ? { Iops: iops } : {}), ...(type === 'gp3' ? { Throughput: throughput } : {}),
    },
  }
}

function specification(ResourceType: 'instance' | 'volume', tags: Tags): sdk.LaunchTemplateTagSpecification[] {
  const Tags = tagList(tags).filter(({ Key }) => !Key.startsWith('aws:'))
  return Tags.length === 0 ? [] : [{ ResourceType, Tags }]
}

export async function dataOf(call: Call<object>, id: string): Promise<sdk.ResponseLaunchTemplateData> {
  const row = await instance.get(call.tx, call, id)
  const { spec } = row
  const seen = await instance.viewOne(call.tx, row)
  const interfaces = await call.tx.getAll<InterfaceRow>(networkInterface.kind, spec.interfaces)
  const disks = await call.tx.getAll<VolumeRow>(volume.kind, seen.BlockDeviceMappings!.map(one => one.Ebs!.VolumeId!))
  const root = disks.find(disk => disk.id === spec.rootVolume)
  const tags = [...specification('instance', row.tags), ...root ? specification('volume', root.tags) : []]
  return {
    ImageId: spec.image, InstanceType: seen.InstanceType, KeyName: spec.keyName, UserData: spec.userData, EbsOptimized: spec.ebsOptimized,
    IamInstanceProfile: spec.profile && { Arn: spec.profile.arn }, Monitoring: { Enabled: spec.detailedMonitoring },
    Placement: { AvailabilityZone: spec.zone, GroupName: '', Tenancy: 'default' },
    BlockDeviceMappings: disks.map(disk => mappingOf(disk, id)),
    NetworkInterfaces: interfaces.filter(one => one.spec.attachment?.instance === id).map(interfaceOf),
    DisableApiTermination: spec.terminationProtection, DisableApiStop: spec.stopProtection,
    InstanceInitiatedShutdownBehavior: spec.onShutdown, CreditSpecification: spec.credits && { CpuCredits: spec.credits },
    TagSpecifications: tags.length > 0 ? tags : undefined,
    MetadataOptions: {
      HttpTokens: spec.metadata.tokens, HttpEndpoint: spec.metadata.endpoint, HttpPutResponseHopLimit: spec.metadata.hopLimit,
      HttpProtocolIpv6: 'disabled', InstanceMetadataTags: spec.metadata.tags,
    },
    PrivateDnsNameOptions: {
      HostnameType: spec.hostnameType, EnableResourceNameDnsARecord: spec.resourceNameRecord ?? false, EnableResourceNameDnsAAAARecord: false,
    },
    CapacityReservationSpecification: { CapacityReservationPreference: 'open' }, HibernationOptions: { Configured: false },
    EnclaveOptions: { Enabled: false }, MaintenanceOptions: { AutoRecovery: spec.autoRecovery },
  }
}
