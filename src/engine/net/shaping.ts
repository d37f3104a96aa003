/**
 * How fast a port may be, each way: token buckets in its router.
 *
 * Invariant: what a port may have is held at the router's side, out of the machine's reach. To the machine a bucket stands on the router's
 * side of the port; what comes from the machine is led through a device of its own, on which the other bucket stands, and comes back as if
 * from the port. The bucket to the machine is made last: where it is, all is.
 */
import type { NetworkSpec } from '#engine/port'
import { routerDevice, shaperDevice } from '#engine/net/names'
import { attempt, run } from '#engine/net/run'

/** Router's side of a port -> bits a second. */
export type Shapes = Map<string, number>

/** What may be sent at once: two milliseconds' worth, but never less than a few of the kernel's largest packets. */
const burst = (bitsPerSecond: number): number => Math.max(256 * 1024, Math.ceil(bitsPerSecond / 8 / 500))
/** How long a packet waits at most; then it is dropped, as by any full interface. */
const LATENCY = '20ms'

const bucket = (device: string, bits: number): string =>
  `qdisc replace dev ${device} root tbf rate ${bits}bit burst ${burst(bits)} latency ${LATENCY}`

/** Those of a network's ports, each with its shaper. */
export function shapesOf(spec: NetworkSpec): { device: string; shaper: string; bits: number }[] {
  const subnets = new Map(spec.subnets.map(subnet => [subnet.id, subnet.index]))
  return spec.ports.flatMap(({ bitsPerSecond, subnet, index }) => (bitsPerSecond === undefined ? []
    : [{ device: routerDevice(subnets.get(subnet)!, index), shaper: shaperDevice(index), bits: bitsPerSecond }]))
}

/** Lifts the limits of ports that have none any more, before their shapers go: what is led to a device that is gone is lost. */
export async function unshape(space: string, known: Shapes, spec: NetworkSpec): Promise<void> {
  const wanted = new Set(shapesOf(spec).map(({ device }) => device))
  const lines = [...known.keys()].filter(device => !wanted.has(device))
    .flatMap(device => [`qdisc del dev ${device} root`, `qdisc del dev ${device} ingress`])
  // The device itself may be gone, and then its limits are.
  if (lines.length > 0) await attempt(['tc', '-n', space, '-force', '-batch', '-'], lines.map(line => `${line}\n`).join(''))
  for (const device of known.keys()) if (!wanted.has(device)) known.delete(device)
}

/** Gives ports their limits. `made`: devices that are new, on which nothing is yet whatever is known. */
export async function shape(space: string, known: Shapes, spec: NetworkSpec, made: Set<string>): Promise<void> {
  for (const device of made) known.delete(device)
  const lacking = shapesOf(spec).filter(({ device, bits }) => known.get(device) !== bits)
  if (lacking.length === 0) return
  const fresh = lacking.filter(({ device }) => !known.has(device))
  const halves = fresh.filter(({ device }) => !made.has(device)).map(({ device }) => `qdisc del dev ${device} ingress\n`)
  // Half of it may be there, from a process that died over it.
  if (halves.length > 0) await attempt(['tc', '-n', space, '-force', '-batch', '-'], halves.join(''))
  const lines = [
    ...fresh.flatMap(({ device, shaper }) => [
      `qdisc add dev ${device} ingress`,
      `filter add dev ${device} parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev ${shaper}`,
    ]),
    ...lacking.map(({ shaper, bits }) => bucket(shaper, bits)), ...lacking.map(({ device, bits }) => bucket(device, bits)),
  ]
  await run(['tc', '-n', space, '-batch', '-'], lines.map(line => `${line}\n`).join(''))
  for (const { device, bits } of lacking) known.set(device, bits)
}

let able: Promise<string | undefined> | undefined

/** Why this kernel can't hold limits; undefined where it can. Tried once, in a router. */
export const cannotShape = (space: string): Promise<string | undefined> => (able ??= tryOut(space).catch((error: unknown) => {
  able = undefined
  throw error
}))

async function tryOut(space: string): Promise<string | undefined> {
  const trial = shaperDevice(0)
  const lines = [
    `qdisc add dev ${trial} ingress`,
    `filter add dev ${trial} parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev lo`,
    bucket(trial, 1e9),
  ]
  const link = await attempt(['ip', '-n', space, 'link', 'add', trial, 'type', 'ifb'])
  if (link.code !== 0 && !link.err.includes('File exists')) return link.err.trim()
  const limits = await attempt(['tc', '-n', space, '-batch', '-'], lines.map(line => `${line}\n`).join(''))
  await run(['ip', '-n', space, 'link', 'del', trial])
  return limits.code === 0 ? undefined : limits.err.trim()
}

/** The network without limits. */
export const unlimited = (spec: NetworkSpec): NetworkSpec =>
  ({ ...spec, ports: spec.ports.map(port => ({ ...port, bitsPerSecond: undefined })) })

type QdiscJson = { kind: string; dev: string; options?: { rate?: number } }

/** The limits that are there. `tc` says rates in bytes. */
export async function readShapes(space: string): Promise<Shapes> {
  const found = JSON.parse(await run(['tc', '-n', space, '-j', 'qdisc', 'show'])) as QdiscJson[]
  return new Map(found.filter(({ kind, dev }) => kind === 'tbf' && /^e\d/.test(dev)).map(({ dev, options }) => [dev, (options?.rate ?? 0) * 8]))
}
