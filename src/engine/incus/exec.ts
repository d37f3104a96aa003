/**
 * A command inside a machine, on a terminal of the host's.
 *
 * Each command that Incus begins in a machine has a listener of its own for the system calls that the storage helper serves, which LXC hands to
 * the machine's monitor. On a host without a security module (AppArmor's is there on most) nothing keeps the new process from sending its
 * listener before the process between has sent its number: LXC 5 then reads one for the other and gives up, now and then and more often under
 * load, though the command has begun. That one has no listener, so that it mounts nothing (ENOSYS), and no terminal.
 */
const TRIES = 10

/** The client's own words come on its standard error: what the guest's say come on the terminal. It says others at once, at the end. */
const AGAIN = `n=1; while :; do
{ said=$(incus "$@" 2>&1 >&3); code=$?; } 3>&1
case $said in *'Failed to retrieve PID'*) [ $n -lt ${TRIES} ] && { n=$((n + 1)); continue; };; esac
[ -z "$said" ] || echo "$said" >&2
exit $code; done`

/** `args`: the client's. Begins again one that did not come to its terminal. */
export const onTerminal = (args: string[]): { file: string; args: string[] } => ({ file: '/bin/sh', args: ['-c', AGAIN, 'exec', ...args] })
