/**
 * A gateway endpoint: the way from subnets of a VPC to a service without internet. There are those for S3.
 *
 * Invariant: a route to the service's prefix list is in a table because an endpoint names the table, and in no other way; a table is
 * named by one endpoint for a service at most (claimed in scope `vpc-endpoint-route`).
 */
import { resource, tagList } from '#kit/resource'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Spec = {
  vpc: string
  service: string
  routeTables: string[]
  /** The document as it was given; the default policy where there is none. */
  policy?: string
}
export type Status = Record<string, never>
export type VpcEndpointRow = Row<Spec, Status>

export const ROUTE_SCOPE = 'vpc-endpoint-route'

/** What an endpoint lets through where nobody says otherwise (PrivateLink Guide, "Default endpoint policy"). */
export const FULL_ACCESS = JSON.stringify({
  Version: '2008-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
})

export const policyOfEndpoint = ({ spec }: VpcEndpointRow): string => spec.policy ?? FULL_ACCESS

export const vpcEndpoint = resource<Spec, Status, sdk.VpcEndpoint>({
  kind: 'vpc-endpoint', prefix: 'vpce', label: 'Vpc Endpoint Id',
  missing: 'InvalidVpcEndpointId.NotFound', malformed: 'InvalidVpcEndpointId.Malformed',
  view: row => ({
    VpcEndpointId: row.id,
    VpcEndpointType: 'Gateway',
    VpcId: row.spec.vpc,
    ServiceName: row.spec.service,
    // Not as the SDK's type writes it, but as AWS sends it.
    State: 'available' as sdk.State,
    PolicyDocument: policyOfEndpoint(row),
    RouteTableIds: row.spec.routeTables,
    SubnetIds: [],
    Groups: [],
    PrivateDnsEnabled: false,
    RequesterManaged: false,
    NetworkInterfaceIds: [],
    DnsEntries: [],
    CreationTimestamp: new Date(row.created),
    Tags: tagList(row.tags),
    OwnerId: row.account,
  }),
  filters: {
    'service-name': 'ServiceName',
    'vpc-id': 'VpcId',
    'vpc-endpoint-id': 'VpcEndpointId',
    'vpc-endpoint-state': 'State',
    'vpc-endpoint-type': 'VpcEndpointType',
  },
})
