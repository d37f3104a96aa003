import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { networkFiles } from '#engine/dns/dnsmasq'
import { network, port } from '#engine/net/networks.suite'

const home = homeAt({ dir: '/nowhere', slot: 5 })
const spec = network({ ports: [port(home, 1, []), port(home, 2, [])], names: [{ name: 'public.example', address: '172.31.0.11' }] })

test('leases and names are files of their own, so that a new port needs no restart', () => {
  const files = networkFiles(home, spec)
  assert.deepEqual([files.ports, files.names], [
    '02:50:00:00:01:01,172.31.0.11,ip-172-31-0-11\n02:50:00:00:01:02,172.31.0.12,ip-172-31-0-12\n',
    '172.31.0.11 ip-172-31-0-11.ec2.internal\n172.31.0.12 ip-172-31-0-12.ec2.internal\n172.31.0.11 public.example\n',
  ])
  assert.equal(networkFiles(home, { ...spec, ports: [], names: [] }).configuration, files.configuration)
})

test('each subnet has its range, gateway and devices', () => {
  const lines = networkFiles(home, spec).configuration.split('\n')
  assert.deepEqual(lines.filter(line => line.includes('102')), [
    'bridge-interface=sn102,e102-*', 'dhcp-range=set:s102,172.31.16.0,static,255.255.240.0,3600',
    'dhcp-option=tag:s102,option:router,172.31.16.1',
  ])
})

test('options that a network has not are not given, and dnsmasq does not make them up', () => {
  const none = networkFiles(home, { ...spec, resolves: false, dhcp: { domainNameServers: [], ntpServers: [], leaseSeconds: 60 } })
  assert.deepEqual(none.configuration.split('\n').filter(line => /^(port|dhcp-option=option)/.test(line)), [
    'port=0', 'dhcp-option=option:dns-server', 'dhcp-option=option:mtu,9001',
  ])
  assert.match(none.configuration, /static,255\.255\.240\.0,120\n/)
  assert.match(none.names, /^172\.31\.0\.11 ip-172-31-0-11\n/)
  const several = networkFiles(home, { ...spec, dhcp: { ...spec.dhcp, domainName: 'one.example two.example' } })
  assert.match(several.names, /^172\.31\.0\.11 ip-172-31-0-11\.one\.example\n/)
})

test('a subnet with an IPv6 block announces its router, and hands out addresses without names', () => {
  const [first, second] = spec.subnets
  const six = networkFiles(home, {
    ...spec, cidrs6: ['3fff:ec2:5000:100::/56'], subnets: [{ ...first!, cidr6: '3fff:ec2:5000:101::/64' }, second!],
    ports: [port(home, 1, [], { addresses6: ['3fff:ec2:5000:101::b', '3fff:ec2:5000:101::c'] })],
  })
  assert.deepEqual(six.configuration.split('\n').filter(line => /^(enable-ra|dhcp-ignore-names|dhcp-range=.*:|dhcp-option=option6)/.test(line)), [
    'enable-ra', 'dhcp-ignore-names', 'dhcp-option=option6:dns-server',
    'dhcp-range=set:s101,172.31.0.0,static,255.255.240.0,3600', 'dhcp-range=set:s102,172.31.16.0,static,255.255.240.0,3600',
  ].toSpliced(3, 0, 'dhcp-range=set:s101,3fff:ec2:5000:101::,static,off-link,64,450'))
  assert.equal(six.ports, '02:50:00:00:01:01,172.31.0.11,ip-172-31-0-11\n02:50:00:00:01:01,[3fff:ec2:5000:101::b]\n')
  assert.doesNotMatch(networkFiles(home, spec).configuration, /enable-ra|option6/)
})
