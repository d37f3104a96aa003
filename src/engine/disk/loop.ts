/**
 * Loop devices: raw files as block devices.
 *
 * Invariant: a device that a machine may use has a number of that machine's own, outside of what the kernel hands out, and a tag that
 * says whose it is and which disk's; nobody but the host's root can set it. What is not tagged so is never taken for a machine's.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '#engine/disk/run'
import type { DiskWork } from '#engine/port'

const TOOL = join(import.meta.dirname, 'loop.pl')
/** Device numbers: this many for each Enclume, and of them for each machine; the first of them are the host's own. */
const PER_ENCLUME = 131_072
const FIRST = 4096
export const PER_MACHINE = 64
export const MACHINES = (PER_ENCLUME - FIRST) / PER_MACHINE
const READ_ONLY = 1

export type Loop = { number: number; tag: string }

/** The first number of the machine in this place of an Enclume. The root disk has it; data disks have those after it. */
export const firstLoop = ({ slot, place }: { slot: number; place: number }): number => slot * PER_ENCLUME + FIRST + place * PER_MACHINE

/** Whether a number is one that an Enclume's machines have. */
export const isOfSlot = (number: number, slot: number): boolean => Math.floor(number / PER_ENCLUME) === slot && number % PER_ENCLUME >= FIRST

/** What the storage helper knows a machine's devices by. */
export const loopTag = (machine: string, disk: string): string => `${machine}/${disk}`.slice(0, 63)

/** See loop.pl. */
export const loopTool = (command: string, ...args: (string | number)[]): Promise<string> => run('perl', [TOOL, command, ...args.map(String)])

/** Gives the device its file, unless it has it. Throws where it is somebody else's. */
export async function bindLoop({ number, tag }: Loop, file: string, { readOnly = false } = {}): Promise<void> {
  await loopTool('bind', number, file, tag, readOnly ? READ_ONLY : 0, 0, 0)
}

/** 'busy' while somebody has it open: it is then gone with the last who has. */
export const clearLoop = async ({ number, tag }: Loop): Promise<'free' | 'busy'> =>
  ((await loopTool('clear', number, tag)) === 'busy' ? 'busy' : 'free')

/** Ends all I/O of whoever has it open. Its file is nobody's then. */
export const cutLoop = async (number: number): Promise<void> => { await loopTool('cut', number) }
export const growLoop = async (number: number): Promise<void> => { await loopTool('grow', number) }

/** The file behind a device; undefined while it has none, or is not there. */
export function backingFile(number: number): string | undefined {
  return readAttribute(`loop${number}`, 'loop/backing_file')?.replace(/ \(deleted\)$/, '')
}

function readAttribute(name: string, attribute: string): string | undefined {
  try {
    return readFileSync(`/sys/block/${name}/${attribute}`, 'utf8').replace(/\n$/, '')
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** A partition: a device on top of another one (storage/partitions.py), whose name says which. Sectors. */
export type PartLoop = { number: number; disk: number; index: number; start: number; sectors: number }

export function partLoop(number: number): PartLoop | undefined {
  const match = /^\/dev\/loop(\d+)p(\d+)$/.exec(backingFile(number) ?? '')
  const offset = match && readAttribute(`loop${number}`, 'loop/offset')
  return offset ? { number, disk: Number(match[1]), index: Number(match[2]), start: Number(offset) / 512, sectors: sectorsOf(number) } : undefined
}

/** In sectors of 512 bytes. 0 for one that was cut. */
export const sectorsOf = (number: number): number => Number(readAttribute(`loop${number}`, 'size') ?? 0)

/** What the block layer did for a device since it is bound (Documentation/block/stat.rst in Linux): reads and writes, discards left out. */
export function workOf(number: number): DiskWork | undefined {
  const words = readAttribute(`loop${number}`, 'stat')?.trim().split(/\s+/).map(Number)
  if (!words) return undefined
  const [reads = 0, , sectorsRead = 0, , writes = 0, , sectorsWritten = 0] = words
  return { operations: reads + writes, bytes: (sectorsRead + sectorsWritten) * 512, reads, bytesRead: sectorsRead * 512 }
}

/** All that there are, with a file or without. */
export const loopNumbers = (): number[] =>
  readdirSync('/sys/block').filter(name => /^loop\d+$/.test(name)).map(name => Number(name.slice('loop'.length)))

/** The loop devices on files at or below a path. */
export function loopsBelow(path: string): { number: number; device: string; file: string }[] {
  return loopNumbers().flatMap(number => {
    const file = backingFile(number)
    return file !== undefined && (file === path || file.startsWith(`${path}/`)) ? [{ number, device: `/dev/loop${number}`, file }] : []
  })
}

/** Whether anything can still be read or written through a device. */
export const inUse = (file: string): boolean => loopsBelow(file).some(({ number }) => sectorsOf(number) > 0)
