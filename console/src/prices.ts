/** What AWS would ask for what is here: facts of a day, or nothing where there is no fact. */
import { ADDRESS_PRICE, PRICES, VOLUME_PRICES } from './data/prices.ts'

export const HOURS_IN_A_MONTH = 730

/** US dollars an hour; undefined where the list has none. */
export function priceOf(type: string): number | undefined {
  const [family = '', size] = type.split('.')
  const words = PRICES[family]?.split(' ') ?? []
  const at = words.findIndex((word, i) => i % 2 === 0 && word === size)
  return at < 0 ? undefined : Number(words[at + 1])
}

/** A volume. Of what is left out there is as much as comes with its type. */
export type Disk = { type: string; gib: number; iops?: number; throughput?: number }

/** What so much costs where each tier has a price of its own. */
function tiered(tiers: readonly (readonly [number, number])[] = [], count = 0): number {
  let [sum, from] = [0, 0]
  for (const [to, price] of tiers) {
    sum += Math.max(0, Math.min(count, to) - from) * price
    from = to
  }
  return sum
}

/** US dollars a month; undefined where the list has none. */
export function volumePriceOf({ type, gib, iops, throughput }: Disk): number | undefined {
  const price = VOLUME_PRICES[type]
  return price && gib * price.gib + tiered(price.iops, iops) + tiered(price.throughput, throughput)
}

/** What is there: instances that run, by their types, volumes, and public IPv4 addresses. */
export type Used = { types: readonly string[]; disks: readonly Disk[]; addresses: number }
/** US dollars an hour, and how many things have no price. */
export type Sum = { instances: number; storage: number; addresses: number; total: number; unknown: number }

export function sumOf({ types, disks, addresses: count }: Used): Sum {
  const hours = types.map(priceOf)
  const months = disks.map(volumePriceOf)
  const add = (prices: (number | undefined)[]): number => prices.reduce<number>((sum, price) => sum + (price ?? 0), 0)
  const instances = add(hours)
  const storage = add(months) / HOURS_IN_A_MONTH
  const addresses = count * ADDRESS_PRICE
  const unknown = [...hours, ...months].filter(price => price === undefined).length
  return { instances, storage, addresses, total: instances + storage + addresses, unknown }
}
