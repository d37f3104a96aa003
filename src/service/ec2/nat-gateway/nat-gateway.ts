/**
 * A NAT gateway: what it is. Its place in the VPC is an interface of its own that its owner can see and not manage
 * (network-interface.ts: `manager`); on the host, a translator stands behind that interface's port.
 *
 * Invariants: a pending or available gateway has its interface, with the addresses that are kept here too, as they are shown when it is
 * gone; one that failed never had one. A deleted or failed gateway is shown for about an hour (VPC User Guide, "Delete a NAT gateway").
 */
import { resource, tagList } from '#kit/resource'
import { zoneId } from '#service/ec2/region/region'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** A gateway that failed never got private ones. */
export type NatAddress = { private?: string; public?: string; allocation?: string; association?: string }
export type Spec = {
  vpc: string
  subnet: string
  zone: string
  connectivity: 'public' | 'private'
  interface?: string
  /** The first is the primary one. */
  addresses: NatAddress[]
  /** Why it can't be: AWS says so of a gateway, not of the request (VPC User Guide, "NAT gateway creation fails"). */
  failure?: { code: string; message: string }
  desired: 'present' | 'absent'
}
export type Status = {
  state: 'pending' | 'available' | 'deleting' | 'deleted' | 'failed'
  /** ISO 8601: since when it is deleted or failed. */
  ended?: string
}
export type NatGatewayRow = Row<Spec, Status>

/** A private address of a public gateway is translated once more, by the gateway's Elastic IP. */
function addressView({ spec, status }: NatGatewayRow, address: NatAddress, i: number): sdk.NatGatewayAddress {
  return {
    NetworkInterfaceId: spec.interface,
    PrivateIp: address.private,
    PublicIp: address.public,
    AllocationId: address.allocation,
    AssociationId: status.state === 'deleted' ? undefined : address.association,
    IsPrimary: i === 0,
    Status: status.state === 'failed' ? 'failed' : status.state === 'pending' ? 'associating' : 'succeeded',
    AvailabilityZone: spec.zone,
    AvailabilityZoneId: zoneId(spec.zone),
  }
}

export const natGateway = resource<Spec, Status, sdk.NatGateway>({
  kind: 'natgateway', prefix: 'nat', label: 'NAT gateway', missing: 'NatGatewayNotFound', malformed: 'NatGatewayMalformed',
  view(row) {
    const { id, created, spec, status, tags } = row
    return {
      NatGatewayId: id,
      VpcId: spec.vpc,
      SubnetId: spec.subnet,
      State: status.state,
      ConnectivityType: spec.connectivity,
      AvailabilityMode: 'zonal',
      CreateTime: new Date(created),
      DeleteTime: status.ended === undefined ? undefined : new Date(status.ended),
      FailureCode: status.state === 'failed' ? spec.failure?.code : undefined,
      FailureMessage: status.state === 'failed' ? spec.failure?.message : undefined,
      NatGatewayAddresses: spec.addresses.map((address, i) => addressView(row, address, i)),
      Tags: tagList(tags),
    }
  },
  filters: {
    'nat-gateway-id': 'NatGatewayId',
    'state': 'State',
    'subnet-id': 'SubnetId',
    'vpc-id': 'VpcId',
  },
})

/** Whether packets that are sent to it go anywhere. */
export const isThere = ({ status }: NatGatewayRow): boolean => status.state === 'pending' || status.state === 'available'
