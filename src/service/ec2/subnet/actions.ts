/** What may be asked of subnets. */
import { formatCidr, overlaps, parseCidr, size, within, type Cidr } from '#base/cidr'
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { zonesOf } from '#service/ec2/context'
import { hasDependencies, invalidCombination, invalidValue, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { zoneId } from '#service/ec2/region/region'
import { assignOnCreation, checkBlock6, ipv6Actions } from '#service/ec2/subnet/ipv6'
import { createSubnet } from '#service/ec2/subnet/make'
import { reservation, reservationActions } from '#service/ec2/subnet/reservation'
import { subnet, type Spec, type SubnetRow } from '#service/ec2/subnet/subnet'
import { isAllowedSize, readCidr } from '#service/ec2/vpc/cidr'
import { checkLimit } from '#service/ec2/vpc/limits'
import { defaultAcl } from '#service/ec2/vpc/make'
import { findDefaultVpc } from '#service/ec2/vpc/prepare'
import { vpc, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Reader } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** What a request changes; AWS takes one attribute at a time (API Reference, ModifySubnetAttribute). */
function change(row: SubnetRow, input: sdk.ModifySubnetAttributeRequest): Partial<Spec> {
  const { SubnetId: _, ...given } = input
  const names = Object.keys(given).filter(name => given[name as keyof typeof given] !== undefined)
  const [name] = names
  if (name === undefined) throw new ApiError('MissingParameter', 'The request must contain an attribute to modify')
  if (names.length > 1) throw new ApiError('InvalidParameterCombination', 'Only one subnet attribute can be modified at a time')
  if (given.MapPublicIpOnLaunch) return { mapPublicIp: given.MapPublicIpOnLaunch.Value ?? false }
  if (given.AssignIpv6AddressOnCreation) return assignOnCreation(row, given.AssignIpv6AddressOnCreation.Value ?? false)
  if (given.EnableResourceNameDnsARecordOnLaunch) return { resourceNameRecord: given.EnableResourceNameDnsARecordOnLaunch.Value ?? false }
  const type = given.PrivateDnsHostnameTypeOnLaunch
  if (type === 'ip-name' || type === 'resource-name') return { hostnameType: type }
  if (type !== undefined) throw new ApiError('InvalidParameterValue', `Value (${type}) for parameter hostnameType is invalid.`)
  // What no subnet here has can be switched off, but not on.
  if ((given[name as keyof typeof given] as sdk.AttributeBooleanValue).Value === false) return {}
  throw unsupported(`${name} of ModifySubnetAttribute`)
}

const beyond = ['Ipv6Native', 'OutpostArn', 'Ipv4IpamPoolId', 'Ipv4NetmaskLength', 'Ipv6IpamPoolId', 'Ipv6NetmaskLength']
type Where = { AvailabilityZone?: string; AvailabilityZoneId?: string }

/** The zone that a request means; the first where it names none, as AWS chooses then. */
function zoneOf(region: string, { AvailabilityZone: name, AvailabilityZoneId: id }: Where): string {
  const zones = zonesOf(region)
  if (name !== undefined && id !== undefined) {
    throw invalidCombination('The parameters availabilityZone and availabilityZoneId cannot be used together.')
  }
  const [parameter, asked] = id === undefined ? ['availabilityZone', name] : ['availabilityZoneId', id]
  if (asked === undefined) return zones[0]!
  const found = zones.find(zone => (id === undefined ? zone : zoneId(zone)) === asked)
  if (found !== undefined) return found
  throw invalidValue(parameter, asked, `Subnets can currently only be created in the following availability zones: ${zones.join(', ')}.`)
}

/** Throws where a VPC with these subnets has no room for the block. */
function checkBlock(home: VpcRow, others: SubnetRow[], cidr: Cidr): void {
  const inside = home.spec.cidrs.some(own => within(parseCidr(own.cidr)!, cidr))
  if (!isAllowedSize(cidr) || !inside) throw new ApiError('InvalidSubnet.Range', `The CIDR '${formatCidr(cidr)}' is invalid.`)
  if (others.some(({ spec }) => overlaps(parseCidr(spec.cidr)!, cidr))) {
    throw new ApiError('InvalidSubnet.Conflict', `The CIDR '${formatCidr(cidr)}' conflicts with another subnet`)
  }
}

const inVpc = async (reader: Reader, home: VpcRow): Promise<SubnetRow[]> =>
  (await subnet.list(reader, home)).filter(row => row.spec.vpc === home.id)

/** The next /20 that no subnet of a default VPC overlaps (VPC User Guide, "Create a default subnet"). */
function freeDefaultBlock(home: VpcRow, others: SubnetRow[]): Cidr {
  const whole = parseCidr(home.spec.cidrs[0]!.cidr)!
  const blocks = Array.from({ length: size(whole) / DEFAULT_SIZE }, (_, i) => ({ base: whole.base + i * DEFAULT_SIZE, length: 20 }))
  const free = blocks.find(block => !others.some(({ spec }) => overlaps(parseCidr(spec.cidr)!, block)))
  if (!free) throw new ApiError('InsufficientCidrBlocks', `The default VPC '${home.id}' has no room for another default subnet.`)
  return free
}
const DEFAULT_SIZE = 4096

export const actions: Actions<typeof sdk> = {
  ...reservationActions,
  ...ipv6Actions,
  DescribeSubnets: describe(subnet, 'SubnetIds', 'Subnets'),

  async CreateSubnet({ input, account, region, tx, now, tags }) {
    const place = { account, region }
    const home = await vpc.get(tx, place, input.VpcId!)
    refuseMembers('CreateSubnet', input, beyond)
    if (input.CidrBlock === undefined) throw missingParameter('cidrBlock')
    const cidr = readCidr('cidrBlock', input.CidrBlock)
    const zone = zoneOf(region, input)
    const others = await inVpc(tx, home)
    checkBlock(home, others, cidr)
    const cidr6 = input.Ipv6CidrBlock === undefined ? undefined : checkBlock6(home, others, input.Ipv6CidrBlock)
    checkLimit('subnets', others.length)
    const acl = (await defaultAcl(tx, home)).id
    const row = await createSubnet(tx, { place, now, vpc: home.id, acl, zone, cidr: formatCidr(cidr), cidr6, tags: tags('subnet') })
    return { Subnet: await subnet.viewOne(tx, row) }
  },

  async CreateDefaultSubnet({ input, account, region, tx, now }) {
    const place = { account, region }
    refuseMembers('CreateDefaultSubnet', input, ['Ipv6Native'])
    if (input.AvailabilityZone === undefined && input.AvailabilityZoneId === undefined) throw missingParameter('availabilityZone')
    const zone = zoneOf(region, input)
    const home = await findDefaultVpc(tx, place)
    if (!home) throw new ApiError('DefaultVpcDoesNotExist', 'No default VPC exists for this account in this region.')
    const others = await inVpc(tx, home)
    const already = others.find(({ spec }) => spec.defaultForAz && spec.zone === zone)
    if (already) {
      throw new ApiError('DefaultSubnetAlreadyExistsInAvailabilityZone', `'${already.id}' is already the default subnet in ${zone}.`)
    }
    checkLimit('subnets', others.length)
    const cidr = formatCidr(freeDefaultBlock(home, others))
    const row = await createSubnet(tx, { place, now, vpc: home.id, acl: (await defaultAcl(tx, home)).id, zone, cidr, isDefault: true })
    return { Subnet: await subnet.viewOne(tx, row) }
  },

  async ModifySubnetAttribute({ input, account, region, tx }) {
    const row = await subnet.get(tx, { account, region }, input.SubnetId!)
    await subnet.update(tx, row, { spec: change(row, input) }, 'modified')
    return {}
  },

  /** Associations with a route table and an ACL go with the subnet. */
  async DeleteSubnet({ input, account, region, tx }) {
    const row = await subnet.get(tx, { account, region }, input.SubnetId!)
    const interfaces = await networkInterface.list(tx, row)
    if (interfaces.some(({ spec }) => spec.subnet === row.id)) throw hasDependencies('subnet', row.id)
    for (const own of await reservation.list(tx, row)) if (own.spec.subnet === row.id) await tx.remove(own, 'deleted')
    await tx.remove(row, 'deleted')
    return {}
  },
}
