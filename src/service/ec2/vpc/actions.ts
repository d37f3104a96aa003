/** What may be asked of VPCs. */
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { createDefaultVpc, findDefaultVpc } from '#service/ec2/vpc/prepare'
import { vpc } from '#service/ec2/vpc/vpc'
import type * as sdk from '@aws-sdk/client-ec2'

export const actions: Actions<typeof sdk> = {
  DescribeVpcs: describe(vpc, 'VpcIds', 'Vpcs'),

  async DescribeVpcAttribute({ input, account, region, tx }) {
    const { id: VpcId, spec } = await vpc.get(tx, { account, region }, input.VpcId!)
    switch (input.Attribute) {
      case 'enableDnsSupport': return { VpcId, EnableDnsSupport: { Value: spec.dnsSupport } }
      case 'enableDnsHostnames': return { VpcId, EnableDnsHostnames: { Value: spec.dnsHostnames } }
      case 'enableNetworkAddressUsageMetrics': return { VpcId, EnableNetworkAddressUsageMetrics: { Value: false } }
      default:
        throw new ApiError('InvalidParameterValue', `Value (${input.Attribute}) for parameter attribute is invalid. Unknown attribute.`)
    }
  },

  async CreateDefaultVpc({ account, region, tx, now }) {
    const place = { account, region }
    if (await findDefaultVpc(tx, place)) {
      throw new ApiError('DefaultVpcAlreadyExists', 'A Default VPC already exists for this account in this region.')
    }
    return { Vpc: vpc.view(await createDefaultVpc(tx, place, now), undefined) }
  },
}
