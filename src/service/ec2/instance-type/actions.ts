/**
 * DescribeInstanceTypes and DescribeInstanceTypeOfferings. Facts only: nothing is stored. Every type is offered in every zone; whether
 * the host has room for one, or its processor, shows at launch.
 */
import type { _InstanceType, InstanceTypeInfo, InstanceTypeOffering, LocationType } from '@aws-sdk/client-ec2'
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions } from '#kit/action'
import { pageOf } from '#kit/describe'
import { ApiError } from '#kit/error'
import { matcher } from '#kit/filter'
import { all, filters, find, view } from '#service/ec2/instance-type/instance-type'

export type Zone = { name: string; id: string }

/** API Reference: MaxResults of DescribeInstanceTypes is 5 to 100, of DescribeInstanceTypeOfferings 5 to 1000. */
const TYPES_PAGE = { least: 5, most: 100 }
const untagged = { tags: {} }

function named(names: readonly string[]): InstanceTypeInfo[] {
  const missing = names.filter(name => !find(name))
  if (missing.length > 0) {
    throw new ApiError('InvalidInstanceType', `The following supplied instance types do not exist: [${missing.join(', ')}]`)
  }
  return [...new Set(names)].map(name => view(find(name)!))
}

const offeringFilters = { 'instance-type': 'InstanceType', location: 'Location' }

/** Where types are offered: in the region, in each zone by name, or in each zone by id. Enclume has no outposts. */
export function offerings(at: LocationType, { region, zones }: { region: string; zones: readonly Zone[] }): InstanceTypeOffering[] {
  const places: Partial<Record<LocationType, string[]>> = {
    region: [region], 'availability-zone': zones.map(zone => zone.name), 'availability-zone-id': zones.map(zone => zone.id), outpost: [],
  }
  const locations = Object.hasOwn(places, at) ? places[at] : undefined
  if (!locations) throw new ApiError('InvalidParameterValue', `Value (${at}) for parameter LocationType is invalid.`)
  return locations.flatMap(Location => all().map(({ name }) => ({ InstanceType: name as _InstanceType, LocationType: at, Location })))
}

/** `zonesOf` names a region's Availability Zones. */
export const actions = (zonesOf: (region: string) => readonly Zone[]) => ({
  async DescribeInstanceTypes({ input }) {
    const { InstanceTypes: names = [] } = input
    if (names.length > 0 && input.MaxResults !== undefined) {
      throw new ApiError('InvalidParameterCombination', 'The parameter InstanceTypes cannot be used with the parameter MaxResults')
    }
    const matches = matcher<InstanceTypeInfo, typeof untagged>(filters, input.Filters)
    const found = (names.length > 0 ? named(names) : all().map(view)).filter(type => matches(type, untagged))
    const { items, next } = pageOf(found, type => type.InstanceType!, input, 'DescribeInstanceTypes', TYPES_PAGE)
    return { InstanceTypes: items, NextToken: next }
  },
  async DescribeInstanceTypeOfferings({ input, region }) {
    const matches = matcher<InstanceTypeOffering, typeof untagged>(offeringFilters, input.Filters)
    const offered = offerings(input.LocationType ?? 'region', { region, zones: zonesOf(region) }).filter(row => matches(row, untagged))
    const { items, next } = pageOf(offered, row => `${row.Location}/${row.InstanceType}`, input, `Offerings/${input.LocationType}`)
    return { InstanceTypeOfferings: items, NextToken: next }
  },
}) satisfies Actions<typeof sdk>
