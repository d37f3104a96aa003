/** Where a RunInstances request puts its instances: subnet, and each interface's groups and addresses. */
import type { InstanceNetworkInterfaceSpecification, Placement, RunInstancesRequest } from '@aws-sdk/client-ec2'
import type { Call, Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { findDefaultVpc } from '#service/ec2/vpc/prepare'
import { zonesOf } from '#service/ec2/context'
import { zoneId } from '#service/ec2/region/region'
import type { Limits as TypeLimits } from '#service/ec2/instance-type/instance-type'
import { checkDeviceIndex, inUse, tooManyAddresses } from '#service/ec2/network-interface/attach'
import { countOf, wanted6, type Wanted6 } from '#service/ec2/network-interface/ipv6'
import { networkInterface, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { securityGroup } from '#service/ec2/security-group/security-group'
import { subnet, type SubnetRow } from '#service/ec2/subnet/subnet'
import { vpc, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Reader } from '#store/store'

export type Port = {
  /** An interface that is there already; what else is said here is what it has. */
  existing?: InterfaceRow
  subnet: SubnetRow
  deviceIndex: number
  groups: string[] | undefined
  description: string
  privateIp: string | undefined
  /** Private addresses besides the primary: given ones, or how many. */
  secondary: string[] | number
  ipv6: Wanted6
  publicIp: boolean
  deleteOnTermination: boolean
}
export type Network = { vpc: VpcRow; subnet: SubnetRow; ports: Port[] }
type Limits = Pick<TypeLimits, 'maxInterfaces' | 'addressesPerInterface'>
type Launching = Call<RunInstancesRequest>

const conflict = (message: string) => new ApiError('InvalidParameterCombination', message)

/** Reads and checks the network of a launch; `count` instances will share it. */
export async function readNetwork(call: Launching, { count, limits }: { count: number; limits: Limits }): Promise<Network> {
  const { input } = call
  const specs = input.NetworkInterfaces ?? []
  if (specs.length === 0) return fromInstanceLevel(call, { count, limits })
  for (const [member, name] of [['SubnetId', 'subnet ID'], ['SecurityGroupIds', 'security groups'], ['SecurityGroups', 'security groups'],
    ['PrivateIpAddress', 'private IP address'], ['Ipv6Addresses', 'IPv6 addresses']] as const) {
    if (input[member]?.length) throw conflict(`Network interfaces and an instance-level ${name} may not be specified on the same request`)
  }
  if (input.Ipv6AddressCount !== undefined) {
    throw conflict('Network interfaces and an instance-level IPv6 address count may not be specified on the same request')
  }
  checkSpecs(specs, count, limits)
  const ports: Port[] = []
  const ordered = [...specs].sort((a, b) => (a.DeviceIndex ?? 0) - (b.DeviceIndex ?? 0))
  for (const spec of ordered) ports.push(await (spec.NetworkInterfaceId === undefined ? fromSpec : fromExisting)(call, spec, specs.length))
  if (ports.some(port => (port.existing?.spec.addresses.length ?? 0) > limits.addressesPerInterface)) throw tooManyAddresses()
  const home = await vpc.get(call.tx, call, ports[0]!.subnet.spec.vpc)
  const zone = ports[0]!.subnet.spec.zone
  if (ports.some(port => port.subnet.spec.vpc !== home.id)) throw conflict('All network interfaces must be in the same VPC.')
  if (ports.some(port => port.subnet.spec.zone !== zone)) throw conflict('All network interfaces must be in the same Availability Zone.')
  return { vpc: home, subnet: ports[0]!.subnet, ports }
}

async function fromInstanceLevel(call: Launching, { count, limits }: { count: number; limits: Limits }): Promise<Network> {
  const { input } = call
  if (input.Ipv6Addresses?.length && count > 1) throw conflict('IPv6 addresses can be given to a single instance only.')
  if (input.PrivateIpAddress !== undefined && count > 1) throw conflict('A private IP address can be given to a single instance only.')
  const chosen = await chooseSubnet(call.tx, call, input)
  const home = await vpc.get(call.tx, call, chosen.spec.vpc)
  const groups = [...input.SecurityGroupIds ?? [], ...await groupsByName(call.tx, home, input.SecurityGroups ?? [])]
  const port: Port = {
    subnet: chosen, deviceIndex: 0, groups: groups.length > 0 ? [...new Set(groups)] : undefined, description: '',
    privateIp: input.PrivateIpAddress, secondary: 0, ipv6: wanted6(input), publicIp: chosen.spec.mapPublicIp, deleteOnTermination: true,
  }
  if (countOf(port.ipv6) > limits.addressesPerInterface) throw tooManyAddresses()
  return { vpc: home, subnet: chosen, ports: [port] }
}

/** Names are of the default VPC's groups only (EC2 API Reference, RunInstances, SecurityGroup.N). */
export async function groupsByName(reader: Reader, home: VpcRow, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return []
  if (!home.spec.isDefault) {
    throw conflict("The parameter groupName cannot be used with the parameter subnet: name security groups of a non-default VPC by id.")
  }
  const rows = (await securityGroup.list(reader, home)).filter(row => row.spec.vpc === home.id)
  return names.map(name => {
    const row = rows.find(r => r.spec.name === name || r.id === name)
    if (!row) throw new ApiError('InvalidGroup.NotFound', `The security group '${name}' does not exist in default VPC '${home.id}'`)
    return row.id
  })
}

/** The zone's name, whether it was asked for by name or by id. */
function chosenZone({ region }: Place, Placement: Placement = {}): string | undefined {
  const { AvailabilityZone: name, AvailabilityZoneId: id } = Placement
  if (name !== undefined && id !== undefined) throw conflict('An Availability Zone is given by its name or by its id, not by both.')
  const zone = id === undefined ? name : zonesOf(region).find(each => zoneId(each) === id) ?? id
  if (zone !== undefined && !zonesOf(region).includes(zone)) throw new ApiError('InvalidParameterValue', `Invalid availability zone: [${zone}]`)
  return zone
}

/** The subnet that a launch names, or the default one that it means. */
export async function chooseSubnet(reader: Reader, place: Place, { SubnetId: id, Placement }: Pick<RunInstancesRequest, 'SubnetId' | 'Placement'>) {
  const zone = chosenZone(place, Placement)
  if (id !== undefined) {
    const chosen = await subnet.get(reader, place, id)
    if (zone !== undefined && chosen.spec.zone !== zone) {
      throw new ApiError('InvalidParameterValue', `The subnet '${id}' is in ${chosen.spec.zone}, not in the Availability Zone '${zone}'.`)
    }
    return chosen
  }
  const home = await findDefaultVpc(reader, place)
  if (!home) throw new ApiError('VPCIdNotSpecified', 'No default VPC for this user')
  const own = (await subnet.list(reader, place)).filter(row => row.spec.vpc === home.id && row.spec.defaultForAz)
    .filter(row => zone === undefined || row.spec.zone === zone).sort((a, b) => (a.spec.zone < b.spec.zone ? -1 : 1))
  if (!own[0]) throw new ApiError('MissingInput', `No subnets found for the default VPC '${home.id}'. Please specify a subnet.`)
  return own[0]
}

function checkSpecs(specs: InstanceNetworkInterfaceSpecification[], count: number, limits: Limits): void {
  const indices = specs.map(spec => spec.DeviceIndex ?? 0)
  indices.forEach(checkDeviceIndex)
  if (new Set(indices).size !== indices.length) {
    throw new ApiError('InvalidParameterValue', 'Each network interface requires a unique device index.')
  }
  if (!indices.includes(0)) throw new ApiError('InvalidParameterValue', 'When specifying network interfaces, you must include a device at index 0.')
  const existing = specs.map(spec => spec.NetworkInterfaceId).filter(id => id !== undefined)
  const twice = existing.find((id, i) => existing.indexOf(id) !== i)
  if (twice) throw inUse(twice)
  if (specs.length > limits.maxInterfaces) {
    throw new ApiError('AttachmentLimitExceeded',
      `Interface count ${specs.length} exceeds the limit of ${limits.maxInterfaces} for this instance type`)
  }
  for (const spec of specs) {
    if (spec.Ipv6PrefixCount || spec.Ipv6Prefixes?.length || spec.Ipv4PrefixCount || spec.Ipv4Prefixes?.length) {
      throw new ApiError('UnsupportedOperation', 'Enclume does not implement address prefixes on network interfaces.')
    }
    const odd = (['PrimaryIpv6', 'AssociateCarrierIpAddress', 'NetworkCardIndex', 'EnaSrdSpecification', 'ConnectionTrackingSpecification',
      'EnaQueueCount'] as const).find(name => spec[name])
    if (odd) throw new ApiError('UnsupportedOperation', `Enclume does not implement ${odd} of network interfaces.`)
    if (spec.InterfaceType !== undefined && spec.InterfaceType !== 'interface') {
      throw new ApiError('UnsupportedOperation', `Enclume does not implement the interface type ${spec.InterfaceType}.`)
    }
    const addresses = 1 + (spec.SecondaryPrivateIpAddressCount ?? (spec.PrivateIpAddresses ?? []).filter(a => !a.Primary).length)
    if (Math.max(addresses, countOf(wanted6(spec))) > limits.addressesPerInterface) throw tooManyAddresses()
    if (spec.NetworkInterfaceId !== undefined && count > 1) throw conflict('A network interface can be given to a single instance only.')
    const named = spec.PrivateIpAddress !== undefined || (spec.PrivateIpAddresses ?? []).length > 0
    if (named && count > 1) throw conflict('Private IP addresses can be given to a single instance only.')
    if (spec.Ipv6Addresses?.length && count > 1) throw conflict('IPv6 addresses can be given to a single instance only.')
  }
}

async function fromSpec(call: Launching, spec: InstanceNetworkInterfaceSpecification, of: number): Promise<Port> {
  const chosen = await chooseSubnet(call.tx, call, { ...call.input, SubnetId: spec.SubnetId })
  const given = spec.PrivateIpAddresses ?? []
  const primary = spec.PrivateIpAddress ?? given.find(a => a.Primary)?.PrivateIpAddress
  // EC2 API Reference: AssociatePublicIpAddress is for a single interface at index 0.
  if (spec.AssociatePublicIpAddress !== undefined && of > 1) {
    throw conflict('The associatePublicIPAddress parameter cannot be specified when launching with multiple network interfaces.')
  }
  return {
    subnet: chosen, deviceIndex: spec.DeviceIndex ?? 0, groups: spec.Groups?.length ? spec.Groups : undefined,
    description: spec.Description ?? '', privateIp: primary,
    secondary: spec.SecondaryPrivateIpAddressCount
      ?? given.filter(a => !a.Primary && a.PrivateIpAddress !== primary).map(a => a.PrivateIpAddress ?? ''),
    ipv6: wanted6(spec),
    publicIp: spec.AssociatePublicIpAddress ?? (of === 1 && chosen.spec.mapPublicIp),
    deleteOnTermination: spec.DeleteOnTermination ?? true,
  }
}

/** Members that say what an interface shall be: one that is there already has all that. */
const ofNew = [
  'SubnetId', 'Groups', 'Description', 'PrivateIpAddress', 'PrivateIpAddresses', 'SecondaryPrivateIpAddressCount', 'AssociatePublicIpAddress',
  'Ipv6AddressCount', 'Ipv6Addresses',
] as const

async function fromExisting(call: Launching, spec: InstanceNetworkInterfaceSpecification): Promise<Port> {
  const existing = await networkInterface.get(call.tx, call, spec.NetworkInterfaceId!)
  const other = ofNew.find(name => spec[name] !== undefined && !(Array.isArray(spec[name]) && spec[name].length === 0))
  if (other) throw conflict(`A network interface may not specify both a network interface ID and ${other}`)
  if (spec.DeleteOnTermination) { // Text seen on AWS in hashicorp/terraform#12933.
    throw conflict('A network interface may not specify a network interface ID and delete on termination as true')
  }
  if (existing.spec.attachment) throw inUse(existing.id)
  return {
    existing, subnet: await subnet.get(call.tx, call, existing.spec.subnet), deviceIndex: spec.DeviceIndex ?? 0,
    groups: existing.spec.groups, description: existing.spec.description, privateIp: undefined, secondary: 0, ipv6: undefined, publicIp: false,
    deleteOnTermination: false,
  }
}
