/** What may be asked about Regions and Availability Zones. All of it only looks. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { AvailabilityZone, Region } from '@aws-sdk/client-ec2'
import type { Actions } from '#kit/action'
import { ApiError } from '#kit/error'
import { matcher } from '#kit/filter'
import { regionsFor, usedRegions, zonesFor } from '#service/ec2/region/region'

const regionFilters = { endpoint: 'Endpoint', 'opt-in-status': 'OptInStatus', 'region-name': 'RegionName' }
const zoneFilters = {
  'group-long-name': 'GroupLongName', 'group-name': 'GroupName', message: 'Messages.Message', 'opt-in-status': 'OptInStatus',
  'parent-zone-id': 'ParentZoneId', 'parent-zone-name': 'ParentZoneName', 'region-name': 'RegionName', state: 'State',
  'zone-id': 'ZoneId', 'zone-name': 'ZoneName', 'zone-type': 'ZoneType',
}
const untagged = { tags: {} }

/** The first name that no item has is an error, in the order of the request. */
function known(names: readonly string[], all: readonly (string | undefined)[], what: string): void {
  const unknown = names.find(name => !all.includes(name))
  if (unknown !== undefined) throw new ApiError('InvalidParameterValue', `Invalid ${what}: [${unknown}]`)
}

export const actions: Actions<typeof sdk> = {
  DescribeRegions: {
    async look({ input: { RegionNames: names = [], AllRegions: all, Filters: filters }, reader, account, region }) {
      const matches = matcher<Region, typeof untagged>(regionFilters, filters)
      const regions = regionsFor(await usedRegions(reader, { account, region }))
      known(names, regions.map(r => r.RegionName), 'region')
      // A Region that is asked for by name is given whether it is enabled or not (API Reference, RegionName.N).
      const asked = (r: Region) => names.length > 0 ? names.includes(r.RegionName!) : all || r.OptInStatus !== 'not-opted-in'
      return { Regions: regions.filter(r => asked(r) && matches(r, untagged)) }
    },
  },

  DescribeAvailabilityZones: {
    async look({ input: { ZoneNames: names = [], ZoneIds: ids = [], Filters: filters }, region }) {
      const matches = matcher<AvailabilityZone, typeof untagged>(zoneFilters, filters)
      const zones = zonesFor(region)
      known(names, zones.map(z => z.ZoneName), 'availability zone')
      known(ids, zones.map(z => z.ZoneId), 'availability zone-id')
      const asked = (z: AvailabilityZone) =>
        (names.length === 0 || names.includes(z.ZoneName!)) && (ids.length === 0 || ids.includes(z.ZoneId!))
      return { AvailabilityZones: zones.filter(z => asked(z) && matches(z, untagged)) }
    },
  },
}
