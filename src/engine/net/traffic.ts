/**
 * Rules of groups and filters as nftables matches.
 *
 * Invariant: a rule's text matches exactly its traffic. Group rules only allow, so their order is free and peers of equal
 * traffic share one rule; filter rules keep their order.
 */
import { formatCidr, parseCidr, within, type Cidr } from '#base/cidr'
import type { FilterRule, GroupRule, Traffic } from '#engine/port'

const TCP = 6
const UDP = 17
const ICMP = 1
const names: Record<number, string> = { [TCP]: 'tcp', [UDP]: 'udp' }

/** The match for protocol, ports and ICMP types; empty for all traffic. */
export function match({ protocol, ports, icmp }: Traffic): string {
  if (protocol === 'all') return ''
  if (ports && !(ports.from === 0 && ports.to === 65535)) {
    const range = ports.from === ports.to ? `${ports.from}` : `${ports.from}-${ports.to}`
    return names[protocol] ? `${names[protocol]} dport ${range}` : `meta l4proto ${protocol} th dport ${range}`
  }
  if (protocol !== ICMP || icmp?.type === undefined) return `meta l4proto ${protocol}`
  return `icmp type ${icmp.type}${icmp.code === undefined ? '' : ` icmp code ${icmp.code}`}`
}

const ANYWHERE = '0.0.0.0/0'
const words = (...parts: string[]) => parts.filter(Boolean).join(' ')

/** What nftables takes as one interval set: no block inside another. */
function minimal(blocks: string[]): string[] {
  const parsed = blocks.map(block => {
    const cidr = parseCidr(block)
    if (!cidr) throw new Error(`not an IPv4 block: ${block}`)
    return cidr
  }).sort((a, b) => a.length - b.length || a.base - b.base)
  const kept: Cidr[] = []
  for (const cidr of parsed) if (!kept.some(outer => within(outer, cidr))) kept.push(cidr)
  return kept.map(formatCidr)
}

function peers(side: 'saddr' | 'daddr', blocks: string[]): string {
  const least = minimal(blocks)
  if (least[0] === ANYWHERE) return ''
  return `ip ${side} ${least.length === 1 ? least[0] : `{ ${least.join(', ')} }`}`
}

/** One side of a group. `members` names the set of a group's addresses; a group that this network has not matches nothing. */
export function groupRules(rules: GroupRule[], side: 'saddr' | 'daddr', members: (group: string) => string | undefined): string[] {
  const blocks = new Map<string, string[]>()
  const lines: string[] = []
  for (const rule of rules) {
    const traffic = match(rule)
    if ('cidr' in rule.peer) {
      const same = blocks.get(traffic)
      if (same) same.push(rule.peer.cidr)
      else blocks.set(traffic, [rule.peer.cidr])
      continue
    }
    const set = members(rule.peer.group)
    if (set) lines.push(words(traffic, `ip ${side} @${set}`, 'accept'))
  }
  return [...[...blocks].map(([traffic, cidrs]) => words(traffic, peers(side, cidrs), 'accept')), ...lines]
}

/** One side of a filter: `return` lets the packet go on to the groups. */
export const filterRules = (rules: FilterRule[], side: 'saddr' | 'daddr'): string[] =>
  [...rules.map(rule => words(match(rule), peers(side, [rule.cidr]), rule.allow ? 'return' : 'drop')), 'drop']
