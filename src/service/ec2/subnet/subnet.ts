/**
 * A subnet: what it is.
 *
 * Invariants: `index` is claimed in scope `${vpc}/subnet-index`; each address in use is claimed in scope `${id}/ip`; five
 * addresses are nobody's (VPC User Guide, "Subnet CIDR reservations": the first four and the last).
 */
import { parseCidr, size } from '#base/cidr'
import { resource, tagList } from '#kit/resource'
import type { HostnameType } from '#service/ec2/network-interface/names'
import { zoneId } from '#service/ec2/region/region'
import { ec2Arn } from '#service/ec2/vpc/arn'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Spec = {
  vpc: string
  /** The engine's number, 100 or more. */
  index: number
  zone: string
  cidr: string
  /** Its IPv6 block; the association's id is claimed in scope 'subnet-cidr-association'. */
  cidr6?: { cidr: string; association: string }
  /** Interfaces that are made in it get an IPv6 address unasked. */
  assignIpv6?: true
  mapPublicIp: boolean
  defaultForAz: boolean
  hostnameType: HostnameType
  /** Whether names made of instance ids resolve, for instances launched here. */
  resourceNameRecord: boolean
  /** Association ids are claimed in scope 'network-acl-association'. */
  networkAcl: { id: string; association: string }
  /** A table of its own; without one it has the VPC's main table. Claimed in scope 'route-table-association'. */
  routeTable?: { id: string; association: string }
}
export type Status = { state: 'pending' | 'available' }
export type SubnetRow = Row<Spec, Status>

export const RESERVED = { first: 4, last: 1 }
export const addressScope = (subnet: string): string => `${subnet}/ip`

/** Scope of a subnet's IPv6 addresses: they do not count among those that are free. */
export const addressScope6 = (subnet: string): string => `${subnet}/ip6`

export const association6View = (
  { cidr, association }: NonNullable<Spec['cidr6']>, State: sdk.SubnetCidrBlockStateCode,
): sdk.SubnetIpv6CidrBlockAssociation => ({
  AssociationId: association, Ipv6CidrBlock: cidr, Ipv6CidrBlockState: { State }, Ipv6AddressAttribute: 'public', IpSource: 'amazon',
})

export const subnet = resource<Spec, Status, sdk.Subnet, Map<string, number>>({
  kind: 'subnet', prefix: 'subnet', label: 'subnet ID', missing: 'InvalidSubnetID.NotFound', malformed: 'InvalidSubnetID.Malformed',
  async join(reader, rows) {
    const used = await Promise.all(rows.map(async row => [row.id, (await reader.claims(addressScope(row.id))).size] as const))
    return new Map(used)
  },
  view: ({ id, account, region, spec, status, tags }, used) => ({
    SubnetId: id,
    SubnetArn: ec2Arn('subnet', { account, region, id }),
    OwnerId: account,
    VpcId: spec.vpc,
    State: status.state,
    CidrBlock: spec.cidr,
    AvailabilityZone: spec.zone,
    AvailabilityZoneId: zoneId(spec.zone),
    AvailableIpAddressCount: size(parseCidr(spec.cidr)!) - RESERVED.first - RESERVED.last - used.get(id)!,
    DefaultForAz: spec.defaultForAz,
    MapPublicIpOnLaunch: spec.mapPublicIp,
    MapCustomerOwnedIpOnLaunch: false,
    AssignIpv6AddressOnCreation: spec.assignIpv6 ?? false,
    Ipv6CidrBlockAssociationSet: spec.cidr6 ? [association6View(spec.cidr6, 'associated')] : [],
    Ipv6Native: false,
    EnableDns64: false,
    PrivateDnsNameOptionsOnLaunch: {
      HostnameType: spec.hostnameType,
      EnableResourceNameDnsARecord: spec.resourceNameRecord,
      EnableResourceNameDnsAAAARecord: false,
    },
    BlockPublicAccessStates: { InternetGatewayBlockMode: 'off' },
    Tags: tagList(tags),
  }),
  filters: {
    'availability-zone': 'AvailabilityZone',
    'availabilityZone': 'AvailabilityZone',
    'availability-zone-id': 'AvailabilityZoneId',
    'availabilityZoneId': 'AvailabilityZoneId',
    'available-ip-address-count': 'AvailableIpAddressCount',
    'cidr': 'CidrBlock',
    'cidr-block': 'CidrBlock',
    'cidrBlock': 'CidrBlock',
    'customer-owned-ipv4-pool': 'CustomerOwnedIpv4Pool',
    'default-for-az': 'DefaultForAz',
    'defaultForAz': 'DefaultForAz',
    'enable-dns64': 'EnableDns64',
    'enable-lni-at-device-index': 'EnableLniAtDeviceIndex',
    'ipv6-cidr-block-association.association-id': 'Ipv6CidrBlockAssociationSet.AssociationId',
    'ipv6-cidr-block-association.ipv6-cidr-block': 'Ipv6CidrBlockAssociationSet.Ipv6CidrBlock',
    'ipv6-cidr-block-association.state': 'Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State',
    'ipv6-native': 'Ipv6Native',
    'map-customer-owned-ip-on-launch': 'MapCustomerOwnedIpOnLaunch',
    'map-public-ip-on-launch': 'MapPublicIpOnLaunch',
    'outpost-arn': 'OutpostArn',
    'owner-id': 'OwnerId',
    'private-dns-name-options-on-launch.enable-resource-name-dns-a-record': 'PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord',
    'private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record':
      'PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord',
    'private-dns-name-options-on-launch.hostname-type': 'PrivateDnsNameOptionsOnLaunch.HostnameType',
    'state': 'State',
    'subnet-arn': 'SubnetArn',
    'subnet-id': 'SubnetId',
    'vpc-id': 'VpcId',
  },
})
