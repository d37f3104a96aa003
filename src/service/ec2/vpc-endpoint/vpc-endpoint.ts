/**
 * A VPC endpoint: a way from subnets of a VPC to a service without internet. A gateway endpoint (there are those for S3) is a route, an
 * interface endpoint an address in each of its subnets at which the service answers.
 *
 * Invariants: a route to the service's prefix list is in a table because an endpoint names the table, and in no other way; a table is
 * named by one endpoint for a service at most (claimed in scope `vpc-endpoint-route`). An interface of an endpoint is in use by it alone, and
 * goes before its record. A service's own name means one endpoint of a VPC at most (claimed in scope `vpc-private-name`).
 */
import { resource, tagList } from '#kit/resource'
import type { SecurityGroupRow } from '#service/ec2/security-group/security-group'
import { endpointNames, privateNames } from '#service/ec2/vpc-endpoint/names'
import { isS3, written } from '#service/ec2/vpc-endpoint/services'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** What an interface endpoint has besides. */
export type Inside = {
  interfaces: { id: string; subnet: string; zone: string }[]
  groups: string[]
  privateDns: boolean
  /** S3's: private names are for who asks from outside of the VPC; who is inside has the gateway endpoint. */
  inboundOnly?: boolean
  desired: 'present' | 'absent'
}
export type Spec = {
  vpc: string
  service: string
  routeTables: string[]
  /** The document as it was given; the default policy where there is none. */
  policy?: string
  /** Absent: a gateway endpoint. */
  inside?: Inside
}
/** Of an interface endpoint; a gateway endpoint is available as soon as it is there. */
export type Status = { state?: 'pending' | 'available' }
export type VpcEndpointRow = Row<Spec, Status>

export const ROUTE_SCOPE = 'vpc-endpoint-route'
export const NAME_SCOPE = 'vpc-private-name'

/** What an endpoint lets through where nobody says otherwise (PrivateLink Guide, "Default endpoint policy"). */
export const FULL_ACCESS = JSON.stringify({
  Version: '2008-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
})

export const policyOfEndpoint = ({ spec }: VpcEndpointRow): string => spec.policy ?? FULL_ACCESS

/** An endpoint is named in no hosted zone that a caller could ask about: there are none here, so entries have no zone's id. */
function dnsEntries(row: VpcEndpointRow, { interfaces, privateDns }: Inside): sdk.DnsEntry[] {
  const { all, zonal } = endpointNames(row, interfaces.map(({ zone }) => zone).sort())
  const own = privateDns ? privateNames(row).flatMap(written) : []
  return [all, ...zonal.map(({ name }) => name), ...own].map(DnsName => ({ DnsName }))
}

const insideView = (row: VpcEndpointRow, inside: Inside, groups: Map<string, string>) => ({
  SubnetIds: inside.interfaces.map(({ subnet }) => subnet),
  Groups: inside.groups.map(GroupId => ({ GroupId, GroupName: groups.get(GroupId) })),
  IpAddressType: 'ipv4' as const,
  DnsOptions: {
    DnsRecordIpType: 'ipv4' as const,
    ...(isS3(row) && { PrivateDnsOnlyForInboundResolverEndpoint: inside.inboundOnly ?? false }),
  },
  PrivateDnsEnabled: inside.privateDns,
  NetworkInterfaceIds: inside.interfaces.map(({ id }) => id),
  DnsEntries: dnsEntries(row, inside),
})

export const vpcEndpoint = resource<Spec, Status, sdk.VpcEndpoint, Map<string, string>>({
  kind: 'vpc-endpoint', prefix: 'vpce', label: 'Vpc Endpoint Id',
  missing: 'InvalidVpcEndpointId.NotFound', malformed: 'InvalidVpcEndpointId.Malformed',
  async join(reader, [first]) {
    const groups = await reader.list<SecurityGroupRow>({ kind: 'security-group', account: first?.account ?? '', region: first?.region ?? '' })
    return new Map(groups.map(row => [row.id, row.spec.name]))
  },
  view(row, groups) {
    const { spec: { vpc, service, routeTables, inside }, status: { state = 'available' } } = row
    return {
      VpcEndpointId: row.id,
      VpcEndpointType: inside ? 'Interface' : 'Gateway',
      VpcId: vpc,
      ServiceName: service,
      // Not as the SDK's type writes it, but as AWS sends it.
      State: (inside?.desired === 'absent' ? 'deleting' : state) as sdk.State,
      PolicyDocument: policyOfEndpoint(row),
      RouteTableIds: routeTables,
      SubnetIds: [],
      Groups: [],
      PrivateDnsEnabled: false,
      RequesterManaged: false,
      NetworkInterfaceIds: [],
      DnsEntries: [],
      CreationTimestamp: new Date(row.created),
      Tags: tagList(row.tags),
      OwnerId: row.account,
      ...(inside && insideView(row, inside, groups)),
    }
  },
  filters: {
    'ip-address-type': 'IpAddressType',
    'service-name': 'ServiceName',
    'vpc-id': 'VpcId',
    'vpc-endpoint-id': 'VpcEndpointId',
    'vpc-endpoint-state': 'State',
    'vpc-endpoint-type': 'VpcEndpointType',
  },
})
