/** IPv6 blocks in their canonical text (RFC 5952, host bits cleared), so that equal blocks are equal texts. Pure. */

/** The eight groups of an IPv6 address, or undefined. A dotted IPv4 tail is refused: EC2's rules have no use for one. */
function groups(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2 || text.includes('.')) return undefined
  const [head = [], tail = []] = halves.map(half => (half === '' ? [] : half.split(':')))
  const gap = 8 - head.length - tail.length
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined
  const all = [...head, ...Array<string>(gap).fill('0'), ...tail]
  return all.every(group => /^[0-9a-f]{1,4}$/i.test(group)) ? all.map(group => parseInt(group, 16)) : undefined
}

/** The longest run of two or more zero groups is shortened, the first of equals. */
function format(all: readonly number[]): string {
  let run = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && all[at + length] === 0) length++
    if (length > run.length) run = { at, length }
  }
  const hex = all.map(group => group.toString(16))
  return run.at < 0 ? hex.join(':') : `${hex.slice(0, run.at).join(':')}::${hex.slice(run.at + run.length).join(':')}`
}

/** `2001:DB8:0::1/32` is `2001:db8::/32`; undefined for what is no block. */
export function canonicalCidr6(text: string): string | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  const address = match && groups(match[1]!)
  const length = Number(match?.[2])
  if (!address || length > 128) return undefined
  const masked = address.map((group, i) => {
    const kept = Math.min(16, Math.max(0, length - i * 16))
    return group & (0xffff << (16 - kept)) & 0xffff
  })
  return `${format(masked)}/${length}`
}
