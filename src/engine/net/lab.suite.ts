/**
 * What the real network tests are made in: namespaces that stand for machines and for the internet.
 *
 * Invariant: all that a lab makes begins with its home's prefix, and `close` removes it, whatever failed before.
 */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { homeAt, type Home } from '#base/home'
import { silent } from '#base/log'
import { runs } from '#engine/incus/process'
import type { Ask } from '#engine/net/guest.suite'
import { openNetworks } from '#engine/net/networks'
import { inside, ipBatch, run } from '#engine/net/run'
import { spaceNames } from '#engine/net/space'

export type Guest = { space: string; ask(ask: Ask): Promise<unknown>; close(): Promise<void> }
export type Lab = Awaited<ReturnType<typeof openLab>>

export async function openLab() {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-lab-'))
  const home: Home = homeAt({ dir, slot: Number(process.env.ENCLUME_TEST_SLOT ?? 5) })
  // What a lab makes has the names of an Enclume's own in the same slot.
  const pids = join(home.run, 'incusd.pid')
  if (existsSync(pids) && runs(Number(readFileSync(pids, 'utf8')), 'incusd')) throw new Error(`an Enclume is up in slot ${home.slot}`)
  // As strict as a launcher may make it.
  mkdirSync(home.run, { recursive: true, mode: 0o700 })
  chmodSync(home.run, 0o700)
  const networks = openNetworks(home, silent)
  const guests: Guest[] = []

  /** A namespace with a program in it. `lines` are `ip` commands inside. */
  async function space(name: string, lines: string[]): Promise<Guest> {
    const full = `${home.prefix}-m-${name}`
    await run(['ip', 'netns', 'add', full])
    await ipBatch(['link set dev lo up', ...lines], full)
    const guest = enter(full)
    guests.push(guest)
    return guest
  }

  return {
    home, networks, space,
    /** A machine that takes a port's device and is configured by hand. */
    async guest(name: string, port: { index: number; address: string; gateway: string }): Promise<Guest> {
      const device = networks.portDevice(port.index)
      const guest = await space(name, [])
      await ipBatch([`link set dev ${device} netns ${guest.space}`])
      await ipBatch([
        `link set dev ${device} up`, `address add ${port.address} dev ${device}`, `route add default via ${port.gateway}`,
      ], guest.space)
      return guest
    },
    async close() {
      await Promise.all(guests.map(guest => guest.close()))
      for (const name of await spaceNames()) if (name.startsWith(`${home.prefix}-m-`)) await run(['ip', 'netns', 'del', name])
      await networks.down()
      await networks.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function enter(space: string): Guest {
  const program = join(import.meta.dirname, 'guest.suite.ts')
  const [command, ...words] = inside(space, process.execPath, program)
  const child = spawn(command!, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>(resolve => child.on('close', () => resolve()))
  const waiting = new Map<number, (result: unknown) => void>()
  let last = 0
  createInterface({ input: child.stdout }).on('line', line => {
    const { id, result } = JSON.parse(line) as { id: number; result: unknown }
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  return {
    space,
    ask: ask => new Promise(resolve => {
      waiting.set(++last, resolve)
      child.stdin.write(JSON.stringify({ id: last, ask }) + '\n')
    }),
    close: () => { child.stdin.end(); return ended },
  }
}

/** Returns when it holds, or throws after the time. */
export async function until(holds: () => Promise<boolean>, what: string, timeoutMs = 30_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !await holds();) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
