/**
 * Finds and ends the processes of one Enclume.
 *
 * Invariant: a process is known by what the kernel says of it now (whose it is, its command line, its environment, when it began),
 * never by a number remembered in a file: a pid that another process has got meanwhile is never signalled.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

export type Process = {
  pid: number
  /** Clock ticks from boot to its start: with the pid, unique until the next boot. */
  start: string
  args: string[]
}

/** A process that ends while we look is not there. */
const gone = (error: unknown): boolean => ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')

/** The process, or undefined when there is none (a zombie is none). */
export function findProcess(pid: number): Process | undefined {
  try {
    // The name in parentheses may hold anything, parentheses too: fields are counted from the last one on.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return { pid, start: fields[19]!, args: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1) }
  } catch (error) {
    if (gone(error)) return undefined
    throw error
  }
}

/** Environment of a process, or undefined when it has ended. */
export function environmentOf(pid: number): Map<string, string> | undefined {
  try {
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(pair => pair.includes('='))
    return new Map(pairs.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
  } catch (error) {
    if (gone(error)) return undefined
    throw error
  }
}

/** Processes of the host's own user (an instance's root is another), by their command lines. Without this one and its ancestors. */
export function findProcesses(match: (args: string[], pid: number) => boolean): Process[] {
  const skip = ancestors()
  const mine = process.getuid!()
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number).flatMap(pid => {
    if (skip.has(pid) || statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid !== mine) return []
    const found = findProcess(pid)
    return found && match(found.args, pid) ? [found] : []
  })
}

function ancestors(): Set<number> {
  const found = new Set<number>()
  for (let pid = process.pid; pid > 0 && !found.has(pid);) {
    found.add(pid)
    pid = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  }
  return found
}

/** Whether it is still that process. */
export const lives = (one: Process): boolean => findProcess(one.pid)?.start === one.start

function signal(one: Process, name: NodeJS.Signals): void {
  if (!lives(one)) return
  try {
    process.kill(one.pid, name)
  } catch (error) {
    if (!gone(error)) throw error
  }
}

/** Asks processes to end (SIGTERM); ends those that have not within the time (SIGKILL). Returns when all are gone. */
export async function endProcesses(all: Process[], { timeoutMs }: { timeoutMs: number }): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (const one of all) signal(one, 'SIGTERM')
  while (all.some(lives) && Date.now() < deadline) await pause(20)
  for (const one of all) signal(one, 'SIGKILL')
  const hopeless = Date.now() + 10_000
  while (all.some(lives)) {
    if (Date.now() > hopeless) throw new Error(`processes ${all.filter(lives).map(one => one.pid)} do not end: the kernel is holding them`)
    await pause(20)
  }
}
