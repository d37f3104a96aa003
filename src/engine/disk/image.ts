/**
 * Images: built from the recipes in `images/`, kept as volumes that nobody writes to.
 *
 * Invariant: an image is listed only when it is whole, and carries a digest of all that went into it (recipe, mirror, the
 * host's certificates), so the same recipe is never built twice and a changed one always is. One base volume is shared.
 */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { openAuthority } from '#base/authority'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { ImageSeen } from '#engine/port'
import type { Client } from '#engine/incus/client'
import {
  copyVolume, deleteVolume, imagePrefix, isReady, listVolumes, makeVolume, markReady, sizeGiB, volumeFile, volumePath, type Volume }
  from '#engine/disk/layout'
import { hostMirror, nextReleaseLine, RELEASE, sourceLines } from '#engine/disk/mirror'
import { mountFile, mountsBelow, unmountFile } from '#engine/disk/mount'
import { run } from '#engine/disk/run'
import { processes } from '#engine/incus/process'

export const IMAGES = ['debian-12-ec2', 'debian-12']
export const RECIPES = resolve(import.meta.dirname, '../../../images')
/** The host's own authorities, which machines trust too. */
export const CERTIFICATES = '/usr/local/share/ca-certificates'
const BASE_GIB = 8

type Facts = { description: string; user: string; sizeGiB: number }

/** Builds an image unless it is there already. About a minute for the first one, seconds for those on the same base. */
export async function buildImage(home: Home, client: Client, name: string, log: Log): Promise<void> {
  const recipe = join(RECIPES, name)
  const facts = JSON.parse(readFileSync(join(recipe, 'image.json'), 'utf8')) as Facts
  const base = `base-${digest([contents(join(RECIPES, 'base')), ...sourceLines(hostMirror()), ...certificates(home).map(c => c.text)])}`
  const volume = imagePrefix(name) + digest([base, contents(recipe)])
  const there = await client.find<Volume>(volumePath(client, volume))
  if (!there || !isReady(there)) {
    const started = Date.now()
    await buildBase(home, client, base, log)
    if (there) await discard(home, client, volume)
    await copyVolume(client, { from: base, to: volume, sizeGiB: facts.sizeGiB })
    await withMounted(home, volume, point => run('cp', ['-dR', '--preserve=mode', `${recipe}/files/.`, point]))
    await markReady(client, volume, {
      'user.image': name, 'user.description': facts.description, 'user.user': facts.user, 'user.created': new Date().toISOString(),
    })
    log.info('image built', { image: name, ms: Date.now() - started })
  }
  await discardElders(home, client, { prefix: imagePrefix(name), keep: volume })
  await discardElders(home, client, { prefix: 'base-', keep: base })
}

/** Deletes the volumes whose name is the prefix and a digest, all but one. */
export async function discardElders(home: Home, client: Client, { prefix, keep }: { prefix: string; keep: string }): Promise<void> {
  const named = (await listVolumes(client)).map(({ name }) => name).filter(name => name.startsWith(prefix) && name !== keep)
  for (const name of named) if (/^[0-9a-f]{16}$/.test(name.slice(prefix.length))) await discard(home, client, name)
}

/** The whole ones, one of each name. */
export const seenImages = (volumes: Volume[]): ImageSeen[] => [...new Set(volumes.flatMap(({ config }) => config['user.image'] ?? []))]
  .flatMap(name => newestImage(volumes, name) ?? []).map(volume => ({
    name: volume.config['user.image']!, description: volume.config['user.description']!, user: volume.config['user.user']!,
    created: volume.config['user.created']!, sizeGiB: sizeGiB(volume), architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
  }))

/** Between the end of a new build and the removal of the old one there are two of a name: the newer one counts. */
export const newestImage = (volumes: Volume[], name: string): Volume | undefined =>
  volumes.filter(volume => volume.name.startsWith('image-') && volume.config['user.image'] === name && isReady(volume))
    .sort((a, b) => (a.config['user.created']! < b.config['user.created']! ? 1 : -1))[0]

export type Trusted = { name: string; text: string }
/** Whom machines trust besides their distribution's authorities: the home's own, which vouches for the API's names, and the host's extra ones. */
export const certificates = (home: Home): Trusted[] => [
  { name: 'enclume.crt', text: openAuthority(home.dir, new Date()).certificate.toString() },
  ...globSync(`${CERTIFICATES}/**/*.crt`).sort().map(path => ({ name: basename(path), text: readFileSync(path, 'utf8') })),
]
/** As files of a folder, which is made. */
export function writeCertificates(home: Home, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const { name, text } of certificates(home)) writeFileSync(join(folder, name), text)
}

export const digest = (parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)

/** Every file below a folder: its name, whether it may be executed, and what is in it. */
export const contents = (folder: string): string => JSON.stringify(globSync('**', { cwd: folder }).sort().flatMap(name => {
  const stat = statSync(join(folder, name), { throwIfNoEntry: false })
  return stat === undefined ? [name] : stat.isFile() ? [name, stat.mode & 0o111, readFileSync(join(folder, name), 'utf8')] : []
}))

async function buildBase(home: Home, client: Client, name: string, log: Log): Promise<void> {
  const there = await client.find<Volume>(volumePath(client, name))
  if (there && isReady(there)) return
  const work = join(home.dir, 'build')
  const tree = join(work, 'tree')
  const [other] = processes(work)
  if (other !== undefined) throw new Error(`process ${other} is building an image here already`)
  for (const left of mountsBelow(work)) await run('umount', [left])
  rmSync(work, { recursive: true, force: true })
  writeCertificates(home, join(work, 'certificates'))
  try {
    log.info('base being built', { mirror: hostMirror().archive })
    await debootstrap(work, tree)
    if (there) await discard(home, client, name)
    await makeVolume(client, name, { sizeGiB: BASE_GIB })
    await run('mkfs.ext4', ['-q', '-L', 'root', '-m', '1', '-d', tree, volumeFile(home, name)])
    await markReady(client, name)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The base's tree. Hooks get the tree as `$1`; what differs from host to host comes by files beside it. */
async function debootstrap(work: string, tree: string): Promise<void> {
  const mirror = hostMirror()
  writeFileSync(join(work, 'sources.list'), `${sourceLines(mirror).join('\n')}\n`)
  writeFileSync(join(work, 'pin'), pin('*', -1) + pin('cloud-init', 990))
  // Node.js and AWS's SDKs bring lists of authorities of their own, unless they are told; services don't read /etc/environment.
  const bundle = ['NODE_EXTRA_CA_CERTS', 'AWS_CA_BUNDLE'].map(name => `${name}=/etc/ssl/certs/ca-certificates.crt`)
  writeFileSync(join(work, 'environment'), `${bundle.join('\n')}\n`)
  writeFileSync(join(work, 'manager.conf'), `[Manager]\nDefaultEnvironment=${bundle.join(' ')}\n`)
  writeFileSync(join(work, 'apt-proxy'), await aptProxy())
  const packages = readFileSync(join(RECIPES, 'base', 'packages'), 'utf8').split('\n').filter(line => line !== '')
  const hooks = [
    `cp -dR --preserve=mode '${RECIPES}/base/files/.' "$1"`,
    `cp '${work}/sources.list' "$1/etc/apt/sources.list"; rm "$1/etc/apt/preferences.d/build"`,
    `cp '${work}/apt-proxy' "$1/etc/apt/apt.conf.d/95proxy"; cat '${work}/environment' >> "$1/etc/environment"`,
    `mkdir -p "$1/etc/systemd/system.conf.d"; cp '${work}/manager.conf' "$1/etc/systemd/system.conf.d/certificates.conf"`,
    `cp -r '${work}/certificates/.' "$1${CERTIFICATES}"; chroot "$1" update-ca-certificates`,
    `cp '${RECIPES}/base/setup.sh' "$1/setup"; chroot "$1" sh /setup; rm "$1/setup"; chroot "$1" apt-get -qq update`,
  ]
  await run('unshare', [
    '--mount', '--propagation=slave', 'sh', '-c', WITHOUT_ROOTS, 'sh', 'mmdebstrap',
    '--mode=root', '--format=directory', '--variant=minbase', '--keyring=/usr/share/keyrings/debian-archive-keyring.gpg',
    '--aptopt=Acquire::Languages "none"', '--aptopt=Acquire::Retries "5"', '--dpkgopt=force-unsafe-io', '--skip=cleanup/apt/lists',
    `--include=${packages.join(',')}`,
    `--setup-hook=mkdir -p "$1/etc/apt/preferences.d"; cp '${work}/pin' "$1/etc/apt/preferences.d/build"`,
    ...hooks.map(hook => `--customize-hook=set -e; ${hook}`),
    RELEASE, tree, ...sourceLines(mirror), nextReleaseLine(mirror),
  ])
}

/**
 * mmdebstrap works in a mount namespace of its own, copied from the host's for as long as the build takes. The roots of machines are
 * not taken along: in a copy that nobody tells of changes, a machine deleted meanwhile could not free its disk.
 */
const WITHOUT_ROOTS = `awk '$2 ~ "^/run/enclume-[0-9]+/root/" { print $2 }' /proc/mounts | xargs -r umount --lazy; exec "$@"`

const pin = (packages: string, priority: number) => `Package: ${packages}\nPin: release n=trixie\nPin-Priority: ${priority}\n\n`

/** The host's proxy for packages, if instances can reach it too. */
async function aptProxy(): Promise<string> {
  const proxies = await run('apt-config', ['dump', '--format', '%f "%v";%n', 'Acquire::http::Proxy', 'Acquire::https::Proxy'])
  const usable = proxies.split('\n').filter(line => /"\S+"/.test(line) && !/\/\/(localhost|127\.|\[::1\])/.test(line))
  return usable.map(line => `${line}\n`).join('')
}

async function withMounted(home: Home, volume: string, act: (point: string) => Promise<unknown>): Promise<void> {
  const point = join(home.run, 'new', volume, 'fs')
  await mountFile(volumeFile(home, volume), point)
  try {
    await act(point)
  } finally {
    await unmountFile(volumeFile(home, volume), point)
  }
}

export async function discard(home: Home, client: Client, volume: string): Promise<void> {
  await unmountFile(volumeFile(home, volume), join(home.run, 'new', volume, 'fs'))
  await deleteVolume(client, volume)
}
