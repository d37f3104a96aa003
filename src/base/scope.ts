/**
 * Commands that outlast the terminal which started them, on hosts that systemd manages: each gets a scope of its own.
 *
 * Invariant: elsewhere a command is left as it is; in both cases its process is the one that was started, under the same number.
 */
import { existsSync } from 'node:fs'

/** There exactly where systemd is the host's init: sd_booted(3). */
const BOOTED = '/run/systemd/system'

/**
 * The words to spawn, the program first.
 *
 * What is typed belongs to a login, and ends with it wherever systemd ends logins' processes (KillUserProcesses, or a desktop's own manager). And
 * systemd takes the controllers of processor and disks out of the unified tree while no unit asks for them (measured on Debian 13: `cpuset cpu io`
 * went with the last one that did), and with them the limits of all machines, whose groups are at the tree's root: `Delegate` asks for all of them.
 */
export function lasting(command: string[], { booted = BOOTED }: { booted?: string } = {}): string[] {
  if (!existsSync(booted)) return command
  const scope = ['--scope', '--quiet', '--collect', '--property=Delegate=yes']
  return ['systemd-run', ...scope, `--description=Enclume: ${command.join(' ')}`, '--', ...command]
}
