/** What the page of a launch template says, and what a launch by a template is asked for. Pure. */
import { utf8, type Input, type Preview } from '../api/preview.ts'
import type { Launch, Volume } from './launch-state.ts'

/** A version's data, in AWS's words. */
export type Data = Record<string, any>
/** The version that a launch goes by. */
export type Source = { id: string; version: string; data: Data }

export type Template = {
  name: string
  words: string
  /** The template that becomes a new version; absent for a new template. */
  of?: string
  launch: Launch
  /** Whether the root volume is other than the AMI says. */
  root: boolean
  /** What it began with: members that the page does not show go along. */
  from?: Data
}

const volumeOf = ({ Ebs = {} }: Data): Volume => ({
  size: String(Ebs.VolumeSize ?? ''),
  type: Ebs.VolumeType ?? 'gp3',
  iops: String(Ebs.Iops ?? ''),
  throughput: String(Ebs.Throughput ?? ''),
  snapshot: Ebs.SnapshotId ?? '',
  deleted: Ebs.DeleteOnTermination ?? true,
})

const tagsOf = (data: Data): { Key: string; Value: string }[] =>
  data.TagSpecifications?.find((one: Data) => one.ResourceType === 'instance')?.Tags ?? []

const given = <T extends object>(part: T): Partial<T> =>
  Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as Partial<T>

/** What a version says, as a launch page has it; nothing of what it does not say. The root device is the AMI's to tell. */
export function launchOf(data: Data, rootDevice: string): Partial<Launch> {
  const port = data.NetworkInterfaces?.[0]
  const tags = tagsOf(data)
  const mappings: Data[] = data.BlockDeviceMappings ?? []
  const root = mappings.find(one => one.DeviceName === rootDevice)
  const groups = port?.Groups ?? data.SecurityGroupIds
  const { MetadataOptions: metadata = {} } = data
  return given({
    image: data.ImageId,
    type: data.InstanceType,
    key: data.KeyName,
    subnet: port?.SubnetId,
    privateIp: port?.PrivateIpAddress,
    nicDescription: port?.Description,
    publicIp: port?.AssociatePublicIpAddress === undefined ? undefined : (String(port.AssociatePublicIpAddress) as 'true'),
    group: groups && ('existing' as const),
    groups,
    name: tags.find(tag => tag.Key === 'Name')?.Value,
    tags: tags.length > 0 ? tags.filter(tag => tag.Key !== 'Name').map(({ Key: key, Value: value }) => ({ key, value })) : undefined,
    root: root && volumeOf(root),
    volumes: mappings.length > 0 ? mappings.filter(one => one !== root && one.Ebs).map(volumeOf) : undefined,
    hostname: data.PrivateDnsNameOptions?.HostnameType,
    shutdown: data.InstanceInitiatedShutdownBehavior,
    protect: data.DisableApiTermination,
    protectStop: data.DisableApiStop,
    monitoring: data.Monitoring?.Enabled,
    credits: data.CreditSpecification?.CpuCredits,
    profile: data.IamInstanceProfile?.Name ?? data.IamInstanceProfile?.Arn?.split('/').pop(),
    tokens: metadata.HttpTokens,
    endpoint: metadata.HttpEndpoint && metadata.HttpEndpoint !== 'disabled',
    hops: metadata.HttpPutResponseHopLimit && String(metadata.HttpPutResponseHopLimit),
    metadataTags: metadata.InstanceMetadataTags && metadata.InstanceMetadataTags === 'enabled',
    userData: data.UserData && utf8(data.UserData),
  })
}

/** What another template may say of an instance that is there: all but what it alone can have (User Guide, "Create a launch template"). */
export function withoutAddresses(data: Data): Data {
  const own = ['NetworkInterfaceId', 'PrivateIpAddress', 'PrivateIpAddresses', 'Ipv6Addresses']
  const free = (port: Data): Data => Object.fromEntries(Object.entries(port).filter(([name]) => !own.includes(name)))
  return { ...data, NetworkInterfaces: data.NetworkInterfaces?.map(free) }
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || (typeof value === 'object' && value !== null && Object.values(value).every(isEmpty))
const bare = (data: Data): Data =>
  JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(data).filter(([, value]) => !isEmpty(value))))) as Data

/** Members of data that the page shows. */
const SHOWN = [
  'ImageId',
  'InstanceType',
  'KeyName',
  'NetworkInterfaces',
  'SecurityGroupIds',
  'BlockDeviceMappings',
  'TagSpecifications',
  'MetadataOptions',
  'InstanceInitiatedShutdownBehavior',
  'DisableApiTermination',
  'DisableApiStop',
  'Monitoring',
  'CreditSpecification',
  'IamInstanceProfile',
  'PrivateDnsNameOptions',
  'UserData',
]
export const notShown = (data: Data = {}): string[] => Object.keys(data).filter(name => !SHOWN.includes(name))

/** What the page shows of an interface, and so says whole. */
const OF_PORT = ['SubnetId', 'PrivateIpAddress', 'Description', 'AssociatePublicIpAddress', 'Groups']

/** Interfaces with what the page does not show of them, and those that it does not show. */
function portsOver(ports: Data[] | undefined, [first = {}, ...others]: Data[] = []): Data[] | undefined {
  const kept = Object.fromEntries(Object.entries(first).filter(([name]) => !OF_PORT.includes(name)))
  return ports && [{ ...kept, ...ports[0] }, ...others]
}

/** The data of a version: what a launch by the same settings says (`run`), without what the page leaves out. */
export function dataOf({ launch: s, root, from = {} }: Template, run: Data): Data {
  const { MinCount: _, MaxCount: __, BlockDeviceMappings = [], SubnetId, PrivateIpAddress, SecurityGroupIds, NetworkInterfaces, ...rest } = run
  // A template says a subnet and an address by an interface alone; so it says the groups there, too (API Reference, RequestLaunchTemplateData).
  const port = { DeviceIndex: 0, SubnetId, PrivateIpAddress, Groups: SecurityGroupIds }
  const ports: Data[] | undefined = NetworkInterfaces ?? (SubnetId || PrivateIpAddress || from.NetworkInterfaces ? [port] : undefined)
  return bare({
    ...Object.fromEntries(notShown(from).map(name => [name, from[name]])),
    ...rest,
    ImageId: s.image || undefined,
    InstanceType: s.type || undefined,
    NetworkInterfaces: portsOver(ports?.map(bare), from.NetworkInterfaces),
    SecurityGroupIds: ports ? undefined : SecurityGroupIds,
    InstanceInitiatedShutdownBehavior: s.shutdown || undefined,
    BlockDeviceMappings: root ? BlockDeviceMappings : (BlockDeviceMappings as Data[]).slice(1),
    MetadataOptions: {
      HttpTokens: s.tokens || undefined,
      HttpEndpoint: s.endpoint ? undefined : 'disabled',
      HttpPutResponseHopLimit: s.hops === '' ? undefined : Number(s.hops),
      InstanceMetadataTags: s.metadataTags ? 'enabled' : undefined,
    },
  })
}

/** The call that makes the template, or a version of the one that is there. */
export function callOf(template: Template, run: Data): Preview {
  const LaunchTemplateData = dataOf(template, run)
  const VersionDescription = template.words || undefined
  const input = template.of
    ? { LaunchTemplateId: template.of, VersionDescription, LaunchTemplateData }
    : { LaunchTemplateName: template.name, VersionDescription, LaunchTemplateData }
  const operation = template.of ? 'CreateLaunchTemplateVersion' : 'CreateLaunchTemplate'
  return { service: 'ec2', operation, input: JSON.parse(JSON.stringify(input)) as Input }
}

const NETWORK = ['SubnetId', 'PrivateIpAddress', 'SecurityGroupIds', 'NetworkInterfaces']

/** Whether all that is said here is said there already: lists' items each by another's. */
function isIn(value: unknown, there: unknown): boolean {
  if (Array.isArray(value)) return Array.isArray(there) && value.every(item => there.some(other => isIn(item, other)))
  if (typeof value !== 'object' || value === null) return value === there
  return typeof there === 'object' && there !== null && Object.entries(value).every(([name, inner]) => isIn(inner, (there as Data)[name]))
}

/** The primary interface, however it is said. */
function portOf({ NetworkInterfaces, SubnetId, PrivateIpAddress, SecurityGroupIds }: Data): Data {
  const { Groups = SecurityGroupIds, DeviceIndex: _, ...port }: Data = NetworkInterfaces?.[0] ?? { SubnetId, PrivateIpAddress }
  return bare({ ...port, Groups })
}

/**
 * A launch by a template: of `run`, what the page says, that which the template does not say already. Where the template has interfaces the network
 * is said by an interface too, as AWS refuses both at once.
 */
export function overTemplate({ id, version, data }: Source, run: Data): Data {
  const isSaid = ([name, value]: [string, unknown]): boolean => name in data && isIn(value, data[name])
  const rest = Object.fromEntries(Object.entries(run).filter(one => !NETWORK.includes(one[0]) && !isSaid(one)))
  const network = Object.fromEntries(Object.entries(run).filter(([name]) => NETWORK.includes(name)))
  const port = portOf(run)
  const said = isIn(port, portOf(data)) ? {} : data.NetworkInterfaces ? { NetworkInterfaces: [{ DeviceIndex: 0, ...port }] } : network
  return { LaunchTemplate: { LaunchTemplateId: id, Version: version }, ...rest, ...said }
}
