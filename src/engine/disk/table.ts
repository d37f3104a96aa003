/** Whether a disk may have a partition table. What is in it, the storage helper reads (storage/table.py). */
import { closeSync, openSync, readSync } from 'node:fs'

export function hasTable(file: string): boolean {
  const open = openSync(file, 'r')
  try {
    const mark = Buffer.alloc(2)
    return readSync(open, mark, 0, 2, 510) === 2 && mark.readUInt16BE() === 0x55aa
  } finally {
    closeSync(open)
  }
}
