/**
 * The fake engine's disks: sizes, limits and the blocks that were written, in memory.
 *
 * Invariant: it refuses what the real engine refuses: to delete or to write a disk that a machine has, to shrink one, to copy what is not there.
 */
import { BLOCK_BYTES, NO_SYSTEM, type Block, type Blocks, type Disks, type DiskSpec, type DiskWork, type ImageSeen } from '#engine/port'

/** `blocks`: what was written, by index; a copy shares them, as none is ever changed in place. `moment`: the act that it was made in.
 * `work`: what a test says it was used for. */
export type FakeDisk = DiskSpec & { blocks?: Map<number, Uint8Array>; moment?: number; work?: DiskWork }
type Act = (name: string, id: string, work: () => void) => Promise<void>
type Options = { disks: Map<string, FakeDisk>; images: ImageSeen[]; act: Act; down(): boolean; owners(disk: string): string[] }

/** A boot sector's mark, or that of ext4: nothing in it is looked at. */
const isSystem = (first?: Uint8Array): boolean => first !== undefined
  && (Buffer.from(first).readUInt16BE(510) === 0x55aa || Buffer.from(first).readUInt16LE(1080) === 0xef53)

export function openFakeDisks({ disks, images, act, down, owners }: Options): Disks {
  const get = (id: string): FakeDisk => {
    const found = disks.get(id)
    if (!found) throw new Error(`no disk ${id}`)
    return found
  }
  const blocksOf = (id: string) => get(id).blocks ?? new Map<number, Uint8Array>()
  const part = (indexes: number[], { first, limit }: Blocks) => indexes.filter(index => index >= first).sort((a, b) => a - b).slice(0, limit)
  const up = () => { if (down()) throw new Error('the engine is down') }

  let moment = 0
  const make = (spec: DiskSpec): void => {
    if (disks.has(spec.id)) return
    const { from } = spec
    const origin = from && ('disk' in from ? from.disk : 'system' in from ? from.system : undefined)
    if (origin !== undefined && get(origin).sizeGiB > spec.sizeGiB) throw new Error(`disk ${spec.id} is smaller than what it is copied from`)
    if (from && 'image' in from && !images.some(({ name }) => name === from.image)) throw new Error(`there is no image ${from.image}`)
    if (from && 'system' in from && !isSystem(blocksOf(from.system).get(0))) throw new Error(`${NO_SYSTEM}: it is empty`)
    disks.set(spec.id, { ...spec, moment, blocks: new Map(origin === undefined ? [] : blocksOf(origin)) })
  }

  return {
    async observe(id) {
      if (down()) return 'unknown'
      const disk = disks.get(id)
      return disk ? { sizeGiB: disk.sizeGiB, ...(disk.limits && { limits: disk.limits }) } : 'absent'
    },
    users: async id => (down() ? 'unknown' : owners(id)),
    list: async () => (down() ? 'unknown' : [...disks.keys()]),
    async create(spec) {
      const there = disks.has(spec.id)
      await act('disk.create', spec.id, () => { moment++; make(spec) })
      return there ? undefined : { sizeGiB: spec.sizeGiB, ...(spec.limits && { limits: spec.limits }) }
    },
    createTogether: specs => act('disk.create', specs[0]?.id ?? '', () => { moment++; for (const spec of specs) make(spec) }),
    delete: id => act('disk.delete', id, () => {
      if (owners(id).length > 0) throw new Error(`disk ${id} is in use by ${owners(id)}`)
      disks.delete(id)
    }),
    grow: (id, sizeGiB) => act('disk.grow', id, () => {
      if (sizeGiB < get(id).sizeGiB) throw new Error(`disk ${id} can't shrink`)
      get(id).sizeGiB = sizeGiB
    }),
    limit: (id, limits) => act('disk.limit', id, () => { get(id).limits = limits }),
    work: async () => (down() ? 'unknown' : Object.fromEntries([...disks].flatMap(([id, { work }]) => (work ? [[id, work]] : [])))),
    async usage(id) {
      if (down()) return 'unknown'
      return disks.has(id) ? { bytes: blocksOf(id).size * BLOCK_BYTES } : 'absent'
    },
    async blocks(id, wanted) {
      up()
      return part([...blocksOf(id).keys()], wanted)
    },
    async changed(id, base, wanted) {
      up()
      const [ours, theirs] = [blocksOf(id), blocksOf(base)]
      const differs = (index: number) => !Buffer.from(ours.get(index) ?? []).equals(Buffer.from(theirs.get(index) ?? []))
      return part([...new Set([...ours.keys(), ...theirs.keys()])].filter(differs), wanted)
    },
    async readBlock(id, index) {
      up()
      return blocksOf(id).get(index)
    },
    writeBlock: (id, index, data) => act('disk.write', id, () => {
      if (owners(id).length > 0) throw new Error(`disk ${id} is in use by ${owners(id)}`)
      const disk = get(id)
      if (data.length !== BLOCK_BYTES || index < 0 || index >= disk.sizeGiB * 2048) throw new Error(`disk ${id} has no such block`)
      disk.blocks = new Map(disk.blocks).set(index, Uint8Array.from(data))
    }),
    async* contents(id) {
      up()
      for (const index of [...blocksOf(id).keys()].sort((a, b) => a - b)) yield { index, data: blocksOf(id).get(index)! }
    },
    async fill(id, given) {
      const all: Block[] = []
      for await (const { index, data } of given) {
        if (data.length !== BLOCK_BYTES || index >= get(id).sizeGiB * 2048) throw new Error(`disk ${id} has no such block`)
        all.push({ index, data: Uint8Array.from(data) })
      }
      await act('disk.write', id, () => {
        if (owners(id).length > 0) throw new Error(`disk ${id} is in use by ${owners(id)}`)
        get(id).blocks = new Map([...blocksOf(id), ...all.map(({ index, data }): [number, Uint8Array] => [index, data])])
      })
    },
    images: async () => (down() ? 'unknown' : images),
  }
}
