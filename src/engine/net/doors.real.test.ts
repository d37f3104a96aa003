import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Server } from 'node:net'
import { silent } from '#base/log'
import { openLab, until, type Guest, type Lab } from '#engine/net/lab.suite'
import { gatewaySpace, routerSpace } from '#engine/net/names'
import { openNetworks } from '#engine/net/networks'
import { all, network, port, tcp } from '#engine/net/networks.suite'
import { attempt, inside, ipBatch, run } from '#engine/net/run'
import { spaceExists, spaceNames } from '#engine/net/space'
import type { Answering, NetworkSpec } from '#engine/port'

let lab: Lab
let spec: NetworkSpec
let friend: Guest, stranger: Guest
const DOOR = '172.31.0.19'
const dial = (from: Guest, host: string, to = 443) => from.ask({ do: 'connect', host, port: to })
const closed: string[] = []
/** Tells each caller at which port it is and whom it sees. */
const answering: Answering = async (id, listening: Server) => {
  listening.on('connection', socket => socket.on('error', () => {}).end(`${id} ${socket.remoteAddress}`))
  return { close: async () => { closed.push(id); listening.close() } }
}

before(async () => {
  lab = await openLab()
  const { home, networks } = lab
  networks.answering(answering)
  await networks.up()
  const ingress = [{ ...tcp(443), peer: { group: 'friends' } }, { ...tcp(80), peer: { group: 'friends' } }]
  spec = network({
    filters: [], subnets: network().subnets.map(({ filter: _filter, ...subnet }) => subnet),
    groups: [
      { id: 'friends', ingress: [], egress: [all] }, { id: 'strangers', ingress: [], egress: [all] }, { id: 'door', ingress, egress: [] },
    ],
    ports: [
      port(home, 1, ['friends'], { subnet: 'subnet-2', host: '172.31.16.11' }), port(home, 2, ['strangers']),
      port(home, 9, ['door'], { answers: true }),
    ],
    names: [{ name: 'ec2.us-east-1.amazonaws.com', address: DOOR }, { name: '*.s3.us-east-1.amazonaws.com', address: DOOR }],
  })
  await networks.apply(spec)
  friend = await lab.guest('friend', { index: 1, address: '172.31.16.11/20', gateway: '172.31.16.1' })
  stranger = await lab.guest('stranger', { index: 2, address: '172.31.0.12/20', gateway: '172.31.0.1' })
})

after(async () => {
  const { prefix } = lab.home
  await lab.close()
  assert.deepEqual((await spaceNames()).filter(name => name.startsWith(`${prefix}-`)), [])
})

test('a port that answers is reached by whom its groups let in, from a subnet without any way out, and sees the address that asked', async () => {
  assert.deepEqual([await dial(friend, DOOR), await dial(stranger, DOOR)], ['port-9 172.31.16.11', 'timeout'])
})

test('nothing answers there but its one port', async () => {
  const ping = await attempt(inside(friend.space, 'busybox', 'ping', '-c', '1', '-W', '1', DOOR))
  assert.deepEqual([await dial(friend, DOOR, 80), await dial(friend, DOOR, 22), ping.code], ['timeout', 'timeout', 1])
})

test('its names mean its address, and one of them all that is below', async () => {
  const resolve = (name: string) => friend.ask({ do: 'resolve', server: '172.31.0.2', name })
  assert.deepEqual([
    await resolve('ec2.us-east-1.amazonaws.com'), await resolve('s3.us-east-1.amazonaws.com'), await resolve('a.b.s3.us-east-1.amazonaws.com'),
  ], [[DOOR], [DOOR], [DOOR]])
})

test('it is there again when its namespace, or the router, was deleted, and when another process took over', async () => {
  for (const space of [gatewaySpace(lab.home, 1, 9), routerSpace(lab.home, 1)]) {
    await run(['ip', 'netns', 'del', space])
    await until(async () => lab.networks.apply(spec).then(() => spaceExists(space), () => false), `${space} to be back`)
    if (space === gatewaySpace(lab.home, 1, 9)) assert.deepEqual([await dial(friend, DOOR), closed], ['port-9 172.31.16.11', ['port-9']])
  }
  const device = lab.networks.portDevice(1)
  await run(['ip', 'link', 'set', device, 'netns', friend.space])
  await ipBatch([`addr add 172.31.16.11/20 dev ${device}`, `link set ${device} up`, 'route add default via 172.31.16.1'], friend.space)
  await until(async () => await dial(friend, DOOR) === 'port-9 172.31.16.11', 'an answer')
  await lab.networks.close()
  assert.equal(await dial(friend, DOOR), 'refused')
  const next = openNetworks(lab.home, silent)
  try {
    next.answering((id, listening) => answering(`next ${id}`, listening))
    await next.apply(spec)
    assert.equal(await dial(friend, DOOR), 'next port-9 172.31.16.11')
  } finally {
    await next.close()
  }
})

test('it goes with its port', async () => {
  closed.length = 0
  await lab.networks.apply(spec)
  assert.equal(await dial(friend, DOOR), 'port-9 172.31.16.11')
  await lab.networks.apply({ ...spec, ports: spec.ports.filter(each => !each.answers), names: [] })
  assert.deepEqual([closed, spaceExists(gatewaySpace(lab.home, 1, 9)), await dial(friend, DOOR)], [['port-9'], false, 'timeout'])
})
