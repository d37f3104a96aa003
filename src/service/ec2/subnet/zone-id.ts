/** Ids of Availability Zones: `use1-az1`, as AWS abbreviates its regions. Here letter a is always az1. Pure. */

/** AWS writes most words by their first letter, and these by two. */
const words: Record<string, string> = { northeast: 'ne', northwest: 'nw', southeast: 'se', southwest: 'sw' }

/** `us-east-1b` is `use1-az2`, `ap-southeast-2a` is `apse2-az1`, `us-gov-west-1c` is `usgw1-az3`. */
export function zoneId(zone: string): string {
  const [country = '', ...rest] = zone.slice(0, -1).split('-')
  const number = rest.pop() ?? ''
  const place = rest.map(word => words[word] ?? word.slice(0, 1)).join('')
  return `${country}${place}${number}-az${zone.charCodeAt(zone.length - 1) - 96}`
}
