import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from '#service/ec2/network-acl/network-acl'
import type { Spec as InterfaceSpec } from '#service/ec2/network-interface/network-interface'
import type { Rule } from '#service/ec2/security-group/rule'
import { compile, type Records } from '#service/ec2/vpc/compile'

const row = <S, T = Record<string, never>>(kind: string, id: string, spec: S, status = {} as T) =>
  ({ kind, id, account: '1', region: 'us-east-1', generation: 1, created: '', spec, status, tags: {} })
const rule = (id: string, more: Partial<Rule>): Rule =>
  ({ id, egress: false, protocol: '-1', from: -1, to: -1, peer: { cidr: '0.0.0.0/0' }, tags: {}, ...more })
const all = (egress: boolean, more: Partial<Entry> = {}): Entry => ({
  number: 100, egress, allow: true, protocol: '-1', cidr: '0.0.0.0/0', ...more,
})

const port: InterfaceSpec = {
  vpc: 'vpc-1', subnet: 'subnet-1', zone: 'us-east-1a', index: 7, mac: '02:ec:00:00:00:07', fabric: '100.64.16.1',
  addresses: [{ private: '10.0.1.4', primary: true, public: { address: '198.18.0.2' } }, { private: '10.0.1.5', primary: false }],
  groups: ['sg-1'], description: '', sourceDestCheck: true, metadataHopLimit: 2, hostnameType: 'ip-name',
  attachment: { id: 'a', instance: 'i-1', deviceIndex: 0, deleteOnTermination: true, time: '', bandwidthGbps: 1.024 },
}

const records = (): Records => ({
  egressGateways: [], nats: [], peers: [], prefixLists: new Map(), flowLogs: [], endpoints: [],
  vpc: row('vpc', 'vpc-1', {
    index: 3, cidrs: [{ cidr: '10.0.0.0/16', association: 'x' }, { cidr: '10.1.0.0/16', association: 'y' }], isDefault: false,
    tenancy: 'default',
    dhcpOptions: 'dopt-1', mainRouteTable: { id: 'rtb-1', association: 'z' }, dnsSupport: true, dnsHostnames: true, desired: 'present',
  }, { state: 'available' }),
  subnets: [
    row('subnet', 'subnet-2', {
      vpc: 'vpc-1', index: 101, zone: 'us-east-1b', cidr: '10.0.2.0/24', mapPublicIp: false, defaultForAz: false, hostnameType: 'ip-name',
      resourceNameRecord: false, networkAcl: { id: 'acl-2', association: 'b' }, routeTable: { id: 'rtb-2', association: 'c' },
    }, { state: 'available' }),
    row('subnet', 'subnet-1', {
      vpc: 'vpc-1', index: 100, zone: 'us-east-1a', cidr: '10.0.1.0/24', mapPublicIp: true, defaultForAz: false, hostnameType: 'ip-name',
      resourceNameRecord: true, networkAcl: { id: 'acl-1', association: 'a' },
    }, { state: 'available' }),
  ],
  routeTables: [
    row('route-table', 'rtb-2', { vpc: 'vpc-1', index: 2, routes: [{ cidr: '0.0.0.0/0', via: { gateway: 'igw-detached' } }] }),
    row('route-table', 'rtb-1', { vpc: 'vpc-1', index: 1, routes: [{ cidr: '0.0.0.0/0', via: { gateway: 'igw-1' } }] }),
  ],
  gateways: [row('internet-gateway', 'igw-1', { vpc: 'vpc-1' })],
  acls: [
    row('network-acl', 'acl-1', { vpc: 'vpc-1', isDefault: true, entries: [all(true), all(false)] }),
    row('network-acl', 'acl-2', {
      vpc: 'vpc-1', isDefault: false,
      entries: [
        all(false, { number: 200 }),
        all(false, { number: 100, allow: false, protocol: '6', ports: { from: 22, to: 22 }, cidr: '192.0.2.0/24' }),
        all(true, { protocol: '1', icmp: { type: 8, code: -1 } }),
      ],
    }),
  ],
  groups: [
    row('security-group', 'sg-unused', { name: 'u', description: '', vpc: 'vpc-1', rules: [rule('r', {})] }),
    row('security-group', 'sg-1', {
      name: 'web', description: '', vpc: 'vpc-1',
      rules: [
        rule('r1', { protocol: 'tcp', from: 80, to: 81 }), rule('r2', { peer: { group: 'sg-1' } }),
        rule('r3', { peer: { group: 'sg-unused' } }),
        rule('r4', { protocol: 'icmp', from: 8, to: 0 }), rule('r5', { protocol: 'icmp', from: -1, to: -1 }),
        rule('r6', { protocol: '50' }),
        rule('r7', { peer: { cidr6: '::/0' } }), rule('r8', { protocol: 'icmpv6', from: -1, to: -1, peer: { group: 'sg-1' } }),
        rule('r9', { egress: true, protocol: 'udp', from: 53, to: 53, peer: { cidr: '10.0.0.2/32' } }),
      ],
    }),
  ],
  interfaces: [row('network-interface', 'eni-1', port, { state: 'in-use' })],
  dhcp: row('dhcp-options', 'dopt-1', {
    options: [
      { key: 'domain-name', values: ['ec2.internal'] }, { key: 'domain-name-servers', values: ['AmazonProvidedDNS', '192.0.2.53'] },
    ],
  }),
})

test('a VPC\'s records become the engine\'s network', () => {
  const any = '0.0.0.0/0'
  assert.deepEqual(compile(records()), {
    id: 'vpc-1', index: 3, cidrs: ['10.0.0.0/16', '10.1.0.0/16'], resolver: '10.0.0.2', resolves: true,
    subnets: [
      { id: 'subnet-1', index: 100, cidr: '10.0.1.0/24', routeTable: 'rtb-1' },
      { id: 'subnet-2', index: 101, cidr: '10.0.2.0/24', routeTable: 'rtb-2', filter: 'acl-2' },
    ],
    routeTables: [
      { id: 'rtb-1', index: 1, routes: [{ cidr: any, via: { internet: true } }] },
      { id: 'rtb-2', index: 2, routes: [{ cidr: any, via: { nowhere: true } }] },
    ],
    filters: [{
      id: 'acl-2',
      ingress: [
        { allow: false, cidr: '192.0.2.0/24', protocol: 6, ports: { from: 22, to: 22 } }, { allow: true, cidr: any, protocol: 'all' },
      ],
      egress: [{ allow: true, cidr: any, protocol: 1, icmp: { type: 8 } }],
    }],
    groups: [{
      id: 'sg-1',
      ingress: [
        { protocol: 6, ports: { from: 80, to: 81 }, peer: { cidr: any } }, { protocol: 'all', peer: { group: 'sg-1' } },
        { protocol: 1, icmp: { type: 8, code: 0 }, peer: { cidr: any } }, { protocol: 1, peer: { cidr: any } },
        { protocol: 50, peer: { cidr: any } },
      ],
      egress: [{ protocol: 17, ports: { from: 53, to: 53 }, peer: { cidr: '10.0.0.2/32' } }],
    }],
    ports: [{
      id: 'eni-1', index: 7, mac: '02:ec:00:00:00:07', subnet: 'subnet-1', fabric: '100.64.16.1', groups: ['sg-1'], checked: true,
      metadataHopLimit: 2, bitsPerSecond: 1_024_000_000, hostname: 'ip-10-0-1-4',
      addresses: [{ private: '10.0.1.4', public: '198.18.0.2' }, { private: '10.0.1.5' }],
    }],
    dhcp: { domainName: 'ec2.internal', domainNameServers: ['10.0.0.2', '192.0.2.53'], ntpServers: [], leaseSeconds: 3600 },
    peers: [],
    names: [
      { name: 'ip-10-0-1-4.ec2.internal', address: '10.0.1.4' },
      { name: 'ec2-198-18-0-2.compute-1.amazonaws.com', address: '10.0.1.4' },
      { name: 'ip-10-0-1-5.ec2.internal', address: '10.0.1.5' },
      { name: 'i-1.ec2.internal', address: '10.0.1.4' },
    ],
  })
})

test('the order of records makes no difference', () => {
  const given = records()
  const turned = {
    ...given, subnets: given.subnets.toReversed(), routeTables: given.routeTables.toReversed(), groups: given.groups.toReversed(),
  }
  assert.deepEqual(compile(turned), compile(given))
})

test('public names mean something inside only with DNS host names, and nothing resolves without DNS', () => {
  const names = (more: object) => {
    const given = records()
    return compile({ ...given, vpc: { ...given.vpc, spec: { ...given.vpc.spec, ...more } } })
  }
  assert.deepEqual(names({ dnsHostnames: false }).names.filter(n => n.name.startsWith('ec2-')), [])
  const silent = names({ dnsSupport: false })
  assert.deepEqual([silent.resolves, silent.names], [false, []])
})

test('a host named after its instance is called so, and a set without options hands out nothing', () => {
  const given = records()
  const named = compile({
    ...given, dhcp: undefined,
    interfaces: [row('network-interface', 'eni-1', { ...port, hostnameType: 'resource-name' }, { state: 'in-use' })],
  })
  assert.equal(named.ports[0]!.hostname, 'i-1')
  assert.deepEqual(named.dhcp, { domainNameServers: [], ntpServers: [], leaseSeconds: 3600 })
})

test('an ACL that denies first is no shortcut', () => {
  const given = records()
  const denies = row('network-acl', 'acl-1', {
    vpc: 'vpc-1', isDefault: true, entries: [all(true), all(false), all(false, { number: 1, allow: false, cidr: '192.0.2.0/24' })],
  })
  assert.deepEqual(compile({ ...given, acls: [denies] }).filters.map(f => [f.id, f.ingress.length, f.egress.length]), [['acl-1', 2, 1]])
})

test('a route over an interface leads to its port while the interface lives, and nowhere after', () => {
  const given = records()
  const over = (port: string) => row('route-table', 'rtb-1', { vpc: 'vpc-1', index: 1, routes: [{ cidr: '0.0.0.0/0', via: { port } }] })
  const ways = (port: string) => compile({ ...given, routeTables: [over(port)] }).routeTables.map(table => table.routes[0]!.via)
  assert.deepEqual([ways('eni-1'), ways('eni-2')], [[{ port: 'eni-1' }], [{ nowhere: true }]])
})

test('without a gateway no route leads to the internet and no public address comes in', () => {
  const given = records()
  const closed = compile({ ...given, gateways: [row('internet-gateway', 'igw-1', {})] })
  assert.deepEqual(closed.routeTables.map(table => table.routes[0]!.via), [{ nowhere: true }, { nowhere: true }])
  assert.deepEqual(closed.ports.map(port => port.addresses), [[{ private: '10.0.1.4' }, { private: '10.0.1.5' }]])
})

test('an ACL without entries denies all, and IPv6 entries say nothing of IPv4', () => {
  const given = records()
  const acl = (entries: Entry[]) => compile({ ...given, acls: [row('network-acl', 'acl-1', { vpc: 'vpc-1', isDefault: false, entries })] })
  const denies = [{ id: 'acl-1', ingress: [], egress: [] }]
  assert.deepEqual(acl([]).filters, denies)
  assert.equal(acl([]).subnets[0]!.filter, 'acl-1')
  assert.deepEqual(acl([{ number: 1, egress: false, allow: true, protocol: '-1', cidr6: '::/0' }]).filters, denies)
})

test('a VPC without DHCP options, and one with all of them', () => {
  const given = records()
  const options = row('dhcp-options', 'dopt-1', {
    options: [
      { key: 'ntp-servers' as const, values: ['169.254.169.123'] }, { key: 'domain-name' as const, values: ['corp.example'] },
      { key: 'domain-name-servers' as const, values: ['192.0.2.53'] }, { key: 'netbios-node-type' as const, values: ['2'] },
    ],
  })
  assert.deepEqual(compile({ ...given, dhcp: options }).dhcp,
    { domainName: 'corp.example', domainNameServers: ['192.0.2.53'], ntpServers: ['169.254.169.123'], leaseSeconds: 3600 })
})

test('IPv6 is compiled where the VPC has a block, and left out where it has none', () => {
  const six = records()
  const [block, address] = ['3fff:ec2:0:100::/56', '3fff:ec2:0:101::9']
  six.vpc = { ...six.vpc, spec: { ...six.vpc.spec, cidrs6: [{ cidr: block, association: 'x' }] } }
  six.subnets = six.subnets.map(s => (s.id === 'subnet-1'
    ? { ...s, spec: { ...s.spec, cidr6: { cidr: '3fff:ec2:0:101::/64', association: 'y' } } }
    : s))
  six.interfaces = six.interfaces.map(i => ({ ...i, spec: { ...i.spec, addresses6: [address] } }))
  six.egressGateways = [row('egress-only-internet-gateway', 'eigw-1', { vpc: 'vpc-1' })]
  six.routeTables = [row('route-table', 'rtb-1', { vpc: 'vpc-1', index: 1, routes: [
    { cidr: '::/0', via: { egressOnly: 'eigw-1' } }, { cidr: '1::/16', via: { egressOnly: 'eigw-2' } }, { cidr: '2::/16', via: { gateway: 'igw-1' } },
  ] })]
  six.acls = [row('network-acl', 'acl-1', { vpc: 'vpc-1', isDefault: true, entries: [all(true), all(false)] })]
  six.groups = [row('security-group', 'sg-1', { vpc: 'vpc-1', name: 'n', description: '', rules: [
    rule('a', { protocol: 'tcp', from: 22, to: 22, peer: { cidr6: '::/0' } }),
    rule('b', { protocol: 'icmpv6', from: 128, to: -1, peer: { prefixList: 'pl-6' } }),
  ] })]
  six.prefixLists = new Map([['pl-6', ['3fff::/20']]])
  const spec = compile(six)
  const { cidrs6, subnets, ports, routeTables, groups } = spec
  assert.deepEqual([cidrs6, subnets.map(s => s.cidr6), ports.map(p => p.addresses6), routeTables[0]!.routes, groups[0]!.ingress], [
    [block], ['3fff:ec2:0:101::/64', undefined], six.interfaces.map(() => [address]),
    [
      { cidr: '::/0', via: { egress: true } }, { cidr: '1::/16', via: { nowhere: true } },
      { cidr: '2::/16', via: six.gateways.some(g => g.id === 'igw-1') ? { internet: true } : { nowhere: true } },
    ],
    [
      { protocol: 6, ports: { from: 22, to: 22 }, peer: { cidr: '::/0' } }, { protocol: 58, icmp: { type: 128 }, peer: { cidr: '3fff::/20' } },
    ],
  ])
  assert.deepEqual(spec.filters.map(filter => filter.id), ['acl-1'], 'an ACL without an entry for IPv6 stops all of it')
  const { cidrs6: _, ...without } = six.vpc.spec
  const bare = compile({ ...six, vpc: { ...six.vpc, spec: without } })
  assert.deepEqual([bare.cidrs6, bare.filters, bare.routeTables[0]!.routes, bare.groups[0]!.ingress], [undefined, [], [], []])
})

test('a gateway\'s own table is the network\'s edge, and a local route may lead over a port', () => {
  const of = records()
  const steering = row('route-table', 'rtb-3', { vpc: 'vpc-1', index: 3, routes: [{ cidr: '10.0.0.0/16', via: { port: 'eni-1' } }] })
  const spec = compile({
    ...of, routeTables: [...of.routeTables, steering],
    gateways: [row('internet-gateway', 'igw-1', { vpc: 'vpc-1', routeTable: { id: 'rtb-3', association: 'e' } })],
  })
  assert.deepEqual([spec.edge, spec.routeTables.at(-1)!.routes], ['rtb-3', [{ cidr: '10.0.0.0/16', via: { port: 'eni-1' } }]])
})
