/** What may be asked of subnets. */
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { unsupported } from '#service/ec2/errors'
import { subnet, type Spec } from '#service/ec2/subnet/subnet'
import type * as sdk from '@aws-sdk/client-ec2'

/** What a request changes; AWS takes one attribute at a time (API Reference, ModifySubnetAttribute). */
function change(input: sdk.ModifySubnetAttributeRequest): Partial<Spec> {
  const { SubnetId: _, ...given } = input
  const names = Object.keys(given).filter(name => given[name as keyof typeof given] !== undefined)
  const [name] = names
  if (name === undefined) throw new ApiError('MissingParameter', 'The request must contain an attribute to modify')
  if (names.length > 1) throw new ApiError('InvalidParameterCombination', 'Only one subnet attribute can be modified at a time')
  if (given.MapPublicIpOnLaunch) return { mapPublicIp: given.MapPublicIpOnLaunch.Value ?? false }
  if (given.EnableResourceNameDnsARecordOnLaunch) return { resourceNameRecord: given.EnableResourceNameDnsARecordOnLaunch.Value ?? false }
  const type = given.PrivateDnsHostnameTypeOnLaunch
  if (type === 'ip-name' || type === 'resource-name') return { hostnameType: type }
  if (type !== undefined) throw new ApiError('InvalidParameterValue', `Value (${type}) for parameter hostnameType is invalid.`)
  // What no subnet here has can be switched off, but not on.
  if ((given[name as keyof typeof given] as sdk.AttributeBooleanValue).Value === false) return {}
  throw unsupported(`${name} of ModifySubnetAttribute`)
}

export const actions: Actions<typeof sdk> = {
  DescribeSubnets: describe(subnet, 'SubnetIds', 'Subnets'),

  async ModifySubnetAttribute({ input, account, region, tx }) {
    const row = await subnet.get(tx, { account, region }, input.SubnetId!)
    await subnet.update(tx, row, { spec: change(input) }, 'modified')
    return {}
  },
}
