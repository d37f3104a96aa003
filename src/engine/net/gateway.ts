/**
 * What stands behind ports that no machine takes, each in a namespace of its own: a translator, where the kernel forwards with the port's
 * addresses as source, or a door, at which this process answers (doors.ts).
 *
 * Invariant: nothing begins from outside. What a translator forwards came from the network's own blocks or answers what did; nobody speaks
 * to the translator itself. No process is needed in it. A door forwards nothing, and takes connections to its one port alone.
 *
 * Its manners are those of EC2's ("NAT gateway basics", VPC user guide): TCP, UDP and ICMP pass; a connection that was idle for 350
 * seconds is forgotten, and who goes on with it is told so by a reset.
 */
import type { Home } from '#base/home'
import type { NetworkSpec, PortSpec } from '#engine/port'
import { ANSWERED_PORT } from '#engine/net/doors'
import { GATEWAY_MAC, gatewaySpace, portDevice } from '#engine/net/names'
import { gatewayOf } from '#engine/net/route'
import { inside, ipBatch, run } from '#engine/net/run'
import { isHoused } from '#engine/net/placed'
import { makeSpace, spaceExists, spaceNames, spaceNumber } from '#engine/net/space'

const IDLE_SECONDS = 350

/** A translator or door as this process made it: which namespace, and all that was done in it. */
export type Gateway = { space: string; number: number; made?: string }

/** Ports of a network behind which something of ours stands. */
export const housed = (spec: NetworkSpec): PortSpec[] => spec.ports.filter(isHoused)

/** Namespaces behind a network's ports; of every network's, without one. */
export async function gatewaySpaces(home: Home, network?: number): Promise<string[]> {
  const begin = gatewaySpace(home, network ?? 0, 0).slice(0, network === undefined ? -3 : -1)
  return (await spaceNames()).filter(name => name.startsWith(begin))
}

export async function readGateways(home: Home, network: number): Promise<Map<string, Gateway>> {
  const spaces = await gatewaySpaces(home, network)
  return new Map(await Promise.all(spaces.map(async space => [space, { space, number: await spaceNumber(space) }] as const)))
}

/** Empty namespaces for ports that are about to get their devices. */
export async function makeGateways(home: Home, spec: NetworkSpec, known: Map<string, Gateway>, ports: PortSpec[]): Promise<void> {
  for (const port of ports) {
    const space = gatewaySpace(home, spec.index, port.index)
    // One that is there has the other end of a device that was lost.
    if (spaceExists(space)) await run(['ip', 'netns', 'del', space])
    await makeSpace(space, { more: {
      'net.ipv4.conf.default.rp_filter': 0,
      'net.netfilter.nf_conntrack_tcp_loose': 0, 'net.netfilter.nf_conntrack_tcp_be_liberal': 1,
      'net.netfilter.nf_conntrack_tcp_timeout_established': IDLE_SECONDS, 'net.netfilter.nf_conntrack_udp_timeout_stream': IDLE_SECONDS,
    } })
    known.set(space, { space, number: await spaceNumber(space) })
  }
}

/** Has each do its work, and removes those that the network has no more. */
export async function keepGateways(home: Home, spec: NetworkSpec, known: Map<string, Gateway>): Promise<void> {
  const wanted = new Map(housed(spec).map(port => [gatewaySpace(home, spec.index, port.index), port]))
  await Promise.all([...known.values()].map(async gateway => {
    const port = wanted.get(gateway.space)
    if (!port) {
      await run(['ip', 'netns', 'del', gateway.space])
      known.delete(gateway.space)
      return
    }
    const [lines, rules] = [gatewayLines(home, spec, port), port.answers ? doorRules() : gatewayRules(spec, port)]
    const made = [...lines, rules].join('\n')
    if (gateway.made === made) return
    await run(inside(gateway.space, 'nft', '-f', '-'), rules)
    await ipBatch(lines, gateway.space)
    gateway.made = made
  }))
}

/** `ip` commands in the namespace. */
export function gatewayLines(home: Home, spec: NetworkSpec, port: PortSpec): string[] {
  const device = portDevice(home, port.index)
  const [router] = gatewayOf(spec.subnets.find(subnet => subnet.id === port.subnet)!.cidr).split('/')
  return [
    'link set dev lo up',
    ...port.addresses.map(a => `address replace ${a.private}/32 dev ${device}`),
    `link set dev ${device} up`,
    `neigh replace ${router} lladdr ${GATEWAY_MAC} dev ${device} nud permanent`,
    `route replace default via ${router} dev ${device} onlink`,
  ]
}

/** The translator's packet filter. Several addresses share the connections by who speaks with whom. */
export function gatewayRules(spec: NetworkSpec, port: PortSpec): string {
  const own = `{ ${spec.cidrs.join(', ')} }`
  const [first, ...others] = port.addresses.map(a => a.private)
  const choice = [first, ...others].map((address, i) => `${i} : ${address}`).join(', ')
  const source = others.length === 0 ? first : `jhash ip saddr . ip daddr mod ${others.length + 1} map { ${choice} }`
  return `table ip gateway
delete table ip gateway
table ip gateway {
  chain passing {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ct state invalid ip saddr ${own} meta l4proto tcp reject with tcp reset
    ct state invalid drop
    ip saddr ${own} ip daddr != 169.254.0.0/16 meta l4proto { tcp, udp, icmp } accept
  }
  chain to_gateway {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
  }
  chain translating {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${own} snat to ${source}
  }
}
`
}

/** A door's packet filter: who may come so far has been decided by the port's groups. */
export const doorRules = (): string => `table ip gateway
delete table ip gateway
table ip gateway {
  chain passing {
    type filter hook forward priority filter; policy drop;
  }
  chain to_door {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    tcp dport ${ANSWERED_PORT} accept
  }
}
`
