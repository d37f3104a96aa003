/**
 * CreateNatGateway.
 *
 * Invariant: the gateway, its interface and its claims on Elastic IPs come in one transaction; what AWS finds out only later (no
 * internet gateway, an address in use, a full subnet) is kept as the gateway's failure, and then nothing is claimed.
 */
import type { Home } from '#base/home'
import { resourceId } from '#base/id'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { getElasticIp, placeOf, type AddressRow } from '#service/ec2/address/address'
import { putElasticIp } from '#service/ec2/address/associate'
import { invalidCombination, invalidValue, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { GATEWAY_OF } from '#service/ec2/internet-gateway/internet-gateway'
import { isThere, natGateway, type NatGatewayRow, type Spec } from '#service/ec2/nat-gateway/nat-gateway'
import { createInterface } from '#service/ec2/network-interface/allocate'
import type { InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { subnet, type SubnetRow } from '#service/ec2/subnet/subnet'
import { checkLimit } from '#service/ec2/vpc/limits'
import { vpc } from '#service/ec2/vpc/vpc'
import type * as sdk from '@aws-sdk/client-ec2'

type Create = Call<sdk.CreateNatGatewayRequest>
type Failure = NonNullable<Spec['failure']>

function connectivityOf({ ConnectivityType: given = 'public', AllocationId, SecondaryAllocationIds = [] }: Create['input']): Spec['connectivity'] {
  if (given !== 'public' && given !== 'private') throw invalidValue('connectivityType', given)
  if (given === 'public' && AllocationId === undefined) throw missingParameter('AllocationId')
  if (given === 'private' && (AllocationId !== undefined || SecondaryAllocationIds.length > 0)) {
    throw invalidCombination('An Elastic IP address cannot be associated with a private NAT gateway.')
  }
  return given
}

/** The secondary private addresses: these, or so many. A public gateway has one for each of its secondary Elastic IPs. */
function secondaryOf(input: Create['input'], connectivity: Spec['connectivity']): readonly string[] | number {
  const { SecondaryPrivateIpAddresses: named = [], SecondaryPrivateIpAddressCount: count, SecondaryAllocationIds: elastic = [] } = input
  if (named.length > 0 && count !== undefined) {
    throw invalidCombination('SecondaryPrivateIpAddresses and SecondaryPrivateIpAddressCount cannot be specified together.')
  }
  // API Reference, CreateNatGateway: "[Private NAT gateway only] The number of secondary private IPv4 addresses".
  if (count !== undefined && connectivity === 'public') throw invalidCombination('SecondaryPrivateIpAddressCount is for private NAT gateways.')
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= 31)) throw invalidValue('SecondaryPrivateIpAddressCount', count)
  if (connectivity === 'public' && named.length > 0 && named.length !== elastic.length) {
    throw invalidCombination('There must be as many SecondaryPrivateIpAddresses as SecondaryAllocationIds.')
  }
  return named.length > 0 ? named : count ?? elastic.length
}

/** What AWS finds out after it has answered. Codes and texts: VPC User Guide, "NAT gateway creation fails". */
async function failureOf(call: Create, at: SubnetRow, elastic: AddressRow[]): Promise<Failure | undefined> {
  if (elastic.length > 0 && await call.tx.holder(GATEWAY_OF, at.spec.vpc) === undefined) {
    return { code: 'Gateway.NotAttached', message: `Network ${at.spec.vpc} has no Internet gateway attached` }
  }
  for (const { id } of elastic) {
    if (await placeOf(call.tx, id)) {
      return { code: 'Resource.AlreadyAssociated', message: `Elastic IP address ${id} is already associated` }
    }
  }
  return undefined
}

async function makeInterface(call: Create, home: Home, { id, at, secondary }: {
  id: string; at: SubnetRow; secondary: readonly string[] | number
}): Promise<InterfaceRow | Failure> {
  const { tx, now, account, region, input } = call
  try {
    return await createInterface(tx, {
      place: { account, region }, now, home, vpc: await vpc.get(tx, call, at.spec.vpc), subnet: at, privateIp: input.PrivateIpAddress, secondary,
      description: `Interface for NAT Gateway ${id}`, publicIp: false, metadataHopLimit: 1, hostnameType: 'ip-name', manager: id,
    })
  } catch (error) {
    // Addresses that are named are refused one by one; a full subnet gives none, so that none has been claimed.
    if (!(error instanceof ApiError) || error.code !== 'InsufficientFreeAddressesInSubnet' || secondary !== 0) throw error
    return { code: error.code, message: 'Subnet has insufficient free addresses to create this NAT gateway' }
  }
}

export async function createNatGateway(call: Create, home: Home): Promise<NatGatewayRow> {
  const { tx, now, account, region, input } = call
  // A VPC and zones are named for regional gateways alone.
  if (input.VpcId !== undefined) await vpc.get(tx, call, input.VpcId)
  refuseMembers('CreateNatGateway', input, ['AvailabilityZoneAddresses', 'VpcId'])
  if (input.AvailabilityMode !== undefined && input.AvailabilityMode !== 'zonal') throw unsupported(`${input.AvailabilityMode} NAT gateways`)
  const at = input.SubnetId === undefined ? undefined : await subnet.get(tx, call, input.SubnetId)
  const elastic: AddressRow[] = []
  for (const id of [input.AllocationId, ...input.SecondaryAllocationIds ?? []]) if (id !== undefined) elastic.push(await getElasticIp(tx, call, id))
  if (!at) throw missingParameter('SubnetId')
  const connectivity = connectivityOf(input)
  const secondary = secondaryOf(input, connectivity)
  const others = (await natGateway.list(tx, call)).filter(row => row.spec.zone === at.spec.zone && (isThere(row) || row.status.state === 'deleting'))
  checkLimit('natGateways', others.length)

  const id = resourceId(natGateway.prefix)
  const spec: Spec = { vpc: at.spec.vpc, subnet: at.id, zone: at.spec.zone, connectivity, addresses: [], desired: 'present' }
  const make = (more: Partial<Spec>) => tx.put(natGateway.make({
    account, region, now, id, tags: call.tags('natgateway'), spec: { ...spec, ...more }, status: { state: 'pending' },
  }), 'created')
  const failure = await failureOf(call, at, elastic)
  const asked = elastic.map(address => ({ allocation: address.id, public: address.spec.address }))
  if (failure) return make({ failure, addresses: asked })
  const own = await makeInterface(call, home, { id, at, secondary })
  if ('code' in own) return make({ failure: own, addresses: asked })
  let row = own
  for (const [i, address] of elastic.entries()) row = await putElasticIp(tx, row, row.spec.addresses[i]!, address)
  const addresses = row.spec.addresses.map(({ private: inside, public: outside }) => ({
    private: inside, ...(outside && { public: outside.address, allocation: outside.allocation!, association: outside.association! }),
  }))
  return make({ interface: row.id, addresses })
}
