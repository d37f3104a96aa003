/**
 * `enclume down`: stops every machine and remembers that it ran, so that the next start brings back exactly what ran.
 *
 * Invariant: a row is marked suspended before its machine is touched; killed half-way, the next start finds marked rows
 * whose machines run (and clears the mark) or not (and starts them).
 */
import type { Cloud } from '#cloud'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'

const STOP_MS = 60_000

export function drainer(cloud: Cloud): () => Promise<number> {
  let draining: Promise<number> | undefined
  return () => (draining ??= drain(cloud))
}

async function drain({ context: { store, engine, log }, loop }: Cloud): Promise<number> {
  await loop.close()
  const marked = await store.transact(async tx => {
    const rows = (await instance.everywhere(tx)).filter(row => row.spec.desired === 'running' && row.status.created)
    const running: InstanceRow[] = []
    for (const row of rows) running.push(await instance.update(tx, row, { status: { suspended: true } }, 'suspended'))
    return running
  })
  const results = await Promise.allSettled(marked.map(row => engine.machines.stop(row.id, { timeoutMs: STOP_MS })))
  for (const [i, result] of results.entries()) {
    if (result.status === 'rejected') log.warn('drain.stop', { id: marked[i]!.id, error: result.reason })
  }
  return results.filter(result => result.status === 'fulfilled').length
}
