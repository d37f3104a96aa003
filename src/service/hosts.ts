/**
 * The names at which AWS answers for a service (AWS General Reference, "Service endpoints and quotas"), for those that are served here.
 *
 * Invariant: whoever is told a name of a service that is not served here is told so by the name's real owner, never by us.
 */
const DOMAIN = 'amazonaws.com'

/** Services of one endpoint for the whole world besides, or instead of, those of the Regions. */
const worldwide: Record<string, 'also' | 'only'> = { ec2: 'also', sts: 'also', s3: 'also', iam: 'only' }
/** Services that answer by further names: what agents on instances speak to. */
const further: Record<string, string[]> = { ssm: ['ssmmessages', 'ec2messages'] }

/** A Region's names of a service; whatever is below them is the service's too, as buckets are below S3's. */
export const regionalHosts = (id: string, region: string): string[] =>
  (worldwide[id] === 'only' ? [] : [id, ...further[id] ?? []].map(name => `${name}.${region}.${DOMAIN}`))

/** All names of these services, in all Regions and worldwide. */
export const hostsOf = (ids: readonly string[], regions: readonly string[]): string[] => ids.flatMap(id => [
  ...worldwide[id] === undefined ? [] : [`${id}.${DOMAIN}`],
  ...regions.flatMap(region => regionalHosts(id, region)),
])
