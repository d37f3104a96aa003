/**
 * Elastic IP addresses in front of private ones: how they come, move and go.
 *
 * Invariant: a private address has one public address at most, and an Elastic IP is in front of one private address at most. Amazon's
 * own address goes back to its pool when an Elastic IP takes its place (VPC User Guide, "Elastic IP address concepts and rules").
 */
import type { Home } from '#base/home'
import { resourceId } from '#base/id'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { ASSOCIATIONS, byPublicIp, getElasticIp, placeOf, type AddressRow, type Located } from '#service/ec2/address/address'
import { invalidCombination, missingParameter } from '#service/ec2/errors'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import { internetGateway } from '#service/ec2/internet-gateway/internet-gateway'
import { givePublicAddress, PUBLIC_SCOPE } from '#service/ec2/network-interface/allocate'
import { networkInterface, refuseManaged, type Address, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

const setPublic = (tx: Tx, owner: InterfaceRow, inside: Address, outside: Address['public'], event: string): Promise<InterfaceRow> => {
  const addresses = owner.spec.addresses.map(({ public: before, ...address }) => {
    const after = address.private === inside.private ? outside : before
    return after ? { ...address, public: after } : address
  })
  return networkInterface.update(tx, owner, { spec: { addresses } }, event)
}

/** The instance's state at which its addresses may change. The texts were seen on AWS in cloudposse/terraform-aws-ec2-instance#95. */
function checkState({ id, status: { state } }: InstanceRow, own?: InterfaceRow): void {
  if (state === 'running' || state === 'stopped' || state === 'stopping') return
  if (own) {
    // Seen on AWS in terraform-provider-aws#6189.
    throw new ApiError('IncorrectInstanceState', `The ${state} instance to which '${own.id}' is attached is not in a valid state for this operation.`)
  }
  throw new ApiError('InvalidInstanceID', `The ${state} instance '${id}' is not in a valid state for this operation.`)
}

/** The one interface that an instance has. */
async function onlyInterface(call: Call<unknown>, id: string): Promise<InterfaceRow> {
  const row = await instance.get(call.tx, call, id)
  checkState(row)
  const [only, ...others] = row.spec.interfaces
  if (others.length > 0) { // Seen on AWS in nixops-aws#55.
    throw new ApiError('InvalidInstanceID',
      `There are multiple interfaces attached to instance '${id}'. Please specify an interface ID for the operation instead.`)
  }
  return networkInterface.get(call.tx, call, only!)
}

async function givenInterface(call: Call<sdk.AssociateAddressRequest>): Promise<InterfaceRow | undefined> {
  const { InstanceId, NetworkInterfaceId } = call.input
  if (InstanceId !== undefined && NetworkInterfaceId !== undefined) {
    throw invalidCombination('You may specify an instance ID or a network interface ID, but not both in the same call')
  }
  if (InstanceId !== undefined) return onlyInterface(call, InstanceId)
  if (NetworkInterfaceId === undefined) return undefined
  const own = await networkInterface.get(call.tx, call, NetworkInterfaceId)
  refuseManaged(own)
  const holder = own.spec.attachment && await instance.find(call.tx, own.spec.attachment.instance)
  if (holder) checkState(holder, own)
  return own
}

/** The address that a request names by its allocation, or by itself as older clients do. */
export async function givenAddress(call: Call<{ AllocationId?: string; PublicIp?: string }>): Promise<AddressRow> {
  const { AllocationId, PublicIp } = call.input
  if (AllocationId !== undefined && PublicIp !== undefined) {
    throw invalidCombination('You may specify public IP or allocation id, but not both in the same call')
  }
  if (AllocationId !== undefined) return getElasticIp(call.tx, call, AllocationId)
  if (PublicIp === undefined) throw new ApiError('MissingParameter', 'Either public IP or allocation id must be specified')
  return (await byPublicIp(call.tx, call, [PublicIp]))[0]!
}

function insideOf(own: InterfaceRow, address: string | undefined): Address {
  const found = address === undefined ? own.spec.addresses[0] : own.spec.addresses.find(inside => inside.private === address)
  if (found) return found
  throw new ApiError('InvalidParameterValue', `The address '${address}' is not assigned to the network interface '${own.id}'`)
}

export async function associate(call: Call<sdk.AssociateAddressRequest>, home: Home): Promise<string> {
  const { tx, input } = call
  const own = await givenInterface(call)
  const elastic = await givenAddress(call)
  if (!own) throw missingParameter('InstanceId or NetworkInterfaceId')
  const inside = insideOf(own, input.PrivateIpAddress)
  const gateways = await internetGateway.list(tx, call)
  if (!gateways.some(gateway => gateway.spec.vpc === own.spec.vpc)) {
    throw new ApiError('Gateway.NotAttached', `Network ${own.spec.vpc} is not attached to any internet gateway`)
  }
  const before = await placeOf(tx, elastic.id)
  if (before && before.owner.id === own.id && before.inside.private === inside.private) return before.inside.public!.association!
  // Re-association is automatic unless it is refused (API Reference, AssociateAddress); texts as in ansible#27385, quickstart-linux-bastion#21.
  if (input.AllowReassociation === false) {
    if (before) {
      throw new ApiError('Resource.AlreadyAssociated',
        `resource ${elastic.id} is already associated with associate-id ${before.inside.public!.association}`)
    }
    if (inside.public?.allocation !== undefined) {
      throw new ApiError('Resource.AlreadyAssociated',
        `resource ${own.id} and ${inside.private} is already associated with public address ${inside.public.address}`)
    }
  }
  if (before) {
    refuseManaged(before.owner)
    await disassociate(tx, before, home)
  }
  const target = await putElasticIp(tx, (await networkInterface.find(tx, own.id))!, inside, elastic)
  return insideOf(target, inside.private).public!.association!
}

/** Puts an Elastic IP that is nowhere in front of a private address, in the place of the public address that this one may have. */
export async function putElasticIp(tx: Tx, own: InterfaceRow, inside: Address, elastic: AddressRow): Promise<InterfaceRow> {
  if (inside.public?.allocation !== undefined) await releaseAssociation(tx, inside)
  else if (inside.public) await tx.release(PUBLIC_SCOPE, inside.public.address)
  const association = resourceId('eipassoc')
  await tx.claim(ASSOCIATIONS, elastic.id, own.id)
  await tx.claim(ASSOCIATIONS, association, own.id)
  return setPublic(tx, own, inside, { address: elastic.spec.address, allocation: elastic.id, association }, 'address-associated')
}

async function releaseAssociation(tx: Tx, { public: outside }: Address): Promise<void> {
  await tx.release(ASSOCIATIONS, outside!.allocation!)
  await tx.release(ASSOCIATIONS, outside!.association!)
}

/**
 * Takes an Elastic IP from where it is. A running instance that got Amazon's own address at its launch gets another one of those, unless
 * it has a second interface (VPC User Guide, "Elastic IP address concepts and rules").
 */
export async function disassociate(tx: Tx, { owner, inside }: Located, home: Home): Promise<void> {
  await releaseAssociation(tx, inside)
  const after = await setPublic(tx, owner, inside, undefined, 'address-disassociated')
  const holder = owner.spec.attachment && await instance.find(tx, owner.spec.attachment.instance)
  if (holder && inside.primary && holder.status.state === 'running' && holder.spec.autoPublic && holder.spec.interfaces.length === 1) {
    await givePublicAddress(tx, after, home)
  }
}
