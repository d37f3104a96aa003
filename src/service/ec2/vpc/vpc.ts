/**
 * A VPC: what it is. Its network on the host exists only while the VPC has an interface (plan.ts).
 *
 * Invariants: `index` is claimed in scope 'network-index' as long as the row lives; a VPC always has one main route table;
 * at most one VPC of an account and region is its default (claim scope 'default-vpc'). A VPC that is wanted no more is nobody's at once;
 * its row stays until its network is gone, lest another network gets its index before.
 */
import type { Place } from '#kit/action'
import { resource, tagList } from '#kit/resource'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Block6 = { cidr: string; association: string }
export type Spec = {
  /** The engine's number for the network, 1 to 127. */
  index: number
  /** The first is the primary block. */
  cidrs: { cidr: string; association: string }[]
  /** IPv6 blocks, each claimed in scope 'ipv6-block'. */
  cidrs6?: Block6[]
  isDefault: boolean
  tenancy: 'default' | 'dedicated'
  /** Id of a set of DHCP options, or 'default' for none. */
  dhcpOptions: string
  /** The table of every subnet that has none of its own; the association's id is claimed in scope 'route-table-association'. */
  mainRouteTable: { id: string; association: string }
  dnsSupport: boolean
  dnsHostnames: boolean
  desired: 'present' | 'absent'
}
/** Who is the default VPC of an account in a region (key `account/region`). */
export const DEFAULT_VPC = 'default-vpc'
/** Scope of the ids by which blocks are associated; the VPC owns them. */
export const CIDR_ASSOCIATION = 'vpc-cidr-association'
export const placeKey = ({ account, region }: Place): string => `${account}/${region}`

export type Status = { state: 'pending' | 'available' }
export type VpcRow = Row<Spec, Status>

/** A VPC's IPv6 blocks, in the order of their association. */
export const blocks6 = ({ spec }: VpcRow): Block6[] => spec.cidrs6 ?? []

/** As AWS shows a block that it gave itself (API Reference, VpcIpv6CidrBlockAssociation). */
export const block6View = (
  { region }: Pick<VpcRow, 'region'>, { cidr, association }: Block6, State: sdk.VpcCidrBlockStateCode,
): sdk.VpcIpv6CidrBlockAssociation => ({
  AssociationId: association, Ipv6CidrBlock: cidr, Ipv6CidrBlockState: { State }, NetworkBorderGroup: region, Ipv6Pool: 'Amazon',
  Ipv6AddressAttribute: 'public', IpSource: 'amazon',
})

export const vpc = resource<Spec, Status, sdk.Vpc>({
  kind: 'vpc', prefix: 'vpc', label: 'vpc ID', missing: 'InvalidVpcID.NotFound', malformed: 'InvalidVpcID.Malformed',
  gone: ({ spec }) => spec.desired === 'absent',
  view: ({ id, account, region, spec, status, tags }) => ({
    VpcId: id,
    OwnerId: account,
    State: status.state,
    CidrBlock: spec.cidrs[0]!.cidr,
    CidrBlockAssociationSet: spec.cidrs.map(({ cidr, association }) => ({
      AssociationId: association, CidrBlock: cidr, CidrBlockState: { State: 'associated' },
    })),
    Ipv6CidrBlockAssociationSet: (spec.cidrs6 ?? []).map(block => block6View({ region }, block, 'associated')),
    DhcpOptionsId: spec.dhcpOptions,
    InstanceTenancy: spec.tenancy,
    IsDefault: spec.isDefault,
    BlockPublicAccessStates: { InternetGatewayBlockMode: 'off' },
    Tags: tagList(tags),
  }),
  filters: {
    'cidr': 'CidrBlock',
    'cidr-block': 'CidrBlock',
    'cidr-block-association.association-id': 'CidrBlockAssociationSet.AssociationId',
    'cidr-block-association.cidr-block': 'CidrBlockAssociationSet.CidrBlock',
    'cidr-block-association.state': 'CidrBlockAssociationSet.CidrBlockState.State',
    'dhcp-options-id': 'DhcpOptionsId',
    'ipv6-cidr-block-association.association-id': 'Ipv6CidrBlockAssociationSet.AssociationId',
    'ipv6-cidr-block-association.ipv6-cidr-block': 'Ipv6CidrBlockAssociationSet.Ipv6CidrBlock',
    'ipv6-cidr-block-association.ipv6-pool': 'Ipv6CidrBlockAssociationSet.Ipv6Pool',
    'ipv6-cidr-block-association.state': 'Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State',
    'is-default': 'IsDefault',
    'isDefault': 'IsDefault',
    'owner-id': 'OwnerId',
    'state': 'State',
    'vpc-id': 'VpcId',
  },
})
