/**
 * What dnsmasq is told: the resolver and DHCP server of a network, and the host's resolver that those ask. Pure.
 *
 * Invariant: names and leases lie in files that are read again at a signal; only what `configuration` returns needs a restart.
 * Both go on answering while the control plane is down.
 */
import { join } from 'node:path'
import type { Home } from '#base/home'
import { hostAddress, serviceAddress, storeAddress } from '#base/home'
import { formatCidr, formatIp, parseCidr } from '#base/cidr'
import type { NetworkSpec, Served } from '#engine/port'
import { DNS_PORT, gatewayDevice, MTU, publicNamesDir, resolverDir, routerDir } from '#engine/net/names'
import { gatewayOf } from '#engine/net/route'

const files = (dir: string) => ({ names: join(dir, 'names'), leases: join(dir, 'ports'), pid: join(dir, 'dnsmasq.pid') })

/** File name -> content, in the router's directory. */
export function networkFiles(home: Home, spec: NetworkSpec): { configuration: string; names: string; ports: string } {
  return { configuration: configuration(home, spec), names: names(spec), ports: ports(spec) }
}

/** dnsmasq accepts no shorter lease. */
const LEAST_LEASE_SECONDS = 120

function configuration(home: Home, spec: NetworkSpec): string {
  const at = files(routerDir(home, spec.index))
  const { dhcp } = spec
  const option = (name: string, values: string[]) => `dhcp-option=option:${name}${values.map(value => `,${value}`).join('')}`
  const lease = Math.max(dhcp.leaseSeconds, LEAST_LEASE_SECONDS)
  return [
    `pid-file=${at.pid}`,
    'bind-dynamic', 'except-interface=fab', 'no-hosts', 'no-resolv',
    ...(spec.resolves ? [] : ['port=0']),
    `server=${serviceAddress(home)}#${DNS_PORT}`,
    `addn-hosts=${at.names}`,
    // A private address that the network has not is nobody's name, elsewhere neither.
    'bogus-priv', 'cache-size=1000',
    'no-ping', 'dhcp-authoritative', 'dhcp-ignore=tag:!known', 'dhcp-lease-max=65536',
    `dhcp-leasefile=${join(routerDir(home, spec.index), 'leases')}`,
    `dhcp-hostsfile=${at.leases}`,
    // Without values an option is left out; dnsmasq would otherwise name itself.
    option('dns-server', dhcp.domainNameServers),
    ...(dhcp.domainName ? [option('domain-name', [dhcp.domainName])] : []),
    ...(dhcp.ntpServers.length > 0 ? [option('ntp-server', dhcp.ntpServers)] : []),
    option('mtu', [String(MTU)]),
    ...wild(spec).flatMap(({ name, address }) => [`address=/${name}/${address}`, `local=/${name}/`]),
    ...configuration6(spec),
    ...spec.subnets.flatMap(subnet => {
      const gateway = gatewayOf(subnet.cidr).split('/')[0]!
      return [
        `bridge-interface=${gatewayDevice(subnet.index)},e${subnet.index}-*`,
        `dhcp-range=set:s${subnet.index},${subnet.cidr.split('/')[0]},static,${netmask(subnet.cidr)},${lease}`,
        `dhcp-option=tag:s${subnet.index},option:router,${gateway}`,
      ]
    }),
  ].join('\n') + '\n'
}

/** Names with all that is below them. */
const wild = ({ names }: NetworkSpec) => names.flatMap(({ name, address }) => (name.startsWith('*.') ? [{ name: name.slice(2), address }] : []))

/** EC2's lease of an IPv6 address, in seconds. */
const LEASE6_SECONDS = 450

/**
 * Announcements of the router, and addresses by DHCPv6: none but those, no prefix that guests would choose their own of, and no other ports on
 * the link. Names are those of IPv4 alone.
 */
function configuration6(spec: NetworkSpec): string[] {
  const subnets = spec.subnets.filter(subnet => subnet.cidr6 !== undefined)
  if (subnets.length === 0) return []
  return [
    'enable-ra', 'dhcp-ignore-names', 'dhcp-option=option6:dns-server',
    ...subnets.map(({ index, cidr6 }) => `dhcp-range=set:s${index},${cidr6!.split('/')[0]},static,off-link,64,${LEASE6_SECONDS}`),
  ]
}

function netmask(cidr: string): string {
  const { length } = parseCidr(cidr)!
  return formatIp((2 ** 32 - 2 ** (32 - length)) >>> 0)
}

/** The ports' own names come first: the first name of an address is the one that it resolves back to. */
function names(spec: NetworkSpec): string {
  // Of several domains to search the first is where the ports are.
  const domain = spec.dhcp.domainName ? `.${spec.dhcp.domainName.split(' ')[0]}` : ''
  return [
    ...spec.ports.map(port => `${port.addresses[0]!.private} ${port.hostname}${domain}\n`),
    ...spec.names.filter(({ name }) => !name.startsWith('*.')).map(({ name, address }) => `${address} ${name}\n`),
  ].join('')
}

const ports = (spec: NetworkSpec): string => spec.ports.map(port => {
  const [six] = port.addresses6 ?? []
  return `${port.mac},${port.addresses[0]!.private},${port.hostname}\n${six === undefined ? '' : `${port.mac},[${six}]\n`}`
}).join('')

/**
 * The host's resolver: asks whom the host asks, its own loopback resolver too, and knows the public names. These domains, and what is
 * below them, mean the host itself or the object store; nobody else is asked about them, not for addresses of another kind either.
 */
export function hostConfiguration(home: Home, served: Served): string {
  return [
    `pid-file=${files(resolverDir(home)).pid}`, `port=${DNS_PORT}`, `listen-address=${serviceAddress(home)}`, 'bind-dynamic',
    'no-hosts', 'resolv-file=/etc/resolv.conf', `hostsdir=${publicNamesDir(home)}`, 'cache-size=1000',
    ...served.host.flatMap(domain => [`address=/${domain}/${hostAddress(home)}`, `local=/${domain}/`]),
    ...served.store.flatMap(domain => [`address=/${domain}/${storeAddress(home)}`, `local=/${domain}/`]),
    ...served.addresses.map(domain => `synth-domain=${domain},${formatCidr(home.publicRange)},ec2-`),
  ].join('\n') + '\n'
}
