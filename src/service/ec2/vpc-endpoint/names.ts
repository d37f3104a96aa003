/** Names of interface endpoints (PrivateLink Guide, "Access an AWS service using an interface VPC endpoint": DNS names). Pure. */
import { createHash } from 'node:crypto'
import { serviceNamed } from '#service/ec2/vpc-endpoint/services'

type Named = { id: string; region: string; spec: { service: string } }

/** AWS's are eight letters and digits that nothing tells; ours follow from the id. */
const tail = (id: string): string => BigInt(`0x${createHash('sha256').update(id).digest('hex')}`).toString(36).slice(0, 8)

/**
 * The name of all its interfaces, and the names of those in each zone. Below S3's are `bucket` and names of buckets, so that they stand for all
 * that is below them.
 */
export function endpointNames({ id, region, spec }: Named, zones: readonly string[]): { all: string; zonal: { zone: string; name: string }[] } {
  const { word } = serviceNamed(region, spec.service)!
  const name = (zone: string) => `${word === 's3' ? '*.' : ''}${id}-${tail(id)}${zone}.${word}.${region}.vpce.amazonaws.com`
  return { all: name(''), zonal: zones.map(zone => ({ zone, name: name(`-${zone}`) })) }
}

/** The names that private DNS takes over. */
export const privateNames = ({ region, spec }: Omit<Named, 'id'>): readonly string[] => serviceNamed(region, spec.service)!.hosts
