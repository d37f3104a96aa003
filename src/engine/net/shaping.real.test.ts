import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { silent } from '#base/log'
import { openLab, type Guest, type Lab } from '#engine/net/lab.suite'
import { routerSpace } from '#engine/net/names'
import { openNetworks } from '#engine/net/networks'
import { all, network, port } from '#engine/net/networks.suite'
import { run } from '#engine/net/run'
import type { NetworkSpec, PortTraffic } from '#engine/port'

const SINK = 9000
const MEGA = 1e6

let lab: Lab
let one: Guest, two: Guest

/** The first port has this limit. */
const spec = (bitsPerSecond?: number): NetworkSpec => network({
  groups: [{ id: 'open', ingress: [all], egress: [all] }],
  ports: [
    port(lab.home, 1, ['open'], bitsPerSecond === undefined ? {} : { bitsPerSecond }),
    port(lab.home, 2, ['open'], { subnet: 'subnet-2', host: '172.31.16.12' }),
  ],
})
/** Megabits a second, out of the first machine and into it. */
const speeds = async (): Promise<[number, number]> => [
  Number(await one.ask({ do: 'pump', host: '172.31.16.12', port: SINK, forMs: 800 })) / MEGA,
  Number(await two.ask({ do: 'pump', host: '172.31.0.11', port: SINK, forMs: 800 })) / MEGA,
]
/** Headers are counted, and a bucket may be full at the beginning. */
const isAbout = (speed: number, limit: number) => assert.ok(speed > 0.8 * limit && speed < 1.06 * limit, `${speed.toFixed(0)} of ${limit} Mbit/s`)

before(async () => {
  lab = await openLab()
  await lab.networks.up()
  await lab.networks.apply(spec(300 * MEGA))
  one = await lab.guest('one', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  two = await lab.guest('two', { index: 2, address: '172.31.16.12/20', gateway: '172.31.16.1' })
  for (const guest of [one, two]) {
    await guest.ask({ do: 'sink', port: SINK })
    await guest.ask({ do: 'listen', port: 22 })
  }
})

after(() => lab.close())

test('a port sends and receives as fast as its limit, and not faster, whatever the limit becomes', async () => {
  for (const speed of await speeds()) isAbout(speed, 300)
  await lab.networks.apply(spec(600 * MEGA))
  for (const speed of await speeds()) isAbout(speed, 600)
})

test('a limit changes and goes under a connection that stays', async () => {
  await one.ask({ do: 'connect', host: '172.31.16.12', port: 22, keep: 'kept' })
  for (const limit of [100 * MEGA, undefined]) {
    await lab.networks.apply(spec(limit))
    assert.equal(await one.ask({ do: 'say', keep: 'kept', text: 'on' }), 'on')
  }
  for (const speed of await speeds()) assert.ok(speed > 900, `${speed.toFixed(0)} Mbit/s without a limit`)
  assert.ok(!(await run(['tc', '-n', routerSpace(lab.home, 1), 'qdisc', 'show'])).includes('tbf'))
})

test('another process finds the limits as they are, mends half of one, and makes them anew with a device', async () => {
  await lab.networks.apply(spec(300 * MEGA))
  const space = routerSpace(lab.home, 1)
  const shown = () => run(['tc', '-n', space, 'qdisc', 'show'])
  const before = await shown()
  const next = openNetworks(lab.home, silent)
  try {
    await next.apply(spec(300 * MEGA))
    assert.equal(await shown(), before, 'nothing was touched')
  } finally {
    await next.close()
  }
  await run(['tc', '-n', space, 'qdisc', 'del', 'dev', 'e101-1', 'root'])
  const third = openNetworks(lab.home, silent)
  try {
    await third.apply(spec(300 * MEGA))
    for (const speed of await speeds()) isAbout(speed, 300)
  } finally {
    await third.close()
  }
})

test('what a port has sent and received is counted as its machine sees it', async () => {
  const count = async () => (await lab.networks.traffic('network-a') as Record<string, PortTraffic>)['port-1']!
  const before = await count()
  await one.ask({ do: 'pump', host: '172.31.16.12', port: SINK, forMs: 300 })
  const after = await count()
  const [sent, received] = [after.bytesOut - before.bytesOut, after.bytesIn - before.bytesIn]
  assert.ok(sent > 5 * MEGA && received < sent / 10, `${sent} sent, ${received} received`)
  assert.ok(after.packetsOut > before.packetsOut && after.packetsIn > before.packetsIn)
  assert.equal(await lab.networks.traffic('never'), 'absent')
})
