/**
 * What passes a router's ports and what is stopped there, counted by the kernel for each flow: no packet leaves the kernel for it.
 *
 * Four places are counted (render.ts: the filters between them): what a port sends, what of it passed the way out, what comes to a port,
 * and what of that passed the way in. What was seen and did not pass was rejected.
 *
 * Invariant: a packet is counted once at each place. Counts lie in a table of their own, and reading them puts a new table in the old
 * one's place in one transaction, so that none is lost or told twice. A network of which no port is watched has no such table.
 */
import type { FlowCount } from '#engine/port'
import { inside, run } from '#engine/net/run'
import { FIRST_SUBNET_GROUP, METADATA_ADDRESS } from '#engine/net/names'
import type { Nft } from '#engine/net/nft'

/** Flows of one kind at one place between two readings. What goes beyond is not counted, and `isFull` says so. */
const MOST = 65_535
/** Which hook sees it: packets here have passed every chain of a lower priority (render.ts). */
const places = {
  sent: { side: 'iifname', priority: -25 },
  let_out: { side: 'iifname', priority: 3 },
  came: { side: 'oifname', priority: 4 },
  let_in: { side: 'oifname', priority: 20 },
} as const
type Place = keyof typeof places
const PREFIX = 'flows_'

/** Each family has sets of its own, and chains count what is of it; the kernel's keys are of one size. */
const families = [{ ip: 'ip', type: 'ipv4_addr', suffix: '' }, { ip: 'ip6', type: 'ipv6_addr', suffix: '6' }]

function tableText(name: string, devices: string[]): string {
  // nftables can't name a type of more than five parts: protocols with ports have sets of their own.
  const sets = Object.keys(places).flatMap(place => families.flatMap(({ type, suffix }) => [
    ...['tcp', 'udp'].map(protocol =>
      `  set ${place}_${protocol}${suffix} { type ifname . ${type} . ${type} . inet_service . inet_service; flags dynamic; size ${MOST}; }`),
    `  set ${place}_other${suffix} { type ifname . ${type} . ${type} . inet_proto; flags dynamic; size ${MOST}; }`,
  ]))
  const chains = Object.entries(places).flatMap(([place, { side, priority }]) => [
    `  chain count_${place} {`,
    ...families.flatMap(({ ip, suffix }) => [
      ...['tcp', 'udp'].map(protocol =>
        `    update @${place}_${protocol}${suffix} { ${side} . ${ip} saddr . ${ip} daddr . ${protocol} sport . ${protocol} dport counter } return`),
      `    meta l4proto != { tcp, udp } update @${place}_other${suffix} { ${side} . ${ip} saddr . ${ip} daddr . meta l4proto counter }`,
    ]),
    '  }',
    `  chain at_${place} {`,
    `    type filter hook forward priority ${priority}; policy accept;`,
    `    ct original ip daddr ${METADATA_ADDRESS} return`,
    `    ${side === 'iifname' ? 'iifgroup' : 'oifgroup'} >= ${FIRST_SUBNET_GROUP} ${side} @watched jump count_${place}`,
    '  }',
  ])
  const watched = `  set watched { type ifname; elements = { ${devices.map(device => `"${device}"`).join(', ')} }; }`
  return [`table inet ${name} {`, watched, ...sets, ...chains, '}', ''].join('\n')
}

/** Ends a table's counting and keeps its counts. */
const retire = (name: string): string => [
  ...Object.keys(places).map(place => `flush chain inet ${name} at_${place}`),
  ...Object.keys(places).map(place => `delete chain inet ${name} at_${place}`),
].map(line => `${line}\n`).join('')

/** The tables of counts that a router has, the newest last; only that one counts. */
async function tablesOf(nft: Nft): Promise<string[]> {
  const names = [...(await nft.load('list tables inet\n')).matchAll(/^table inet (flows_\d+)$/gm)].map(match => match[1]!)
  return names.sort((a, b) => numberOf(a) - numberOf(b))
}
const numberOf = (name: string): number => Number(name.slice(PREFIX.length))

async function hooks(nft: Nft, name: string): Promise<boolean> {
  return (await nft.load(`list table inet ${name}\n`)).includes('hook forward')
}

export type Flows = {
  /** Counts for these devices from now on. */
  watch(devices: string[]): Promise<void>
  /** What was counted since the last reading, by device. */
  read(): Promise<{ counts: (Omit<FlowCount, 'port'> & { device: string })[]; isFull: boolean }>
}

export function openFlows(space: string, nft: Nft): Flows {
  let watched: string[] | undefined
  /** The table that counts now, none where no device is watched. */
  let current: string | undefined

  /** What another process left: the tables stay until they are read. */
  async function find(): Promise<void> {
    if (watched !== undefined) return
    const newest = (await tablesOf(nft)).at(-1)
    current = newest !== undefined && await hooks(nft, newest) ? newest : undefined
    watched = []
  }

  async function turn(devices: string[]): Promise<void> {
    const last = (await tablesOf(nft)).at(-1)
    const next = `${PREFIX}${last === undefined ? 1 : numberOf(last) + 1}`
    await nft.load((devices.length > 0 ? tableText(next, devices) : '') + (current === undefined ? '' : retire(current)))
    current = devices.length > 0 ? next : undefined
    watched = devices
  }

  return {
    async watch(devices) {
      await find()
      if (devices.join() !== watched!.join() || (devices.length > 0 && current === undefined)) await turn(devices)
    },
    async read() {
      await find()
      if (current !== undefined) await turn(watched!)
      const old = (await tablesOf(nft)).filter(name => name !== current)
      const read = await Promise.all(old.map(name => run(inside(space, 'nft', '-j', '-n', 'list', 'table', 'inet', name))))
      await nft.load(old.map(name => `delete table inet ${name}\n`).join(''))
      const sets = read.flatMap(setsOf)
      return { counts: difference(sets), isFull: sets.some(set => set.elements.length >= MOST) }
    },
  }
}

type Element = { key: string[]; packets: number; bytes: number }
type CountSet = { place: Place; elements: Element[] }

function setsOf(json: string): CountSet[] {
  type Listed = { set?: { name: string; elem?: { elem: { val: { concat: (string | number)[] }; counter: { packets: number; bytes: number } } }[] } }
  return (JSON.parse(json) as { nftables: Listed[] }).nftables.flatMap(({ set }) => {
    const [, place, protocol] = /^(\w+)_(tcp|udp|other)6?$/.exec(set?.name ?? '') ?? []
    if (!set || place === undefined) return []
    return [{
      place: place as Place,
      elements: (set.elem ?? []).map(({ elem: { val, counter } }) => {
        const [device, source, destination, ...more] = val.concat.map(String)
        return { key: [device!, source!, destination!, ...(protocol === 'other' ? more : [protocol!, ...more])], ...counter }
      }),
    }]
  })
}

/** Flows that passed, and of those that were seen what did not pass. */
function difference(sets: CountSet[]): (Omit<FlowCount, 'port'> & { device: string })[] {
  const totals = new Map<Place, Map<string, Element>>(Object.keys(places).map(place => [place as Place, new Map()]))
  for (const { place, elements } of sets) {
    for (const { key, packets, bytes } of elements) {
      const of = totals.get(place)!
      const before = of.get(key.join()) ?? { key, packets: 0, bytes: 0 }
      of.set(key.join(), { key, packets: before.packets + packets, bytes: before.bytes + bytes })
    }
  }
  const flow = (direction: 'out' | 'in', accepted: boolean, { key, packets, bytes }: Element) => {
    const [device = '', source = '', destination = '', protocol = '0', sourcePort = '0', destinationPort = '0'] = key
    return {
      device, direction, accepted, source, destination, protocol: protocolNumber(protocol), sourcePort: Number(sourcePort),
      destinationPort: Number(destinationPort), packets, bytes,
    }
  }
  return ([['out', 'sent', 'let_out'], ['in', 'came', 'let_in']] as const).flatMap(([direction, seen, passed]) => {
    const accepted = totals.get(passed)!
    const rejected = [...totals.get(seen)!].flatMap(([key, element]) => {
      const [packets, bytes] = [element.packets - (accepted.get(key)?.packets ?? 0), element.bytes - (accepted.get(key)?.bytes ?? 0)]
      return packets > 0 ? [{ ...element, packets, bytes }] : []
    })
    return [...[...accepted.values()].map(e => flow(direction, true, e)), ...rejected.map(e => flow(direction, false, e))]
  })
}

const named: Record<string, number> = { icmp: 1, tcp: 6, udp: 17, gre: 47, esp: 50, ah: 51, 'ipv6-icmp': 58, sctp: 132 }
const protocolNumber = (text: string): number => named[text] ?? Number(text)
