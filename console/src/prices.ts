/** What AWS would ask for what runs here: facts of a day, or nothing where there is no fact. */
import { PRICED_ON, PRICES } from './data/prices.ts'

export { PRICED_ON }

/** US dollars an hour; undefined where the list has none. */
export function priceOf(type: string): number | undefined {
  const [family = '', size] = type.split('.')
  const words = PRICES[family]?.split(' ') ?? []
  const at = words.findIndex((word, i) => i % 2 === 0 && word === size)
  return at < 0 ? undefined : Number(words[at + 1])
}

/** Of all of these together, and how many of them have no price. */
export function sumOf(types: readonly string[]): { price: number; unknown: number } {
  const prices = types.map(priceOf)
  return { price: prices.reduce<number>((sum, price) => sum + (price ?? 0), 0), unknown: prices.filter(price => price === undefined).length }
}
