/** Whether a disk may have a partition table, and what is in it: read by the storage helper's reader (storage/table.py). */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '#engine/disk/run'

const READER = join(import.meta.dirname, '../storage/table.py')
const SECTOR = 512

export function hasTable(file: string): boolean {
  const open = openSync(file, 'r')
  try {
    const mark = Buffer.alloc(2)
    return readSync(open, mark, 0, 2, 510) === 2 && mark.readUInt16BE() === 0x55aa
  } finally {
    closeSync(open)
  }
}

/** In bytes. */
export type Part = { start: number; length: number }

/** The partitions of a disk's file, all within it. */
export async function partsOf(file: string): Promise<Part[]> {
  const lines = (await run('/usr/bin/python3', ['-IS', READER, file])).trim().split('\n').filter(Boolean)
  return lines.map(line => line.split(' ').map(Number)).map(([, start, length]) => ({ start: start! * SECTOR, length: length! * SECTOR }))
}
