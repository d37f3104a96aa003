/** CreateNetworkInterface and DeleteNetworkInterface: interfaces that live apart from instances. */
import type { Home } from '#base/home'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { invalidCombination, invalidValue, unsupported } from '#service/ec2/errors'
import { createInterface, releaseInterface } from '#service/ec2/network-interface/allocate'
import { wanted6 } from '#service/ec2/network-interface/ipv6'
import { networkInterface, refuseManaged, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { subnet } from '#service/ec2/subnet/subnet'
import { vpc } from '#service/ec2/vpc/vpc'
import type * as sdk from '@aws-sdk/client-ec2'

/** VPC User Guide, "Amazon VPC quotas": network interfaces per Region. */
const MAX_INTERFACES = 5000
const MAX_DESCRIPTION = 255

/** Parameters of AWS's that Enclume can't honour. */
const refused = [
  'Ipv6Prefixes', 'Ipv6PrefixCount', 'Ipv4Prefixes', 'Ipv4PrefixCount', 'EnablePrimaryIpv6',
  'ConnectionTrackingSpecification', 'Operator',
] as const

/** An empty list, zero or false asks for nothing. */
const asks = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : Boolean(value))

export function checkDescription(text: string): string {
  if (text.length <= MAX_DESCRIPTION) return text
  throw new ApiError('InvalidParameterValue', `The description of a network interface has at most ${MAX_DESCRIPTION} characters.`)
}

/** The addresses that are asked for: the primary one, and the others or how many. */
function wantedAddresses(input: sdk.CreateNetworkInterfaceRequest): { privateIp?: string; secondary: string[] | number } {
  const listed = input.PrivateIpAddresses ?? []
  if (listed.some(address => address.PrivateIpAddress === undefined)) {
    throw new ApiError('MissingParameter', 'The request must contain the parameter privateIpAddress')
  }
  const primaries = listed.filter(address => address.Primary).map(address => address.PrivateIpAddress!)
  if (primaries.length > 1 || (input.PrivateIpAddress !== undefined && primaries.some(address => address !== input.PrivateIpAddress))) {
    throw invalidCombination('Only one primary private IP address can be specified.')
  }
  const privateIp = input.PrivateIpAddress ?? primaries[0]
  const others = listed.map(address => address.PrivateIpAddress!).filter(address => address !== privateIp)
  const count = input.SecondaryPrivateIpAddressCount
  if (count !== undefined && others.length > 0) { // API Reference, CreateNetworkInterface, SecondaryPrivateIpAddressCount.
    throw invalidCombination('secondaryPrivateIpAddressCount cannot be specified together with secondary private IP addresses')
  }
  if (count !== undefined && (!Number.isInteger(count) || count < 0)) throw invalidValue('secondaryPrivateIpAddressCount', count)
  return { privateIp, secondary: count ?? others }
}

export async function create(call: Call<sdk.CreateNetworkInterfaceRequest>, home: Home): Promise<InterfaceRow> {
  const { input, tx, account, region } = call
  for (const name of refused) if (asks(input[name])) throw unsupported(`${name} of CreateNetworkInterface`)
  if (input.InterfaceType !== undefined && (input.InterfaceType as string) !== 'interface') {
    throw unsupported(`the interface type ${input.InterfaceType}`)
  }
  const at = await subnet.get(tx, call, input.SubnetId!)
  if ((await networkInterface.list(tx, call)).length >= MAX_INTERFACES) {
    throw new ApiError('NetworkInterfaceLimitExceeded', 'The maximum number of network interfaces has been reached.')
  }
  return createInterface(tx, {
    place: { account, region }, now: call.now, home, vpc: await vpc.get(tx, call, at.spec.vpc), subnet: at, groups: input.Groups,
    description: checkDescription(input.Description ?? ''), tags: call.tags('network-interface'), ...wantedAddresses(input), ipv6: wanted6(input),
    // An interface that is no instance's first is called after its address; metadata options come with an instance.
    publicIp: false, metadataHopLimit: 1, hostnameType: 'ip-name',
  })
}

/** Its Elastic IP addresses stay allocated. */
export async function remove(call: Call<sdk.DeleteNetworkInterfaceRequest>): Promise<void> {
  const row = await networkInterface.get(call.tx, call, call.input.NetworkInterfaceId!)
  refuseManaged(row)
  if (row.spec.attachment) throw new ApiError('InvalidParameterValue', `Network interface '${row.id}' is currently in use.`)
  await releaseInterface(call.tx, row)
}
