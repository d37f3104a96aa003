/**
 * AssignPrivateIpAddresses and UnassignPrivateIpAddresses: secondary private addresses come, move and go.
 *
 * Invariant: the claim on an address moves with it. An address that moves takes its Elastic IP along, one that goes leaves it free
 * (EC2 User Guide, "Secondary IP addresses for your EC2 instances").
 */
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { ASSOCIATIONS } from '#service/ec2/address/address'
import { invalidCombination, invalidValue, unsupported } from '#service/ec2/errors'
import { instance } from '#service/ec2/instance/instance'
import { claimAddress } from '#service/ec2/network-interface/allocate'
import { limitsOf, tooManyAddresses } from '#service/ec2/network-interface/attach'
import { networkInterface, refuseManaged, type Address, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { addressScope, subnet } from '#service/ec2/subnet/subnet'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** Releases what a row claims of an address: itself, and the Elastic IP in front of it. */
async function releaseClaims(tx: Tx, row: InterfaceRow, { private: address, public: outside }: Address): Promise<void> {
  await tx.release(addressScope(row.spec.subnet), address)
  for (const id of [outside?.allocation, outside?.association]) if (id !== undefined) await tx.release(ASSOCIATIONS, id)
}

/** Lets secondary addresses of an interface go; an Elastic IP in front of one stays allocated. */
export async function removeAddresses(tx: Tx, row: InterfaceRow, going: Address[]): Promise<void> {
  for (const address of going) await releaseClaims(tx, row, address)
  const addresses = row.spec.addresses.filter(address => !going.includes(address))
  await networkInterface.update(tx, row, { spec: { addresses } }, 'addresses-unassigned')
}

/** Takes an address from the interface that has it, to be another's. */
async function takeOver(tx: Tx, from: InterfaceRow, to: InterfaceRow, address: string): Promise<Address> {
  const moving = from.spec.addresses.find(own => own.private === address)!
  if (moving.primary) throw new ApiError('InvalidParameterValue', `The primary IP address ${address} of interface ${from.id} cannot be reassigned.`)
  await removeAddresses(tx, from, [moving])
  await tx.claim(addressScope(to.spec.subnet), address, to.id)
  for (const id of [moving.public?.allocation, moving.public?.association]) if (id !== undefined) await tx.claim(ASSOCIATIONS, id, to.id)
  return moving
}

async function assignNamed(call: Call<sdk.AssignPrivateIpAddressesRequest>, row: InterfaceRow, named: readonly string[]): Promise<Address[]> {
  const { tx } = call
  const at = await subnet.get(tx, call, row.spec.subnet)
  const addresses: Address[] = []
  for (const address of named) {
    const holder = await tx.holder(addressScope(at.id), address)
    const from = holder === undefined || holder === row.id ? undefined : await networkInterface.find(tx, holder)
    if (from && !call.input.AllowReassignment) {
      throw new ApiError('InvalidParameterValue', `[${address}] have been assigned to another interface, but move is not allowed.`)
    }
    addresses.push(from ? await takeOver(tx, from, row, address)
      : { private: await claimAddress(tx, { subnet: at, owner: row.id, address }), primary: false })
  }
  return addresses
}

export async function assign(call: Call<sdk.AssignPrivateIpAddressesRequest>): Promise<sdk.AssignPrivateIpAddressesResult> {
  const { tx, input } = call
  const { PrivateIpAddresses: named = [], SecondaryPrivateIpAddressCount: count } = input
  if (input.Ipv4PrefixCount || input.Ipv4Prefixes?.length) throw unsupported('address prefixes on network interfaces')
  const row = await networkInterface.get(tx, call, input.NetworkInterfaceId!)
  refuseManaged(row)
  if (named.length > 0 && count !== undefined) {
    throw invalidCombination('privateIpAddresses and secondaryPrivateIpAddressCount cannot both be specified')
  }
  if (named.length === 0 && count === undefined) {
    throw new ApiError('MissingParameter', 'Either privateIpAddresses or secondaryPrivateIpAddressCount must be specified')
  }
  if (count !== undefined && (!Number.isInteger(count) || count < 1)) throw invalidValue('secondaryPrivateIpAddressCount', count)
  // What it has already stays (seen in the answer as assigned).
  const fresh = [...new Set(named)].filter(address => !row.spec.addresses.some(own => own.private === address))
  const total = row.spec.addresses.length + (count ?? fresh.length)
  const holder = row.spec.attachment && await instance.find(tx, row.spec.attachment.instance)
  if (holder && total > limitsOf(holder).addressesPerInterface) throw tooManyAddresses()
  const added = await assignNamed(call, row, fresh)
  const at = await subnet.get(tx, call, row.spec.subnet)
  for (let n = 0; n < (count ?? 0); n++) added.push({ private: await claimAddress(tx, { subnet: at, owner: row.id }), primary: false })
  await networkInterface.update(tx, row, { spec: { addresses: [...row.spec.addresses, ...added] } }, 'addresses-assigned')
  const assigned = count === undefined ? [...new Set(named)] : added.map(address => address.private)
  return { NetworkInterfaceId: row.id, AssignedPrivateIpAddresses: assigned.map(PrivateIpAddress => ({ PrivateIpAddress })) }
}

export async function unassign(call: Call<sdk.UnassignPrivateIpAddressesRequest>): Promise<void> {
  const { tx, input } = call
  if (input.Ipv4Prefixes?.length) throw unsupported('address prefixes on network interfaces')
  const named = input.PrivateIpAddresses ?? []
  const row = await networkInterface.get(tx, call, input.NetworkInterfaceId!)
  refuseManaged(row)
  if (named.length === 0) throw new ApiError('MissingParameter', 'The request must contain the parameter privateIpAddresses')
  const going = row.spec.addresses.filter(address => named.includes(address.private))
  if (going.length < new Set(named).size) {
    throw new ApiError('InvalidParameterValue', `Some of the specified addresses are not assigned to interface ${row.id}`)
  }
  const primary = going.find(address => address.primary)
  if (primary) throw new ApiError('InvalidParameterValue', `The primary IP address ${primary.private} of interface ${row.id} cannot be unassigned.`)
  await removeAddresses(tx, row, going)
}
