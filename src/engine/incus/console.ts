/**
 * What guests print on their consoles, kept in two files of bounded size each.
 *
 * Invariant: the container's monitor writes them, so nothing is lost while the daemon or we are away, and reading takes
 * nothing out (Incus's own console log is emptied by each reading).
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'

const KEPT_BYTES = 64 * 1024

/** Outlives the machine's being off, and a reboot of the host. */
export const consoleFile = (home: Home, id: string): string => join(home.dir, 'console', `${id}.log`)

/** LXC turns the file into `.1` when it is full. */
export const consoleConfig = (file: string): string[] =>
  [`lxc.console.logfile = ${file}`, `lxc.console.size = ${4 * KEPT_BYTES}`, 'lxc.console.rotate = 1']

const files = (file: string): string[] => [`${file}.1`, file]

/** The newest 64 KiB. */
export const readConsole = (file: string): Buffer =>
  Buffer.concat(files(file).filter(part => existsSync(part)).map(part => readFileSync(part))).subarray(-KEPT_BYTES)

/** For a boot from outside, or the machine's end. */
export function clearConsole(file: string): void {
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
  for (const part of files(file)) rmSync(part, { force: true })
}
