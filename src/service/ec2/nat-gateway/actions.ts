/** What may be asked of NAT gateways. */
import type { Actions } from '#kit/action'
import { select } from '#kit/describe'
import type { Context } from '#service/ec2/context'
import { addressActions } from '#service/ec2/nat-gateway/addresses'
import { createNatGateway } from '#service/ec2/nat-gateway/create'
import { natGateway } from '#service/ec2/nat-gateway/nat-gateway'
import { isIn, natGateways } from '#service/ec2/states'
import type * as sdk from '@aws-sdk/client-ec2'

export const actions = ({ home }: Pick<Context, 'home'>): Actions<typeof sdk> => ({
  ...addressActions,

  async CreateNatGateway(call) {
    const row = await createNatGateway(call, home)
    return { NatGateway: await natGateway.viewOne(call.tx, row), ClientToken: call.input.ClientToken }
  },

  /** Its filters are called `Filter`, not `Filters` (API Reference, DescribeNatGateways). */
  async DescribeNatGateways(call) {
    const { Filter: Filters, ...input } = call.input
    const { hits, next } = await select({ ...call, input: { ...input, Filters } }, natGateway, { ids: input.NatGatewayIds })
    return { NatGateways: hits.map(hit => hit.view), NextToken: next }
  },

  /** One that is going or gone is told again that it is. Its Elastic IP stays allocated. */
  async DeleteNatGateway({ input, account, region, tx }) {
    const row = await natGateway.get(tx, { account, region }, input.NatGatewayId!)
    if (isIn(natGateways.delete, row.status.state)) {
      await natGateway.update(tx, row, { spec: { desired: 'absent' }, status: { state: 'deleting' } }, 'deleting')
    }
    return { NatGatewayId: row.id }
  },
})
