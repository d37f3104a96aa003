/**
 * Processes of the host as /proc tells them. Invariant: a process is known by its name and number together, so that a number
 * that the kernel gave to somebody else is never taken for ours.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** The command line, words separated by spaces; undefined once the process is gone. */
export function commandLine(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** Whether this process is alive (a zombie has no command line) and its command line contains `word`. */
export const runs = (pid: number, word: string): boolean => commandLine(pid)?.includes(word) ?? false

/** All processes whose command line contains `word`. */
export const processes = (word: string): number[] =>
  readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number).filter(pid => pid !== process.pid && runs(pid, word))

/** Children of a process, by their parent's number. */
export function children(parent: number): number[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number).filter(pid => {
    try {
      return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) === parent
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
      throw error
    }
  })
}

/** Waits until `done`; false when the time is over first. */
export async function until(done: () => boolean | Promise<boolean>, timeoutMs: number, everyMs = 50): Promise<boolean> {
  for (const end = Date.now() + timeoutMs; ; await delay(everyMs)) {
    if (await done()) return true
    if (Date.now() > end) return false
  }
}
