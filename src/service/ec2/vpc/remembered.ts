/**
 * What VPCs' networks shall be, remembered until a record that they were made of is written: a thousand instances that start
 * ask for one network a thousand times.
 *
 * Invariant: what is answered is what reading anew would give; which kinds of records count is noted when they are read.
 */
import type { NetworkSpec } from '#engine/port'
import { vpc, type VpcRow } from '#service/ec2/vpc/vpc'
import { remembering } from '#store/memory'
import type { Reader, Store } from '#store/store'

type Read = (reader: Reader, row: VpcRow) => Promise<NetworkSpec>

export function remembered(store: Store, read: Read): (row: VpcRow) => Promise<NetworkSpec> {
  const known = new Map<string, NetworkSpec>()
  const kinds = new Set<string>([vpc.kind])
  let writes = 0
  store.watch(events => {
    if (!events.some(event => kinds.has(event.kind))) return
    writes++
    known.clear()
  })
  const memory = remembering(store)
  const noting: Reader = {
    get: (kind, id) => { kinds.add(kind); return store.get(kind, id) },
    list: query => { kinds.add(query.kind); return memory.list(query) },
    getAll: (kind, ids) => { kinds.add(kind); return store.getAll(kind, ids) },
    holder: (scope, key) => store.holder(scope, key),
    claims: scope => store.claims(scope),
  }
  return async row => {
    const found = known.get(row.id)
    if (found) return found
    const before = writes
    const spec = await read(noting, row)
    if (before === writes) known.set(row.id, spec)
    return spec
  }
}
