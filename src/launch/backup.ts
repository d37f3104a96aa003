/**
 * `enclume backup DIR` and `enclume restore DIR`: everything that a home holds, as plain files in a folder, and a home made of them.
 *
 * Invariants: a folder that has a manifest is a whole backup, of one moment. A home that is being restored is no Enclume until all is there:
 * its configuration comes last, so that one which was interrupted is restored again, and never started half.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { homeAt, type Home } from '#base/home'
import { installPackages } from '#launch/apt'
import type { Args } from '#launch/args'
import { findConfig, getHome, homeDirOf, writeConfig, writeWhole, type Config } from '#launch/config'
import { Failure, misuse } from '#launch/failure'
import { readVersion } from '#launch/help'
import type { Archived, Host } from '#launch/host'
import { copyTable, HELD, keepObjects, OBJECTS } from '#launch/keep-objects'
import { withLock } from '#launch/lock'
import { enginePackages } from '#launch/packages'
import { checkDisk, checkPort } from '#launch/preflight'
import { progressLog } from '#launch/progress'
import { claimSlot } from '#launch/slots'
import type { Ui } from '#launch/ui'

const FORMAT = 1
type Manifest = { format: number; version: string; created: string; config: Config; volumes: Archived[] }

/** What is not part of a home's worth: made anew, or this host's own. */
const LEFT_OUT = new Set(['incus', 'log', 'build', 'console', 'host.json', 'config.json', 'admin.token', 'restored', HELD])

function folderOf({ operands: [word], command }: Args): string {
  if (!word) throw misuse(`${command}: which folder?`)
  return resolve(word)
}

export function backup(args: Args, ui: Ui, host: Host): Promise<number> {
  const folder = folderOf(args)
  const dir = homeDirOf(args)
  return withLock(dir, {}, async () => {
    const home = getHome(dir)
    if (existsSync(folder)) throw new Failure(`${folder} is there already: a backup goes into a folder of its own`)
    if (!(await host.daemonStatus(home)).running) throw new Failure('Enclume is stopped: disks can be read only while Incus runs. ./enclume up')
    const draft = `${folder}.partial`
    rmSync(draft, { recursive: true, force: true })
    const kept = join(draft, 'home')
    mkdirSync(kept, { recursive: true, mode: 0o700 })
    const volumes = await ui.step('volumes', say => host.exportVolumes(home, {
      folder: join(draft, 'volumes'), copied: () => keepFiles(home.dir, kept), log: progressLog(home, say),
    }))
    const manifest: Manifest = {
      format: FORMAT, version: readVersion(), created: new Date().toISOString(), config: findConfig(dir)!, volumes,
    }
    writeFileSync(join(draft, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true })
    renameSync(draft, folder)
    ui.line(`${volumes.length} volumes and the control plane are kept in ${folder}. It holds secrets: keep it where only you can read it.`)
    return 0
  })
}

const BESIDE = /\.db-(wal|shm)$/

/** Databases by SQLite's own online copy, so that each is of one moment; other files after them, as what they name is made first. */
async function keepFiles(from: string, to: string): Promise<void> {
  await keepObjects(from, to)
  const files = readdirSync(from, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile() && !BESIDE.test(entry.name))
    .map(entry => relative(from, join(entry.parentPath, entry.name)))
    .filter(file => !LEFT_OUT.has(file.split('/')[0]!) && file !== OBJECTS.table && !file.startsWith(`${OBJECTS.files}/`))
  for (const file of files) mkdirSync(dirname(join(to, file)), { recursive: true, mode: 0o700 })
  for (const file of files.filter(name => name.endsWith('.db'))) await copyTable(join(from, file), join(to, file))
  // What goes meanwhile is gone from the backup too.
  for (const file of files.filter(name => !name.endsWith('.db') && existsSync(join(from, name)))) copyTree(join(from, file), join(to, file))
}

const copyTree = (from: string, to: string) => cpSync(from, to, { recursive: true, preserveTimestamps: true })

export function restore(args: Args, ui: Ui, host: Host): Promise<number> {
  const folder = folderOf(args)
  const manifest = readManifest(folder)
  const dir = homeDirOf(args)
  return withLock(dir, {}, async () => {
    if (findConfig(dir)) throw new Failure(`there is an Enclume in ${dir} already: restore into another --home, or reset it first`)
    checkDisk(dir)
    await installPackages(enginePackages, ui)
    mkdirSync(dir, { recursive: true, mode: 0o711 })
    // Addresses in the records are of the slot's ranges.
    await claimSlot({ dir, want: manifest.config.slot })
    for (const port of [manifest.config.port, manifest.config.consolePort]) await checkPort(port, 'port')
    // Another host has other addresses, and whoever restores says anew to whom it is open.
    const { incus: _elsewhere, outside: _there, ...config } = manifest.config
    const home = homeAt({ dir, ...config })
    await ui.step('engine (Incus)', say => host.startDaemon(home, { diskGiB: config.diskGiB }, progressLog(home, say)))
    for (const volume of manifest.volumes) await ui.step(volume.name, () => host.importVolume(home, volume, join(folder, 'volumes')))
    await ui.step('control plane', async () => bringFiles(home, join(folder, 'home')))
    writeConfig(dir, config)
    ui.line(`Restored. Start it: ./enclume up${home.slot === 0 ? '' : ` --home ${dir}`}`)
    return 0
  })
}

function readManifest(folder: string): Manifest {
  const file = join(folder, 'manifest.json')
  if (!existsSync(file)) throw new Failure(`${folder} is no whole backup: it has no manifest.json`)
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
  if (manifest.format > FORMAT) throw new Failure(`${folder} was written by a newer Enclume (${manifest.version}). Use that one.`)
  return manifest
}

function bringFiles(home: Home, from: string): void {
  for (const name of readdirSync(from)) copyTree(join(from, name), join(home.dir, name))
  for (const name of readdirSync(home.dir)) if (BESIDE.test(name)) rmSync(join(home.dir, name))
  writeWhole(join(home.dir, 'restored'), '')
}
