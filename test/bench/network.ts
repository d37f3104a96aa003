/**
 * The way of packets, measured in one run: throughput of the whole chain of filters and routes against a bare pair of devices, the time
 * that a connection takes with 1, 100 and 1,000 rules in its group, and the time until a changed group holds among 1,000 interfaces.
 *
 * Works in namespaces of its own. Fails where a promised figure is missed.
 */
import { openLab, type Guest } from '#engine/net/lab.suite'
import { ipBatch } from '#engine/net/run'
import { all, ANY, network, port, tcp } from '#engine/net/networks.suite'
import type { GroupRule, NetworkSpec, PortSpec } from '#engine/port'

const LEAST_RATIO = 0.75
/** Latency at 1,000 rules against that at one: noise between runs of one and the same is about a tenth. */
const MOST_GROWTH = 1.25
const MOST_CHANGE_MS = 5
const [ROUNDS, PUMP_MS, CONNECTS, INTERFACES, CHANGES] = [7, 700, 400, 1000, 21]
const SINK = 9000
const FAR_BITS = 100e9

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!
const missed: string[] = []
const report = (what: string, value: string, isMet = true) => {
  console.log(`${what.padEnd(58)} ${value}${isMet ? '' : '   MISSED'}`)
  if (!isMet) missed.push(what)
}

/** A figure that a guest measured. */
async function measured(from: Guest, ask: Parameters<Guest['ask']>[0]): Promise<number> {
  const answer = await from.ask(ask)
  if (typeof answer !== 'number') throw new Error(`${ask.do}: ${String(answer)}`)
  return answer
}

const lab = await openLab()
try {
  await lab.networks.up()
  const two: PortSpec[] = [port(lab.home, 1, ['open']), port(lab.home, 2, ['served'], { subnet: 'subnet-2', host: '172.31.16.12' })]
  const spec = (ingress: GroupRule[], ports: PortSpec[] = two): NetworkSpec => network({
    groups: [{ id: 'open', ingress: [all], egress: [all] }, { id: 'served', ingress, egress: [all] }], ports,
  })
  await lab.networks.apply(spec([all]))
  const one = await lab.guest('one', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  const served = await lab.guest('served', { index: 2, address: '172.31.16.12/20', gateway: '172.31.16.1' })
  const bare = await lab.space('bare', [`link add b1 mtu 9001 type veth peer name b2 mtu 9001`, 'address add 10.99.0.1/24 dev b1', 'link set b1 up'])
  const other = await lab.space('other', [])
  await ipBatch([`link set b2 netns ${other.space}`], bare.space)
  await ipBatch(['address add 10.99.0.2/24 dev b2', 'link set b2 up'], other.space)
  for (const guest of [served, other]) await guest.ask({ do: 'sink', port: SINK })

  const [plain, chain]: [number[], number[]] = [[], []]
  const pump = (from: Guest, host: string) => measured(from, { do: 'pump', host, port: SINK, forMs: PUMP_MS })
  for (let n = 0; n < ROUNDS; n++) {
    plain.push(await pump(bare, '10.99.0.2'))
    chain.push(await pump(one, '172.31.16.12'))
  }
  const gigabits = (values: number[]) => `${(median(values) / 1e9).toFixed(1)} Gbit/s`
  const ratio = median(chain) / median(plain)
  report('throughput of a bare pair of devices', gigabits(plain))
  report('throughput through the router, between subnets', `${gigabits(chain)}   ratio ${ratio.toFixed(2)}`, ratio >= LEAST_RATIO)

  const limited: number[] = []
  await lab.networks.apply(spec([all], two.map(p => ({ ...p, bitsPerSecond: FAR_BITS }))))
  for (let n = 0; n < ROUNDS; n++) limited.push(await pump(one, '172.31.16.12'))
  await lab.networks.apply(spec([all]))
  report('the same with limits that are never reached', `${gigabits(limited)}   ratio ${(median(limited) / median(plain)).toFixed(2)}`)

  /** Of other ports, each for a block of its own: nothing that could be said in one rule. The one that lets the connection in comes last. */
  const rules = (count: number): GroupRule[] => [
    ...Array.from({ length: count - 1 }, (_, n) => ({ ...tcp(10_000 + 2 * n), peer: { cidr: `10.${n >> 8}.${n & 255}.0/24` } })),
    { ...tcp(SINK), peer: { cidr: '172.31.0.0/20' } },
  ]
  const latency = async (count: number) => {
    await lab.networks.apply(spec(rules(count)))
    return measured(one, { do: 'connects', host: '172.31.16.12', port: SINK, times: CONNECTS })
  }
  const counts = [1, 100, 1000]
  const took = counts.map((): number[] => [])
  for (let n = 0; n < ROUNDS; n++) for (const [i, count] of counts.entries()) took[i]!.push(await latency(count))
  const least = median(took[0]!)
  for (const [i, count] of counts.entries()) {
    const value = median(took[i]!)
    report(`a connection, ${count} rules in the group`, `${value.toFixed(0)} µs   ratio ${(value / least).toFixed(2)}`, value / least <= MOST_GROWTH)
  }

  const many = Array.from({ length: INTERFACES - 2 }, (_, n) => port(lab.home, 10 + n, ['open'], {
    mac: `02:60:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`,
    host: `172.31.${4 + (n >> 8)}.${n & 255}`,
  }))
  const began = performance.now()
  await lab.networks.apply(spec([all], [...two, ...many]))
  report(`making ${INTERFACES} interfaces`, `${((performance.now() - began) / 1000).toFixed(1)} s`)
  const changes: number[] = []
  for (let n = 0; n < CHANGES; n++) {
    const next = spec([{ ...tcp(20_000 + n), peer: ANY }], [...two, ...many])
    const from = performance.now()
    await lab.networks.apply(next)
    changes.push(performance.now() - from)
    const seen = await one.ask({ do: 'connect', host: '172.31.16.12', port: 20_000 + n, waitMs: 2000 })
    if (seen !== 'refused') throw new Error(`the new rule does not hold: ${String(seen)}`)
  }
  report(`a group's change among ${INTERFACES} interfaces`, `${median(changes).toFixed(1)} ms`, median(changes) <= MOST_CHANGE_MS)
} finally {
  await lab.close()
}
if (missed.length > 0) process.exitCode = 1
