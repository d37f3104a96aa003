/**
 * The base that images are copies of: Debian with what every image has, and with the certificates that machines here trust.
 *
 * Invariant: a base is ready when it is whole, and its name tells all that went into it. What of it is the same for every home of a host may be
 * kept in the folder ENCLUME_BASES, for who makes many homes, as the tests do: a file there is whole too.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { inSandbox } from '#engine/image/sandbox'
import type { Client } from '#engine/incus/client'
import { processes } from '#engine/incus/process'
import { deleteVolume, isReady, makeVolume, markReady, newPoint, volumeFile, volumePath, type Volume } from '#engine/disk/layout'
import { hostMirror, nextReleaseLine, RELEASE, sourceLines } from '#engine/disk/mirror'
import { mountsBelow, unmountFile } from '#engine/disk/mount'
import { certificates, contents, digest, RECIPES, writeCertificates } from '#engine/disk/recipe'
import { run, ToolError } from '#engine/disk/run'

const BASE_GIB = 8
/** Of a build whose mirror was out of reach for a moment, and the time before the next, the longer the more often it was. */
const TRIES = 3
const PAUSE_MS = 5000

const debian = (): string => digest([contents(join(RECIPES, 'base')), ...sourceLines(hostMirror())])

/** What the home's base is called now: another name, and so another base, when anything of it has changed. */
export const baseName = (home: Home): string => `base-${digest([debian(), ...certificates(home).map(({ text }) => text)])}`

/** Makes it unless it is there. A minute or more, and seconds where its Debian is kept. */
export async function buildBase(home: Home, client: Client, name: string, log: Log): Promise<void> {
  const there = await client.find<Volume>(volumePath(client, name))
  if (there && isReady(there)) return
  const work = join(home.dir, 'build')
  const [other] = processes(work)
  if (other !== undefined) throw new Error(`process ${other} is building an image here already`)
  for (const left of mountsBelow(work)) await run('umount', [left])
  rmSync(work, { recursive: true, force: true })
  writeCertificates(home, join(work, 'certificates'))
  if (there) await deleteVolume(client, name)
  try {
    await makeVolume(client, name, { sizeGiB: BASE_GIB })
    await fill(work, volumeFile(home, name), log)
    mkdirSync(newPoint(home, name), { recursive: true })
    const target = { file: volumeFile(home, name), point: newPoint(home, name), trusted: join(work, 'certificates') }
    await inSandbox(target, 'setup', [RECIPES, target.trusted, 'base/trust.sh'])
    await unmountFile(target.file, target.point)
    await markReady(client, name)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Debian, without what is the home's own. */
async function fill(work: string, file: string, log: Log): Promise<void> {
  const folder = process.env['ENCLUME_BASES']
  const kept = folder === undefined ? undefined : join(folder, `${debian()}.img`)
  if (kept !== undefined && existsSync(kept)) return copySparse(kept, file)
  log.info('base being built', { mirror: hostMirror().archive })
  const tree = join(work, 'tree')
  await fetchAgain(() => debootstrap(work, tree), { log, pauseMs: PAUSE_MS })
  await run('mkfs.ext4', ['-q', '-L', 'root', '-m', '1', '-d', tree, file])
  if (folder === undefined || kept === undefined) return
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await copySparse(file, `${kept}.new`)
  renameSync(`${kept}.new`, kept)
}

/** What apt and dpkg say of a mirror that could not be reached, or was being renewed; anything else would fail again. */
const OUT_OF_REACH = new RegExp([
  'Failed to fetch', 'Could not (connect|resolve|handshake)', 'Temporary failure', 'Unable to (fetch|connect)',
  'Connection (failed|reset|timed out|refused)', 'Hash Sum mismatch', 'File has unexpected size', 'Error reading from server', 'Undetermined Error',
].join('|'), 'i')

/** Does it again while the mirror is what failed it. */
export async function fetchAgain(work: () => Promise<void>, { log, pauseMs }: { log: Log; pauseMs: number }): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === TRIES || !(error instanceof ToolError) || !OUT_OF_REACH.test(error.output)) throw error
      log.warn('image.mirror-failed', { tries, error: error.message.slice(-500) })
      await delay(pauseMs * tries)
    }
  }
}

const copySparse = async (from: string, to: string): Promise<void> => { await run('cp', ['--sparse=always', from, to]) }

/** The base's tree. Hooks get the tree as `$1`; what differs from host to host comes by files beside it. */
async function debootstrap(work: string, tree: string): Promise<void> {
  rmSync(tree, { recursive: true, force: true })
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
