/** An internet gateway: what it is. A VPC has at most one: claimed in scope 'internet-gateway-of', key the VPC's id. */
import { resource, tagList } from '#kit/resource'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** `routeTable`: what comes in looks into it; the association's id is claimed in scope 'route-table-association'. */
export type Spec = { vpc?: string; routeTable?: { id: string; association: string } }
export const GATEWAY_OF = 'internet-gateway-of'
export type Status = Record<string, never>
export type InternetGatewayRow = Row<Spec, Status>

export const internetGateway = resource<Spec, Status, sdk.InternetGateway>({
  kind: 'internet-gateway', prefix: 'igw', label: 'internetGateway ID',
  missing: 'InvalidInternetGatewayID.NotFound', malformed: 'InvalidInternetGatewayId.Malformed',
  view: ({ id, account, spec, tags }) => ({
    InternetGatewayId: id,
    OwnerId: account,
    // AWS says 'available' here, though the type's words are those of other attachments (API Reference, InternetGatewayAttachment).
    Attachments: spec.vpc === undefined ? [] : [{ VpcId: spec.vpc, State: 'available' as sdk.AttachmentStatus }],
    Tags: tagList(tags),
  }),
  filters: {
    'attachment.state': 'Attachments.State',
    'attachment.vpc-id': 'Attachments.VpcId',
    'internet-gateway-id': 'InternetGatewayId',
    'owner-id': 'OwnerId',
  },
})
