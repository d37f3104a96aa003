/**
 * What a machine sees of block devices in /sys and /proc/partitions: its own alone, as EC2 shows them.
 *
 * Invariant: the files lie in the run directory, are written whole before the machine starts and after each change, and are found in
 * the machine by mounts of the directories, so that a change is seen at once. Nothing in them gives a right.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Home } from '#base/home'

/** What of it covers what in the machine. */
export const VIEW = [
  { from: 'block', over: 'sys/block' }, { from: 'class', over: 'sys/class/block' }, { from: 'dev', over: 'sys/dev/block' },
  { from: 'partitions', over: 'proc/partitions' },
]

/** A device: `number` as the kernel has it. Sectors of 512 bytes. */
export type Shown = {
  name: string
  number: { major: number; minor: number }
  sectors: number
  model: string
  serial: string
  readOnly?: boolean
  partitions?: ShownPartition[]
}
/** `index`: the partition's number; its device is another one. */
export type ShownPartition = { index: number; number: { major: number; minor: number }; start: number; sectors: number }

export const viewsDir = (home: Home): string => join(home.run, 'view')
export const viewDir = (home: Home, machine: string): string => join(viewsDir(home), machine)
const partitionName = (disk: string, { index }: ShownPartition): string => `${disk}${/\d$/.test(disk) ? 'p' : ''}${index}`

const numbers = ({ major, minor }: Shown['number']): string => `${major}:${minor}`
const common = { alignment_offset: 0, discard_alignment: 0, inflight: '0 0', stat: Array(17).fill(0).join(' ') }
const queue = {
  rotational: 0, logical_block_size: 512, physical_block_size: 512, minimum_io_size: 512, optimal_io_size: 0, hw_sector_size: 512,
  scheduler: '[none]', nr_requests: 128, discard_granularity: 4096, discard_max_bytes: 4_294_966_784, discard_max_hw_bytes: 4_294_966_784,
  discard_zeroes_data: 0, read_ahead_kb: 128, add_random: 0, write_cache: 'write back', max_sectors_kb: 1280, zoned: 'none',
  write_same_max_bytes: 0, dax: 0,
}

/** Writes the whole list. What changes of partitions while a machine runs, the storage helper writes (nodes.py), in the same form. */
export function writeView(dir: string, devices: Shown[]): void {
  for (const { from } of VIEW.slice(0, 3)) mkdirSync(join(dir, from), { recursive: true, mode: 0o755 })
  const names = new Set(devices.flatMap(({ name, partitions = [] }) => [name, ...partitions.map(one => partitionName(name, one))]))
  for (const { from } of VIEW.slice(0, 3)) {
    for (const name of readdirSync(join(dir, from))) if (from === 'dev' || !names.has(name)) rmSync(join(dir, from, name), { recursive: true })
  }
  for (const device of devices) writeDevice(dir, device)
  const line = ({ major, minor }: Shown['number'], sectors: number, name: string) =>
    `${String(major).padStart(4)} ${String(minor).padStart(8)} ${String(sectors / 2).padStart(10)} ${name}\n`
  // Written in place: it is a mount of this very file that the machine has.
  writeFileSync(join(dir, 'partitions'), ['major minor  #blocks  name\n\n', ...devices.flatMap(({ name, number, sectors, partitions = [] }) =>
    [line(number, sectors, name), ...partitions.map(one => line(one.number, one.sectors, partitionName(name, one)))])].join(''))
}

export function clearView(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
}

function writeDevice(dir: string, { name, number, sectors, model, serial, readOnly = false, partitions = [] }: Shown): void {
  const at = join(dir, 'block', name)
  const names = partitions.map(one => partitionName(name, one))
  // Partitions of before are gone.
  for (const entry of existsSync(at) ? readdirSync(at) : []) {
    if (existsSync(join(at, entry, 'partition')) && !names.includes(entry)) rmSync(join(at, entry), { recursive: true })
  }
  write(at, {
    ...common, dev: numbers(number), size: sectors, ro: Number(readOnly), removable: 0, range: 16, ext_range: 256, hidden: 0, capability: 0,
    uevent: `MAJOR=${number.major}\nMINOR=${number.minor}\nDEVNAME=${name}\nDEVTYPE=disk`, serial,
  })
  write(join(at, 'queue'), queue)
  write(join(at, 'device'), { model, serial, vendor: '' })
  for (const empty of ['holders', 'slaves']) mkdirSync(join(at, empty), { recursive: true })
  link(join(dir, 'class', name), `../../block/${name}`)
  link(join(dir, 'dev', numbers(number)), `../../block/${name}`)
  for (const { index, number: own, start, sectors: size } of partitions) {
    const part = partitionName(name, { index, number: own, start, sectors: size })
    write(join(at, part), {
      ...common, dev: numbers(own), size, start, partition: index, ro: Number(readOnly),
      uevent: `MAJOR=${own.major}\nMINOR=${own.minor}\nDEVNAME=${part}\nDEVTYPE=partition\nPARTN=${index}`,
    })
    mkdirSync(join(at, part, 'holders'), { recursive: true })
    link(join(dir, 'class', part), `../../block/${name}/${part}`)
    link(join(dir, 'dev', numbers(own)), `../../block/${name}/${part}`)
  }
}

function write(dir: string, attributes: Record<string, string | number>): void {
  mkdirSync(dir, { recursive: true, mode: 0o755 })
  for (const [name, value] of Object.entries(attributes)) writeFileSync(join(dir, name), `${value}\n`)
}

function link(path: string, target: string): void {
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { force: true })
  symlinkSync(target, path)
}
