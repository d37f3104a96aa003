/**
 * The part of CreateVpcEndpoint and ModifyVpcEndpoint that is about interface endpoints: subnets, groups, names.
 *
 * Invariant: an endpoint has one interface in a zone at most, each with the endpoint's groups.
 */
import type { Home } from '#base/home'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { invalidValue, unsupported } from '#service/ec2/errors'
import { checkGroups, createInterface, releaseInterface } from '#service/ec2/network-interface/allocate'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { s3Service } from '#service/ec2/prefix-list/managed'
import { subnet, type SubnetRow } from '#service/ec2/subnet/subnet'
import { privateNames } from '#service/ec2/vpc-endpoint/names'
import { NAME_SCOPE, vpcEndpoint, type Inside } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import { checkLimit } from '#service/ec2/vpc/limits'
import type { VpcRow } from '#service/ec2/vpc/vpc'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Endpoint = { id: string; network: VpcRow; service: string }
type At = Call<object> & { home: Home }

export const invalid = (message: string): ApiError => new ApiError('InvalidParameter', message)

/** The words of the request that both operations have. */
export function checkOptions({ IpAddressType: type, DnsOptions: dns }: Pick<sdk.CreateVpcEndpointRequest, 'IpAddressType' | 'DnsOptions'>): void {
  for (const [name, given, more] of [['IpAddressType', type, ''], ['DnsRecordIpType', dns?.DnsRecordIpType, 'service-defined']]) {
    if (given === undefined || given === 'ipv4' || given === more) continue
    if (['ipv6', 'dualstack'].includes(given)) throw unsupported(`${given} VPC endpoints`)
    throw invalidValue(name!, given)
  }
  if (dns?.PrivateDnsPreference !== undefined || dns?.PrivateDnsSpecifiedDomains?.length) throw unsupported('PrivateDnsPreference of VPC endpoints')
}

type Wanted = { subnets: readonly string[]; configurations?: readonly sdk.SubnetConfiguration[] }

/** Subnets of the VPC in zones of their own, each with the address that it shall have. */
async function readSubnets(
  call: At, { network }: Endpoint, { subnets, configurations = [] }: Wanted, taken: readonly string[],
): Promise<{ row: SubnetRow; address?: string }[]> {
  if (configurations.some(one => one.Ipv6 !== undefined)) throw unsupported('Ipv6 of SubnetConfigurations')
  const addresses = new Map(configurations.map(one => [one.SubnetId ?? '', one.Ipv4]))
  const rows = await subnet.getAll(call.tx, call, [...new Set([...subnets, ...addresses.keys()])])
  const zones = new Set(taken)
  return rows.map(row => {
    if (row.spec.vpc !== network.id) throw invalid(`Subnet ${row.id} does not belong to VPC ${network.id}.`)
    // terraform-aws-vpc#583.
    if (zones.has(row.spec.zone)) {
      throw new ApiError('DuplicateSubnetsInSameZone', `Found another VPC endpoint subnet in the availability zone of ${row.id}. `
        + 'VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service.')
    }
    zones.add(row.spec.zone)
    const address = addresses.get(row.id)
    return { row, ...(address !== undefined && { address }) }
  })
}

async function addInterfaces(call: At, endpoint: Endpoint, { interfaces, groups }: Inside, wanted: Wanted): Promise<Inside['interfaces']> {
  const found = await readSubnets(call, endpoint, wanted, interfaces.map(({ zone }) => zone))
  const made: Inside['interfaces'] = []
  for (const { row, address } of found) {
    const own = await createInterface(call.tx, {
      place: call, now: call.now, home: call.home, vpc: endpoint.network, subnet: row, privateIp: address, groups, manager: endpoint.id,
      description: `VPC Endpoint Interface ${endpoint.id}`, publicIp: false, metadataHopLimit: 1, hostnameType: 'ip-name',
    })
    made.push({ id: own.id, subnet: row.id, zone: row.spec.zone })
  }
  return [...interfaces, ...made]
}

/** Has a service's own names mean this endpoint in its VPC. */
async function takeNames(tx: Tx, { id, network: { id: network, region, spec }, service }: Endpoint): Promise<void> {
  if (!spec.dnsSupport || !spec.dnsHostnames) {
    throw invalid(`Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for ${network}`)
  }
  for (const name of privateNames({ region, spec: { service } })) {
    if (await tx.claim(NAME_SCOPE, `${network}/${name}`, id)) continue
    // terraform-provider-aws#17269.
    throw invalid('private-dns-enabled cannot be set because there is already a conflicting DNS domain for '
      + `${name.replace('*.', '')} in the VPC ${network}`)
  }
}

/** Whether private names are for others than the VPC, which has a gateway endpoint then (terraform-aws-vpc#982). */
async function inboundOnly(call: Call<object>, { network, service }: Endpoint, dns: sdk.DnsOptionsSpecification | undefined): Promise<boolean> {
  const only = dns?.PrivateDnsOnlyForInboundResolverEndpoint
  if (service !== s3Service(call.region)) {
    if (only) throw invalid('PrivateDnsOnlyForInboundResolverEndpoint is for services that have gateway endpoints too.')
    return false
  }
  if (only === false) return false
  const others = (await vpcEndpoint.list(call.tx, call)).filter(row => row.spec.vpc === network.id && row.spec.service === service)
  if (others.every(row => row.spec.inside)) {
    throw invalid(`To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC ${network.id} must have a Gateway endpoint for the service.`)
  }
  return true
}

export async function createInside(call: Call<sdk.CreateVpcEndpointRequest> & { home: Home }, endpoint: Endpoint): Promise<Inside> {
  const { input, tx } = call
  const { network, service } = endpoint
  checkOptions(input)
  const others = (await vpcEndpoint.list(tx, call)).filter(row => row.spec.vpc === network.id && row.spec.inside)
  checkLimit('interfaceEndpoints', others.length)
  // AWS's own default, but for S3 (terraform-provider-aws#37694, terraform-aws-vpc#647).
  const privateDns = input.PrivateDnsEnabled ?? service !== s3Service(call.region)
  const only = privateDns && await inboundOnly(call, endpoint, input.DnsOptions)
  if (privateDns) await takeNames(tx, endpoint)
  const groups = await checkGroups(tx, { place: call, vpc: network.id, subnet: input.SubnetIds?.[0] ?? '', groups: input.SecurityGroupIds })
  const bare: Inside = { interfaces: [], groups, privateDns, ...(only && { inboundOnly: only }), desired: 'present' }
  const wanted = { subnets: input.SubnetIds ?? [], configurations: input.SubnetConfigurations }
  return { ...bare, interfaces: await addInterfaces(call, endpoint, bare, wanted) }
}

export type Change = sdk.ModifyVpcEndpointRequest

export async function changeInside(call: Call<Change> & { home: Home }, endpoint: Endpoint, before: Inside): Promise<Inside> {
  const { input, tx } = call
  checkOptions(input)
  const inside = await changeNames(call, endpoint, { ...before, groups: await changeGroups(call, endpoint, before) })
  const { RemoveSubnetIds: remove = [], AddSubnetIds: subnets = [], SubnetConfigurations: configurations } = input
  for (const id of remove) {
    subnet.checkId(id)
    if (!inside.interfaces.some(one => one.subnet === id)) throw new ApiError(subnet.missing, `The subnet ID '${id}' does not exist`)
  }
  const left = inside.interfaces.filter(one => !remove.includes(one.subnet))
  for (const { id } of inside.interfaces.filter(one => !left.includes(one))) await releaseInterface(tx, (await networkInterface.find(tx, id))!)
  for (const { id } of left) {
    await networkInterface.update(tx, (await networkInterface.find(tx, id))!, { spec: { groups: inside.groups } }, 'modified')
  }
  return { ...inside, interfaces: await addInterfaces(call, endpoint, { ...inside, interfaces: left }, { subnets, configurations }) }
}

async function changeGroups({ input, tx, ...call }: Call<Change>, { network }: Endpoint, { groups }: Inside): Promise<string[]> {
  const { AddSecurityGroupIds: add = [], RemoveSecurityGroupIds: remove = [] } = input
  const unknown = remove.find(id => !groups.includes(id))
  if (unknown !== undefined) throw new ApiError('InvalidGroup.NotFound', `The security group '${unknown}' is not one of the endpoint`)
  const next = [...new Set([...groups.filter(id => !remove.includes(id)), ...add])]
  if (next.length === 0) throw invalid('A VPC endpoint must have at least one security group.')
  return add.length === 0 ? next : checkGroups(tx, { place: call, vpc: network.id, groups: next })
}

async function changeNames(call: Call<Change>, endpoint: Endpoint, inside: Inside): Promise<Inside> {
  const { PrivateDnsEnabled: wanted = inside.privateDns, DnsOptions: dns } = call.input
  const { inboundOnly: before, ...rest } = inside
  const names = privateNames({ region: call.region, spec: endpoint })
  if (wanted && !inside.privateDns) await takeNames(call.tx, endpoint)
  if (!wanted && inside.privateDns) for (const name of names) await call.tx.release(NAME_SCOPE, `${endpoint.network.id}/${name}`)
  const asked = dns?.PrivateDnsOnlyForInboundResolverEndpoint !== undefined || !inside.privateDns
  const only = wanted && (asked ? await inboundOnly(call, endpoint, dns) : before)
  return { ...rest, privateDns: wanted, ...(only && { inboundOnly: only }) }
}
