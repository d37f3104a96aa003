/**
 * A disk's file seen as blocks: which hold anything, which differ from another disk's, and their bytes.
 *
 * Invariant: which blocks hold anything is the file system's own word (extents), never guessed from bytes; two disks' blocks are
 * taken for the same only where both have them at the same place, or their bytes are.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { BLOCK_BYTES, type Block, type Blocks } from '#engine/port'
import { run } from '#engine/disk/run'

/** In bytes. `at` is the place on the pool; undefined where it is not known yet. */
export type Extent = { start: number; length: number; at?: number }

/** What holds anything, in order. What was reserved and never written is a hole. */
export async function extentsOf(file: string): Promise<Extent[]> {
  // Synced first (-s): data that has no place yet would have none to be compared.
  return parseExtents(await run('filefrag', ['-s', '-v', '-b512', file]))
}

const LINE = /^\s*\d+:\s*(\d+)\.\.\s*\d+:\s*(\d+)\.\.\s*\d+:\s*(\d+):(?:\s*\d+:)?\s*(\S*)\s*$/gm

export const parseExtents = (text: string): Extent[] => [...text.matchAll(LINE)].flatMap(([, start, at, length, flags = '']) => {
  if (flags.includes('unwritten')) return []
  const placed = !/unknown_loc|delalloc|inline/.test(flags)
  return [{ start: Number(start) * 512, length: Number(length) * 512, ...(placed && { at: Number(at) * 512 }) }]
})

const blockOf = (byte: number): number => Math.floor(byte / BLOCK_BYTES)

/** The extents' parts in each block. */
function byBlock(extents: Extent[]): Map<number, Extent[]> {
  const blocks = new Map<number, Extent[]>()
  for (const { start, length, at } of extents) {
    for (let block = blockOf(start); block <= blockOf(start + length - 1); block++) {
      const from = Math.max(start, block * BLOCK_BYTES)
      const to = Math.min(start + length, (block + 1) * BLOCK_BYTES)
      const piece = { start: from, length: to - from, ...(at !== undefined && { at: at + from - start }) }
      blocks.set(block, [...(blocks.get(block) ?? []), piece])
    }
  }
  return blocks
}

const inOrder = (indexes: Iterable<number>, first: number): number[] => [...indexes].filter(index => index >= first).sort((a, b) => a - b)

export const blocksOf = async (file: string, { first, limit }: Blocks): Promise<number[]> =>
  inOrder(byBlock(await extentsOf(file)).keys(), first).slice(0, limit)

/** Blocks of `file` whose bytes are not those of `base`. Reads only what does not lie at the same place in both. */
export async function changedBlocks(file: string, base: string, { first, limit }: Blocks): Promise<number[]> {
  const [ours, theirs] = (await Promise.all([extentsOf(file), extentsOf(base)])).map(byBlock) as [Map<number, Extent[]>, Map<number, Extent[]>]
  const found: number[] = []
  const handles = await Promise.all([open(file), open(base)])
  try {
    for (const index of inOrder(new Set([...ours.keys(), ...theirs.keys()]), first)) {
      if (found.length >= limit) break
      if (samePlace(ours.get(index), theirs.get(index))) continue
      const [one, other] = await Promise.all(handles.map(handle => readAt(handle, index)))
      if (!one!.equals(other!)) found.push(index)
    }
  } finally {
    await Promise.all(handles.map(handle => handle.close()))
  }
  return found
}

function samePlace(ours: Extent[] | undefined, theirs: Extent[] | undefined): boolean {
  if (!ours || !theirs || ours.length !== theirs.length) return false
  return ours.every(({ start, length, at }, i) => {
    const other = theirs[i]!
    return at !== undefined && other.at === at && other.start === start && other.length === length
  })
}

/** A block's bytes; zeros where the file ends before. */
async function readAt(handle: FileHandle, index: number): Promise<Buffer> {
  const block = Buffer.alloc(BLOCK_BYTES)
  await handle.read(block, 0, BLOCK_BYTES, index * BLOCK_BYTES)
  return block
}

/** Undefined where nothing was ever written. */
export async function readBlockOf(file: string, index: number): Promise<Buffer | undefined> {
  if (!byBlock(await extentsOf(file)).has(index)) return undefined
  const handle = await open(file)
  try {
    return await readAt(handle, index)
  } finally {
    await handle.close()
  }
}

/** Durable when it returns. Throws for a block that is not one or not within the file. */
export async function writeBlockOf(file: string, index: number, data: Uint8Array): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    const { size } = await handle.stat()
    if (data.length !== BLOCK_BYTES || index < 0 || (index + 1) * BLOCK_BYTES > size) throw new Error(`${file} has no such block: ${index}`)
    await handle.write(data, 0, BLOCK_BYTES, index * BLOCK_BYTES)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** Every block in which anything was ever written. */
export async function* contentsOf(file: string): AsyncIterable<Block> {
  const indexes = inOrder(byBlock(await extentsOf(file)).keys(), 0)
  const handle = await open(file)
  try {
    for (const index of indexes) yield { index, data: await readAt(handle, index) }
  } finally {
    await handle.close()
  }
}

export async function fillBlocks(file: string, blocks: AsyncIterable<Block>): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    const { size } = await handle.stat()
    for await (const { index, data } of blocks) {
      if (data.length !== BLOCK_BYTES || index < 0 || (index + 1) * BLOCK_BYTES > size) throw new Error(`${file} has no such block: ${index}`)
      await handle.write(data, 0, BLOCK_BYTES, index * BLOCK_BYTES)
    }
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** How much of the file holds anything, in bytes. */
export const usageOf = async (file: string): Promise<number> => (await extentsOf(file)).reduce((sum, { length }) => sum + length, 0)

/** Copies what a part of a file holds to the beginning of another one, which is as long at least and empty. Durable when it returns. */
export async function copyExtents(from: string, to: string, part: { start: number; length: number }): Promise<void> {
  const handles = await Promise.all([open(from), open(to, 'r+')])
  const [source, target] = handles
  const piece = Buffer.alloc(2 * BLOCK_BYTES)
  try {
    for (const { start, length } of await extentsOf(from)) {
      const end = Math.min(start + length, part.start + part.length)
      for (let at = Math.max(start, part.start); at < end;) {
        const { bytesRead } = await source.read(piece, 0, Math.min(piece.length, end - at), at)
        if (bytesRead === 0) break
        await target.write(piece, 0, bytesRead, at - part.start)
        at += bytesRead
      }
    }
    await target.datasync()
  } finally {
    await Promise.all(handles.map(handle => handle.close()))
  }
}
