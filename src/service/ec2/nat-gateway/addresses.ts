/**
 * The secondary addresses of NAT gateways: they come and go while the gateway translates.
 *
 * Invariant: the gateway shows the addresses that its interface has. A connection over an address that goes is cut at once: nothing drains
 * here, so that a time to drain is refused.
 */
import type { Actions, Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { getElasticIp, placeOf } from '#service/ec2/address/address'
import { putElasticIp } from '#service/ec2/address/associate'
import { incorrectState, invalidCombination, invalidValue, missingParameter, refuseMembers } from '#service/ec2/errors'
import { natGateway, type NatGatewayRow } from '#service/ec2/nat-gateway/nat-gateway'
import { claimAddress } from '#service/ec2/network-interface/allocate'
import { networkInterface, type Address, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { removeAddresses } from '#service/ec2/network-interface/private-addresses'
import { isIn, natGateways } from '#service/ec2/states'
import { subnet } from '#service/ec2/subnet/subnet'
import type * as sdk from '@aws-sdk/client-ec2'

/** VPC User Guide, "NAT gateways": quotas. */
const MOST = 8

type Gateway = { row: NatGatewayRow; own: InterfaceRow }

async function open(call: Call<{ NatGatewayId?: string }>, connectivity: 'public' | 'private'): Promise<Gateway> {
  const row = await natGateway.get(call.tx, call, call.input.NatGatewayId!)
  if (row.spec.connectivity !== connectivity) throw invalidCombination(`The NAT gateway ${row.id} is not a ${connectivity} NAT gateway.`)
  if (!isIn(natGateways.addresses, row.status.state)) throw incorrectState(`The NAT gateway ${row.id} is ${row.status.state}, not available.`)
  return { row, own: await networkInterface.get(call.tx, call, row.spec.interface!) }
}

/** Secondary addresses of the gateway's subnet: these, or so many. */
async function add(call: Call<object>, { own }: Gateway, wanted: readonly string[] | number): Promise<{ own: InterfaceRow; added: Address[] }> {
  const at = await subnet.get(call.tx, call, own.spec.subnet)
  const asked = typeof wanted === 'number' ? Array<undefined>(wanted).fill(undefined) : wanted
  if (own.spec.addresses.length + asked.length > MOST) {
    throw new ApiError('PrivateIpAddressLimitExceeded', `A NAT gateway has at most ${MOST} private addresses.`)
  }
  const added: Address[] = []
  for (const address of asked) added.push({ private: await claimAddress(call.tx, { subnet: at, owner: own.id, address }), primary: false })
  const addresses = [...own.spec.addresses, ...added]
  return { own: await networkInterface.update(call.tx, own, { spec: { addresses } }, 'addresses-assigned'), added }
}

/** Has the gateway show what its interface has; the views of these addresses. */
async function show(call: Call<object>, row: NatGatewayRow, changed: readonly Address[]): Promise<sdk.NatGatewayAddress[]> {
  const own = await networkInterface.get(call.tx, call, row.spec.interface!)
  const before = await natGateway.viewOne(call.tx, row)
  const addresses = own.spec.addresses.map(({ private: inside, public: outside }) => ({
    private: inside, ...(outside && { public: outside.address, allocation: outside.allocation!, association: outside.association! }),
  }))
  const after = await natGateway.viewOne(call.tx, await natGateway.update(call.tx, row, { spec: { addresses } }, 'addresses-changed'))
  const views = [...after.NatGatewayAddresses!, ...before.NatGatewayAddresses!]
  return changed.map(address => views.find(view => view.PrivateIp === address.private)!)
}

function goingOf({ row, own }: Gateway, named: readonly string[], textOf: (address: Address) => string | undefined): Address[] {
  return [...new Set(named)].map(text => {
    const found = own.spec.addresses.find(address => textOf(address) === text)
    if (!found) throw new ApiError('InvalidParameterValue', `${text} is no address of the NAT gateway ${row.id}.`)
    if (found.primary) throw new ApiError('InvalidParameterValue', `The primary address of the NAT gateway ${row.id} cannot be removed.`)
    return found
  })
}

async function remove(call: Call<object>, gateway: Gateway, going: Address[]): Promise<sdk.NatGatewayAddress[]> {
  await removeAddresses(call.tx, gateway.own, going)
  return show(call, gateway.row, going)
}

export const addressActions: Actions<typeof sdk> = {
  async AssignPrivateNatGatewayAddress(call) {
    const { PrivateIpAddresses: named = [], PrivateIpAddressCount: count } = call.input
    const gateway = await open(call, 'private')
    if (named.length > 0 === (count !== undefined)) {
      throw invalidCombination('Either PrivateIpAddresses or PrivateIpAddressCount must be specified.')
    }
    if (count !== undefined && (!Number.isInteger(count) || count < 1)) throw invalidValue('PrivateIpAddressCount', count)
    const { added } = await add(call, gateway, count ?? named)
    return { NatGatewayId: gateway.row.id, NatGatewayAddresses: await show(call, gateway.row, added) }
  },

  async UnassignPrivateNatGatewayAddress(call) {
    const gateway = await open(call, 'private')
    refuseMembers('UnassignPrivateNatGatewayAddress', call.input, ['MaxDrainDurationSeconds'])
    const going = goingOf(gateway, call.input.PrivateIpAddresses ?? [], address => address.private)
    if (going.length === 0) throw missingParameter('PrivateIpAddresses')
    return { NatGatewayId: gateway.row.id, NatGatewayAddresses: await remove(call, gateway, going) }
  },

  async AssociateNatGatewayAddress(call) {
    const { AllocationIds: allocations = [], PrivateIpAddresses: named = [] } = call.input
    const gateway = await open(call, 'public')
    refuseMembers('AssociateNatGatewayAddress', call.input, ['AvailabilityZone', 'AvailabilityZoneId'])
    if (allocations.length === 0) throw missingParameter('AllocationIds')
    if (named.length > 0 && named.length !== allocations.length) {
      throw invalidCombination('There must be as many PrivateIpAddresses as AllocationIds.')
    }
    const result = await add(call, gateway, named.length > 0 ? named : allocations.length)
    let { own } = result
    for (const [i, id] of allocations.entries()) {
      const elastic = await getElasticIp(call.tx, call, id)
      if (await placeOf(call.tx, id)) throw new ApiError('Resource.AlreadyAssociated', `Elastic IP address ${id} is already associated`)
      own = await putElasticIp(call.tx, own, result.added[i]!, elastic)
    }
    return { NatGatewayId: gateway.row.id, NatGatewayAddresses: await show(call, gateway.row, result.added) }
  },

  async DisassociateNatGatewayAddress(call) {
    const gateway = await open(call, 'public')
    refuseMembers('DisassociateNatGatewayAddress', call.input, ['MaxDrainDurationSeconds'])
    const going = goingOf(gateway, call.input.AssociationIds ?? [], address => address.public?.association)
    if (going.length === 0) throw missingParameter('AssociationIds')
    return { NatGatewayId: gateway.row.id, NatGatewayAddresses: await remove(call, gateway, going) }
  },
}
