/**
 * Regions and their Availability Zones: facts, not records. Only which Regions an account has used is remembered.
 *
 * Invariant: every Region name is a Region of its own. AWS's are listed always; others appear once they are used, and an
 * opt-in Region counts as opted in once it is used, as nothing here keeps an account from using it.
 */
import type { AvailabilityZone, Region } from '@aws-sdk/client-ec2'
import { regionFacts, type RegionFact } from '#service/ec2/region/data/regions'
import { ZONES, zonesOf } from '#service/ec2/context'
import type { Place } from '#kit/action'
import type { Reader, Tx } from '#store/store'

/** Remembers that the account uses the Region; part of what runs before an account's first call there. */
export async function useRegion(tx: Tx, { account, region }: Place): Promise<void> {
  await tx.claim(`regions/${account}`, region, account)
}

/** Regions that the account has used, this call's among them. */
export async function usedRegions(reader: Reader, { account, region }: Place): Promise<Set<string>> {
  return new Set([region, ...(await reader.claims(`regions/${account}`)).keys()])
}

/** AWS's Regions and those that the account uses beyond them, in the order of names. */
export function regionsFor(used: ReadonlySet<string>): Region[] {
  return [...new Set([...regionFacts.keys(), ...used])].sort().map(code => {
    const fact = regionFacts.get(code)
    return {
      RegionName: code,
      Endpoint: `ec2.${code}.amazonaws.com`,
      OptInStatus: fact && !fact.optIn ? 'opt-in-not-required' : used.has(code) ? 'opted-in' : 'not-opted-in',
      ...(fact && { Geography: [{ Name: fact.country }] }),
    }
  })
}

/** What zone ids of a Region begin with: `use1` for us-east-1, `apse2` for ap-southeast-2, `usge1` for us-gov-east-1. */
function zoneIdPrefix(region: string): string {
  const [area, ...rest] = region.split('-')
  return area + rest.map(part => part.replace(/^(north|south)?(east|west)$/, (_, ns = '', ew) => ns.slice(0, 1) + ew[0])
    .replace(/^([a-z])[a-z]{2,}$/, '$1')).join('')
}

/** Canada (Central) has no az3 (EC2, "Availability Zone IDs"). */
const zoneNumbers = (region: string): number[] => (region === 'ca-central-1' ? [1, 2, 4] : [1, 2, 3])

/** The id of a zone, such as `use1-az1` for us-east-1a. AWS maps letters to ids for each account anew; here a is the first. */
export function zoneId(zone: string): string {
  const region = zone.slice(0, -1)
  return `${zoneIdPrefix(region)}-az${zoneNumbers(region)[ZONES.indexOf(zone.slice(-1) as 'a')]}`
}

/** The Availability Zones of a Region. */
export function zonesFor(region: string): AvailabilityZone[] {
  const fact: RegionFact | undefined = regionFacts.get(region)
  return zonesOf(region).map(zone => ({
    RegionName: region, ZoneName: zone, ZoneId: zoneId(zone), ZoneType: 'availability-zone', State: 'available', Messages: [],
    OptInStatus: 'opt-in-not-required', GroupName: `${region}-zg-1`, NetworkBorderGroup: region,
    ...(fact && { GroupLongName: `${fact.name} 1`, Geography: [{ Name: fact.country }] }),
  }))
}
