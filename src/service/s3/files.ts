/**
 * The bytes of objects: one file a piece, named by chance and never by a key, encrypted (AES-256-CTR) with a key derived
 * from the home's and the file's name. Small pieces are encrypted alike, and kept by the tables with the row that names them.
 *
 * Invariants: a file is written once, and on the disk with its name when `write` returns; a file that is being read goes
 * only after its last reader. A disk without room is refused before anything is written.
 */
import { createCipheriv, createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { diskFull } from '#service/s3/errors'
import type { NewPiece, Piece } from '#service/s3/tables'

const FOLDERS = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))
const BATCH = 1 << 20
/** Room that is left to the rest of the system. */
const RESERVE = 256 << 20
const BLOCK = 16n
/** Up to here a piece is no file: opening, syncing and naming one would cost more than its bytes do. */
const SMALL = 16 << 10

export type Files = Awaited<ReturnType<typeof openFiles>>
export type Sink = { update(bytes: Buffer): void }

export type Kept = {
  /** Which files are somebody's: all others are what a crash left, and go. */
  isFile(id: string): boolean
  /** The bytes of a piece that has no file. */
  bytesOf(id: string): Uint8Array | undefined
}

export async function openFiles(dir: string, kept: Kept) {
  const data = join(dir, 'data')
  for (const folder of FOLDERS) mkdirSync(join(data, folder), { recursive: true })
  const master = await masterKey(dir)
  const pathOf = (id: string): string => join(data, id.slice(0, 2), id)
  const readers = new Map<string, number>()
  const doomed = new Set<string>()
  const cipherOf = (id: string, offset = 0) => {
    const counter = Buffer.alloc(16)
    counter.writeBigUInt64BE(BigInt(offset) / BLOCK, 8)
    return createCipheriv('aes-256-ctr', createHmac('sha256', master).update(id).digest(), counter)
  }
  for (const folder of FOLDERS) for (const id of readdirSync(join(data, folder))) if (!kept.isFile(id)) rmSync(join(data, folder, id))

  async function remove(id: string): Promise<void> {
    if (readers.has(id)) doomed.add(id)
    else await unlink(pathOf(id))
  }

  function room(bytes: number): void {
    const { bavail, bsize } = statfsSync(data)
    if (bavail * bsize - RESERVE < bytes) throw diskFull()
  }

  /** Writes what comes to a new file; the sinks see it too. Whatever fails leaves no file. */
  async function write(source: AsyncIterable<Buffer>, expected: number | undefined, sinks: Sink[]): Promise<NewPiece> {
    room(expected ?? 0)
    const id = randomBytes(16).toString('hex')
    const cipher = cipherOf(id)
    if (expected !== undefined && expected <= SMALL) {
      const held: Buffer[] = []
      for await (const bytes of source) {
        for (const sink of sinks) sink.update(bytes)
        held.push(cipher.update(bytes))
      }
      const bytes = Buffer.concat(held)
      return bytes.length === 0 ? { file: '', size: 0 } : { file: id, size: bytes.length, bytes }
    }
    const handle = await open(pathOf(id), 'wx', 0o600)
    let size = 0
    try {
      let batch: Buffer[] = []
      let held = 0
      const flush = async (): Promise<void> => {
        await writeAll(handle, batch, held)
        batch = []
        held = 0
      }
      for await (const bytes of source) {
        for (const sink of sinks) sink.update(bytes)
        batch.push(cipher.update(bytes))
        held += bytes.length
        size += bytes.length
        if (held >= BATCH) await flush()
      }
      if (held > 0) await flush()
      if (size > 0) await handle.sync()
      await handle.close()
      if (size === 0) await unlink(pathOf(id))
      else await syncFolder(join(data, id.slice(0, 2)))
      return { file: size === 0 ? '' : id, size }
    } catch (error) {
      await handle.close().catch(() => {})
      await unlink(pathOf(id)).catch(() => {})
      throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? diskFull() : error
    }
  }

  /** Bytes `start` to `end` (not included) of pieces that follow each other. The files stay until it is read or left. */
  function read(asked: Piece[], { start, end }: { start: number; end: number }): AsyncIterable<Buffer> {
    const pieces = asked.map(piece => ({ ...piece, bytes: piece.size <= SMALL ? kept.bytesOf(piece.file) : undefined }))
    const files = pieces.filter(piece => !piece.bytes).map(piece => piece.file)
    for (const id of files) readers.set(id, (readers.get(id) ?? 0) + 1)
    const bytes = bytesOf(pieces, { start, end })
    let released = false
    const release = (): void => {
      if (released) return
      released = true
      for (const id of files) {
        const left = readers.get(id)! - 1
        if (left > 0) readers.set(id, left)
        else {
          readers.delete(id)
          if (doomed.delete(id)) void unlink(pathOf(id)).catch(() => {}) // Else the next start removes it.
        }
      }
    }
    const iterator: AsyncIterator<Buffer> = {
      async next() {
        const result = await bytes.next().catch((error: unknown) => { release(); throw error })
        if (result.done) release()
        return result
      },
      async return() {
        release()
        return bytes.return(undefined)
      },
    }
    return { [Symbol.asyncIterator]: () => iterator }
  }

  async function* bytesOf(pieces: NewPiece[], { start, end }: { start: number; end: number }): AsyncGenerator<Buffer> {
    let at = 0
    for (const { file, size, bytes } of pieces) {
      const [from, to] = [Math.max(start - at, 0), Math.min(end - at, size)]
      if (from < to && bytes) yield cipherOf(file).update(bytes).subarray(from, to)
      else if (from < to) yield* fileBytes(file, from, to)
      at += size
    }
  }

  async function* fileBytes(id: string, start: number, end: number): AsyncGenerator<Buffer> {
    const handle = await open(pathOf(id), 'r')
    try {
      const first = start - (start % Number(BLOCK))
      const cipher = cipherOf(id, first)
      // One for all of the file: what is given out is the cipher's own copy.
      const buffer = Buffer.allocUnsafe(Math.min(BATCH, end - first))
      for (let at = first; at < end;) {
        const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, end - at), at)
        if (bytesRead === 0) throw new Error(`the file ${id} is shorter than its record says`)
        const plain = cipher.update(buffer.subarray(0, bytesRead))
        yield at < start ? plain.subarray(start - at) : plain
        at += bytesRead
      }
    } finally {
      await handle.close()
    }
  }

  return { write, read, room, removeAll: async (ids: string[]) => { for (const id of ids) await remove(id) } }
}

async function writeAll(handle: FileHandle, batch: Buffer[], bytes: number): Promise<void> {
  const { bytesWritten } = await handle.writev(batch)
  if (bytesWritten === bytes) return
  // A short write is how a disk that is almost full shows itself; the next one says so.
  const rest = Buffer.concat(batch).subarray(bytesWritten)
  await handle.writeFile(rest)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Made at the first start, whole or not at all. Without it nothing can be read. */
async function masterKey(dir: string): Promise<KeyObject> {
  const file = join(dir, 'object.key')
  if (existsSync(file)) return createSecretKey(readFileSync(file))
  const key = randomBytes(32)
  const handle = await open(`${file}.new`, 'w', 0o600)
  try {
    await handle.writeFile(key)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${file}.new`, file)
  await syncFolder(dir)
  return createSecretKey(key)
}
