/** A network for tests: short to say, complete, and equal but for what a test changes. */
import type { Home } from '#base/home'
import { formatIp } from '#base/cidr'
import type { FilterRule, GroupRule, NetworkSpec, PortSpec, Traffic } from '#engine/port'

export const ANY = { cidr: '0.0.0.0/0' }
const everything: FilterRule = { protocol: 'all', allow: true, ...ANY }
export const all: GroupRule = { protocol: 'all', peer: ANY }
export const tcp = (from: number, to = from): Traffic => ({ protocol: 6, ports: { from, to } })
export const udp = (from: number, to = from): Traffic => ({ protocol: 17, ports: { from, to } })

/** Public addresses by number; number 1 is the host's own. */
export const publicAddress = (home: Home, n: number): string => formatIp(home.publicRange.base + n)

export type PortOptions = Partial<PortSpec> & { network?: number; host?: string; public?: number }
/** Port number i of network number n has address .10+i in the first subnet, unless said otherwise. */
export const port = (home: Home, index: number, groups: string[], more: PortOptions = {}): PortSpec => {
  const { network = 1, host = `172.31.0.${10 + index}`, public: number, ...rest } = more
  return {
    id: `port-${index}`, index, mac: `02:50:00:00:${network.toString(16).padStart(2, '0')}:${index.toString(16).padStart(2, '0')}`,
    subnet: 'subnet-1', addresses: [{ private: host, ...(number !== undefined && { public: publicAddress(home, number) }) }],
    fabric: formatIp(home.fabricRange.base + network * 4096 + index), groups, checked: true, metadataHopLimit: 1,
    hostname: `ip-${host.replaceAll('.', '-')}`, ...rest,
  }
}

/** 172.31.0.0/16 with two subnets: the first has a way to the internet, the second has none. */
export const network = (more: Partial<NetworkSpec> = {}): NetworkSpec => ({
  id: 'network-a', index: 1, cidrs: ['172.31.0.0/16'], resolver: '172.31.0.2', resolves: true,
  subnets: [
    { id: 'subnet-1', index: 101, cidr: '172.31.0.0/20', routeTable: 'table-1', filter: 'filter-1' },
    { id: 'subnet-2', index: 102, cidr: '172.31.16.0/20', routeTable: 'table-2' },
  ],
  routeTables: [
    { id: 'table-1', index: 1, routes: [{ cidr: '0.0.0.0/0', via: { internet: true } }] },
    { id: 'table-2', index: 2, routes: [] },
  ],
  filters: [{ id: 'filter-1', ingress: [everything], egress: [everything] }],
  groups: [], ports: [],
  dhcp: { domainName: 'ec2.internal', domainNameServers: ['172.31.0.2'], ntpServers: [], leaseSeconds: 3600 }, names: [], peers: [],
  ...more,
})
