/**
 * Images of an image server, brought into the pool.
 *
 * Invariant: like a built image, an imported one is listed only when it is whole, carries a digest of all that went into it, and
 * replaces its elder. What was fetched is unpacked and prepared by sandbox.py, so that nothing of the host is within its reach.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { discard, discardElders } from '#engine/disk/image'
import { imagePrefix, isReady, makeVolume, markReady, newPoint, volumeFile, volumePath, type Volume } from '#engine/disk/layout'
import { unmountFile } from '#engine/disk/mount'
import { certificates, contents, digest, RECIPES, writeCertificates } from '#engine/disk/recipe'
import { run, ToolError } from '#engine/disk/run'
import { download, lookUp } from '#engine/image/download'
import { inSandbox, SANDBOX, type Target } from '#engine/image/sandbox'
import { ImportError, serverUrl, userOf, type Found } from '#engine/image/simplestreams'
import type { Client } from '#engine/incus/client'

const SIZE_GIB = 8

/**
 * Brings the newest image of that name ('ubuntu/24.04', 'amazonlinux/2023') into the pool, unless it is there already; gives its name.
 * Its packages' servers are asked too if it lacks cloud-init or an ssh server. Throws ImportError for what the user can mend.
 */
export async function importImage(home: Home, client: Client, wanted: { name: string; server: string }, log: Log): Promise<string> {
  const from = serverUrl(wanted.server)
  const found = await lookUp(from, { name: wanted.name, arch: process.arch === 'arm64' ? 'arm64' : 'amd64' })
  const user = userOf(found.os)
  const volume = imagePrefix(found.name) + digest([
    found.fingerprint, user, contents(join(RECIPES, 'import')), contents(join(RECIPES, 'base', 'files')), readFileSync(SANDBOX, 'utf8'),
    ...certificates(home).map(certificate => certificate.text),
  ])
  const there = await client.find<Volume>(volumePath(client, volume))
  if (!there || !isReady(there)) {
    const started = Date.now()
    const work = join(home.dir, 'download')
    const archive = await download(from, found, work, log)
    if (there) await discard(home, client, volume)
    await makeVolume(client, volume, { sizeGiB: SIZE_GIB })
    try {
      const trusted = join(work, 'certificates')
      writeCertificates(home, trusted)
      await fill({ file: volumeFile(home, volume), point: newPoint(home, volume), trusted }, { archive, kind: found.root.kind }, user, log)
    } catch (error) {
      await discard(home, client, volume)
      throw error instanceof ToolError ? new ImportError(`${found.name} can't be prepared: ${error.message}`, { cause: error }) : error
    }
    await markReady(client, volume, {
      'user.image': found.name, 'user.description': describe(found, from), 'user.user': user, 'user.created': new Date().toISOString(),
    })
    rmSync(work, { recursive: true })
    log.info('image imported', { image: found.name, version: found.version, ms: Date.now() - started })
  }
  await discardElders(home, client, { prefix: imagePrefix(found.name), keep: volume })
  return found.name
}

const describe = ({ name, variant, version }: Found, { host }: URL): string => `${name} of ${host} (${variant}, ${version})`

type Archive = { archive: string; kind: Found['root']['kind'] }

async function fill(target: Target, archive: Archive, user: string, log: Log): Promise<void> {
  const { file, point } = target
  await run('mkfs.ext4', ['-q', '-L', 'root', '-m', '1', file])
  mkdirSync(point, { recursive: true })
  log.info('unpacking')
  await unpack(target, archive)
  log.info('preparing')
  await prepare(target, user)
  await unmountFile(file, point)
}

export async function unpack(target: Target, { archive, kind }: Archive): Promise<void> {
  const { point } = target
  const whole = ['--numeric-owner', '--same-permissions', '--xattrs', '--xattrs-include=*']
  await inSandbox(target, 'extract', kind === 'squashfs' ? ['unsquashfs', '-force', '-no-progress', '-quiet', '-dest', point, archive]
    : ['tar', '--extract', '--xz', '--file', archive, '--directory', point, ...whole])
}

/** Makes it boot as an EC2 instance that lets in `user`. */
export const prepare = (target: Target, user: string): Promise<string> =>
  inSandbox(target, 'setup', [RECIPES, target.trusted, 'import/setup.sh', user])
