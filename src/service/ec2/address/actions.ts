/** What may be asked of Elastic IP addresses. */
import { contains, formatIp, parseIp } from '#base/cidr'
import type { Home } from '#base/home'
import { resourceId } from '#base/id'
import type { Actions, Call } from '#kit/action'
import { pageOf, select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { byPublicIp, elasticIp, getElasticIp, placeOf, type AddressRow } from '#service/ec2/address/address'
import { associate, disassociate, givenAddress } from '#service/ec2/address/associate'
import type { Context } from '#service/ec2/context'
import { invalidCombination, invalidValue, missingParameter, unsupported } from '#service/ec2/errors'
import { refuseManaged } from '#service/ec2/network-interface/network-interface'
import { claimPublicAddress, publicEnds, PUBLIC_SCOPE } from '#service/ec2/network-interface/allocate'
import type * as sdk from '@aws-sdk/client-ec2'

/** EC2 User Guide, "Elastic IP addresses": five for each Region. */
export const MAX_ADDRESSES = 5
const PAGE = { least: 1, most: 1000 }

/** One that is asked for by name: it must be of the pool and free (API Reference, AllocateAddress: recovering an address). */
async function claimNamed(call: Call<unknown>, { home, owner, address }: { home: Home; owner: string; address: string }): Promise<string> {
  const ip = parseIp(address)
  const { least, most } = publicEnds(home.publicRange)
  if (ip === undefined || !contains(home.publicRange, ip) || ip < least || ip > most) {
    throw new ApiError('InvalidAddress.NotFound', `Address '${address}' not found.`)
  }
  if (!await call.tx.claim(PUBLIC_SCOPE, formatIp(ip), owner)) throw new ApiError('InvalidIPAddress.InUse', `Address ${address} is in use.`)
  return address
}

async function allocate(call: Call<sdk.AllocateAddressRequest>, home: Home): Promise<AddressRow> {
  const { input, tx, account, region } = call
  if (input.Domain !== undefined && input.Domain !== 'vpc') throw invalidValue('domain', input.Domain, 'EC2-Classic is gone: use vpc.')
  for (const name of ['CustomerOwnedIpv4Pool', 'IpamPoolId'] as const) {
    if (input[name] !== undefined) throw unsupported(`${name} of AllocateAddress`)
  }
  if (input.PublicIpv4Pool !== undefined && input.PublicIpv4Pool !== 'amazon') {
    throw new ApiError('InvalidPublicIpv4PoolID.NotFound', `The pool ID '${input.PublicIpv4Pool}' does not exist.`)
  }
  checkBorder(input.NetworkBorderGroup, region)
  if ((await elasticIp.list(tx, call)).length >= MAX_ADDRESSES) {
    throw new ApiError('AddressLimitExceeded', 'The maximum number of addresses has been reached.')
  }
  const id = resourceId(elasticIp.prefix)
  const address = input.Address === undefined
    ? await claimPublicAddress(tx, id, home) : await claimNamed(call, { home, owner: id, address: input.Address })
  const row = elasticIp.make({ account, region, now: call.now, id, spec: { address }, status: {}, tags: call.tags('elastic-ip') })
  return tx.put(row, 'allocated')
}

function checkBorder(given: string | undefined, region: string): void {
  if (given !== undefined && given !== region) throw invalidValue('networkBorderGroup', given, `It must be ${region}.`)
}

const attributeView = ({ id, spec }: AddressRow): sdk.AddressAttribute => ({
  AllocationId: id, PublicIp: spec.address, PtrRecord: spec.reverseName === undefined ? undefined : `${spec.reverseName}.`,
})

/** A name of several labels, as in DNS, without its closing dot. */
function readName(given: string): string {
  const name = given.replace(/\.$/, '').toLowerCase()
  if (name.length <= 253 && /^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name
  throw invalidValue('domainName', given, 'It must be a domain name.')
}

export const actions = ({ home }: Pick<Context, 'home'>): Actions<typeof sdk> => ({
  async AllocateAddress(call) {
    const { AllocationId, PublicIp, PublicIpv4Pool, NetworkBorderGroup, Domain } = await elasticIp.viewOne(call.tx, await allocate(call, home))
    return { AllocationId, PublicIp, PublicIpv4Pool, NetworkBorderGroup, Domain }
  },

  async AssociateAddress(call) { return { AssociationId: await associate(call, home) } },

  async DisassociateAddress(call) {
    const { AssociationId, PublicIp } = call.input
    if (AssociationId !== undefined && PublicIp !== undefined) {
      throw invalidCombination('You may specify public IP or association id, but not both in the same call')
    }
    if (AssociationId === undefined && PublicIp === undefined) {
      throw new ApiError('MissingParameter', 'Either public IP or association id must be specified')
    }
    const found = await placeOf(call.tx, AssociationId ?? (await givenAddress({ ...call, input: { PublicIp } })).id)
    const own = found?.owner.account === call.account && found.owner.region === call.region
    if (AssociationId !== undefined && (!own || found.inside.public!.association !== AssociationId)) {
      throw new ApiError('InvalidAssociationID.NotFound', `The association ID '${AssociationId}' does not exist`)
    }
    if (found) {
      refuseManaged(found.owner)
      await disassociate(call.tx, found, home)
    }
    return {}
  },

  async ReleaseAddress(call) {
    checkBorder(call.input.NetworkBorderGroup, call.region)
    const row = await givenAddress(call)
    if (call.input.AllocationId === undefined) {
      throw new ApiError('InvalidParameterValue', 'You must specify an allocation id when releasing a VPC elastic IP address')
    }
    const found = await placeOf(call.tx, row.id)
    if (found) refuseManaged(found.owner)
    if (found) throw new ApiError('InvalidIPAddress.InUse', `Address ${row.spec.address} is in use.`)
    await call.tx.remove(row, 'released')
    return {}
  },

  async DescribeAddresses(call) {
    const { PublicIps = [], AllocationIds, Filters } = call.input
    const rows = PublicIps.length > 0 ? await byPublicIp(call.tx, call, [...new Set(PublicIps)]) : undefined
    const { hits } = await select({ ...call, input: { Filters } }, elasticIp, { ids: AllocationIds, rows })
    const named = rows && new Set(rows.map(row => row.id))
    return { Addresses: hits.filter(({ row }) => named?.has(row.id) ?? true).map(hit => hit.view) }
  },

  async DescribeAddressesAttribute(call) {
    const { AllocationIds = [], Attribute, ...input } = call.input
    if (Attribute !== undefined && Attribute !== 'domain-name') throw invalidValue('attribute', Attribute)
    const rows = AllocationIds.length > 0 ? await elasticIp.getAll(call.tx, call, AllocationIds) : await elasticIp.list(call.tx, call)
    const { items, next } = pageOf(rows, row => row.id, input, 'addresses-attribute', PAGE)
    return { Addresses: items.map(attributeView), NextToken: next }
  },

  async ModifyAddressAttribute(call) {
    const row = await getElasticIp(call.tx, call, call.input.AllocationId!)
    if (call.input.DomainName === undefined) throw missingParameter('DomainName')
    const reverseName = readName(call.input.DomainName)
    return { Address: attributeView(await elasticIp.update(call.tx, row, { spec: { reverseName } }, 'modified')) }
  },

  async ResetAddressAttribute(call) {
    if (call.input.Attribute !== 'domain-name') throw invalidValue('attribute', call.input.Attribute)
    const row = await getElasticIp(call.tx, call, call.input.AllocationId!)
    return { Address: attributeView(await elasticIp.update(call.tx, row, { spec: { reverseName: undefined } }, 'modified')) }
  },
})
