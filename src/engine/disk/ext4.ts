/**
 * What an ext4 file system says of itself in its superblock (the kernel's Documentation/filesystems/ext4/globals.rst).
 *
 * Invariant: in doubt there is no ext4, or it is not clean; whoever asks then looks closer.
 */
import { closeSync, openSync, readSync } from 'node:fs'

const SUPERBLOCK = { offset: 1024, bytes: 1024 }
const MAGIC = 0xef53
const CLEAN = 1
const EXTENTS = 0x40
/** The journal has to be replayed. */
const RECOVER = 0x4
/** Where the number of an external journal's device is, and options that the file system asks to be mounted with. */
const JOURNAL_DEVICE = 0xe4
const MOUNT_OPTIONS = 0x200

/** Undefined where no ext4 begins at that byte of the disk: nothing, another file system, or a partition table. */
export function readSuperblock(file: string, at = 0): { isClean: boolean; outside?: true } | undefined {
  const block = Buffer.alloc(SUPERBLOCK.bytes)
  const open = openSync(file, 'r')
  try {
    if (readSync(open, block, 0, SUPERBLOCK.bytes, at + SUPERBLOCK.offset) < SUPERBLOCK.bytes) return undefined
  } finally {
    closeSync(open)
  }
  const [magic, state, incompatible] = [block.readUInt16LE(0x38), block.readUInt16LE(0x3a), block.readUInt32LE(0x60)]
  if (magic !== MAGIC || (incompatible & EXTENTS) === 0) return undefined
  // `outside`: mounting it would have the kernel open a device that the file system names, whoever's that is.
  const outside = block.readUInt32LE(JOURNAL_DEVICE) !== 0 || block.toString('latin1', MOUNT_OPTIONS, MOUNT_OPTIONS + 64).includes('journal')
  return { isClean: state === CLEAN && (incompatible & RECOVER) === 0, ...(outside && { outside }) }
}
