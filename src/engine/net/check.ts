/**
 * Whether a network makes sense, before anything is made of it.
 *
 * Invariant: what passes can be written into nftables, `ip` and dnsmasq as it is: every word has the form of what it stands for, so no
 * caller's text can say more than it should; every name refers to something in the spec.
 */
import { parseCidr, parseIp } from '#base/cidr'
import { canonicalCidr6, parseCidr6 } from '#base/cidr6'
import type { NetworkSpec, Traffic } from '#engine/port'

const forms = {
  id: /^[A-Za-z0-9_.-]{1,100}$/,
  name: /^[A-Za-z0-9_*-]+(\.[A-Za-z0-9_-]+)*\.?$/,
  mac: /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/,
}

export const isName = (text: string): boolean => forms.name.test(text)

/** Throws on the first thing that makes no sense. */
export function check(spec: NetworkSpec): void {
  checkRules(spec)
  checkFrame(spec)
}

const failOf = ({ id }: NetworkSpec) => (what: string, value: unknown): never => {
  throw new Error(`network ${id}: not ${what}: ${JSON.stringify(value)}`)
}
type Fail = ReturnType<typeof failOf>
const forCidr = (fail: Fail) => (text: string) => parseCidr(text)?.exact || fail('a block', text)
const forCidr6 = (fail: Fail) => (text: string) => (parseCidr6(text)?.exact && canonicalCidr6(text) === text) || fail('an IPv6 block', text)
const forEither = (fail: Fail) => (text: string) => (text.includes(':') ? forCidr6 : forCidr)(fail)(text)
const forNumber = (fail: Fail) => (n: number, least: number, most: number) =>
  (Number.isInteger(n) && n >= least && n <= most) || fail(`a number from ${least} to ${most}`, n)

/** What groups and filters say, where all else is known to make sense. */
export function checkRules(spec: NetworkSpec): void {
  const fail = failOf(spec)
  const [either, number] = [forEither(fail), forNumber(fail)]
  const traffic = ({ protocol, ports, icmp }: Traffic) => {
    if (protocol !== 'all') number(protocol, 0, 255)
    if (ports) [ports.from, ports.to].forEach(n => number(n, 0, 65535))
    if (ports && ports.from > ports.to) fail('a range of ports', ports)
    for (const n of [icmp?.type, icmp?.code]) if (n !== undefined) number(n, 0, 255)
  }
  for (const rule of spec.filters.flatMap(f => [...f.ingress, ...f.egress])) {
    traffic(rule)
    either(rule.cidr)
  }
  for (const rule of spec.groups.flatMap(g => [...g.ingress, ...g.egress])) {
    traffic(rule)
    if ('cidr' in rule.peer) either(rule.peer.cidr)
  }
}

function checkFrame(spec: NetworkSpec): void {
  const fail = failOf(spec)
  const form = (kind: keyof typeof forms, text: string) => forms[kind].test(text) || fail(kind === 'id' ? 'an id' : `a ${kind}`, text)
  const ip = (text: string) => parseIp(text) !== undefined || fail('an address', text)
  const [cidr, cidr6, either, number] = [forCidr(fail), forCidr6(fail), forEither(fail), forNumber(fail)]
  const known = (what: string, all: { id: string }[]) => {
    const ids = new Set(all.map(({ id }) => id))
    for (const id of ids) form('id', id)
    if (ids.size < all.length) fail(`unique: ids of ${what}s`, all.map(({ id }) => id))
    return (id: string) => ids.has(id) || fail(`a ${what} of the network`, id)
  }

  form('id', spec.id)
  number(spec.index, 1, 127)
  spec.cidrs.forEach(cidr)
  spec.cidrs6?.forEach(cidr6)
  ip(spec.resolver)
  const [table, filter, subnet] = [known('route table', spec.routeTables), known('filter', spec.filters), known('subnet', spec.subnets)]
  const group = known('group', spec.groups)
  known('port', spec.ports)
  for (const s of spec.subnets) {
    number(s.index, 100, 60_000)
    cidr(s.cidr)
    if (s.cidr6 !== undefined) cidr6(s.cidr6)
    table(s.routeTable)
    if (s.filter !== undefined) filter(s.filter)
  }
  for (const t of spec.routeTables) {
    number(t.index, 1, 65_000)
    t.routes.forEach(route => either(route.cidr))
  }
  if (spec.edge !== undefined) table(spec.edge)
  for (const p of spec.ports) {
    number(p.index, 1, 999_999)
    form('mac', p.mac)
    subnet(p.subnet)
    if (p.addresses.length === 0) fail('a port with an address', p.id)
    for (const a of p.addresses) [a.private, ...(a.public ? [a.public] : [])].forEach(ip)
    for (const six of p.addresses6 ?? []) if (canonicalCidr6(`${six}/128`) !== `${six}/128`) fail('an IPv6 address', six)
    ip(p.fabric)
    p.groups.forEach(group)
    number(p.metadataHopLimit, 1, 64)
    if (p.bitsPerSecond !== undefined) number(p.bitsPerSecond, 1_000_000, 1e12)
    if (p.translates && p.groups.length > 0) fail('a translator, which has no groups', p.id)
    if (p.translates && p.answers) fail('one or the other', p.id)
    form('name', p.hostname)
  }
  // Several domains to search are one text with blanks between (EC2's DHCP options allow it for Linux).
  spec.dhcp.domainName?.split(' ').forEach(name => form('name', name))
  for (const server of [...spec.dhcp.domainNameServers, ...spec.dhcp.ntpServers]) ip(server)
  number(spec.dhcp.leaseSeconds, 1, 2 ** 31)
  known('peer', spec.peers)
  for (const peer of spec.peers) {
    number(peer.index, 1, 127)
    if (peer.index === spec.index) fail('another network', peer)
    peer.cidrs.forEach(cidr)
    peer.cidrs6?.forEach(cidr6)
  }
  for (const { name, address } of spec.names) {
    form('name', name)
    ip(address)
  }
}
