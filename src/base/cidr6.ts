/**
 * IPv6 addresses and blocks as numbers, and their canonical text (RFC 5952), so that equal addresses are equal texts.
 *
 * Invariant: a Cidr6's `base` has no bit set outside its prefix; parsing says whether the text did.
 */
export type Cidr6 = { base: bigint; length: number }

/** The number of an address, or undefined. A dotted IPv4 tail is refused: nobody here has a use for one. */
export function parseIp6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2 || text.includes('.')) return undefined
  const [head = [], tail = []] = halves.map(half => (half === '' ? [] : half.split(':')))
  const gap = 8 - head.length - tail.length
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined
  const all = [...head, ...Array<string>(gap).fill('0'), ...tail]
  if (!all.every(group => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return all.reduce((sum, group) => (sum << 16n) | BigInt(parseInt(group, 16)), 0n)
}

/** The longest run of two or more zero groups is shortened, the first of equals. */
export function formatIp6(n: bigint): string {
  const all = Array.from({ length: 8 }, (_, i) => Number((n >> BigInt(112 - 16 * i)) & 0xffffn))
  let run = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && all[at + length] === 0) length++
    if (length > run.length) run = { at, length }
  }
  const hex = all.map(group => group.toString(16))
  return run.at < 0 ? hex.join(':') : `${hex.slice(0, run.at).join(':')}::${hex.slice(run.at + run.length).join(':')}`
}

const masked = (n: bigint, length: number): bigint => (n >> BigInt(128 - length)) << BigInt(128 - length)

/** A block, with `exact: false` where host bits were set (they are cleared in `base`). */
export function parseCidr6(text: string): (Cidr6 & { exact: boolean }) | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  const ip = match ? parseIp6(match[1]!) : undefined
  const length = Number(match?.[2])
  if (ip === undefined || length > 128) return undefined
  const base = masked(ip, length)
  return { base, length, exact: base === ip }
}

export const formatCidr6 = (c: Cidr6): string => `${formatIp6(c.base)}/${c.length}`
export const contains6 = (c: Cidr6, ip: bigint): boolean => masked(ip, c.length) === c.base
export const within6 = (outer: Cidr6, inner: Cidr6): boolean => inner.length >= outer.length && contains6(outer, inner.base)
export const overlaps6 = (a: Cidr6, b: Cidr6): boolean => within6(a, b) || within6(b, a)

/** `2001:DB8:0::1/32` is `2001:db8::/32`; undefined for what is no block. */
export function canonicalCidr6(text: string): string | undefined {
  const parsed = parseCidr6(text)
  return parsed && formatCidr6(parsed)
}
