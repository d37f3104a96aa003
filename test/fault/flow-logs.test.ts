/**
 * The sweep that makes objects of what networks counted, killed at every point of it: a packet is in one record of a log or in none, what is
 * delivered is whole, and the next sweep goes on.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { atATime, inWorld, numbered, settled, stories } from './stories.ts'
import { untilNone, type World } from './world.ts'

const launch = stories.find(({ name }) => name === 'launch')!
const PORTS = [1, 2, 3]

/** An instance in a VPC that two flow logs tell of, and what its networks count: one packet each time, to another port. */
async function watched(world: World): Promise<{ counts(destinationPort: number): void }> {
  const id = (await launch.happens(world, ''))!
  await settled(world, launch.ends)
  const { Reservations: [{ Instances: [{ VpcId, NetworkInterfaces: [{ NetworkInterfaceId }] }] }] } =
    await world.call('DescribeInstances', { InstanceIds: [id] })
  for (const bucket of ['one', 'two']) {
    await world.call('CreateFlowLogs', {
      ResourceType: 'VPC', ResourceIds: [VpcId], TrafficType: 'ALL', LogDestinationType: 's3', LogDestination: `arn:aws:s3:::${bucket}`,
    })
  }
  await settled(world, launch.ends)
  return {
    counts(destinationPort) {
      world.engine.flowsById.set(VpcId, [{
        port: NetworkInterfaceId, direction: 'in', accepted: true, source: '198.51.100.7', destination: '172.31.0.4', protocol: 6,
        sourcePort: 40_000, destinationPort, packets: 1, bytes: 60,
      }])
    },
  }
}

/** How often each destination port is told of in a bucket, in whole objects. */
const told = (world: World, bucket: string): number[] => {
  const objects = world.delivered.filter(object => object.bucket === bucket).map(({ body }) => gunzipSync(body).toString())
  const lines = objects.flatMap(text => text.trim().split('\n').slice(1))
  return PORTS.map(port => lines.filter(line => line.includes(` 40000 ${port} `)).length)
}

/** Counts and sweeps thrice, the second time up to this point where one is given; answers the points of that sweep. */
async function sweeps(death?: string): Promise<string[]> {
  const points: string[] = []
  await inWorld(async world => {
    const { counts } = await watched(world)
    for (const port of PORTS) {
      counts(port)
      if (port !== 2) { await world.cloud().sweep(); continue }
      const name = numbered()
      world.at(point => {
        const passed = name(point)
        points.push(passed)
        return passed === death ? 'kill' : undefined
      })
      await Promise.race([world.killed(), world.cloud().sweep()])
      world.at(() => undefined)
      if (death !== undefined) await world.restart()
      await settled(world, launch.ends)
    }
    for (const bucket of ['one', 'two']) {
      // A new control plane sweeps by itself, too: it may be that one which tells.
      await untilNone(async () => (told(world, bucket)[2] === 0 ? [`${bucket} is told of too little`] : []))
      const [first, second, third] = told(world, bucket)
      assert.deepEqual([first, third], [1, 1], bucket)
      assert.ok(second === 1 || (death !== undefined && second === 0), `${bucket}: told ${second} times`)
    }
  })
  return points
}

test('flow logs: a sweep that is killed tells nothing twice, and the next one goes on', { timeout: 60_000 }, async t => {
  const points = await sweeps()
  t.diagnostic(`${points.length} points`)
  assert.deepEqual(points.filter(point => point.includes('object.deliver')),
    [1, 2].flatMap(n => [`before object.deliver ${n}`, `after object.deliver ${n}`]))
  await atATime([...new Set(points)], async point => {
    await sweeps(point).catch(cause => { throw new Error(`killed at ${point}`, { cause }) })
  })
})
