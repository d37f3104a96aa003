/**
 * Runs the host's network tools.
 *
 * Invariant: a tool that fails throws, with what it was asked and what it said; nothing goes through a shell.
 */
import { spawn } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs'
import { spacePath } from '#engine/net/names'

export type Outcome = { code: number | null; out: string; err: string }

/** In memory, so that a full disk is none of the network's business. */
const SHARED = existsSync('/dev/shm') ? '/dev/shm' : '/run'
/** open(2): a file without a name, which goes with its last user. Node has no constant for it. */
const O_TMPFILE = 0o20_000_000 | constants.O_DIRECTORY

/**
 * A text as a standard input, to be closed. It is a file, as nftables reads nothing but files and pipes there (1.0.9, of Ubuntu 24.04, says
 * "Not a regular file"), and what Node calls a pipe is a socket.
 */
export function inputOf(text: string): number {
  const fd = openSync(SHARED, constants.O_RDWR | O_TMPFILE, 0o600)
  const bytes = Buffer.from(text)
  // At places of their own: whoever reads shares the file's position, which stays at its beginning.
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, done)
  return fd
}

/** Runs to the end, whatever its exit status. Throws when the program cannot be started. */
export function attempt(command: string[], input = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const stdin = input === '' ? 'ignore' : inputOf(input)
    const child = spawn(command[0]!, command.slice(1), { stdio: [stdin, 'pipe', 'pipe'] })
    if (stdin !== 'ignore') closeSync(stdin)
    let out = ''
    let err = ''
    child.stdout!.setEncoding('utf8').on('data', text => (out += text))
    child.stderr!.setEncoding('utf8').on('data', text => (err += text))
    child.on('error', cause => reject(new Error(`cannot run ${command[0]}`, { cause })))
    child.on('close', code => resolve({ code, out, err }))
  })
}

/** Runs to the end and returns what it printed. Throws unless it succeeded. */
export async function run(command: string[], input = ''): Promise<string> {
  const { code, out, err } = await attempt(command, input)
  if (code === 0) return out
  throw new Error(`${command.join(' ')} (status ${code}): ${err.trim() || out.trim()}${input && `\n${input.slice(0, 2000)}`}`)
}

/** Whether a program is on the path. */
export const canRun = (program: string): Promise<boolean> =>
  attempt([program, '--version']).then(() => true, error => {
    if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return false
    throw error
  })

/** A command inside a network namespace. */
export const inside = (space: string, ...command: string[]): string[] => ['nsenter', `--net=${spacePath(space)}`, ...command]

/** Commands whose family nothing in them tells begin with this. */
const SIX = '-6 '
const families = (lines: string[]): { options: string[]; lines: string[] }[] => [
  { options: [], lines: lines.filter(line => !line.startsWith(SIX)) },
  { options: ['-6'], lines: lines.filter(line => line.startsWith(SIX)).map(line => line.slice(SIX.length)) },
].filter(batch => batch.lines.length > 0)

/**
 * `ip` commands in a namespace or in the host's, in one process, those of IPv6 that must say so (`-6 rule …`) in another after it. The first
 * that fails ends it and throws.
 */
export async function ipBatch(lines: string[], space?: string): Promise<void> {
  for (const batch of families(lines)) {
    await run(['ip', ...batch.options, ...(space ? ['-n', space] : []), '-batch', '-'], batch.lines.join('\n') + '\n')
  }
}

/** Nothing there to delete: as the kernel says it of routes, neighbours, addresses and devices. */
const GONE = new RegExp([
  'RTNETLINK answers: (No such process|No such file or directory|No such device|Cannot assign requested address)', 'Cannot find device .*',
  'Error: (FIB|ipv[46]: FIB) table does not exist\\.', 'Error: ipv6: address not found\\.',
  'Command failed -:\\d+',
].map(line => `^${line}$`).join('|'))

/**
 * `ip` commands that delete: what is gone already, with a device that went by itself, is well. Throws for all else.
 *
 * `ip neigh` ends the whole batch when there is no such neighbour, whatever -force says (iproute2 6.1): each has a process of its own,
 * and those of devices that go are left to go with them.
 */
export async function ipDrop(lines: string[], space: string): Promise<void> {
  const isNeighbour = (line: string) => line.startsWith('neigh ')
  const going = lines.flatMap(line => /^link del (\S+)/.exec(line)?.[1] ?? [])
  await drop(lines.filter(line => !isNeighbour(line)), space)
  for (const line of lines.filter(isNeighbour)) if (!going.some(name => line.endsWith(` dev ${name}`))) await drop([line], space)
}

async function drop(lines: string[], space: string): Promise<void> {
  for (const batch of families(lines)) {
    const { err } = await attempt(['ip', ...batch.options, '-n', space, '-force', '-batch', '-'], batch.lines.join('\n') + '\n')
    const wrong = err.trim().split('\n').filter(line => line !== '' && !GONE.test(line.trim()))
    if (wrong.length > 0) throw new Error(`ip -n ${space} cannot delete: ${wrong.join('; ')}\n${batch.lines.join('\n').slice(0, 2000)}`)
  }
}
