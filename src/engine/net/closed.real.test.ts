/** Nothing passes that rules forbid, not even for the moment in which they are loaded. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { silent } from '#base/log'
import { openLab, until, type Guest, type Lab } from '#engine/net/lab.suite'
import { openNetworks } from '#engine/net/networks'
import { all, ANY, network, port, tcp, udp } from '#engine/net/networks.suite'
import { ipBatch } from '#engine/net/run'
import type { GroupRule, NetworkSpec } from '#engine/port'

const FLOODED = 5000
const FLOOD_MS = 1500

let lab: Lab
let one: Guest, two: Guest

const spec = (...ingress: GroupRule[]): NetworkSpec => network({
  groups: [{ id: 'group', ingress: [{ ...tcp(22), peer: ANY }, ...ingress], egress: [all] }],
  ports: [port(lab.home, 1, ['group']), port(lab.home, 2, ['group'], { subnet: 'subnet-2', host: '172.31.16.12' })],
})
const flood = (from: Guest, host: string) => from.ask({ do: 'flood', host, port: FLOODED, forMs: FLOOD_MS }) as Promise<number>
const heard = async (guest: Guest) => (await guest.ask({ do: 'heard' }) as string[]).length

before(async () => {
  lab = await openLab()
  await lab.networks.up()
  await lab.networks.apply(spec())
  one = await lab.guest('one', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  two = await lab.guest('two', { index: 2, address: '172.31.16.12/20', gateway: '172.31.16.1' })
  await two.ask({ do: 'listenUdp', port: FLOODED })
})

after(() => lab.close())

test('while rules are loaded anew, in part or as a whole, by this process or another, no forbidden packet passes', async () => {
  const sending = flood(one, '172.31.16.12')
  let ended = false
  void sending.then(() => { ended = true })
  let loads = 0
  for (; !ended; loads++) {
    const other = openNetworks(lab.home, silent)
    await other.apply(spec({ ...tcp(1 + loads), peer: ANY }))
    await other.close()
    await lab.networks.apply(spec())
  }
  const sent = await sending
  assert.deepEqual([await heard(two), sent > 200, loads > 2], [0, true, true], `${sent} sent over ${loads} loads`)
  await lab.networks.apply(spec({ ...udp(FLOODED), peer: ANY }))
  const allowed = await flood(one, '172.31.16.12')
  await until(async () => await heard(two) > 0, `some of ${allowed} allowed packets`)
  await lab.networks.apply(spec())
})

test('a new router lets nothing pass that its rules forbid, however early its machines speak', async () => {
  const fresh: NetworkSpec = {
    ...spec(), id: 'network-b', index: 2, cidrs: ['10.2.0.0/16'], resolver: '10.2.0.2',
    subnets: [10, 20].map((third, i) => ({ id: `subnet-${i + 1}`, index: 101 + i, cidr: `10.2.${third}.0/24`, routeTable: `table-${i + 1}` })),
    ports: [21, 22].map((index, i) => port(lab.home, index, ['group'], { network: 2, subnet: `subnet-${i + 1}`, host: `10.2.${10 + 10 * i}.10` })),
  }
  const early = [await lab.space('early1', []), await lab.space('early2', [])] as [Guest, Guest]
  await early[1].ask({ do: 'listenUdp', port: FLOODED })
  /** Takes the device in the moment in which it comes, and makes it ready. */
  const take = async (guest: Guest, i: number) => {
    const device = lab.networks.portDevice(21 + i)
    while (!existsSync(`/sys/class/net/${device}`)) await new Promise(resolve => setImmediate(resolve))
    await ipBatch([`link set dev ${device} netns ${guest.space}`])
    await ipBatch([
      `link set dev ${device} up`, `address add 10.2.${10 + 10 * i}.10/24 dev ${device}`, `route add default via 10.2.${10 + 10 * i}.1`,
    ], guest.space)
  }
  const speaking = Promise.all(early.map(take)).then(() => flood(early[0], '10.2.20.10'))
  await lab.networks.apply(fresh)
  const sent = await speaking
  assert.deepEqual([await heard(early[1]), sent > 200], [0, true], `${sent} sent`)
  await early[1].ask({ do: 'listen', port: 22 })
  assert.equal(await early[0].ask({ do: 'connect', host: '10.2.20.10', port: 22 }), '10.2.10.10', 'what they allow passes')
})
