import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { all, ANY, network, port, tcp } from '#engine/net/networks.suite'
import { ended, mayEnd, parseConnections } from '#engine/net/untracked'
import type { GroupRule, NetworkSpec } from '#engine/port'

const home = homeAt({ dir: '/nowhere', slot: 5 })
const spec = (ingress: GroupRule[], egress: GroupRule[] = [all]): NetworkSpec =>
  network({ groups: [{ id: 'g', ingress, egress }], ports: [port(home, 1, ['g'], { public: 11 })] })

/** One from outside to the port's public address, one that the port began. */
const [inward, outward] = parseConnections(
  'tcp      6 431999 ESTABLISHED src=198.51.100.9 dst=198.19.64.11 sport=40000 dport=22 '
  + 'src=172.31.0.11 dst=198.51.100.9 sport=22 dport=40000 [ASSURED] mark=0 use=1\n'
  + 'udp      17 29 src=172.31.0.11 dst=203.0.113.5 sport=50000 dport=53 '
  + '[UNREPLIED] src=203.0.113.5 dst=198.19.64.11 sport=53 dport=50000 mark=0 use=1\n'
  + 'icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=1 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=1 mark=0 use=1\n')
const ssh = { ...tcp(22), peer: ANY }
const outcome = (was: NetworkSpec, is: NetworkSpec) => [mayEnd(was, is), ended(was, is, [inward!, outward!])]

test('connections are read as the kernel lists them', () => {
  assert.deepEqual([inward, outward], [
    { protocol: 'tcp', source: '198.51.100.9', target: '198.19.64.11', sourcePort: 40000, targetPort: 22, answers: '172.31.0.11' },
    { protocol: 'udp', source: '172.31.0.11', target: '203.0.113.5', sourcePort: 50000, targetPort: 53, answers: '203.0.113.5' },
  ])
})

test('the kernel\'s own file is read too, and its addresses are spelled as everybody else\'s', () => {
  const line = 'ipv6     10 tcp      6 431999 ESTABLISHED src=3fff:0ec2:0000:0000:0000:0000:0000:0001 dst=3fff:0ec2:0000:0001:0000:0000:0000:000b '
    + 'sport=40000 dport=22 src=3fff:0ec2:0000:0001:0000:0000:0000:000b '
    + 'dst=3fff:0ec2:0000:0000:0000:0000:0000:0001 sport=22 dport=40000 [ASSURED] use=2'
  assert.deepEqual(parseConnections(line), [
    { protocol: 'tcp', source: '3fff:ec2::1', target: '3fff:ec2:0:1::b', sourcePort: 40000, targetPort: 22, answers: '3fff:ec2:0:1::b' },
  ])
})

test('an open rule that goes ends what it let in, if the way back was open, too', () => {
  assert.deepEqual(outcome(spec([ssh]), spec([])), [true, [inward]])
  assert.deepEqual(outcome(spec([ssh], [{ ...tcp(443), peer: ANY }]), spec([], [{ ...tcp(443), peer: ANY }])), [true, []])
})

test('a narrow rule that goes ends nothing', () => {
  assert.deepEqual(outcome(spec([{ ...tcp(22), peer: { cidr: '198.51.100.0/24' } }]), spec([])), [false, []])
})

test('what another rule still allows goes on', () => {
  assert.deepEqual(outcome(spec([ssh]), spec([{ ...tcp(20, 30), peer: { cidr: '198.51.100.9/32' } }])), [true, []])
  assert.deepEqual(outcome(spec([ssh]), spec([{ ...tcp(22), peer: { cidr: '198.51.100.8/32' } }])), [true, [inward]])
  assert.deepEqual(outcome(spec([ssh]), spec([{ ...tcp(22), peer: { group: 'g' } }])), [true, [inward]])
})

test('egress is judged by the other end, and only where ingress was open', () => {
  assert.deepEqual(outcome(spec([all]), spec([all], [])), [true, [outward]])
  assert.deepEqual(outcome(spec([ssh]), spec([ssh], [])), [true, []])
})
