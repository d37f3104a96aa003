/**
 * An egress-only internet gateway: IPv6's way into the internet for connections that begin inside. It is its VPC's from the first moment to the
 * last; a VPC has at most one, claimed in scope 'egress-only-gateway-of' (ansible#23941: one for each VPC, and no attaching or detaching).
 */
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { checkLimit } from '#service/ec2/vpc/limits'
import { vpc } from '#service/ec2/vpc/vpc'
import { resourceId } from '#base/id'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type EgressOnlyGatewayRow = Row<{ vpc: string }, Record<string, never>>
export const EGRESS_OF = 'egress-only-gateway-of'

/** AWS has no filters for it but those of tags (API Reference, DescribeEgressOnlyInternetGateways). */
export const egressOnlyGateway = resource<EgressOnlyGatewayRow['spec'], Record<string, never>, sdk.EgressOnlyInternetGateway>({
  kind: 'egress-only-internet-gateway', prefix: 'eigw', label: 'gateway ID',
  missing: 'InvalidGatewayID.NotFound', malformed: 'InvalidEgressOnlyInternetGatewayId.Malformed',
  view: ({ id, spec, tags }) => ({
    EgressOnlyInternetGatewayId: id, Attachments: [{ State: 'attached', VpcId: spec.vpc }], Tags: tagList(tags),
  }),
  filters: {},
})

export const actions: Actions<typeof sdk> = {
  DescribeEgressOnlyInternetGateways: describe(egressOnlyGateway, 'EgressOnlyInternetGatewayIds', 'EgressOnlyInternetGateways'),

  async CreateEgressOnlyInternetGateway({ input, account, region, tx, now, tags }) {
    const place = { account, region }
    const network = await vpc.get(tx, place, input.VpcId!)
    checkLimit('egressOnlyGateways', (await egressOnlyGateway.list(tx, place)).length)
    const id = resourceId(egressOnlyGateway.prefix)
    if (!await tx.claim(EGRESS_OF, network.id, id)) {
      throw new ApiError('InvalidParameterValue', `Network ${network.id} already has an egress-only internet gateway attached`)
    }
    const row = await tx.put(egressOnlyGateway.make({
      ...place, now, id, tags: tags('egress-only-internet-gateway'), status: {}, spec: { vpc: network.id },
    }), 'created')
    return { EgressOnlyInternetGateway: egressOnlyGateway.view(row, undefined), ClientToken: input.ClientToken }
  },

  /** Routes to it stay, and lead nowhere. */
  async DeleteEgressOnlyInternetGateway({ input, account, region, tx }) {
    await tx.remove(await egressOnlyGateway.get(tx, { account, region }, input.EgressOnlyInternetGatewayId!), 'deleted')
    return { ReturnCode: true }
  },
}
