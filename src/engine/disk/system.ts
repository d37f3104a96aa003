/**
 * The Linux system on a disk that came from elsewhere, as a root disk of a machine here: its root file system is taken out of whichever partition
 * it lies in, and fitted (image/fit.py).
 *
 * Invariant: the disk is hostile input. Its tables are read within bounds, its file system is checked before it is mounted, mounted as any guest's,
 * and nothing that is in it is ever run on the host.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Home } from '#base/home'
import { NO_SYSTEM, type DiskSpec } from '#engine/port'
import type { Client } from '#engine/incus/client'
import { copyExtents } from '#engine/disk/blocks'
import { readSuperblock } from '#engine/disk/ext4'
import { deleteVolume, diskVolume, makeVolume, newPoint, volumeFile } from '#engine/disk/layout'
import { unmountFile } from '#engine/disk/mount'
import { RECIPES, writeCertificates } from '#engine/disk/recipe'
import { run, ToolError } from '#engine/disk/run'
import { partsOf, type Part } from '#engine/disk/table'
import { inSandbox } from '#engine/image/sandbox'

/** What fit.py ends with where there is no system, having said why. */
const UNFIT = 3

/** Makes a disk of the root file system that is found on another one. Throws where there is none. */
export async function makeSystem(home: Home, client: Client, spec: DiskSpec, from: string): Promise<void> {
  const source = volumeFile(home, diskVolume(from))
  const name = diskVolume(spec.id)
  const reasons: string[] = []
  for (const part of await candidates(source)) {
    await makeVolume(client, name, spec)
    const why = await take(home, { source, part, name })
    if (why === undefined) return
    reasons.push(why)
    await deleteVolume(client, name)
  }
  throw new Error(`${NO_SYSTEM}: ${[...new Set(reasons)].join('; ') || await described(source)}`)
}

/** File systems that a root can be, the largest first. */
async function candidates(source: string): Promise<Part[]> {
  const whole = { start: 0, length: statSync(source).size }
  const parts = readSuperblock(source) ? [whole] : await partsOf(source)
  return parts.filter(({ start }) => readSuperblock(source, start)).sort((a, b) => b.length - a.length)
}

/** What is on a disk without any. */
async function described(source: string): Promise<string> {
  const parts = await partsOf(source)
  const handle = await open(source)
  try {
    for (const { start } of [{ start: 0 }, ...parts]) {
      const { buffer } = await handle.read(Buffer.alloc(1024), 0, 1024, start)
      if (buffer.toString('latin1', 0, 4) === 'XFSB') return 'its file system is XFS, and a root is ext4 here'
      if (buffer.toString('latin1', 0, 4) === 'LUKS') return 'it is encrypted'
      if (buffer.toString('latin1', 512, 520) === 'LABELONE') return 'it is a physical volume of LVM'
    }
  } finally {
    await handle.close()
  }
  return parts.length === 0 ? 'it has neither an ext4 file system nor partitions' : 'none of its partitions is an ext4 file system'
}

/** Undefined where the file system is one that a machine can start from now, else why it is none. */
async function take(home: Home, { source, part, name }: { source: string; part: Part; name: string }): Promise<string | undefined> {
  const file = volumeFile(home, name)
  await copyExtents(source, file, part)
  if (readSuperblock(file)?.outside) return 'its journal is on another device'
  const point = newPoint(home, name)
  const trusted = join(home.run, 'trusted', name)
  try {
    await run('e2fsck', ['-f', '-p', file], { ok: [0, 1] })
    await run('resize2fs', [file])
    mkdirSync(point, { recursive: true })
    writeCertificates(home, trusted)
    await inSandbox({ file, point }, 'fit', [RECIPES, trusted])
    return undefined
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    const said = error.output.trim().split('\n').at(-1)!
    if (error.code === UNFIT) return said
    if (/^e2fsck |^resize2fs /.test(error.message)) return `its file system is damaged: ${said.replaceAll(file, 'the disk')}`
    throw error
  } finally {
    rmSync(trusted, { recursive: true, force: true })
    await unmountFile(file, point)
  }
}
