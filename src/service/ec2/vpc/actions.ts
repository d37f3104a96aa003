/** What may be asked of VPCs; their blocks have a file of their own (blocks.ts). */
import { formatCidr } from '#base/cidr'
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { invalidCombination, invalidValue, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { blockActions } from '#service/ec2/vpc/blocks'
import { checkVpcBlock, readCidr } from '#service/ec2/vpc/cidr'
import { giveBlock6 } from '#service/ec2/vpc/ipv6'
import { checkLimit } from '#service/ec2/vpc/limits'
import { createVpc, endVpc } from '#service/ec2/vpc/make'
import { createDefaultVpc, findDefaultVpc } from '#service/ec2/vpc/prepare'
import { vpc, type Spec } from '#service/ec2/vpc/vpc'
import type * as sdk from '@aws-sdk/client-ec2'

/** What a request changes; AWS takes one attribute at a time (API Reference, ModifyVpcAttribute). */
function change(spec: Spec, input: sdk.ModifyVpcAttributeRequest): Partial<Spec> {
  const { EnableDnsSupport, EnableDnsHostnames, EnableNetworkAddressUsageMetrics } = input
  const given = [EnableDnsSupport, EnableDnsHostnames, EnableNetworkAddressUsageMetrics].filter(value => value !== undefined)
  if (given.length === 0) throw missingParameter('attribute')
  if (given.length > 1) throw invalidCombination('Only one attribute of a VPC can be modified at a time.')
  if (EnableDnsSupport) return { dnsSupport: EnableDnsSupport.Value ?? false }
  const value = given[0]!.Value ?? false
  if (EnableNetworkAddressUsageMetrics && value) throw unsupported('EnableNetworkAddressUsageMetrics of ModifyVpcAttribute')
  if (EnableNetworkAddressUsageMetrics) return {}
  // "You can only enable DNS hostnames if you've enabled DNS support" (API Reference, ModifyVpcAttribute).
  if (value && !spec.dnsSupport) throw invalidCombination('DNS host names need DNS support: enable enableDnsSupport first.')
  return { dnsHostnames: value }
}

function tenancyOf(given: string | undefined): Spec['tenancy'] {
  if (given === undefined || given === 'default' || given === 'dedicated') return given ?? 'default'
  throw invalidValue('instanceTenancy', given)
}

const beyond = ['Ipv6Pool', 'Ipv6CidrBlock', 'Ipv4IpamPoolId', 'Ipv6IpamPoolId', 'Ipv6CidrBlockNetworkBorderGroup',
  'VpcEncryptionControl']

export const actions = (context: Pick<Context, 'home'>): Actions<typeof sdk> => ({
  DescribeVpcs: describe(vpc, 'VpcIds', 'Vpcs'),
  ...blockActions(context),

  async CreateVpc({ input, account, region, tx, now, tags }) {
    const place = { account, region }
    refuseMembers('CreateVpc', input, beyond)
    if (input.CidrBlock === undefined) throw new ApiError('MissingParameter', `Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.`)
    const cidr = readCidr('cidrBlock', input.CidrBlock)
    checkVpcBlock(context.home, cidr)
    checkLimit('vpcs', (await vpc.list(tx, place)).length)
    const tenancy = tenancyOf(input.InstanceTenancy)
    const made = await createVpc(tx, { place, now, cidr: formatCidr(cidr), tenancy, tags: tags('vpc') })
    const row = input.AmazonProvidedIpv6CidrBlock ? (await giveBlock6(tx, context.home, made)).row : made
    // On AWS a new VPC is pending for a moment; here it is whole when the call answers, and every poll finds it so.
    return { Vpc: vpc.view(row, undefined) }
  },

  async DeleteVpc({ input, account, region, tx }) {
    await endVpc(tx, await vpc.get(tx, { account, region }, input.VpcId!))
    return {}
  },

  async CreateDefaultVpc({ account, region, tx, now }) {
    const place = { account, region }
    if (await findDefaultVpc(tx, place)) {
      throw new ApiError('DefaultVpcAlreadyExists', 'A Default VPC already exists for this account in this region.')
    }
    checkLimit('vpcs', (await vpc.list(tx, place)).length)
    return { Vpc: vpc.view(await createDefaultVpc(tx, place, now), undefined) }
  },

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

  async ModifyVpcAttribute({ input, account, region, tx }) {
    const row = await vpc.get(tx, { account, region }, input.VpcId!)
    await vpc.update(tx, row, { spec: change(row.spec, input) }, 'modified')
    return {}
  },

  /** From dedicated to default alone (API Reference, ModifyVpcTenancy). */
  async ModifyVpcTenancy({ input, account, region, tx }) {
    const row = await vpc.get(tx, { account, region }, input.VpcId!)
    if (input.InstanceTenancy !== 'default') throw invalidValue('instanceTenancy', input.InstanceTenancy)
    await vpc.update(tx, row, { spec: { tenancy: 'default' } }, 'modified')
    return { ReturnValue: true }
  },
})
