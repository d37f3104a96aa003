/** An instance: what it is, how it looks on the wire. Its interfaces and volumes are records of their own, joined in views. */
import type { Instance, InstanceBlockDeviceMapping, InstanceNetworkInterface } from '@aws-sdk/client-ec2'
import type { Profile } from '#service/ec2/instance-profile/profile'
import { resource, tagList } from '#kit/resource'
import { filters } from '#service/ec2/instance/filters'
import { find } from '#service/ec2/instance-type/instance-type'
import type { Life, Reason } from '#service/ec2/instance/plan'
import { addresses6View, type Spec as InterfaceSpec, type Status as InterfaceStatus } from '#service/ec2/network-interface/network-interface'
import { publicName } from '#service/ec2/network-interface/names'
import type { Spec as GroupSpec } from '#service/ec2/security-group/security-group'
import { attachmentState, attachmentTo, type VolumeRow } from '#service/ec2/volume/volume'
import type { Reader, Row } from '#store/store'

type Switch = 'enabled' | 'disabled'
export type MetadataOptions = { tokens: 'required' | 'optional'; endpoint: Switch; hopLimit: number; tags: Switch }
export type Spec = Pick<Life, 'desired' | 'onShutdown' | 'force' | 'rebootsAsked'> & {
  reservation: string
  launchIndex: number
  /** Of the newest start, as EC2 shows it. */
  launchTime: string
  image: string
  architecture: 'x86_64' | 'arm64'
  rootDevice: string
  profile?: Profile
  type: string
  /** As the type says; kept so that capacity can be added up without the table. */
  cpus: number
  memoryMiB: number
  keyName?: string
  zone: string
  vpc: string
  subnet: string
  /** In order of device index. */
  interfaces: string[]
  /** Absent while it has none: it was detached. */
  rootVolume?: string
  /** The other volumes, in the order of attaching. */
  volumes?: string[]
  /** An image is being made of it: its machine is off until these snapshots are taken. */
  imaging?: { image: string; snapshots: string[] }
  /** Base64, as it was given. */
  userData?: string
  metadata: MetadataOptions
  hostnameType: 'ip-name' | 'resource-name'
  /** Whether the name of its id resolves; as its subnet said at launch. */
  resourceNameRecord?: boolean
  privateDnsName: string
  /** Its primary interface gets a public address at each start. */
  autoPublic: boolean
  terminationProtection: boolean
  stopProtection: boolean
  detailedMonitoring: boolean
  ebsOptimized: boolean
  credits?: 'standard' | 'unlimited'
  autoRecovery: 'default' | 'disabled'
  clientToken?: string
}
type Known = 'state' | 'created' | 'bootId' | 'offSince' | 'rebootsDone' | 'suspended' | 'forgetAt' | 'reachableSince' | 'impairedSince'
export type Status = Pick<Life, Known> & {
  reason?: Reason
  /** As EC2 words it: 'User initiated (2026-01-01 10:00:00 GMT)'. */
  transition: string
}
export type InstanceRow = Row<Spec, Status>

const CODES = { pending: 0, running: 16, 'shutting-down': 32, terminated: 48, stopping: 64, stopped: 80 } as const
export const stateOf = (state: Status['state']) => ({ Code: CODES[state], Name: state })

export const lifeOf = ({ spec, status }: InstanceRow): Life => ({ ...spec, ...status })

const volumeIds = ({ rootVolume, volumes = [] }: Spec): string[] => [...(rootVolume === undefined ? [] : [rootVolume]), ...volumes]

type InterfaceRow = Row<InterfaceSpec, InterfaceStatus>
export type Joined = { interfaces: Map<string, InterfaceRow>; volumes: Map<string, VolumeRow>; groupNames: Map<string, string> }

async function byId<R extends Row>(reader: Reader, kind: string, ids: string[]): Promise<Map<string, R>> {
  return new Map((await reader.getAll<R>(kind, [...new Set(ids)])).map(row => [row.id, row]))
}

async function join(reader: Reader, rows: InstanceRow[]): Promise<Joined> {
  if (rows.length === 0) return { interfaces: new Map(), volumes: new Map(), groupNames: new Map() }
  const interfaces = await byId<InterfaceRow>(reader, 'network-interface', rows.flatMap(r => r.spec.interfaces))
  const volumes = await byId<VolumeRow>(reader, 'volume', rows.flatMap(r => volumeIds(r.spec)))
  const groupIds = [...new Set([...interfaces.values()].flatMap(i => i.spec.groups))]
  const groups = await byId<Row<GroupSpec>>(reader, 'security-group', groupIds)
  return { interfaces, volumes, groupNames: new Map([...groups.values()].map(g => [g.id, g.spec.name])) }
}

function interfaceView(row: InterfaceRow, groups: (ids: string[]) => { GroupId: string; GroupName?: string }[]): InstanceNetworkInterface {
  const { spec, status } = row
  const addresses = spec.addresses.map(a => ({
    Primary: a.primary, PrivateIpAddress: a.private, Association: a.public && associationView(a.public, row),
  }))
  return {
    NetworkInterfaceId: row.id, SubnetId: spec.subnet, VpcId: spec.vpc, OwnerId: row.account, Description: spec.description,
    MacAddress: spec.mac, PrivateIpAddress: spec.addresses[0]!.private, PrivateIpAddresses: addresses,
    Ipv6Addresses: addresses6View(spec),
    Association: addresses[0]!.Association, SourceDestCheck: spec.sourceDestCheck, Status: status.state, InterfaceType: 'interface',
    Groups: groups(spec.groups),
    Attachment: spec.attachment && {
      AttachmentId: spec.attachment.id, DeviceIndex: spec.attachment.deviceIndex, DeleteOnTermination: spec.attachment.deleteOnTermination,
      AttachTime: new Date(spec.attachment.time), Status: spec.attachment.moving ?? 'attached', NetworkCardIndex: 0,
    },
  }
}

const associationView = (p: { address: string; allocation?: string }, row: Row) =>
  ({ PublicIp: p.address, PublicDnsName: publicName(row.region, p.address), IpOwnerId: p.allocation ? row.account : 'amazon' })

function mappingView(own: VolumeRow | undefined, instance: string): InstanceBlockDeviceMapping[] {
  const attachment = own && attachmentTo(own, instance)
  if (!attachment) return []
  const { device, time, deleteOnTermination } = attachment
  const state = attachmentState(own, attachment)
  return [{
    DeviceName: device,
    // There is no 'busy' among these (API Reference, EbsInstanceBlockDevice). A root volume is there when its instance is.
    Ebs: {
      VolumeId: own.id, Status: state === 'busy' ? 'detaching' : attachment.moving ? state : 'attached', AttachTime: new Date(time),
      DeleteOnTermination: deleteOnTermination,
    },
  }]
}

/** As the type says; an instance can't be given others. */
function cpuOptions({ type }: Spec): Instance['CpuOptions'] {
  const facts = find(type)
  return facts && { CoreCount: facts.row[1] / facts.family.threadsPerCore, ThreadsPerCore: facts.family.threadsPerCore }
}

function view(row: InstanceRow, joined: Joined): Instance {
  const { spec, status } = row
  const gone = status.state === 'terminated'
  const groups = (ids: string[]) => ids.map(id => ({ GroupId: id, GroupName: joined.groupNames.get(id) }))
  const own = spec.interfaces.map(id => joined.interfaces.get(id)).filter(i => i?.spec.attachment?.instance === row.id) as InterfaceRow[]
  const primary = own[0]
  const address = primary?.spec.addresses[0]
  return {
    InstanceId: row.id, ImageId: spec.image, InstanceType: spec.type as Instance['InstanceType'], State: stateOf(status.state),
    StateTransitionReason: status.transition, StateReason: status.reason && { Code: status.reason.code, Message: status.reason.message },
    PrivateDnsName: gone ? '' : spec.privateDnsName, PublicDnsName: address?.public ? publicName(row.region, address.public.address) : '',
    PrivateIpAddress: address?.private, PublicIpAddress: address?.public?.address, Ipv6Address: primary?.spec.addresses6?.[0],
    KeyName: spec.keyName, AmiLaunchIndex: spec.launchIndex, ProductCodes: [], LaunchTime: new Date(spec.launchTime),
    Placement: { AvailabilityZone: spec.zone, GroupName: '', Tenancy: 'default' },
    Monitoring: { State: spec.detailedMonitoring ? 'enabled' : 'disabled' },
    SubnetId: gone ? undefined : spec.subnet, VpcId: gone ? undefined : spec.vpc,
    Architecture: spec.architecture, RootDeviceType: 'ebs', RootDeviceName: spec.rootDevice, VirtualizationType: 'hvm', Hypervisor: 'xen',
    BlockDeviceMappings: volumeIds(spec).flatMap(id => mappingView(joined.volumes.get(id), row.id)),
    ClientToken: spec.clientToken ?? '', EbsOptimized: spec.ebsOptimized, EnaSupport: true,
    SecurityGroups: primary ? groups(primary.spec.groups) : [], SourceDestCheck: primary?.spec.sourceDestCheck,
    NetworkInterfaces: own.map(i => interfaceView(i, groups)), Tags: tagList(row.tags),
    CpuOptions: cpuOptions(spec),
    IamInstanceProfile: spec.profile && !gone ? { Arn: spec.profile.arn, Id: spec.profile.id } : undefined,
    CapacityReservationSpecification: { CapacityReservationPreference: 'open' }, HibernationOptions: { Configured: false },
    MetadataOptions: {
      State: 'applied', HttpTokens: spec.metadata.tokens, HttpPutResponseHopLimit: spec.metadata.hopLimit,
      HttpEndpoint: spec.metadata.endpoint, HttpProtocolIpv6: 'disabled', InstanceMetadataTags: spec.metadata.tags,
    },
    EnclaveOptions: { Enabled: false }, PlatformDetails: 'Linux/UNIX', UsageOperation: 'RunInstances',
    UsageOperationUpdateTime: new Date(row.created),
    PrivateDnsNameOptions: {
      HostnameType: spec.hostnameType, EnableResourceNameDnsARecord: spec.resourceNameRecord ?? false, EnableResourceNameDnsAAAARecord: false,
    },
    MaintenanceOptions: { AutoRecovery: spec.autoRecovery }, CurrentInstanceBootMode: 'legacy-bios',
  }
}

export const instance = resource<Spec, Status, Instance, Joined>({
  kind: 'instance', prefix: 'i', label: 'instance ID', missing: 'InvalidInstanceID.NotFound', malformed: 'InvalidInstanceID.Malformed',
  join, view, filters,
})
