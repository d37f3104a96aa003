/**
 * An nftables table as data: its whole text, and the shortest transaction from one state of it to another.
 *
 * Invariant: loading text(b), and loading text(a) then delta(a, b), leave the same table. Both are atomic when sent as one transaction.
 */

/**
 * `elements` of a map are 'key : value'. `ranges`: its keys may be ranges, which must not overlap. `counted`: rules fill it, with what they count.
 */
export type NftSet = { map?: true; ranges?: true; counted?: true; type: string; elements: string[] }
/** `hook` makes it a base chain. */
export type NftChain = { hook?: string; rules: string[] }
export type Table = { family: 'inet' | 'arp'; name: string; sets: Record<string, NftSet>; chains: Record<string, NftChain> }

const kind = (set: NftSet) => (set.map ? 'map' : 'set')
const MOST = 65_535
const flags = (set: NftSet) => (set.ranges ? ['flags interval'] : set.counted ? [`size ${MOST}`, 'flags dynamic'] : [])
const list = (elements: string[]) => `{ ${elements.join(', ')} }`

/** Replaces the table, or makes it. */
export function text(table: Table): string {
  const name = `table ${table.family} ${table.name}`
  const sets = Object.entries(table.sets).map(([id, set]) => {
    const lines = [`type ${set.type}`, ...flags(set), ...(set.elements.length > 0 ? [`elements = ${list(set.elements)}`] : [])]
    return `  ${kind(set)} ${id} {\n${lines.map(line => `    ${line}\n`).join('')}  }\n`
  })
  const chains = Object.entries(table.chains).map(([id, chain]) =>
    `  chain ${id} {\n${[...(chain.hook ? [chain.hook] : []), ...chain.rules].map(line => `    ${line}\n`).join('')}  }\n`)
  return `${name}\ndelete ${name}\n${name} {\n${sets.join('')}${chains.join('')}}\n`
}

/** From `a` to `b`, by what differs; undefined where only a whole replacement can (a hook or a type has changed). */
export function delta(a: Table, b: Table): string | undefined {
  const at = `${b.family} ${b.name}`
  const lines: string[] = []
  const last: string[] = []
  const ids = (x: Record<string, unknown>, y: Record<string, unknown>) => new Set([...Object.keys(x), ...Object.keys(y)])
  const made: string[] = []
  for (const id of ids(a.sets, b.sets)) {
    const [was, is] = [a.sets[id], b.sets[id]]
    if (was && is && (was.type !== is.type || was.map !== is.map || was.ranges !== is.ranges || was.counted !== is.counted)) return undefined
    if (!was) made.push(`add ${kind(is!)} ${at} ${id} { ${[`type ${is!.type}`, ...flags(is!)].join('; ')}; }`)
    if (!is) last.push(`delete ${kind(was!)} ${at} ${id}`)
  }
  // What jumps to a chain holds it.
  const filled = Object.keys(a.sets).filter(id => !b.sets[id]).map(id => `flush ${kind(a.sets[id]!)} ${at} ${id}`)
  for (const id of ids(a.chains, b.chains)) {
    const [was, is] = [a.chains[id], b.chains[id]]
    if (was?.hook !== is?.hook) return undefined
    if (was && is && same(was.rules, is.rules)) continue
    lines.push(was ? `flush chain ${at} ${id}` : `add chain ${at} ${id}`)
    if (!is) last.push(`delete chain ${at} ${id}`)
    filled.push(...(is?.rules ?? []).map(rule => `add rule ${at} ${id} ${rule}`))
  }
  for (const id of Object.keys(b.sets)) {
    if (a.sets[id] && same(a.sets[id].elements, b.sets[id]!.elements)) continue
    const was = new Set(a.sets[id]?.elements)
    const is = new Set(b.sets[id]!.elements)
    const gone = [...was].filter(element => !is.has(element))
    const come = [...is].filter(element => !was.has(element))
    if (gone.length > 0) filled.push(`delete element ${at} ${id} ${list(gone)}`)
    if (come.length > 0) filled.push(`add element ${at} ${id} ${list(come)}`)
  }
  // Chains and sets exist before rules name them, and go when nothing names them any more; chains before the sets they use.
  last.sort((x, y) => Number(y.startsWith('delete chain')) - Number(x.startsWith('delete chain')))
  // nftables 1.0.6 finds a chain in a map of ranges only when the chain was named before the map.
  return [...lines, ...made, ...filled, ...last].map(line => `${line}\n`).join('')
}

const same = (a: string[], b: string[]) => a === b || (a.length === b.length && a.every((item, i) => item === b[i]))
