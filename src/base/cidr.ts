/**
 * IPv4 addresses and blocks as numbers.
 *
 * Invariant: a Cidr's `base` has no bit set outside its prefix; parsing says whether the text did.
 */
export type Cidr = { base: number; length: number }

/** The 32-bit number of a dotted quad, or undefined. Leading zeros are refused (they once meant octal). */
export function parseIp(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    value = value * 256 + Number(part)
  }
  return value
}

export const formatIp = (n: number): string => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join('.')

const mask = (length: number): number => (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0)

/** A block, with `exact: false` where host bits were set (they are cleared in `base`). */
export function parseCidr(text: string): (Cidr & { exact: boolean }) | undefined {
  const match = /^([^/]+)\/(\d{1,2})$/.exec(text)
  const ip = match && parseIp(match[1]!)
  const length = match ? Number(match[2]) : 33
  if (ip === undefined || ip === null || length > 32 || (match![2]!.length > 1 && match![2]!.startsWith('0'))) return undefined
  const base = (ip & mask(length)) >>> 0
  return { base, length, exact: base === ip }
}

export const formatCidr = (c: Cidr): string => `${formatIp(c.base)}/${c.length}`
export const size = (c: Cidr): number => 2 ** (32 - c.length)
export const contains = (c: Cidr, ip: number): boolean => ((ip & mask(c.length)) >>> 0) === c.base
export const within = (outer: Cidr, inner: Cidr): boolean => inner.length >= outer.length && contains(outer, inner.base)
export const overlaps = (a: Cidr, b: Cidr): boolean => within(a, b) || within(b, a)
