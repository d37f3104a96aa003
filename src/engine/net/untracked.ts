/**
 * Connections that a change of group rules ends at once: pure.
 *
 * A connection lives on when the rule that let it in goes, except one that EC2 does not track: it was let through by a TCP or UDP rule for
 * every address, while the other direction was open to every address and port. Such a one obeys the rules as they are now
 * ("Untracked connections", EC2 user guide, "Security group connection tracking").
 *
 * Invariant: a connection that the rules of now allow is never ended.
 */
import { contains, parseCidr, parseIp } from '#base/cidr'
import { contains6, formatIp6, parseCidr6, parseIp6 } from '#base/cidr6'
import { isIp6 } from '#engine/net/route6'
import type { GroupRule, NetworkSpec, PortSpec } from '#engine/port'

/** As the kernel tracks it: who began it, and who answers it after translation. */
export type Connection = {
  protocol: 'tcp' | 'udp'
  source: string
  target: string
  sourcePort: number
  targetPort: number
  answers: string
}

const numbers = { tcp: 6, udp: 17 }
/** Everywhere, of the connection's own family. */
const everywhere = (c: Connection): string => (isIp6(c.source) ? '::/0' : '0.0.0.0/0')

type Way = 'ingress' | 'egress'
const other = (way: Way): Way => (way === 'ingress' ? 'egress' : 'ingress')

function rulesOf(spec: NetworkSpec, port: PortSpec, way: Way): GroupRule[] {
  return spec.groups.filter(group => port.groups.includes(group.id)).flatMap(group => group[way])
}

const isForAll = (rule: GroupRule) => 'cidr' in rule.peer && ['0.0.0.0/0', '::/0'].includes(rule.peer.cidr)
const isForAllOf = (rule: GroupRule, c: Connection) => 'cidr' in rule.peer && rule.peer.cidr === everywhere(c)
const isOfAllPorts = ({ ports }: GroupRule) => !ports || (ports.from === 0 && ports.to === 65535)
const speaks = (rule: GroupRule, { protocol }: Connection) => rule.protocol === 'all' || rule.protocol === numbers[protocol]

function meets(rule: GroupRule, connection: Connection): boolean {
  return speaks(rule, connection)
    && (!rule.ports || (rule.ports.from <= connection.targetPort && connection.targetPort <= rule.ports.to))
}

const wasUntracked = (spec: NetworkSpec, port: PortSpec, way: Way, connection: Connection): boolean =>
  rulesOf(spec, port, way).some(rule => isForAllOf(rule, connection) && meets(rule, connection))
  && rulesOf(spec, port, other(way)).some(rule => isForAllOf(rule, connection) && speaks(rule, connection) && isOfAllPorts(rule))

function isAllowed(spec: NetworkSpec, port: PortSpec, way: Way, connection: Connection): boolean {
  const peer = way === 'ingress' ? connection.source : connection.target
  return rulesOf(spec, port, way).some(rule => meets(rule, connection) && isPeer(spec, rule.peer, peer))
}

const addressesOf = (port: PortSpec): string[] => [...port.addresses.map(a => a.private), ...port.addresses6 ?? []]

function isPeer(spec: NetworkSpec, peer: GroupRule['peer'], address: string): boolean {
  if ('cidr' in peer && isIp6(peer.cidr) !== isIp6(address)) return false
  if ('cidr' in peer && isIp6(address)) return contains6(parseCidr6(peer.cidr)!, parseIp6(address)!)
  if ('cidr' in peer) return contains(parseCidr(peer.cidr)!, parseIp(address)!)
  return spec.ports.some(port => port.groups.includes(peer.group) && addressesOf(port).includes(address))
}

/** Whether any connection can have become forbidden: a rule for every address is gone from a port. Cheap, unlike listing connections. */
export function mayEnd(was: NetworkSpec, is: NetworkSpec): boolean {
  const now = new Map(is.ports.map(port => [port.id, port]))
  const open = (spec: NetworkSpec, port: PortSpec) =>
    (['ingress', 'egress'] as const).flatMap(way => rulesOf(spec, port, way).filter(isForAll).map(rule => way + JSON.stringify(rule)))
  // Ports of equal groups have equal rules.
  const seen = new Set<string>()
  return was.ports.some(port => {
    const after = now.get(port.id)
    const both = after && JSON.stringify([port.groups, after.groups])
    if (!both || seen.has(both)) return false
    seen.add(both)
    const left = new Set(open(is, after))
    return open(was, port).some(rule => !left.has(rule))
  })
}

/** Those of the connections that were untracked and are not allowed any more. */
export function ended(was: NetworkSpec, is: NetworkSpec, connections: Connection[]): Connection[] {
  const owners = (spec: NetworkSpec) => new Map(spec.ports.flatMap(port => addressesOf(port).map(address => [address, port] as const)))
  const [before, after] = [owners(was), owners(is)]
  const isForbidden = (connection: Connection, way: Way, address: string) => {
    const [old, now] = [before.get(address), after.get(address)]
    return old && now && wasUntracked(was, old, way, connection) && !isAllowed(is, now, way, connection)
  }
  return connections.filter(c => isForbidden(c, 'ingress', c.answers) || isForbidden(c, 'egress', c.source))
}

/** An address as everybody else writes it; the kernel's own list has the zeros of IPv6 too. */
const spelled = (address: string): string => (address.includes(':') ? formatIp6(parseIp6(address)!) : address)

/** The lines of `conntrack -L`, or of the kernel's own list, that are TCP or UDP. */
export function parseConnections(text: string): Connection[] {
  return text.split('\n').flatMap(line => {
    const protocol = /^(?:ipv[46] +\d+ )?(tcp|udp) /.exec(line)?.[1] as 'tcp' | 'udp' | undefined
    const [began, answered] = [...line.matchAll(/src=([\da-f.:]+) dst=([\da-f.:]+) sport=(\d+) dport=(\d+)/g)]
    if (!protocol || !began || !answered) return []
    const [source, target, sourcePort, targetPort] = began.slice(1) as [string, string, string, string]
    return [{
      protocol, source: spelled(source), target: spelled(target), sourcePort: Number(sourcePort), targetPort: Number(targetPort),
      answers: spelled(answered[1]!),
    }]
  })
}
