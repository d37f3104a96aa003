/** The blocks that VPCs, subnets and routes may have. Pure. */
import { formatCidr, overlaps, parseCidr, within, type Cidr } from '#base/cidr'
import type { Home } from '#base/home'
import { ApiError } from '#kit/error'
import { invalidValue } from '#service/ec2/errors'

const block = (text: string): Cidr => parseCidr(text)!

/** A block in its canonical form, as AWS keeps it: 10.0.0.1/16 is 10.0.0.0/16 (API Reference, CreateVpc). */
export function readCidr(parameter: string, text: string): Cidr {
  const parsed = parseCidr(text)
  if (!parsed) throw invalidValue(parameter, text, 'This is not a valid CIDR block.')
  return { base: parsed.base, length: parsed.length }
}

/** VPC User Guide, "VPC CIDR blocks": between /16 and /28, subnets too. */
export const isAllowedSize = ({ length }: Cidr): boolean => length >= 16 && length <= 28

/** VPC User Guide, "VPC CIDR blocks": what no VPC may have. */
const NEVER = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'].map(block)
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(block)

const range = (cidr: Cidr, why: string): ApiError => new ApiError('InvalidVpc.Range', `The CIDR '${formatCidr(cidr)}' ${why}`)

/** Throws where a VPC may not have the block, on AWS or here. */
export function checkVpcBlock(home: Pick<Home, 'publicRange' | 'fabricRange'>, cidr: Cidr): void {
  if (!isAllowedSize(cidr) || NEVER.some(never => overlaps(never, cidr))) throw range(cidr, 'is invalid.')
  for (const [own, use] of [[home.publicRange, 'has its public addresses'], [home.fabricRange, 'tells interfaces apart']] as const) {
    if (overlaps(own, cidr)) throw range(cidr, `is invalid. It overlaps ${formatCidr(own)}, by which this Enclume ${use}.`)
  }
}

/**
 * Throws where a VPC with these blocks may not have a further one: blocks never overlap, and private ones are of one private range
 * (VPC User Guide, "IPv4 CIDR block association restrictions").
 */
export function checkFurtherBlock(blocks: readonly string[], cidr: Cidr): void {
  const others = blocks.map(block)
  if (others.some(other => overlaps(other, cidr))) throw range(cidr, 'conflicts with another CIDR block of this VPC.')
  const privateOf = (c: Cidr) => PRIVATE.find(p => within(p, c))
  const [own, its] = [privateOf(others[0]!), privateOf(cidr)]
  if (own && its && own !== its) {
    throw range(cidr, 'is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a publicly-routable CIDR.')
  }
}
