/**
 * Holds still what is copied: a mounted file system, or all that runs in a machine.
 *
 * Invariant: it thaws whatever happens to this process: a child freezes it and thaws it when its standard input ends. Who kills that child
 * has it thawed by this process; who kills both, by the next that begins (`thawAll`).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { run } from '#engine/disk/run'

// The trap keeps a terminal's Ctrl-C, which goes to the whole group, from ending the child before it has thawed.
const TRAP = 'trap "" INT TERM HUP;'
const FILE_SYSTEM = `${TRAP} fsfreeze --freeze "$1" && echo frozen && cat > /dev/null; fsfreeze --unfreeze "$1"`
const UNFREEZE = 'fsfreeze --unfreeze "$1" 2> /dev/null || true'
const THAW = 'thaw() { if [ -e "$1/freezer.state" ]; then echo THAWED > "$1/freezer.state"; else echo 0 > "$1/cgroup.freeze"; fi; }'
const THAW_GROUPS = `${THAW}; for group; do if [ -e "$group" ]; then thaw "$group"; fi; done`
/** Of either kind of control groups. All are thawed again where one does not come to rest within two seconds. */
const GROUPS = `${TRAP}
freeze() { if [ -e "$1/freezer.state" ]; then echo FROZEN > "$1/freezer.state"; else echo 1 > "$1/cgroup.freeze"; fi; }
${THAW}
still() { grep -qs "^FROZEN" "$1/freezer.state" || grep -qs "^frozen 1" "$1/cgroup.events"; }
ok=yes; tries=0
for group; do freeze "$group" || ok=; done
for group; do while ! still "$group"; do tries=$((tries + 1)); if [ $tries -gt 200 ]; then ok=; break; fi; sleep 0.01; done; done
if [ $ok ]; then echo frozen; cat > /dev/null; fi
for group; do thaw "$group"; done
[ $ok ]`

/** Does `act` while nothing is written to the file system at `point`. */
export const frozen = <T>(point: string, act: () => Promise<T>): Promise<T> => held(FILE_SYSTEM, UNFREEZE, [point], act)

/** Does `act` while nothing runs in these control groups, by their directories: whatever a call had promised there is on the disks. */
export const stilled = <T>(groups: string[], act: () => Promise<T>): Promise<T> =>
  (groups.length === 0 ? act() : held(GROUPS, THAW_GROUPS, groups, act))

/** What a process that was killed with its child left frozen. Nothing is copied yet. */
export async function thawAll({ points, groups }: { points: string[]; groups: string[] }): Promise<void> {
  for (const point of points) await run('sh', ['-c', UNFREEZE, 'sh', point])
  await run('sh', ['-c', THAW_GROUPS, 'sh', ...groups])
}

async function held<T>(script: string, thawing: string, args: string[], act: () => Promise<T>): Promise<T> {
  const child = spawn('sh', ['-c', script, 'sh', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = once(child, 'exit') as Promise<[number | null]>
  let said = ''
  child.stderr.on('data', (part: Buffer) => { said += String(part) })
  const started = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)])
  if (!started) {
    await run('sh', ['-c', thawing, 'sh', ...args])
    throw new Error(`${args} can't be frozen: ${said.trim()}`)
  }
  const thaw = async () => {
    child.stdin.end()
    const [code] = await ended
    // Somebody killed it.
    if (code === null) await run('sh', ['-c', thawing, 'sh', ...args])
    else if (code !== 0) throw new Error(`${args} can't be thawed: ${said.trim()}`)
  }
  const result = await act().catch(async (error: unknown) => {
    await thaw()
    throw error
  })
  await thaw()
  return result
}
