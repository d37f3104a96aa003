/**
 * IPv6 addresses of interfaces: chosen or named when an interface is made, assigned and taken back later.
 *
 * Invariant: each address is of its subnet's block and claimed in the subnet's scope by the interface that has it.
 */
import { randomBytes } from 'node:crypto'
import { contains6, formatIp6, parseCidr6, parseIp6 } from '#base/cidr6'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { invalidCombination, invalidValue, missingParameter, unsupported } from '#service/ec2/errors'
import { instance } from '#service/ec2/instance/instance'
import { limitsOf, tooManyAddresses } from '#service/ec2/network-interface/attach'
import { networkInterface, refuseManaged } from '#service/ec2/network-interface/network-interface'
import { addressScope6, subnet, type SubnetRow } from '#service/ec2/subnet/subnet'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** These, or so many; undefined: as the subnet says. */
export type Wanted6 = readonly string[] | number | undefined

/** Nobody's: the first four and the last (VPC User Guide, "Subnet CIDR blocks"). */
const isReserved = (offset: bigint, length: number): boolean => offset < 4n || offset === (1n << BigInt(128 - length)) - 1n

function blockOf({ id, spec }: SubnetRow) {
  if (!spec.cidr6) throw new ApiError('InvalidParameterValue', `The subnet '${id}' does not have an IPv6 CIDR block associated with it.`)
  return parseCidr6(spec.cidr6.cidr)!
}

/** Takes an address of a subnet: a named one, or one by chance, as EC2 does. */
async function claimAddress6(tx: Tx, at: { subnet: SubnetRow; owner: string; address?: string }): Promise<string> {
  const block = blockOf(at.subnet)
  const scope = addressScope6(at.subnet.id)
  if (at.address === undefined) {
    for (;;) {
      const offset = BigInt(`0x${randomBytes(8).toString('hex')}`) & ((1n << BigInt(128 - block.length)) - 1n)
      const address = formatIp6(block.base + offset)
      if (!isReserved(offset, block.length) && await tx.claim(scope, address, at.owner)) return address
    }
  }
  const ip = parseIp6(at.address)
  if (ip === undefined) throw new ApiError('InvalidParameterValue', `invalid value for parameter address: ${at.address}`)
  const address = formatIp6(ip)
  if (!contains6(block, ip)) throw new ApiError('InvalidParameterValue', `Address ${address} does not fall within the subnet's address range`)
  if (isReserved(ip - block.base, block.length)) {
    throw new ApiError('InvalidParameterValue', `Address ${address} is in subnet's reserved address range`)
  }
  if (!await tx.claim(scope, address, at.owner)) throw new ApiError('InvalidIPAddress.InUse', `Address ${address} is in use.`)
  return address
}

/** The addresses of a new interface. */
type Claim6 = { subnet: SubnetRow; owner: string; wanted: Wanted6 }
export async function claimAddresses6(tx: Tx, { subnet: at, owner, wanted }: Claim6): Promise<string[]> {
  const asked = wanted ?? (at.spec.assignIpv6 ? 1 : 0)
  const list = typeof asked === 'number' ? Array<undefined>(asked).fill(undefined) : asked
  const found: string[] = []
  for (const address of list) found.push(await claimAddress6(tx, { subnet: at, owner, address }))
  return found
}

type Asked = { Ipv6AddressCount?: number; Ipv6Addresses?: readonly (string | { Ipv6Address?: string })[] }

/** What a request asks for, by number or by name. */
export function wanted6({ Ipv6AddressCount: count, Ipv6Addresses: listed = [] }: Asked): Wanted6 {
  if (count !== undefined && listed.length > 0) { // API Reference, RunInstances and CreateNetworkInterface, Ipv6AddressCount.
    throw invalidCombination('ipv6Addresses and ipv6AddressCount cannot both be specified')
  }
  if (count !== undefined && (!Number.isInteger(count) || count < 0)) throw invalidValue('ipv6AddressCount', count)
  const named = listed.map(item => (typeof item === 'string' ? item : item.Ipv6Address))
  if (named.some(address => address === undefined)) throw missingParameter('ipv6Address')
  return named.length > 0 ? named as string[] : count
}

export const countOf = (wanted: Wanted6): number => (typeof wanted === 'number' ? wanted : wanted?.length ?? 0)

export async function assign6(call: Call<sdk.AssignIpv6AddressesRequest>): Promise<sdk.AssignIpv6AddressesResult> {
  const { tx, input } = call
  if (input.Ipv6PrefixCount || input.Ipv6Prefixes?.length) throw unsupported('address prefixes on network interfaces')
  const row = await networkInterface.get(tx, call, input.NetworkInterfaceId!)
  refuseManaged(row)
  const wanted = wanted6(input)
  if (countOf(wanted) === 0) throw new ApiError('MissingParameter', 'Either ipv6Addresses or ipv6AddressCount must be specified')
  const own = row.spec.addresses6 ?? []
  // What it has already stays, and is seen in the answer as assigned: as of private addresses.
  const fresh = typeof wanted === 'number' ? wanted : wanted!.filter(address => !own.includes(canonical(address)))
  const holder = row.spec.attachment && await instance.find(tx, row.spec.attachment.instance)
  if (holder && own.length + countOf(fresh) > limitsOf(holder).addressesPerInterface) throw tooManyAddresses()
  const at = await subnet.get(tx, call, row.spec.subnet)
  const added = await claimAddresses6(tx, { subnet: at, owner: row.id, wanted: fresh })
  await networkInterface.update(tx, row, { spec: { addresses6: [...own, ...added] } }, 'addresses-assigned')
  return { NetworkInterfaceId: row.id, AssignedIpv6Addresses: typeof wanted === 'number' ? added : wanted!.map(canonical) }
}

/** An address as it is kept; what is none stays, to be refused. */
function canonical(text: string): string {
  const ip = parseIp6(text)
  return ip === undefined ? text : formatIp6(ip)
}

export async function unassign6(call: Call<sdk.UnassignIpv6AddressesRequest>): Promise<sdk.UnassignIpv6AddressesResult> {
  const { tx, input } = call
  if (input.Ipv6Prefixes?.length) throw unsupported('address prefixes on network interfaces')
  const row = await networkInterface.get(tx, call, input.NetworkInterfaceId!)
  refuseManaged(row)
  const going = [...new Set((input.Ipv6Addresses ?? []).map(canonical))]
  if (going.length === 0) throw new ApiError('MissingParameter', 'The request must contain the parameter ipv6Addresses')
  const own = row.spec.addresses6 ?? []
  if (!going.every(address => own.includes(address))) {
    throw new ApiError('InvalidParameterValue', `Some of the specified addresses are not assigned to interface ${row.id}`)
  }
  for (const address of going) await tx.release(addressScope6(row.spec.subnet), address)
  await networkInterface.update(tx, row, { spec: { addresses6: own.filter(address => !going.includes(address)) } }, 'addresses-unassigned')
  return { NetworkInterfaceId: row.id, UnassignedIpv6Addresses: going }
}
