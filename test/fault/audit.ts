/**
 * What is wrong between the records and the host: machines, disks, networks and ports without a record or the other way round,
 * claims whose owner is gone, records that point to nothing, instances on their way to somewhere.
 */
import { homeAt } from '#base/home'
import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import type { FakeEngine } from '#engine/fake'
import { instance } from '#service/ec2/instance/instance'
import { ownInterfaces } from '#service/ec2/instance/ports'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { wantedEphemeral } from '#service/ec2/instance/ephemeral'
import { dataVolumes } from '#service/ec2/instance/belongings'
import { image } from '#service/ec2/image/image'
import { natGateway } from '#service/ec2/nat-gateway/nat-gateway'
import { task as replaceRoot } from '#service/ec2/replace-root/task'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import { attachmentsOf, volume } from '#service/ec2/volume/volume'
import { networkOf } from '#service/ec2/vpc/drive'
import { vpcEndpoint } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import { peering } from '#service/ec2/vpc-peering/peering'
import { vpc } from '#service/ec2/vpc/vpc'
import type { Row, Store } from '#store/store'

/** Empty when all is well and at rest. */
export async function audit({ engine, store, file }: { engine: FakeEngine; store: Store; file: string }): Promise<string[]> {
  return [...await instances(store), ...await belongings(store), ...await host(engine, store), ...claims(file)]
}

async function instances(store: Store): Promise<string[]> {
  const atRest = { running: 'running', stopped: 'stopped', terminated: 'terminated' }
  return (await instance.everywhere(store)).flatMap(({ id, spec, status }) => [
    ...(status.state === atRest[spec.desired] ? [] : [`${id} is ${status.state}, wanted ${spec.desired}`]),
    ...(spec.desired !== 'running' || status.rebootsDone === spec.rebootsAsked ? [] : [`${id} has a reboot to do`]),
  ])
}

/** Interfaces and volumes against their instances. */
async function belongings(store: Store): Promise<string[]> {
  const wrong: string[] = []
  const all = new Map((await instance.everywhere(store)).map(row => [row.id, row]))
  const living = (id: string) => all.has(id) && all.get(id)!.spec.desired !== 'terminated'
  const interfaces = await networkInterface.everywhere(store)
  const volumes = await volume.everywhere(store)
  for (const { id, spec } of interfaces) {
    if (spec.attachment && !living(spec.attachment.instance)) wrong.push(`${id} is attached to ${spec.attachment.instance}, which is gone`)
  }
  for (const row of volumes) {
    const { id, spec, status } = row
    for (const { instance: holder, moving } of attachmentsOf(row)) {
      if (!living(holder)) wrong.push(`${id} is attached to ${holder}, which is gone`)
      if (moving) wrong.push(`${id} is ${moving}`)
    }
    if (spec.desired === 'absent') wrong.push(`${id} is still to be deleted`)
    if (status.state !== (attachmentsOf(row).length > 0 ? 'in-use' : 'available')) wrong.push(`${id} is ${status.state}`)
    if (status.modification?.state === 'modifying') wrong.push(`${id} is being modified`)
  }
  for (const { id, spec, status } of await snapshot.everywhere(store)) {
    if (status.state !== 'completed' || spec.desired === 'absent') wrong.push(`${id} is ${status.state}, wanted ${spec.desired}`)
  }
  for (const { id, status } of await natGateway.everywhere(store)) {
    if (['pending', 'deleting'].includes(status.state)) wrong.push(`${id} is ${status.state}`)
  }
  for (const { id, spec, status } of await vpcEndpoint.everywhere(store)) {
    if (!spec.inside) continue
    if (status.state !== 'available' || spec.inside.desired === 'absent') wrong.push(`${id} is ${status.state}, wanted ${spec.inside.desired}`)
    for (const own of spec.inside.interfaces) if (!interfaces.some(i => i.id === own.id)) wrong.push(`${id} has no ${own.id}`)
  }
  for (const { id, status } of await peering.everywhere(store)) if (status.state === 'provisioning') wrong.push(`${id} is provisioning`)
  for (const { id, status } of await image.everywhere(store)) if (status.state === 'pending') wrong.push(`${id} is pending`)
  const ended = ['completed', 'Completed']
  for (const kind of ['import-snapshot-task', 'import-image-task', 'export-image-task', 'image-task']) {
    for (const { id, status } of await store.list<Row<object, { state: string; message?: string; reason?: string }>>({ kind })) {
      const refused = status.state === 'deleted' && /Missing OS files|the snapshot is gone/.test(status.message ?? '')
      if (!ended.includes(status.state) && !refused) wrong.push(`${id} is ${status.state}: ${status.message ?? status.reason}`)
    }
  }
  for (const { id, status } of await replaceRoot.everywhere(store)) {
    if (!['succeeded', 'failed'].includes(status.state)) wrong.push(`${id} is ${status.state}`)
  }
  for (const row of [...all.values()].filter(({ id }) => living(id))) {
    for (const id of row.spec.interfaces) if (!interfaces.some(i => i.id === id)) wrong.push(`${row.id} has no ${id}`)
    for (const id of [row.spec.rootVolume ?? [],
      row.spec.volumes ?? []].flat()) if (!volumes.some(v => v.id === id)) wrong.push(`${row.id} has no ${id}`)
    if (row.spec.imaging) wrong.push(`an image is being made of ${row.id}`)
  }
  return wrong
}

/** Host against records, both ways. */
async function host(engine: FakeEngine, store: Store): Promise<string[]> {
  const wrong: string[] = []
  const same = (what: string, there: Iterable<string>, wanted: Iterable<string>) => {
    const [a, b] = [[...there].sort(), [...wanted].sort()]
    if (!isDeepStrictEqual(a, b)) wrong.push(`${what} on the host: ${a.join(' ') || 'none'}; in the records: ${b.join(' ') || 'none'}`)
  }
  const wanted = (await instance.everywhere(store)).filter(row => row.spec.desired !== 'terminated')
  same('machines', engine.machinesById.keys(), wanted.map(row => row.id))
  for (const { id, spec } of wanted) {
    const machine = engine.machinesById.get(id)
    const own = await ownInterfaces(store, (await instance.find(store, id))!)
    same(`ports of ${id}`, machine?.spec.ports.map(({ port }) => port) ?? [], own.map(row => row.id))
    for (const row of own) if (row.spec.attachment!.moving) wrong.push(`${row.id} is ${row.spec.attachment!.moving}`)
    const row = (await instance.find(store, id))!
    const data = [...(await dataVolumes(store, row)).map(volumeRow => volumeRow.id), ...wantedEphemeral(row).map(({ disk }) => disk)]
    same(`data disks of ${id}`, machine?.spec.disks?.map(({ disk }) => disk) ?? [], data)
    if (machine && machine.spec.rootDisk !== spec.rootVolume) wrong.push(`${id} has ${machine.spec.rootDisk} as root, not ${spec.rootVolume}`)
    if (machine && machine.power !== (spec.desired === 'running' ? 'on' : 'off')) wrong.push(`${id} is ${machine.power}`)
  }
  const ephemeral = wanted.flatMap(row => wantedEphemeral(row).map(({ disk }) => disk))
  const kept = [...await volume.everywhere(store), ...await snapshot.everywhere(store)].map(row => row.id)
  same('disks', engine.disksById.keys(), [...kept, ...ephemeral])
  const networks = new Map<string, unknown>()
  for (const row of await vpc.everywhere(store)) {
    const network = await networkOf(store, homeAt({ dir: '/' }), row)
    // A VPC's network comes with its first interface and then stays.
    if (network.ports.length > 0 || engine.networksById.has(row.id)) networks.set(row.id, network)
  }
  same('networks', engine.networksById.keys(), networks.keys())
  for (const [id, network] of networks) {
    if (!isDeepStrictEqual(engine.networksById.get(id), network)) wrong.push(`network ${id} is not as its records want it`)
  }
  return wrong
}

/**
 * Scopes whose owner is no record: which places were prepared ('ec2'), which Regions an account uses (the account), and the
 * number that a scope gave out last ('last').
 */
const ownerless = (scope: string) => scope === 'prepared' || scope.startsWith('regions/') || scope.endsWith('/last')

/** Claims of records that are gone. Read from the file, as no interface lists all of them. */
export function claims(file: string): string[] {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const rows = db.prepare('select scope, key, owner from claim where owner not in (select id from record)').all()
    const lost = rows.filter(({ scope }) => !ownerless(String(scope)))
    return lost.map(({ scope, key, owner }) => `${scope} ${key} is claimed by ${owner}, which is gone`)
  } finally {
    db.close()
  }
}
