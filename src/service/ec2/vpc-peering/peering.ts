/**
 * A VPC peering connection: what it is. Its record is the requester's; the accepter sees it too (`visiblePeerings`).
 *
 * Invariants: two VPCs have at most one that is provisioning or active; once it has ended it never begins again, and is shown for a
 * while (VPC Peering Guide, "VPC peering connection lifecycle").
 */
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import type { VpcRow } from '#service/ec2/vpc/vpc'
import type { Reader, Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Side = {
  account: string
  region: string
  vpc: string
  /** Whether public names of this side's instances mean their private addresses to the other side. */
  remoteDns: boolean
}
export type Spec = { requester: Side; accepter: Side }
export type Status = {
  state: 'pending-acceptance' | 'provisioning' | 'active' | 'failed' | 'rejected' | 'expired' | 'deleted'
  message: string
  /** ISO 8601: when a request expires, or when one that has ended is forgotten. */
  until?: string
}
export type PeeringRow = Row<Spec, Status>

export const sidesOf = ({ spec }: PeeringRow): [Side, Side] => [spec.requester, spec.accepter]
const isAt = (side: Side, { account, region }: Place): boolean => side.account === account && side.region === region

/** Whether packets pass by it. */
export const isLinked = ({ status }: PeeringRow): boolean => status.state === 'provisioning' || status.state === 'active'

type Vpcs = Map<string, VpcRow>

/** "CIDR block information is only returned when describing an active VPC peering connection" of the accepter's (API Reference). */
function sideView(side: Side, { status }: PeeringRow, vpcs: Vpcs, isRequester: boolean): sdk.VpcPeeringConnectionVpcInfo {
  const shown = isRequester || status.state === 'active' ? vpcs.get(side.vpc)?.spec : undefined
  const [cidrs, cidrs6] = [shown?.cidrs ?? [], shown?.cidrs6 ?? []].map(blocks => blocks.map(({ cidr }) => cidr)) as [string[], string[]]
  return {
    OwnerId: side.account,
    VpcId: side.vpc,
    Region: side.region,
    ...(cidrs.length > 0 && { CidrBlock: cidrs[0], CidrBlockSet: cidrs.map(CidrBlock => ({ CidrBlock })) }),
    ...(cidrs6.length > 0 && { Ipv6CidrBlockSet: cidrs6.map(Ipv6CidrBlock => ({ Ipv6CidrBlock })) }),
    ...(status.state === 'active' && {
      PeeringOptions: {
        AllowDnsResolutionFromRemoteVpc: side.remoteDns,
        AllowEgressFromLocalClassicLinkToRemoteVpc: false,
        AllowEgressFromLocalVpcToRemoteClassicLink: false,
      },
    }),
  }
}

export const peering = resource<Spec, Status, sdk.VpcPeeringConnection, Vpcs>({
  kind: 'vpc-peering-connection', prefix: 'pcx', label: 'vpcPeeringConnection ID',
  missing: 'InvalidVpcPeeringConnectionID.NotFound', malformed: 'InvalidVpcPeeringConnectionId.Malformed',
  join: async reader => new Map((await reader.list<VpcRow>({ kind: 'vpc' })).map(row => [row.id, row])),
  view(row, vpcs) {
    const { id, spec, status, tags } = row
    return {
      VpcPeeringConnectionId: id,
      RequesterVpcInfo: sideView(spec.requester, row, vpcs, true),
      AccepterVpcInfo: sideView(spec.accepter, row, vpcs, false),
      Status: { Code: status.state, Message: status.message },
      ExpirationTime: status.state === 'pending-acceptance' ? new Date(status.until!) : undefined,
      Tags: tagList(tags),
    }
  },
  filters: {
    'accepter-vpc-info.cidr-block': 'AccepterVpcInfo.CidrBlockSet.CidrBlock',
    'accepter-vpc-info.owner-id': 'AccepterVpcInfo.OwnerId',
    'accepter-vpc-info.vpc-id': 'AccepterVpcInfo.VpcId',
    'expiration-time': 'ExpirationTime',
    'requester-vpc-info.cidr-block': 'RequesterVpcInfo.CidrBlockSet.CidrBlock',
    'requester-vpc-info.owner-id': 'RequesterVpcInfo.OwnerId',
    'requester-vpc-info.vpc-id': 'RequesterVpcInfo.VpcId',
    'status-code': 'Status.Code',
    'status-message': 'Status.Message',
    'vpc-peering-connection-id': 'VpcPeeringConnectionId',
  },
})

/** Those of which the place has a side, in the order of ids. */
export const visiblePeerings = async (reader: Reader, place: Place): Promise<PeeringRow[]> =>
  (await peering.everywhere(reader)).filter(row => sidesOf(row).some(side => isAt(side, place)))

/** One of which the place has a side, or AWS's error. */
export async function getPeering(reader: Reader, place: Place, id: string): Promise<PeeringRow> {
  peering.checkId(id)
  const row = await peering.find(reader, id)
  if (row && sidesOf(row).some(side => isAt(side, place))) return row
  throw new ApiError(peering.missing, `The ${peering.label} '${id}' does not exist`)
}

/** The other side of each link that a VPC has now. */
export async function peersOf(reader: Reader, vpc: string): Promise<{ id: string; other: Side }[]> {
  const rows = (await peering.everywhere(reader)).filter(isLinked)
  return rows.flatMap(row => sidesOf(row).flatMap((side, i, sides) => (side.vpc === vpc ? [{ id: row.id, other: sides[1 - i]! }] : [])))
}
