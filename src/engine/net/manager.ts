/**
 * The host's network manager is told which devices are not its own.
 *
 * systemd-networkd takes every device that one of its files names, and `en*` is what most of them name: it would ask for an address by DHCP on ours
 * and take away those that they have (seen on Debian 13). NetworkManager leaves veth devices alone by itself.
 *
 * Invariant: the file sorts before all that an administrator would write, names this Enclume's devices alone, and goes when they go.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Home } from '#base/home'
import { hostDevice, portDevice } from '#engine/net/names'
import { attempt, run } from '#engine/net/run'

/** There exactly where systemd is the host's init: sd_booted(3). What is below /run ends with the boot, as the devices do. */
const [BOOTED, FILES] = ['/run/systemd/system', '/run/systemd/network']

/** systemd.network(5). Ports are in the host's namespace from when they are made until their machine starts. Pure. */
export const unmanaged = (home: Home): string => [
  '# Made by Enclume, which removes it with its devices.', '[Match]', `Name=${hostDevice(home)} ${portDevice(home, 0).slice(0, -1)}*`, '',
  '[Link]', 'Unmanaged=yes', '',
].join('\n')

const fileOf = (home: Home) => join(FILES, `00-enclume-${home.slot}.network`)

/** Idempotent. Before the devices are made. */
export async function keepFromManager(home: Home): Promise<void> {
  if (!existsSync(BOOTED)) return
  const [file, text] = [fileOf(home), unmanaged(home)]
  if (existsSync(file) && await readFile(file, 'utf8') === text) return
  await mkdir(FILES, { recursive: true, mode: 0o755 })
  await writeFile(file, text, { mode: 0o644 })
  await tell()
}

/** When the devices are gone. */
export async function forgetManager(home: Home): Promise<void> {
  if (!existsSync(fileOf(home))) return
  await rm(fileOf(home), { force: true })
  await tell()
}

/** One that does not run reads it when it starts. */
async function tell(): Promise<void> {
  const { code } = await attempt(['systemctl', 'is-active', '--quiet', 'systemd-networkd.service'])
  if (code === 0) await run(['networkctl', 'reload'])
}
