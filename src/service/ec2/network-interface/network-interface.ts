/**
 * An elastic network interface: what it is. Its device on the host is a port of the VPC's network (vpc/compile.ts).
 *
 * Invariants: there is one primary address, the first; each private address is claimed in its subnet's scope, each public one
 * in 'public-address', the index in 'port-index', the fabric address in `${vpc}/fabric`, all by this row, so that they are
 * free again when it goes.
 */
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { ipName, publicName, type HostnameType } from '#service/ec2/network-interface/names'
import { zoneId } from '#service/ec2/region/region'
import type { SecurityGroupRow } from '#service/ec2/security-group/security-group'
import type { VpcRow } from '#service/ec2/vpc/vpc'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Attachment = {
  id: string
  instance: string
  deviceIndex: number
  deleteOnTermination: boolean
  /** ISO 8601. */
  time: string
  /** Peak bandwidth of the instance's type; an attachment from before there were limits has none until its instance's type changes. */
  bandwidthGbps?: number
  /** Asked for, and not yet seen on the machine. Launched ones come with it. */
  moving?: 'attaching' | 'detaching'
}
export type Address = {
  private: string
  primary: boolean
  /** The public address in front of it: Amazon's own until the instance stops, or an Elastic IP (`allocation`). */
  public?: { address: string; allocation?: string; association?: string }
}
export type Spec = {
  vpc: string
  subnet: string
  zone: string
  /** The engine's number for the port. */
  index: number
  mac: string
  fabric: string
  addresses: Address[]
  /** IPv6 addresses, the first of which DHCP hands out; each claimed in its subnet's scope. */
  addresses6?: string[]
  groups: string[]
  description: string
  sourceDestCheck: boolean
  /** IP time-to-live of metadata answers; the instance's HttpPutResponseHopLimit. */
  metadataHopLimit: number
  /** What the guest is called: after its address, or after its instance. */
  hostnameType: HostnameType
  attachment?: Attachment
  /** The NAT gateway or interface endpoint that it is a part of: its account sees it and can't manage it. */
  manager?: string
}
export type Status = { state: 'available' | 'in-use' }
export type InterfaceRow = Row<Spec, Status>

type Joined = { groups: Map<string, string>; named: Set<string> }

type Owner = Pick<InterfaceRow, 'account' | 'region'>
const association = ({ account, region }: Owner, { public: outside }: Address, named: boolean) => outside && {
  PublicIp: outside.address,
  PublicDnsName: named ? publicName(region, outside.address) : '',
  // Amazon owns the addresses that it gives by itself, the account its Elastic ones.
  IpOwnerId: outside.allocation === undefined ? 'amazon' : account,
  AllocationId: outside.allocation,
  AssociationId: outside.association,
}

/** An interface's attachment, also as DescribeNetworkInterfaceAttribute shows it. */
export const attachmentView = ({ account, spec }: InterfaceRow): sdk.NetworkInterfaceAttachment | undefined => spec.attachment && {
  AttachmentId: spec.attachment.id,
  AttachTime: new Date(spec.attachment.time),
  DeleteOnTermination: spec.attachment.deleteOnTermination,
  DeviceIndex: spec.attachment.deviceIndex,
  NetworkCardIndex: 0,
  InstanceId: spec.attachment.instance,
  InstanceOwnerId: account,
  Status: spec.attachment.moving ?? 'attached',
}

/** Whether what manages an interface is an endpoint. */
export const isEndpoints = (manager: string): boolean => manager.startsWith('vpce-')
const typeOf = ({ manager }: Spec): string => (manager === undefined ? 'interface' : isEndpoints(manager) ? 'vpc_endpoint' : 'nat_gateway')

/** Throws AWS's error where an interface is part of something else, which alone may change it (terraform-provider-aws#3572). */
export function refuseManaged({ spec }: InterfaceRow): void {
  if (spec.manager !== undefined) throw new ApiError('AuthFailure', 'You do not have permission to access the specified resource.')
}

/** IPv6 addresses as AWS shows them, of instances too. */
export const addresses6View = ({ addresses6 = [] }: Pick<Spec, 'addresses6'>): { Ipv6Address: string; IsPrimaryIpv6: boolean }[] =>
  addresses6.map(Ipv6Address => ({ Ipv6Address, IsPrimaryIpv6: false }))

export const networkInterface = resource<Spec, Status, sdk.NetworkInterface, Joined>({
  kind: 'network-interface', prefix: 'eni', label: 'networkInterface ID',
  missing: 'InvalidNetworkInterfaceID.NotFound', malformed: 'InvalidNetworkInterfaceId.Malformed',
  async join(reader, [first]) {
    const at = { account: first?.account ?? '', region: first?.region ?? '' }
    const groups = await reader.list<SecurityGroupRow>({ kind: 'security-group', ...at })
    const vpcs = await reader.list<VpcRow>({ kind: 'vpc', ...at })
    return {
      groups: new Map(groups.map(row => [row.id, row.spec.name])),
      named: new Set(vpcs.filter(row => row.spec.dnsHostnames && row.spec.dnsSupport).map(row => row.id)),
    }
  },
  view(row, { groups, named }) {
    const { id, account, region, spec, status, tags } = row
    const hasNames = named.has(spec.vpc)
    const addresses = spec.addresses.map(address => ({
      PrivateIpAddress: address.private,
      PrivateDnsName: hasNames ? ipName(region, address.private) : undefined,
      Primary: address.primary,
      Association: association(row, address, hasNames),
    }))
    const [primary] = addresses
    return {
      NetworkInterfaceId: id,
      OwnerId: account,
      Status: status.state,
      // Not the word of the SDK's type, but the one that AWS sends (API Reference, DescribeNetworkInterfaces, interface-type).
      InterfaceType: typeOf(spec) as sdk.NetworkInterfaceType,
      Description: spec.description,
      AvailabilityZone: spec.zone,
      AvailabilityZoneId: zoneId(spec.zone),
      VpcId: spec.vpc,
      SubnetId: spec.subnet,
      MacAddress: spec.mac,
      PrivateIpAddress: primary?.PrivateIpAddress,
      PrivateDnsName: primary?.PrivateDnsName,
      PublicDnsName: primary?.Association?.PublicDnsName,
      PrivateIpAddresses: addresses,
      Association: primary?.Association,
      Attachment: attachmentView(row),
      Groups: spec.groups.map(GroupId => ({ GroupId, GroupName: groups.get(GroupId)! })),
      Ipv6Addresses: addresses6View(spec),
      SourceDestCheck: spec.sourceDestCheck,
      RequesterManaged: spec.manager !== undefined,
      Operator: { Managed: false },
      TagSet: tagList(tags),
    }
  },
  filters: {
    'addresses.association.owner-id': 'PrivateIpAddresses.Association.IpOwnerId',
    'addresses.association.public-ip': 'PrivateIpAddresses.Association.PublicIp',
    'addresses.primary': 'PrivateIpAddresses.Primary',
    'addresses.private-ip-address': 'PrivateIpAddresses.PrivateIpAddress',
    'association.allocation-id': 'Association.AllocationId',
    'association.association-id': 'Association.AssociationId',
    'association.ip-owner-id': 'Association.IpOwnerId',
    'association.public-dns-name': 'Association.PublicDnsName',
    'association.public-ip': 'Association.PublicIp',
    'attachment.attach-time': 'Attachment.AttachTime',
    'attachment.attachment-id': 'Attachment.AttachmentId',
    'attachment.delete-on-termination': 'Attachment.DeleteOnTermination',
    'attachment.device-index': 'Attachment.DeviceIndex',
    'attachment.instance-id': 'Attachment.InstanceId',
    'attachment.instance-owner-id': 'Attachment.InstanceOwnerId',
    'attachment.status': 'Attachment.Status',
    'availability-zone': 'AvailabilityZone',
    'availability-zone-id': 'AvailabilityZoneId',
    'description': 'Description',
    'group-id': 'Groups.GroupId',
    'group-name': 'Groups.GroupName',
    'interface-type': 'InterfaceType',
    'ipv6-addresses.ipv6-address': 'Ipv6Addresses.Ipv6Address',
    'mac-address': 'MacAddress',
    'network-interface-id': 'NetworkInterfaceId',
    'operator.managed': 'Operator.Managed',
    'operator.principal': 'Operator.Principal',
    'owner-id': 'OwnerId',
    'private-dns-name': 'PrivateDnsName',
    'private-ip-address': 'PrivateIpAddress',
    'requester-id': 'RequesterId',
    'requester-managed': 'RequesterManaged',
    'source-dest-check': 'SourceDestCheck',
    'status': 'Status',
    'subnet-id': 'SubnetId',
    'vpc-id': 'VpcId',
  },
})
