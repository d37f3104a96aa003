/**
 * Rules of groups and filters as nftables matches.
 *
 * Invariant: a rule's text matches exactly its traffic. Group rules only allow, so their order is free and peers of equal
 * traffic share one rule, and many ranges of ports one map; filter rules keep their order.
 */
import { createHash } from 'node:crypto'
import { formatCidr, parseCidr, within, type Cidr } from '#base/cidr'
import { formatCidr6, parseCidr6, within6, type Cidr6 } from '#base/cidr6'
import type { FilterRule, GroupRule, Traffic } from '#engine/port'
import type { NftChain, NftSet } from '#engine/net/ruleset'

const TCP = 6
const UDP = 17
const ICMP = 1
const ICMP6 = 58
const names: Record<number, string> = { [TCP]: 'tcp', [UDP]: 'udp' }

/** The match for protocol, ports and ICMP types; empty for all traffic. */
export function match({ protocol, ports, icmp }: Traffic): string {
  if (protocol === 'all') return ''
  if (ports && !(ports.from === 0 && ports.to === 65535)) {
    const range = ports.from === ports.to ? `${ports.from}` : `${ports.from}-${ports.to}`
    return names[protocol] ? `${names[protocol]} dport ${range}` : `meta l4proto ${protocol} th dport ${range}`
  }
  if ((protocol !== ICMP && protocol !== ICMP6) || icmp?.type === undefined) return `meta l4proto ${protocol}`
  const name = protocol === ICMP ? 'icmp' : 'icmpv6'
  return `${name} type ${icmp.type}${icmp.code === undefined ? '' : ` ${name} code ${icmp.code}`}`
}

/** Rules of one family never meet the other's packets: each has chains of its own (render6.ts). */
export type Family = 'ip' | 'ip6'
const anywhere = { ip: '0.0.0.0/0', ip6: '::/0' }
export const familyOf = (cidr: string): Family => (cidr.includes(':') ? 'ip6' : 'ip')
/** Whether a rule can meet packets of the family; one for a group is about all its addresses. */
const isOf = (family: Family) => ({ protocol, peer }: GroupRule): boolean =>
  protocol !== (family === 'ip' ? ICMP6 : ICMP) && ('group' in peer || familyOf(peer.cidr) === family)
const words = (...parts: string[]) => parts.filter(Boolean).join(' ')

/** What nftables takes as one interval set: no block inside another. */
function minimal(blocks: string[], family: Family): string[] {
  if (family === 'ip6') return minimal6(blocks)
  const parsed = blocks.map(block => {
    const cidr = parseCidr(block)
    if (!cidr) throw new Error(`not an IPv4 block: ${block}`)
    return cidr
  }).sort((a, b) => a.length - b.length || a.base - b.base)
  const kept: Cidr[] = []
  for (const cidr of parsed) if (!kept.some(outer => within(outer, cidr))) kept.push(cidr)
  return kept.map(formatCidr)
}

function minimal6(blocks: string[]): string[] {
  const parsed = blocks.map(block => parseCidr6(block)!).sort((a, b) => a.length - b.length || (a.base < b.base ? -1 : 1))
  const kept: Cidr6[] = []
  for (const cidr of parsed) if (!kept.some(outer => within6(outer, cidr))) kept.push(cidr)
  return kept.map(formatCidr6)
}

/** Which address of which packets a rule's peer is. */
type Toward = { side: 'saddr' | 'daddr'; family: Family }

function peers({ side, family }: Toward, blocks: string[]): string {
  const least = minimal(blocks, family)
  if (least[0] === anywhere[family]) return ''
  return `${family} ${side} ${least.length === 1 ? least[0] : `{ ${least.join(', ')} }`}`
}

/** From how many different ranges of ports on a chain looks them up in a map, whose size costs a packet next to nothing. */
const MANY = 8

/** A side of a group in nftables: its rules, and the map and chains that they use, by name. */
export type Side = { rules: string[]; maps: Record<string, NftSet>; chains: Record<string, NftChain> }

/**
 * One side of a group. `members` names the set of a group's addresses; a group that this network has not matches nothing. What the rules
 * use is called by `name` and what comes after it.
 */
export function groupSide(all: GroupRule[], o: Toward & { name: string; members: (group: string) => string | undefined }): Side {
  const rules = all.filter(isOf(o.family))
  const made: Side = { rules: [], maps: {}, chains: {} }
  const byPort = (protocol: number) => rules.filter(rule => rule.protocol === protocol && match(rule).includes(' dport '))
  const looked = new Set<GroupRule>()
  for (const protocol of [TCP, UDP]) {
    const ranged = byPort(protocol)
    if (new Set(ranged.map(match)).size < MANY) continue
    for (const rule of ranged) looked.add(rule)
    const map = `${o.name}_${names[protocol]}`
    const verdicts: { from: number; to: number; verdict: string }[] = []
    for (const { from, to, rules: those } of disjoint(ranged)) {
      const lines = peerLines(those, o)
      if (lines.length === 0) continue
      const chain = `${o.name}_${createHash('sha256').update(lines.join()).digest('hex').slice(0, 12)}`
      if (lines[0] !== 'accept') made.chains[chain] = { rules: lines }
      const verdict = lines[0] === 'accept' ? 'accept' : `jump ${chain}`
      const last = verdicts.at(-1)
      if (last?.verdict === verdict && last.to + 1 === from) last.to = to
      else verdicts.push({ from, to, verdict })
    }
    const elements = verdicts.map(({ from, to, verdict }) => `${from === to ? from : `${from}-${to}`} : ${verdict}`)
    made.maps[map] = { map: true, ranges: true, type: 'inet_service : verdict', elements }
    made.rules.push(`${names[protocol]} dport vmap @${map}`)
  }
  const traffics = Map.groupBy(rules.filter(rule => !looked.has(rule)), match)
  made.rules.push(...[...traffics].flatMap(([traffic, those]) => peerLines(those, o).map(line => words(traffic, line))))
  return made
}

/** Whom rules of one traffic let pass: everybody, or blocks in one rule and each group in one. */
function peerLines(rules: GroupRule[], { side, family, members }: Omit<Parameters<typeof groupSide>[1], 'name'>): string[] {
  const cidrs = rules.flatMap(({ peer }) => ('cidr' in peer ? [peer.cidr] : []))
  const sets = new Set(rules.flatMap(({ peer }) => ('group' in peer ? members(peer.group) ?? [] : [])))
  if (cidrs.includes(anywhere[family])) return ['accept']
  return [
    ...(cidrs.length > 0 ? [words(peers({ side, family }, cidrs), 'accept')] : []),
    ...[...sets].sort().map(set => `${family} ${side} @${set} accept`),
  ]
}

/** The ranges of ports cut where another one begins or ends, each with the rules that it is part of. */
function disjoint(rules: GroupRule[]): { from: number; to: number; rules: GroupRule[] }[] {
  const cuts = [...new Set(rules.flatMap(({ ports }) => [ports!.from, ports!.to + 1]))].sort((a, b) => a - b)
  const starts = Map.groupBy(rules, rule => rule.ports!.from)
  let open: GroupRule[] = []
  const found: { from: number; to: number; rules: GroupRule[] }[] = []
  for (const [i, from] of cuts.slice(0, -1).entries()) {
    open = [...open.filter(rule => rule.ports!.to >= from), ...starts.get(from) ?? []]
    if (open.length > 0) found.push({ from, to: cuts[i + 1]! - 1, rules: open })
  }
  return found
}

/** One side of a filter: `return` lets the packet go on to the groups. */
export const filterRules = (rules: FilterRule[], toward: Toward): string[] => [
  ...rules.filter(rule => familyOf(rule.cidr) === toward.family)
    .map(rule => words(match(rule), peers(toward, [rule.cidr]), rule.allow ? 'return' : 'drop')), 'drop',
]
