/**
 * What a namespace shall have, one thing at a time, and the `ip` commands that make and end each. Pure.
 *
 * Invariant: an item's key and state are as kernel.ts reads them back, so that what is there is left alone.
 */
/** One thing that shall be. `put` makes it so when it is missing or otherwise; a link that is missing is made by `create` first. */
export type Item = { key: string; state: string; put: string; create?: string[]; drop: string }

export const TABLE = 1000
export const PORTS_TABLE = 900

export const link = (o: { name: string; group: number; alias?: string; create?: string[] }): Item => ({
  key: `link ${o.name}`, state: `${o.group} ${o.alias ?? ''}`, create: o.create, drop: `link del ${o.name}`,
  put: `link set dev ${o.name} up group ${o.group}${o.alias === undefined ? '' : ` alias ${o.alias}`}`,
})
export const address = (device: string, block: string, flags = ''): Item => ({
  key: `address ${device} ${block}`, state: '',
  put: `address replace ${block} dev ${device}${flags}`, drop: `address del ${block} dev ${device}`,
})
/** `to` is 'blackhole', 'throw', or as `ip route` writes a way: 'via A dev D', 'dev D'. */
export function route(table: string, block: string, to: string, more = ''): Item {
  const special = to === 'blackhole' || to === 'throw'
  const head = special ? `${to} ${block}` : `${block} ${to}`
  return {
    key: `route ${table} ${block}${more}`, state: to,
    put: `route replace ${head} table ${table}${to.startsWith('via') ? ' onlink' : ''}${more}`,
    drop: `route del ${special ? `${to} ` : ''}${block} table ${table}${more}`,
  }
}
export const rule = (o: { order: number; mark?: number; table: string }): Item => {
  const words = `pref ${o.order}${o.mark === undefined ? '' : ` fwmark 0x${o.mark.toString(16)}`} lookup ${o.table}`
  return { key: `rule ${words}`, state: '', put: `rule add ${words}`, drop: `rule del ${words}` }
}
export const neighbour = (device: string, ip: string, mac: string): Item => ({
  key: `neighbour ${device} ${ip}`, state: mac,
  put: `neigh replace ${ip} lladdr ${mac} dev ${device} nud permanent`, drop: `neigh del ${ip} dev ${device}`,
})

/** Lowest preference: a table's own default route, when it has one, is always better. */
export const LAST = ' metric 4294967295'
